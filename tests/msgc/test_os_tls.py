"""TLS over a channel: real OpenSSL at both ends, every cut and trap of a connection."""

import ssl
from typing import Final

import pytest

from msgc.net import Doubt, NetError, TrustError
from msgc.os_tls import TlsChannel
from tests.msgc.tls_peer import Identity, TlsLine, TlsPeer, pin_by_openssl, self_signed
from wire.certificate import read_binding, read_pin

TURNS_MAX: Final = 20_000


class OpenGuard:
    """Takes what `pin` says, or anything; notes what it was shown."""

    def __init__(self, authorities: str | None = None, *, looks_again: bool = False) -> None:
        self.authorities = authorities
        self.looks_again = looks_again
        self.shown: list[tuple[str, bool]] = []
        self.refusal: TrustError | None = None

    def judge(self, certificate: bytes, *, is_signed: bool) -> None:
        self.shown.append((read_pin(certificate), is_signed))
        if self.refusal is not None:
            raise self.refusal


def finish(channel: TlsChannel) -> None:
    for _ in range(TURNS_MAX):
        if channel.finish_connecting():
            return
        reads, writes = channel.interest(has_unsent=False)
        assert reads or writes, "nothing to wait for"
    pytest.fail("the handshake does not end")


def connect(
    piece: int = 1 << 20, identity: Identity | None = None
) -> tuple[TlsChannel, TlsLine, OpenGuard]:
    line = TlsLine(TlsPeer(identity or self_signed("one")), piece=piece)
    guard = OpenGuard()
    channel = TlsChannel(lambda: line, "here.example", guard)
    finish(channel)
    return channel, line, guard


def send_all(channel: TlsChannel, data: bytes) -> None:
    for _ in range(TURNS_MAX):
        data = data[channel.send(data) :]
        if not data and not channel.interest(has_unsent=False)[1]:
            return
    pytest.fail("it does not go")


def receive_all(channel: TlsChannel, count: int) -> bytes:
    got = b""
    for _ in range(TURNS_MAX):
        got += channel.receive(1_000) or b""
        if len(got) >= count:
            return got
    pytest.fail("it does not come")


@pytest.mark.parametrize("piece", [1, 7, 1_000, 1 << 20])
def test_bytes_go_both_ways_whatever_the_pieces(piece: int) -> None:
    channel, line, _ = connect(piece)
    send_all(channel, b"hello" * 5_000)
    assert line.peer.heard == b"hello" * 5_000
    line.peer.say(b"world" * 5_000)
    assert receive_all(channel, 25_000) == b"world" * 5_000
    assert channel.receive(10) is None
    assert not channel.has_pending


def test_it_is_tls_13_and_the_guard_sees_the_key_before_a_byte_goes() -> None:
    identity = self_signed("one")
    channel, line, guard = connect(identity=identity)
    assert line.peer.tls.version() == "TLSv1.3"
    assert guard.shown == [(pin_by_openssl(identity), False)]
    assert channel.binding == read_binding(identity.der)
    assert line.peer.heard == b""


def test_what_the_guard_refuses_gets_nothing() -> None:
    line = TlsLine(TlsPeer(self_signed("one")))
    guard = OpenGuard()
    guard.refusal = TrustError(Doubt.CHANGED, "it", "other")
    channel = TlsChannel(lambda: line, "here.example", guard)
    with pytest.raises(TrustError):
        finish(channel)
    channel.close()
    assert line.closed
    assert line.peer.heard == b""


def test_pending_bytes_are_told_where_the_descriptor_is_silent() -> None:
    """`recv(100)` of 200 bytes: the rest is decrypted, and no poll will ever say so."""
    channel, line, _ = connect()
    channel.receive(10)
    line.peer.say(b"x" * 200)
    assert channel.receive(100) == b"x" * 100
    assert not line.is_readable
    assert channel.has_pending
    assert channel.receive(1_000) == b"x" * 100
    assert channel.receive(1_000) is None
    assert not channel.has_pending


def test_what_comes_with_the_end_of_the_handshake_is_looked_for() -> None:
    channel, _, _ = connect()
    assert channel.has_pending


def test_a_full_line_takes_one_record_and_no_more() -> None:
    channel, line, _ = connect()
    line.room = 10
    assert channel.send(b"y" * 100_000) == 16_384
    assert channel.interest(has_unsent=False) == (True, True)
    assert channel.send(b"y" * 100_000) == 0
    line.room = 1 << 20
    send_all(channel, b"y" * 100)
    assert line.peer.heard == b"y" * 16_484


