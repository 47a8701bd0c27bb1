"""Both ends in memory: any chunking of any stream, limits, and every way to break the protocol."""

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.samples import INSTALLATION, MESSAGE_ID, SAMPLES, messages_of
from wire import frames, limits
from wire.codes import Code, Field, FrameType
from wire.connection import Connection, Unsupported
from wire.errors import LocalProtocolError, RemoteProtocolError
from wire.messages import (
    CreateAccount,
    Error,
    Hello,
    ListAccounts,
    LoginChallenge,
    LoginFailure,
    LoginProof,
    LoginRequest,
    LoginSuccess,
    Message,
    MessagePending,
    Ping,
    Pong,
    SendMessage,
    Welcome,
)
from wire.states import IllegalFrameError, Role, State, advance
from wire.tlv import HEADER, HEADER_BYTES, encode

WELCOME = next(sample for sample in SAMPLES if isinstance(sample, Welcome))


def pair(state: State = State.NEW) -> tuple[Connection, Connection]:
    """A client and a server that stand in `state`."""
    client, server = Connection(Role.CLIENT), Connection(Role.SERVER)
    client.state = server.state = state
    return client, server


def events(connection: Connection) -> list[Message | Unsupported]:
    found = []
    while (event := connection.next_event()) is not None:
        found.append(event)
    return found


def broken(connection: Connection, data: bytes) -> RemoteProtocolError:
    connection.receive_data(data)
    with pytest.raises(RemoteProtocolError) as caught:
        events(connection)
    return caught.value


def test_what_comes_next_is_known_once_its_header_is_there() -> None:
    _, server = pair(State.ONLINE)
    data = frames.encode(Ping(1)) + frames.encode(ListAccounts(2))
    assert server.next_type() == 0
    server.receive_data(data[: HEADER_BYTES - 1])
    assert server.next_type() == 0
    server.receive_data(data[HEADER_BYTES - 1 : HEADER_BYTES])
    assert server.next_type() == FrameType.PING
    assert server.next_event() is None, "to look takes nothing away"
    server.receive_data(data[HEADER_BYTES:])
    assert server.next_event() == Ping(1)
    assert server.next_type() == FrameType.LIST_ACCOUNTS
    assert server.next_event() == ListAccounts(2)
    assert server.next_type() == 0


def test_a_conversation_from_hello_to_pending() -> None:
    client, server = pair()
    script: list[tuple[Connection, Connection, Message]] = [
        (client, server, Hello((1,), "test")),
        (server, client, WELCOME),
        (client, server, LoginRequest(1, "alice", INSTALLATION, create_if_new=True)),
        (server, client, LoginSuccess(1, "alice", 0, 0, created=True)),
        (client, server, SendMessage(2, MESSAGE_ID, b"hello", ("bob",))),
        (server, client, MessagePending(2, MESSAGE_ID, 1, 5)),
    ]
    for sender, receiver, message in script:
        receiver.receive_data(sender.send(message))
        assert events(receiver) == [message]
        assert sender.state is receiver.state
    assert server.state is State.ONLINE


def test_a_login_in_steps_fails_and_is_tried_again() -> None:
    client, server = pair(State.READY)
    first = LoginRequest(1, "alice", INSTALLATION, scram=b"first")
    script: list[tuple[Connection, Connection, Message]] = [
        (client, server, first),
        (server, client, LoginChallenge(1, b"challenge")),
        (client, server, Ping(9)),
        (client, server, LoginProof(1, b"wrong")),
        (server, client, LoginFailure(1, Code.WRONG_PASSWORD, "no")),
        (client, server, first),
        (server, client, LoginChallenge(1, b"challenge")),
        (client, server, LoginProof(1, b"right")),
        (server, client, LoginSuccess(1, "alice", 0, 0, scram=b"signature")),
    ]
    for sender, receiver, message in script:
        receiver.receive_data(sender.send(message))
        assert events(receiver) == [message]
        assert sender.state is receiver.state
    assert server.state is State.ONLINE


ONLINE_CLIENT = messages_of(
    FrameType.PING,
    FrameType.PONG,
    FrameType.CREATE_ACCOUNT,
    FrameType.LIST_ACCOUNTS,
    FrameType.SEND_MESSAGE,
    FrameType.MESSAGE_RECEIPT,
    FrameType.CHECK_MESSAGES,
    FrameType.DELETION_REQUEST,
)


