"""TLS over a channel in memory: every trap of not waiting, one test each."""

import os
import ssl
from pathlib import Path

import pytest

from msgd.net import ChannelError, ChannelViolation, Wait
from msgd.os_tls import (
    HANDSHAKE_BYTES_MAX,
    SEND_BYTES_MAX,
    SLICE_BYTES_MAX,
    OsSecurity,
    TlsChannel,
)
from tests.msgd.certificates import FakeTlsClient, client_context, put
from tests.msgd.fake_net import FakeChannel

RECORD_BYTES_MORE = 22
"""What TLS 1.3 adds to one record: header, kind, tag."""


def security(folder: Path) -> OsSecurity:
    return OsSecurity(*put(folder), os.getuid())


@pytest.fixture
def ends(tmp_path: Path) -> tuple[TlsChannel, FakeTlsClient, FakeChannel]:
    """A server's channel and its client; nothing has been said."""
    carrier = FakeChannel("127.0.0.1:1")
    channel = security(tmp_path).protect(carrier)
    assert isinstance(channel, TlsChannel)
    return channel, FakeTlsClient(carrier), carrier


@pytest.fixture
def shaken(
    ends: tuple[TlsChannel, FakeTlsClient, FakeChannel],
) -> tuple[TlsChannel, FakeTlsClient, FakeChannel]:
    """The same, with their handshake done."""
    channel, client, _ = ends
    assert not client.shake()
    assert channel.shake() is Wait.READ
    assert client.shake()
    assert channel.shake() is None
    return ends


Ends = tuple[TlsChannel, FakeTlsClient, FakeChannel]

# ----- the handshake ------------------------------------------------------------------------------


def test_bytes_go_both_ways(shaken: Ends) -> None:
    channel, client, carrier = shaken
    assert channel.peer == "127.0.0.1:1"
    assert not channel.has_pending
    client.say(b"hello")
    assert b"hello" not in carrier.to_server
    assert channel.receive(100) == b"hello"
    assert channel.receive(100) is Wait.READ
    assert channel.send(memoryview(b"good day")) == 8
    assert client.hear() == b"good day"
    channel.close()
    assert carrier.closed


def test_nothing_follows_the_handshake_by_itself(shaken: Ends) -> None:
    """Tickets would be sent when nobody asked, and wait for room when nobody watches."""
    _, _, carrier = shaken
    assert carrier.to_client == b""


def test_a_handshake_comes_byte_by_byte(ends: Ends) -> None:
    channel, client, carrier = ends
    carrier.receive_bytes_max = 1
    client.shake()
    steps = 0
    while not carrier.to_client:
        assert channel.shake() is Wait.READ
        steps += 1
    assert steps > 200
    assert client.shake()
    while channel.needs_handshake:
        channel.shake()
    client.say(b"x")
    carrier.receive_bytes_max = None
    assert channel.receive(100) == b"x"


def test_a_handshake_waits_for_room(ends: Ends) -> None:
    """Trap: a call that reads may have to write first."""
    channel, client, carrier = ends
    carrier.room_bytes = 100
    client.shake()
    waits = []
    while not client.shake():
        waits.append(channel.shake())
    assert set(waits) == {Wait.WRITE, Wait.READ}
    assert channel.shake() is None


def test_what_came_with_the_last_step_is_pending(ends: Ends) -> None:
    """Trap: the poll knows nothing of it."""
    channel, client, carrier = ends
    client.shake()
    channel.shake()
    client.shake()
    client.say(b"first words")
    assert channel.shake() is None
    assert carrier.to_server == b""
    assert channel.has_pending
    assert channel.receive(100) == b"first words"
    assert not channel.has_pending


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "TLS failed: it speaks plain HTTP"),
        (b"CONNECT a:1 HTTP/1.1\r\n\r\n", "TLS failed: it takes a port for TLS for a web proxy"),
        (bytes(100), "TLS failed: it does not speak TLS"),
        (b"\0\1\0\0\0\x10\0\1\0\0\0\2\0\1", "TLS failed: it does not speak TLS"),
        (b"\x16\3\1\xff\xff" + bytes(100), "TLS failed: packet length too long"),
        (b"\x16\3\1\0\5" + b"\1\xff\xff\xff\0", "TLS failed: excessive message size"),
        (b"\x17\3\3\0\5hello", "TLS failed: "),
    ],
)
def test_what_is_no_handshake_breaks_the_protocol(ends: Ends, said: bytes, words: str) -> None:
    channel, _, carrier = ends
    carrier.to_server += said
    with pytest.raises(ChannelViolation) as caught:
        channel.shake()
    assert str(caught.value).startswith(words)


