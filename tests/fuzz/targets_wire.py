"""What a peer can send: frames, their fields, conversations, logins, certificates.

Each target takes bytes, and raises only if something is wrong with our code. Fails with
AssertionError for a broken property, and with whatever a reader should not have raised.
"""

from typing import Final

from tests.wire.samples import SAMPLES
from wire import certificate, frames, invite, limits, scram, tlv
from wire.connection import Connection, Unsupported
from wire.errors import CertificateError, LocalProtocolError, RemoteProtocolError, TlvError
from wire.fields import UnsupportedFieldError
from wire.frames import FRAMES
from wire.messages import Message
from wire.states import Role, State

FRAME_TYPES: Final = tuple(int(spec.number) for spec in FRAMES)
EVENTS_MAX: Final = 10_000
VERIFIER: Final = scram.Verifier(bytes(16), 600_000, bytes(32), bytes(range(32)))
BINDING: Final = bytes(range(32))
SERVER_NONCE: Final = "0123456789abcdef"


def read_tlv(data: bytes) -> None:
    """TLV: what is read is what was written, and nothing is passed over."""
    try:
        found = [(type_, data[start:end]) for type_, start, end in tlv.spans(data, 0, len(data))]
    except TlvError:
        return
    assert b"".join(tlv.encode(type_, value) for type_, value in found) == data


def read_frame(data: bytes) -> None:
    """One frame's value: the first byte chooses its type. Round trip; both readers agree."""
    if not data:
        return
    type_ = FRAME_TYPES[data[0] % len(FRAME_TYPES)]
    message, refused = _decode(frames.decode, type_, data)
    again, refused_again = _decode(frames.decode_by_table, type_, data)
    assert (message, refused) == (again, refused_again), "the fast reader differs from the table"
    if message is None:
        return
    encoded = frames.encode(message)
    assert encoded == frames.encode_by_table(message), "the fast writer differs from the table"
    assert frames.decode(type_, encoded, 6, len(encoded)) == message


def _decode(read: object, type_: int, data: bytes) -> tuple[Message | None, str]:
    assert callable(read)
    try:
        message: Message = read(type_, data, 1, len(data))
    except (RemoteProtocolError, UnsupportedFieldError) as error:
        return None, type(error).__name__
    return message, ""


def converse(data: bytes) -> None:
    """A conversation. The first byte is our role; then pieces: a length and so many bytes of the
    peer's, or, for lengths from 240 on, one of our own samples is sent.
    """
    if not data:
        return
    role = (Role.SERVER, Role.CLIENT)[data[0] & 1]
    connection, whole = Connection(role), Connection(role)
    heard: list[Message | Unsupported] = []
    said = b""
    sends = False
    at, failed = 1, ""
    while at < len(data) and not failed:
        length = data[at]
        at += 1
        if length >= 240:
            sends = True
            _say(connection, SAMPLES[(length - 240 + at) % len(SAMPLES)])
            continue
        piece = data[at : at + length]
        at += length
        said += piece
        connection.receive_data(piece)
        failed = _hear(connection, heard)
        most = limits.FRAME_BYTES_MAX + 6 + len(piece)
        assert connection.buffered_bytes <= most, "more is held than a frame"
    if failed:
        assert connection.state is State.CLOSED
        assert _hear(connection, []) == failed, "a broken connection stays broken"
    if not sends:
        at_once: list[Message | Unsupported] = []
        whole.receive_data(said)
        assert (_hear(whole, at_once), at_once) == (failed, heard), "pieces must not matter"


def _say(connection: Connection, message: Message) -> None:
    before = connection.state
    try:
        connection.send(message)
    except LocalProtocolError:
        assert connection.state is before


def _hear(connection: Connection, heard: list[Message | Unsupported]) -> str:
    """Everything that there is; gives why it broke, or nothing."""
    for _ in range(EVENTS_MAX):
        try:
            event = connection.next_event()
        except RemoteProtocolError as error:
            assert error.text.isprintable()
            return error.text
        if event is None:
            return ""
        heard.append(event)
    raise AssertionError("it never comes to an end")


def log_in(data: bytes) -> None:
    """SCRAM: the first byte says which message; of the server's last check, also the binding."""
    if not data:
        return
    kind, text = data[0], data[1:]
    try:
        if kind % 3 == 0:
            first = scram.read_first(text)
            assert scram.NONCE_CHARACTERS_MIN <= len(first.nonce) <= scram.NONCE_CHARACTERS_MAX
            scram.check_header(first, BINDING if kind & 64 else None)
            login = scram.ServerLogin(VERIFIER, first, SERVER_NONCE, BINDING)
            assert login.challenge.startswith(b"r=" + first.nonce.encode())
        elif kind % 3 == 1:
            nonce, salt, iterations = scram.read_challenge(text)
            assert nonce.isascii()
            if scram.iterations_allowed(iterations):
                client = scram.ClientLogin("alice", SERVER_NONCE, None)
                client.prove(text, scram.Keys(salt[:64], iterations, bytes(32), bytes(32)))
        else:
            first = scram.read_first(b"n,,n=alice,r=" + SERVER_NONCE.encode())
            binding = BINDING if kind & 64 else None
            login = scram.ServerLogin(VERIFIER, first, SERVER_NONCE, binding)
            assert login.check(text) is None, "let in without the password"
    except scram.ScramError as error:
        assert str(error).isprintable()


def read_certificate(data: bytes) -> None:
    """DER: a pin, a binding, an end; or a CertificateError."""
    for read in (certificate.read_pin, certificate.read_binding, certificate.read_end_ms):
        try:
            read(data)
        except CertificateError:
            continue


def read_invite(data: bytes) -> None:
    """An invite as somebody types it; what is read is written in one way."""
    try:
        read = invite.read_invite(data.decode("utf-8", "replace"))
    except invite.InviteError as error:
        assert str(error).isprintable()
        return
    text = invite.invite_text(read)
    assert invite.read_invite(text) == invite.read_invite(text.upper()) == read
