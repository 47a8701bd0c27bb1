"""A channel of TLS over an OpenSSL that gives every answer that OpenSSL may give."""

import ssl
from collections import deque

import pytest

from msgd.net import ChannelViolation, Wait
from msgd.os_tls import ANSWERS_BYTES_MAX, TlsChannel
from tests.msgd.fake_net import FakeChannel


class FakeEngine:
    """An OpenSSL that says what a test wants it to say."""

    def __init__(self, outgoing: ssl.MemoryBIO) -> None:
        self.outgoing = outgoing
        self.answers: deque[bytes | int | Exception] = deque()
        self.answer_bytes = 0
        """So many bytes of its own it has to send at each call."""

    def _next(self) -> bytes | int:
        self.outgoing.write(bytes(self.answer_bytes))
        answer = self.answers.popleft() if self.answers else ssl.SSLWantReadError()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def do_handshake(self) -> None:
        self._next()

    def read(self, len: int = 1024) -> bytes:  # noqa: A002  as in ssl
        answer = self._next()
        assert isinstance(answer, bytes)
        return answer

    def write(self, data: memoryview) -> int:
        answer = self._next()
        assert isinstance(answer, int)
        return answer

    def unwrap(self) -> object:
        return self._next()

    def pending(self) -> int:
        return 0


def odd(*, shaken: bool = True) -> tuple[TlsChannel, FakeEngine, FakeChannel]:
    """A channel over a FakeEngine."""
    carrier, outgoing = FakeChannel("x"), ssl.MemoryBIO()
    engine = FakeEngine(outgoing)
    channel = TlsChannel(carrier, engine, ssl.MemoryBIO(), outgoing, b"")
    if shaken:
        engine.answers.append(b"")
        assert channel.shake() is None
    return channel, engine, carrier


WANTS = [(ssl.SSLWantReadError(), Wait.READ), (ssl.SSLWantWriteError(), Wait.WRITE)]


@pytest.mark.parametrize(("want", "wait"), WANTS)
def test_a_handshake_may_want_either(want: Exception, wait: Wait) -> None:
    channel, engine, carrier = odd(shaken=False)
    engine.answers.append(want)
    assert channel.shake() is wait
    engine.answer_bytes, carrier.room_bytes = 10, 5
    engine.answers.append(want)
    assert channel.shake() is Wait.WRITE


@pytest.mark.parametrize(("want", "wait"), WANTS)
def test_a_send_may_want_either(want: Exception, wait: Wait) -> None:
    channel, engine, carrier = odd()
    engine.answers.append(want)
    assert channel.send(b"hello") is wait
    engine.answers += [3, want]
    assert channel.send(b"hello") == 3
    engine.answer_bytes, carrier.room_bytes = 10, 5
    engine.answers.append(want)
    assert channel.send(b"hello") is Wait.WRITE


@pytest.mark.parametrize(("want", "wait"), WANTS)
def test_a_receive_may_want_either(want: Exception, wait: Wait) -> None:
    channel, engine, carrier = odd()
    carrier.to_server += b"record"
    engine.answers.append(want)
    assert channel.receive(100) is Wait.READ, "it has nothing to write, so it waits for bytes"
    carrier.to_server += b"record"
    engine.answer_bytes, carrier.room_bytes = 10, 5
    engine.answers.append(want)
    assert channel.receive(100) is Wait.WRITE
    engine.answer_bytes, carrier.room_bytes = 0, None
    assert channel.receive(100) is Wait.READ
    assert len(carrier.to_client) == 10


def test_a_zero_return_is_an_end_too() -> None:
    channel, engine, carrier = odd()
    carrier.to_server += b"record"
    engine.answers.append(ssl.SSLZeroReturnError())
    assert channel.receive(100) == b""


def test_a_send_that_fails_breaks_it() -> None:
    channel, engine, _ = odd()
    engine.answers.append(ssl.SSLError())
    with pytest.raises(ChannelViolation, match="TLS failed: unknown error"):
        channel.send(b"hello")


def test_who_asks_for_answers_and_takes_none_is_not_heard() -> None:
    """New keys can be asked for without end, and each time an answer is due."""
    channel, engine, carrier = odd()
    carrier.room_bytes = 0
    engine.answer_bytes = ANSWERS_BYTES_MAX
    carrier.to_server += b"x"
    assert channel.receive(1) is Wait.WRITE
    engine.answer_bytes = 1
    carrier.to_server += b"xxx"
    assert channel.receive(1) is Wait.WRITE, "at the limit it is still heard"
    assert carrier.to_server == b"xx"
    assert channel.receive(1) is Wait.WRITE
    assert carrier.to_server == b"xx"
    carrier.room_bytes = None
    assert channel.receive(1) is Wait.READ
    assert carrier.to_server == b"x"
