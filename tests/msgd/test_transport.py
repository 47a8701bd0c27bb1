import pytest

from msgd.net import Wait
from msgd.reactor_limits import ReactorLimits
from msgd.session import Session
from msgd.transport import Transport
from tests.msgd.fake_net import FakeChannel, FakeClient
from wire import frames
from wire.codes import Code
from wire.errors import RemoteProtocolError
from wire.messages import Error, Hello, LoggedOut, Logout, Notice, Ping, Pong, Welcome

LIMITS = ReactorLimits(
    read_bytes_per_turn_max=1_000, output_bytes_pause=2_000, output_bytes_max=5_000
)
WELCOME = Welcome(1, bytes(16), "test", 1, 0, 1, 1, 1, 1, 1, 1)


def greeted() -> tuple[Transport, FakeChannel, FakeClient]:
    """A connection that has exchanged HELLO and WELCOME."""
    channel = FakeChannel("127.0.0.1:1")
    client = FakeClient(channel)
    transport = Transport(channel, Session(1, channel.peer, 0, 0), LIMITS)
    client.say(Hello((1,), "test"))
    assert transport.read()
    assert transport.session.connection.next_event() == Hello((1,), "test")
    transport.session.put(WELCOME, 0)
    transport.release(0)
    transport.flush(0)
    assert client.hear() == [WELCOME]
    return transport, channel, client


def test_nothing_is_encoded_before_its_batch_is_durable() -> None:
    transport, channel, client = greeted()
    transport.session.put(Pong(1), 7)
    transport.session.put(Pong(2), 8)
    transport.release(6)
    transport.flush(0)
    assert client.hear() == []
    assert len(transport.session.outbox) == 2
    transport.release(7)
    transport.flush(0)
    assert client.hear() == [Pong(1)]
    transport.release(8)
    transport.flush(0)
    assert client.hear() == [Pong(2)]
    assert transport.is_flushed
    assert channel.sends == 3


def test_many_messages_leave_in_one_send() -> None:
    transport, channel, client = greeted()
    for number in range(1, 50):
        transport.session.put(Pong(number), 0)
    transport.release(0)
    transport.flush(0)
    assert channel.sends == 2
    assert client.hear() == [Pong(number) for number in range(1, 50)]


def test_what_does_not_fit_waits_and_comes_in_order() -> None:
    transport, channel, client = greeted()
    channel.room_bytes = 30
    for number in range(1, 20):
        transport.session.put(Pong(number), 0)
    transport.release(0)
    while transport.output_bytes:
        transport.flush(5)
        assert transport.stalled_since_ms in {5, None}
        client.hear()
    assert client.inbox[1:] == [Pong(number) for number in range(1, 20)]
    assert transport.wants() == (True, False)


def test_a_stall_counts_from_the_last_byte_taken() -> None:
    transport, channel, _ = greeted()
    channel.room_bytes = 10
    transport.session.put(Pong(1), 0)
    transport.release(0)
    transport.flush(100)
    stalled = [transport.stalled_since_ms]
    transport.flush(200)
    stalled.append(transport.stalled_since_ms)
    channel.to_client.clear()
    transport.flush(300)
    stalled.append(transport.stalled_since_ms)
    assert stalled == [100, 100, None]
    assert transport.is_flushed


def test_a_peer_that_does_not_read_is_not_read_from() -> None:
    transport, channel, _ = greeted()
    channel.room_bytes = 0
    text = "x" * 500
    while not transport.is_paused:
        transport.session.put(Notice(3, text), 0)
        transport.release(0)
        transport.flush(0)
    assert transport.wants() == (False, True)
    channel.to_server += b"x"
    assert not transport.read()
    assert channel.to_server == b"x"


def test_more_output_than_allowed_ends_it() -> None:
    transport, channel, _ = greeted()
    channel.room_bytes = 0
    for _ in range(11):
        transport.session.put(Notice(3, "x" * 500), 0)
        transport.release(0)
        transport.flush(0)
    assert transport.gone == "more was waiting for it than is allowed"


def test_the_end_of_the_stream_and_a_reset_are_told_apart() -> None:
    transport, channel, _ = greeted()
    channel.ended = True
    assert not transport.read()
    assert transport.gone == "closed by the client"
    transport, channel, _ = greeted()
    channel.broken = "connection reset by peer"
    assert not transport.read()
    assert transport.gone == "connection reset by peer"
    assert not transport.read()


def test_a_reset_while_sending_is_noticed() -> None:
    transport, channel, _ = greeted()
    channel.broken = "broken pipe"
    transport.session.put(Pong(1), 0)
    transport.release(0)
    transport.flush(0)
    assert transport.gone == "broken pipe"
    transport.flush(0)
    assert channel.sends == 2


def test_encryption_may_want_to_write_before_it_reads() -> None:
    transport, channel, _ = greeted()
    channel.receive_answers.append(Wait.WRITE)
    assert not transport.read()
    assert transport.wants() == (False, True)
    channel.to_server += b"x"
    assert transport.read()
    assert transport.wants() == (True, False)


def test_encryption_may_want_to_read_before_it_writes() -> None:
    transport, channel, _ = greeted()
    channel.send_answers.append(Wait.READ)
    transport.session.put(Pong(1), 0)
    transport.release(0)
    transport.flush(0)
    transport.session.closing = "done"
    assert transport.wants() == (True, False)
    transport.flush(0)
    assert transport.is_flushed


def test_a_doomed_session_is_not_read_from() -> None:
    transport, _, _ = greeted()
    assert transport.wants() == (True, False)
    transport.session.closing = "kicked"
    assert transport.wants() == (False, False)


def test_a_peer_that_broke_the_protocol_still_gets_the_reason() -> None:
    transport, channel, client = greeted()
    channel.to_server += frames.encode(Ping(1))[:2] + b"\xff\xff\xff\xff"
    assert transport.read()
    with pytest.raises(RemoteProtocolError):
        transport.session.connection.next_event()
    error = Error(Code.FRAME_TOO_LARGE, "too large", fatal=True)
    transport.session.put(Pong(1), 0)
    transport.session.put(error, 0)
    transport.release(0)
    transport.flush(0)
    assert client.hear() == [Pong(1), error]


def test_nothing_follows_the_last_frame() -> None:
    transport, _, client = greeted()
    client.say(Logout(1))
    assert transport.read()
    assert transport.session.connection.next_event() == Logout(1)
    transport.session.put(LoggedOut(1), 0)
    transport.session.put(Notice(1, "too late"), 0)
    transport.release(0)
    transport.flush(0)
    assert client.hear() == [LoggedOut(1)]
    assert transport.is_flushed