@given(st.lists(ONLINE_CLIENT, max_size=6), st.data())
def test_any_cut_of_a_stream_gives_the_same_messages(
    sent: list[Message], data: st.DataObject
) -> None:
    client, server = pair(State.ONLINE)
    stream = b"".join(client.send(message) for message in sent)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=10))
    found: list[Message | Unsupported] = []
    for start, end in pairwise([0, *sorted(cuts), len(stream)]):
        server.receive_data(stream[start:end])
        found += events(server)
    assert found == sent
    assert server.buffered_bytes == 0


def test_byte_by_byte_gives_the_same_messages() -> None:
    client, server = pair(State.ONLINE)
    sent = [SendMessage(n, MESSAGE_ID, b"hello", ("bob",)) for n in range(1, 4)]
    found: list[Message | Unsupported] = []
    for byte in b"".join(client.send(message) for message in sent):
        server.receive_data(bytes([byte]))
        found += events(server)
    assert found == sent


@given(st.binary(max_size=200), st.sampled_from(list(State)), st.sampled_from(list(Role)))
def test_random_bytes_never_do_more_than_break_the_connection(
    data: bytes, state: State, role: Role
) -> None:
    connection = Connection(role)
    connection.state = state
    connection.receive_data(data)
    try:
        events(connection)
    except RemoteProtocolError:
        assert connection.state is State.CLOSED