@pytest.mark.parametrize("polite", [True, False])
def test_the_end_is_seen_with_and_without_a_goodbye(polite: bool) -> None:
    channel, line, _ = connect()
    line.peer.say(b"last")
    if polite:
        with pytest.raises(ssl.SSLWantReadError):
            line.peer.tls.unwrap()
    line.ended = True
    assert channel.receive(100) == b"last"
    assert channel.receive(100) == b""


def test_a_close_says_goodbye_and_does_not_wait() -> None:
    channel, line, _ = connect()
    channel.close()
    assert line.closed
    assert line.peer.tls.read(1) == b""


def test_a_close_of_what_is_gone_is_quiet() -> None:
    channel, line, _ = connect()
    line.broken = "gone"
    channel.close()
    assert line.closed


def test_bytes_that_are_no_record_break_the_connection() -> None:
    channel, line, _ = connect()
    channel.receive(10)
    line.peer.outgoing.write(b"\x17\x03\x03\x00\x20" + b"z" * 32)
    with pytest.raises(NetError, match="TLS failed"):
        channel.receive(10)


@pytest.mark.parametrize(
    ("bytes_first", "words"),
    [
        (b"\x00\x03\x00\x00\x00\x10 not a record", "does not speak TLS"),
        (b"HTTP/1.1 400 Bad Request\r\n", "does not speak TLS"),
    ],
)
def test_a_server_without_tls(bytes_first: bytes, words: str) -> None:
    peer = TlsPeer(self_signed("one"))
    peer.go_on = lambda: None  # type: ignore[method-assign]  # it never answers by itself
    peer.outgoing.write(bytes_first)
    with pytest.raises(NetError, match=words):
        finish(TlsChannel(lambda: TlsLine(peer), "here.example", OpenGuard()))


def test_a_server_that_hangs_up_in_the_handshake() -> None:
    peer = TlsPeer(self_signed("one"))
    peer.go_on = lambda: None  # type: ignore[method-assign]  # it never answers
    line = TlsLine(peer)
    line.ended = True
    with pytest.raises(NetError, match="in the middle of TLS"):
        finish(TlsChannel(lambda: line, "here.example", OpenGuard()))


def test_an_older_tls_is_not_spoken() -> None:
    peer = TlsPeer(self_signed("one"), version=ssl.TLSVersion.TLSv1_2)
    with pytest.raises(NetError, match=r"does not offer TLS 1\.3"):
        finish(TlsChannel(lambda: TlsLine(peer), "here.example", OpenGuard()))


def test_an_authority_that_was_named_vouches() -> None:
    identity = self_signed("one")
    guard = OpenGuard(identity.certificate)
    finish(TlsChannel(lambda: TlsLine(TlsPeer(identity)), "here.example", guard))
    assert guard.shown == [(read_pin(identity.der), True)]


def test_an_authority_vouches_for_the_name_too() -> None:
    identity = self_signed("one")
    guard = OpenGuard(identity.certificate)
    with pytest.raises(TrustError, match="Hostname mismatch") as raised:
        finish(TlsChannel(lambda: TlsLine(TlsPeer(identity)), "other.example", guard))
    assert raised.value.doubt is Doubt.REJECTED


def test_nobody_vouches_and_that_is_the_end() -> None:
    guard = OpenGuard("")
    with pytest.raises(TrustError, match=r"self.signed"):
        finish(TlsChannel(lambda: TlsLine(TlsPeer(self_signed("one"))), "here.example", guard))
    assert guard.shown == []


def test_nobody_vouches_and_the_key_is_looked_at_over_another_connection() -> None:
    lines: list[TlsLine] = []

    def open_line() -> TlsLine:
        lines.append(TlsLine(TlsPeer(self_signed("one")), fd=50 + len(lines)))
        return lines[-1]

    guard = OpenGuard("", looks_again=True)
    channel = TlsChannel(open_line, "here.example", guard)
    finish(channel)
    assert [line.closed for line in lines] == [True, False]
    assert channel.fileno() == 51
    assert guard.shown == [(read_pin(self_signed("one").der), False)]


def test_authorities_that_are_no_file() -> None:
    with pytest.raises(NetError, match="cannot be used"):
        TlsChannel(lambda: TlsLine(TlsPeer(self_signed("one"))), "h", OpenGuard("/no/such.pem"))


def test_a_host_that_no_certificate_can_name() -> None:
    with pytest.raises(NetError, match="no name"):
        TlsChannel(lambda: TlsLine(TlsPeer(self_signed("one"))), "." + "a" * 300, OpenGuard())