def test_an_old_client_is_told_so_in_its_own_words(ends: Ends) -> None:
    channel, _, carrier = ends
    old = client_context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    client = FakeTlsClient(carrier, old)
    client.shake()
    with pytest.raises(ChannelViolation, match=r"it offers no TLS 1\.3"):
        channel.shake()
    with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
        client.shake()


def test_a_client_that_refuses_the_certificate_does_no_wrong(ends: Ends) -> None:
    channel, _, carrier = ends
    wary = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client = FakeTlsClient(carrier, wary)
    client.shake()
    channel.shake()
    with pytest.raises(ssl.SSLCertVerificationError):
        client.shake()
    with pytest.raises(ChannelError, match="does not know who made our certificate") as caught:
        channel.shake()
    assert not isinstance(caught.value, ChannelViolation)


def test_an_end_or_a_reset_during_the_handshake(tmp_path: Path, ends: Ends) -> None:
    channel, client, carrier = ends
    client.shake()
    channel.shake()
    carrier.ended = True
    with pytest.raises(ChannelError, match="cut during the handshake") as caught:
        channel.shake()
    assert not isinstance(caught.value, ChannelViolation)
    carrier = FakeChannel("x")
    carrier.broken = "connection reset by peer"
    with pytest.raises(ChannelError, match="connection reset by peer"):
        security(tmp_path).protect(carrier).shake()


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"\0\1\0\0\0\0"])
def test_a_reset_while_the_last_words_are_said_is_no_matter(ends: Ends, said: bytes) -> None:
    channel, _, carrier = ends
    carrier.to_server += said
    send = carrier.send

    def broken(data: bytes | memoryview) -> int | Wait:
        carrier.broken = "broken pipe"
        return send(data)

    carrier.send = broken  # type: ignore[method-assign]  # it breaks at this very moment
    with pytest.raises(ChannelViolation, match="TLS failed"):
        channel.shake()


def test_one_step_reads_so_much_and_no_more(ends: Ends) -> None:
    channel, _, carrier = ends
    carrier.to_server += b"\x16\3\1\x40\0" + bytes(100_000)
    assert channel.shake() is Wait.READ
    assert len(carrier.to_server) == 100_005 - HANDSHAKE_BYTES_MAX


# ----- receiving ----------------------------------------------------------------------------------


def test_what_was_decrypted_and_not_taken_is_pending(shaken: Ends) -> None:
    """Trap: of a record half taken the poll knows nothing."""
    channel, client, carrier = shaken
    client.say(b"x" * 200)
    taken = 0
    while taken < 200:
        data = channel.receive(100)
        if isinstance(data, bytes):
            taken += len(data)
            assert channel.has_pending == (taken < 200)
            if taken < 200:
                assert carrier.to_server == b""
    assert channel.receive(100) is Wait.READ


def test_several_records_come_at_once_and_not_more_than_asked_for(shaken: Ends) -> None:
    channel, client, carrier = shaken
    for size in range(1, 1_001):
        client.say(b"%c" % (size % 251) * size)
    whole = b""
    while carrier.to_server or channel.has_pending:
        data = channel.receive(10_000)
        assert isinstance(data, bytes)
        assert len(data) <= 10_000
        whole += data
    assert whole == b"".join(b"%c" % (size % 251) * size for size in range(1, 1_001))


def test_half_a_record_is_waited_for(shaken: Ends) -> None:
    channel, client, carrier = shaken
    client.say(b"hello")
    rest = bytes(carrier.to_server[10:])
    del carrier.to_server[10:]
    assert channel.receive(100) is Wait.READ
    assert not channel.has_pending
    assert channel.receive(100) is Wait.READ
    carrier.to_server += rest
    assert channel.receive(100) == b"hello"


def test_a_goodbye_is_the_end_of_the_stream(shaken: Ends) -> None:
    channel, client, _ = shaken
    client.say(b"last words")
    client.part()
    assert channel.receive(100) == b"last words"
    assert channel.has_pending
    for _ in range(2):
        assert channel.receive(100) == b""
        assert not channel.has_pending
    client.pull()
    client.engine.unwrap()  # which is happy only with a goodbye from here


def test_an_end_without_a_goodbye_is_told_apart(shaken: Ends) -> None:
    """Trap: anybody on the way can forge the end of TCP."""
    channel, client, carrier = shaken
    client.say(b"last words")
    carrier.ended = True
    assert channel.receive(100) == b"last words"
    with pytest.raises(ChannelError, match="cut without a goodbye") as caught:
        channel.receive(100)
    assert not isinstance(caught.value, ChannelViolation)


def test_half_a_record_at_the_end_is_no_message(shaken: Ends) -> None:
    channel, client, carrier = shaken
    client.say(b"pay 1000")
    del carrier.to_server[-1:]
    carrier.ended = True
    assert channel.receive(100) is Wait.READ
    with pytest.raises(ChannelError, match="cut without a goodbye"):
        channel.receive(100)