@given(st.data())
def test_one_flipped_bit_never_does_more_than_break_the_connection(data: st.DataObject) -> None:
    stream = bytearray(frames.encode(data.draw(ONLINE_CLIENT)))
    position = data.draw(st.integers(0, len(stream) * 8 - 1))
    stream[position // 8] ^= 1 << position % 8
    _, server = pair(State.ONLINE)
    server.receive_data(bytes(stream))
    try:
        events(server)
    except RemoteProtocolError:
        assert server.state is State.CLOSED


@pytest.mark.parametrize(
    ("state", "role", "sample"),
    [(state, role, sample) for state, role, sample in product(State, Role, SAMPLES)],
)
def test_every_state_with_every_frame(state: State, role: Role, sample: Message) -> None:
    """`role` receives; what the table forbids is refused at both ends, and the same way."""
    sender, receiver = Connection(role.peer), Connection(role)
    sender.state = receiver.state = state
    fatal = isinstance(sample, Error) and sample.fatal
    try:
        after = advance(state, role.peer, frames.frame_type(sample), fatal=fatal)
    except IllegalFrameError:
        with pytest.raises(LocalProtocolError):
            sender.send(sample)
        assert sender.state is state
        assert broken(receiver, frames.encode(sample)).code == Code.ILLEGAL_NOW
        return
    receiver.receive_data(sender.send(sample))
    assert receiver.next_event() == sample
    assert sender.state is receiver.state is after


def test_a_stranger_is_told_what_this_port_speaks() -> None:
    _, server = pair()
    error = broken(server, b"GET / HTTP/1.1\r\n\r\n")
    assert error.code == Code.ILLEGAL_NOW
    assert "HELLO" in error.text


def test_once_broken_always_broken() -> None:
    _, server = pair()
    first = broken(server, bytes(6))
    server.receive_data(frames.encode(Hello((1,), "test")))
    with pytest.raises(RemoteProtocolError) as caught:
        server.next_event()
    assert caught.value is first


def test_type_zero_is_refused() -> None:
    _, server = pair(State.ONLINE)
    assert broken(server, bytes(6)).code == Code.MALFORMED


@pytest.mark.parametrize(
    "state",
    [State.READY, State.LOGGING_IN, State.CHALLENGED, State.PROVING, State.ONLINE],
)
def test_the_frame_limit_holds_at_the_header(state: State) -> None:
    online = state is State.ONLINE
    most = limits.FRAME_BYTES_MAX if online else limits.FRAME_BYTES_MAX_BEFORE_LOGIN
    _, server = pair(state)
    server.receive_data(HEADER.pack(FrameType.PING, most))
    assert server.next_event() is None
    _, server = pair(state)
    error = broken(server, HEADER.pack(FrameType.PING, most + 1))
    assert error.code == Code.FRAME_TOO_LARGE


def test_a_hello_has_the_small_limit_and_an_answer_the_large_one() -> None:
    _, server = pair()
    header = HEADER.pack(FrameType.HELLO, limits.FRAME_BYTES_MAX_BEFORE_LOGIN + 1)
    assert broken(server, header).code == Code.FRAME_TOO_LARGE
    client, _ = pair(State.LOGGING_IN)
    client.receive_data(HEADER.pack(FrameType.NOTICE, limits.FRAME_BYTES_MAX))
    assert client.next_event() is None


def test_an_illegal_frame_is_refused_before_its_value_is_here() -> None:
    _, server = pair(State.READY)
    assert broken(server, HEADER.pack(FrameType.SEND_MESSAGE, 100)).code == Code.ILLEGAL_NOW


def test_an_unknown_frame_is_passed_over_and_named_with_its_request() -> None:
    _, server = pair(State.ONLINE)
    request = encode(Field.REQUEST, b"\0\0\0\x2a")
    server.receive_data(encode(999, encode(0x7FAA, b"x") + request) + frames.encode(Ping(1)))
    assert events(server) == [Unsupported(999, None, 42), Ping(1)]


@pytest.mark.parametrize(
    "value", [b"", encode(Field.REQUEST, bytes(4)), encode(Field.REQUEST, b"\1")]
)
def test_an_unknown_frame_may_have_no_request(value: bytes) -> None:
    _, server = pair(State.ONLINE)
    server.receive_data(encode(999, value))
    assert server.next_event() == Unsupported(999, None, None)


def test_an_unknown_frame_is_tlv_too() -> None:
    _, server = pair(State.ONLINE)
    assert broken(server, encode(999, b"x")).code == Code.MALFORMED


def test_a_field_that_must_be_understood_is_not_obeyed_and_moves_no_state() -> None:
    _, server = pair(State.READY)
    login = frames.encode(LoginRequest(7, "bob", INSTALLATION))
    length = len(login) - 6 + 6
    stream = HEADER.pack(FrameType.LOGIN_REQUEST, length) + login[6:] + encode(0x80AA, b"")
    server.receive_data(stream)
    assert server.next_event() == Unsupported(FrameType.LOGIN_REQUEST, 0x80AA, 7)
    assert server.state is State.READY


def test_an_error_that_is_not_fatal_needs_a_greeting_first() -> None:
    client, _ = pair(State.GREETING)
    error = broken(client, frames.encode(Error(1, "soft")))
    assert error.code == Code.ILLEGAL_NOW


def test_frames_wait_until_asked_for() -> None:
    client, server = pair(State.ONLINE)
    server.receive_data(b"".join(client.send(Ping(n)) for n in (1, 2)))
    one = len(frames.encode(Ping(1)))
    assert server.buffered_bytes == 2 * one
    assert server.next_event() == Ping(1)
    assert server.buffered_bytes == one
    server.receive_data(client.send(ListAccounts(3)))
    assert events(server) == [Ping(2), ListAccounts(3)]


def test_how_much_a_frame_needs_is_known_when_its_header_is() -> None:
    client, server = pair(State.ONLINE)
    whole = client.send(ListAccounts(3, pattern="a*"))
    assert server.needed_bytes == HEADER_BYTES
    server.receive_data(whole[:-1])
    assert server.next_event() is None
    assert server.needed_bytes == len(whole)
    server.receive_data(whole[-1:])
    assert server.next_event() == ListAccounts(3, pattern="a*")
    assert server.needed_bytes == HEADER_BYTES


def test_empty_data_changes_nothing() -> None:
    _, server = pair()
    server.receive_data(b"")
    assert server.next_event() is None


def test_sending_out_of_turn_is_our_own_mistake_and_changes_nothing() -> None:
    client, _ = pair()
    with pytest.raises(LocalProtocolError, match="CREATE_ACCOUNT"):
        client.send(CreateAccount(1, "bob"))
    assert client.state is State.NEW
    with pytest.raises(LocalProtocolError, match="not the client's"):
        client.send(WELCOME)


def test_a_pong_may_cross_the_goodbye() -> None:
    client, server = pair(State.LEAVING)
    server.receive_data(client.send(Pong(3)))
    assert events(server) == [Pong(3)]