def test_a_forged_byte_ends_it_for_good(shaken: Ends) -> None:
    """Trap: after an error OpenSSL must not be used again. What came before it was genuine."""
    channel, client, carrier = shaken
    client.say(b"genuine")
    client.say(b"forged!")
    carrier.to_server[-1] ^= 1
    client.say(b"after it")
    assert channel.receive(100) == b"genuine"
    assert channel.has_pending
    for _ in range(2):
        with pytest.raises(ChannelViolation, match="TLS failed: decryption failed or bad record"):
            channel.receive(100)
        assert not channel.has_pending


def test_a_reset_is_told(shaken: Ends) -> None:
    channel, _, carrier = shaken
    carrier.broken = "connection reset by peer"
    with pytest.raises(ChannelError, match="connection reset by peer"):
        channel.receive(100)
    with pytest.raises(ChannelError, match="connection reset by peer"):
        channel.send(b"x")


# ----- sending ------------------------------------------------------------------------------------


def test_a_blocked_slice_is_offered_again_and_encrypted_once(shaken: Ends) -> None:
    """Trap: OpenSSL has part of it already; what follows it may grow meanwhile."""
    channel, client, carrier = shaken
    carrier.room_bytes = 1_000
    data = bytes(range(256)) * 30
    assert channel.send(data) is Wait.WRITE
    assert channel.send(data + b"more") is Wait.WRITE
    heard = client.hear()
    data += b"yet more"
    sent = 0
    while sent < len(data):
        taken = channel.send(memoryview(data)[sent:])
        sent += taken if isinstance(taken, int) else 0
        heard += client.hear()
    assert heard == data


def test_less_than_the_time_before_is_a_bug_of_ours(shaken: Ends) -> None:
    channel, _, carrier = shaken
    carrier.room_bytes = 0
    assert channel.send(b"hello") is Wait.WRITE
    with pytest.raises(AssertionError):
        channel.send(b"hell")


@pytest.mark.parametrize("more", [0, 1])
def test_a_slice_is_one_record(shaken: Ends, more: int) -> None:
    channel, _, carrier = shaken
    assert channel.send(bytes(SLICE_BYTES_MAX + more)) == SLICE_BYTES_MAX + more
    records = 1 + more
    assert len(carrier.to_client) == SLICE_BYTES_MAX + more + records * RECORD_BYTES_MORE


def test_one_send_takes_so_much_and_no_more(shaken: Ends) -> None:
    channel, client, _ = shaken
    data = os.urandom(SEND_BYTES_MAX + 1)
    assert channel.send(data) == SEND_BYTES_MAX
    assert channel.send(data[SEND_BYTES_MAX:]) == 1
    assert client.hear() == data


def test_what_went_before_a_block_counts(shaken: Ends) -> None:
    channel, client, carrier = shaken
    carrier.room_bytes = 2 * SLICE_BYTES_MAX
    data = os.urandom(3 * SLICE_BYTES_MAX)
    assert channel.send(data) == SLICE_BYTES_MAX
    heard = client.hear()
    assert channel.send(data[SLICE_BYTES_MAX:]) == 2 * SLICE_BYTES_MAX
    assert heard + client.hear() == data


def test_a_blocked_sender_goes_on_hearing(shaken: Ends) -> None:
    """Both ends could wait for each other for ever otherwise."""
    channel, client, carrier = shaken
    carrier.room_bytes = 10
    assert channel.send(b"hello") is Wait.WRITE
    client.say(b"me too")
    assert channel.receive(100) == b"me too"
    assert channel.receive(100) is Wait.READ


# ----- the end ------------------------------------------------------------------------------------


def test_a_goodbye_is_said_once_and_nothing_is_waited_for(shaken: Ends) -> None:
    channel, client, carrier = shaken
    channel.send(b"bye")
    channel.finish()
    assert carrier.finished
    assert client.hear() == b"bye"
    assert client.engine.read(10) == b""
    size = len(carrier.to_client)
    channel.finish()
    assert len(carrier.to_client) == size
    client.say(b"what is this?")
    assert isinstance(channel.receive(100), bytes), "not worth decrypting"
    carrier.ended = True
    while channel.receive(100):
        continue


def test_a_goodbye_without_room_or_peer_is_left_unsaid(shaken: Ends) -> None:
    channel, _, carrier = shaken
    carrier.room_bytes = 0
    channel.finish()
    assert carrier.finished
    assert carrier.to_client == b""


def test_a_goodbye_to_nobody(shaken: Ends) -> None:
    channel, _, carrier = shaken
    carrier.broken = "broken pipe"
    channel.finish()
    assert carrier.to_client == b""


def test_without_a_handshake_there_is_no_goodbye(ends: Ends) -> None:
    channel, _, carrier = ends
    channel.finish()
    assert carrier.finished
    assert carrier.to_client == b""
