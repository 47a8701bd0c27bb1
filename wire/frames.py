"""The table of MSGP/1: which fields make up each frame, and the two functions that read it.

`encode` makes the bytes of a whole frame, `decode` reads the value of one. docs/protocol.md is
checked against this table.

The frames of every message's life take a shorter way (`wire.hot`) when they are laid out as usual.

Must never do I/O or know what is legal when: that is `wire.states`.
Fails with `RemoteProtocolError` or `UnsupportedFieldError` for bytes of the peer's, and with
`LocalProtocolError` for a value that no frame can carry.
"""

from dataclasses import dataclass
from typing import Any, Final

from wire import hot, limits
from wire.codes import Field, FrameType
from wire.errors import LocalProtocolError
from wire.fields import (
    BODY_VALUE,
    FLAG_VALUE,
    REQUEST_VALUE,
    U8_VALUE,
    U16_VALUE,
    U32_VALUE,
    U64_VALUE,
    FieldReader,
    FieldSpec,
    GroupSpec,
    Rule,
    octets,
    octets_between,
    text,
    write_fields,
)
from wire.messages import (
    AccountEntry,
    AccountList,
    BlockFailure,
    BlockSenders,
    ChangePassword,
    CheckComplete,
    CheckMessages,
    CreateAccount,
    CreateFailure,
    CreateSuccess,
    DeletionFailure,
    DeletionRequest,
    DeletionSuccess,
    DistributeMessage,
    Error,
    Hello,
    ListAccounts,
    LoggedOut,
    LoginChallenge,
    LoginFailure,
    LoginProof,
    LoginRequest,
    LoginSuccess,
    Logout,
    Message,
    MessageFailure,
    MessagePending,
    MessageRecalled,
    MessageReceipt,
    MessageSuccess,
    Notice,
    PasswordChanged,
    PasswordFailure,
    Ping,
    Pong,
    RecallFailure,
    RecallMessage,
    ReceiptSettled,
    SendersBlocked,
    SendMessage,
    Welcome,
)
from wire.tlv import HEADER

_NAME: Final = text(limits.NAME_BYTES_MAX)
_TEXT: Final = text(limits.TEXT_BYTES_MAX)
_CODE: Final = FieldSpec("code", Field.CODE, U16_VALUE)
_SAYING: Final = FieldSpec("text", Field.TEXT, _TEXT)
_REQUEST: Final = FieldSpec("request", Field.REQUEST, REQUEST_VALUE)
_MAYBE_REQUEST: Final = FieldSpec("request", Field.REQUEST, REQUEST_VALUE, Rule.OPTIONAL)
_USERNAME: Final = FieldSpec("username", Field.USERNAME, _NAME)
_MESSAGE_ID: Final = FieldSpec("message_id", Field.MESSAGE_ID, octets(limits.MESSAGE_ID_BYTES))
_DELIVERY: Final = FieldSpec("delivery", Field.DELIVERY, U64_VALUE)
_BODY: Final = FieldSpec("body", Field.BODY, BODY_VALUE)
_AGENT: Final = FieldSpec("agent", Field.AGENT, text(limits.AGENT_BYTES_MAX))
_CAPABILITIES: Final = FieldSpec(
    "capabilities", Field.CAPABILITY, text(limits.CAPABILITY_BYTES_MAX), Rule.REPEATED
)
_SCRAM: Final = FieldSpec("scram", Field.SCRAM, octets_between(1, limits.SCRAM_BYTES_MAX))
_MAYBE_SCRAM: Final = FieldSpec("scram", Field.SCRAM, _SCRAM.kind, Rule.OPTIONAL)
_KEY: Final = octets(limits.KEY_BYTES)
_VERIFIER: Final = (
    FieldSpec("salt", Field.SALT, octets_between(limits.SALT_BYTES_MIN, limits.SALT_BYTES_MAX)),
    FieldSpec("iterations", Field.ITERATIONS, U32_VALUE),
    FieldSpec("stored_key", Field.STORED_KEY, _KEY),
    FieldSpec("server_key", Field.SERVER_KEY, _KEY),
)
_MAYBE_VERIFIER: Final = tuple(
    FieldSpec(spec.attribute, spec.field, spec.kind, Rule.OPTIONAL) for spec in _VERIFIER
)
_MAYBE_LAST_SEEN: Final = FieldSpec("last_seen_ms", Field.LAST_SEEN, U64_VALUE, Rule.OPTIONAL)


@dataclass(frozen=True, slots=True)
class FrameSpec:
    """One row: the frame, its class, its fields, and the flat list that it may end with."""

    number: FrameType
    made_from: type[Any]
    fields: tuple[FieldSpec, ...]
    group: GroupSpec | None = None


def _refusal(number: FrameType, made_from: type[Any], *more: FieldSpec) -> FrameSpec:
    return FrameSpec(number, made_from, (_REQUEST, _CODE, _SAYING, *more))


FRAMES: Final[tuple[FrameSpec, ...]] = (
    FrameSpec(
        FrameType.HELLO,
        Hello,
        (FieldSpec("versions", Field.VERSION, U16_VALUE, Rule.REPEATED), _AGENT, _CAPABILITIES),
    ),
    FrameSpec(
        FrameType.WELCOME,
        Welcome,
        (
            FieldSpec("version", Field.VERSION, U16_VALUE),
            FieldSpec("server_id", Field.SERVER_ID, octets(limits.SERVER_ID_BYTES)),
            _AGENT,
            FieldSpec("authentication", Field.AUTHENTICATION, U8_VALUE),
            FieldSpec("server_time_ms", Field.SERVER_TIME, U64_VALUE),
            FieldSpec("frame_bytes_max", Field.FRAME_BYTES_MAX, U32_VALUE),
            FieldSpec("body_bytes_max", Field.BODY_BYTES_MAX, U32_VALUE),
            FieldSpec("recipients_max", Field.RECIPIENTS_MAX, U32_VALUE),
            FieldSpec("window_messages", Field.WINDOW_MESSAGES, U32_VALUE),
            FieldSpec("window_bytes", Field.WINDOW_BYTES, U32_VALUE),
            FieldSpec("ping_interval_ms", Field.PING_INTERVAL, U32_VALUE),
            _CAPABILITIES,
            FieldSpec("registration", Field.REGISTRATION, U8_VALUE, Rule.OPTIONAL),
            FieldSpec("channel_binding", Field.CHANNEL_BINDING, FLAG_VALUE, Rule.FLAG),
        ),
    ),
    FrameSpec(
        FrameType.ERROR,
        Error,
        (_MAYBE_REQUEST, _CODE, _SAYING, FieldSpec("fatal", Field.FATAL, FLAG_VALUE, Rule.FLAG)),
    ),
    FrameSpec(FrameType.PING, Ping, (_REQUEST,)),
    FrameSpec(FrameType.PONG, Pong, (_REQUEST,)),
    FrameSpec(
        FrameType.NOTICE,
        Notice,
        (
            FieldSpec("kind", Field.KIND, U8_VALUE),
            _SAYING,
            FieldSpec("count", Field.COUNT, U32_VALUE, Rule.OPTIONAL),
        ),
    ),
    FrameSpec(FrameType.LOGOUT, Logout, (_REQUEST,)),
    FrameSpec(FrameType.LOGGED_OUT, LoggedOut, (_MAYBE_REQUEST,)),
    FrameSpec(
        FrameType.CREATE_ACCOUNT,
        CreateAccount,
        (
            _REQUEST,
            _USERNAME,
            *_MAYBE_VERIFIER,
            FieldSpec("invite", Field.INVITE, octets(limits.INVITE_BYTES), Rule.OPTIONAL),
        ),
    ),
    FrameSpec(FrameType.CREATE_SUCCESS, CreateSuccess, (_REQUEST, _USERNAME)),
    _refusal(FrameType.CREATE_FAILURE, CreateFailure),
    FrameSpec(
        FrameType.LOGIN_REQUEST,
        LoginRequest,
        (
            _REQUEST,
            _USERNAME,
            FieldSpec("installation", Field.INSTALLATION, octets(limits.INSTALLATION_BYTES)),
            FieldSpec("create_if_new", Field.CREATE_IF_NEW, FLAG_VALUE, Rule.FLAG),
            FieldSpec("live", Field.LIVE, FLAG_VALUE, Rule.FLAG),
            _MAYBE_SCRAM,
        ),
    ),
    FrameSpec(
        FrameType.LOGIN_SUCCESS,
        LoginSuccess,
        (
            _REQUEST,
            _USERNAME,
            FieldSpec("messages_waiting", Field.MESSAGES_WAITING, U32_VALUE),
            FieldSpec("outcomes_waiting", Field.OUTCOMES_WAITING, U32_VALUE),
            _MAYBE_LAST_SEEN,
            FieldSpec("created", Field.CREATED, FLAG_VALUE, Rule.FLAG),
            FieldSpec("account", Field.ACCOUNT, U64_VALUE, Rule.OPTIONAL),
            _MAYBE_SCRAM,
        ),
    ),
    _refusal(FrameType.LOGIN_FAILURE, LoginFailure),
    FrameSpec(
        FrameType.LIST_ACCOUNTS,
        ListAccounts,
        (
            _REQUEST,
            FieldSpec("pattern", Field.PATTERN, text(limits.PATTERN_BYTES_MAX), Rule.OPTIONAL),
            FieldSpec("cursor", Field.CURSOR, _NAME, Rule.OPTIONAL),
            FieldSpec("limit", Field.LIMIT, U32_VALUE, Rule.OPTIONAL),
        ),
    ),
    FrameSpec(
        FrameType.ACCOUNT_LIST,
        AccountList,
        (
            _REQUEST,
            FieldSpec("accounts_total", Field.ACCOUNTS_TOTAL, U32_VALUE),
            FieldSpec("accounts_connected", Field.ACCOUNTS_CONNECTED, U32_VALUE),
            FieldSpec("cursor", Field.CURSOR, _NAME, Rule.OPTIONAL),
        ),
        GroupSpec(
            "entries",
            AccountEntry,
            (
                _USERNAME,
                FieldSpec("presence", Field.PRESENCE, U8_VALUE),
                _MAYBE_LAST_SEEN,
                FieldSpec("created_at_ms", Field.CREATED_AT, U64_VALUE, Rule.OPTIONAL),
                FieldSpec("queue_full", Field.QUEUE_FULL, FLAG_VALUE, Rule.FLAG),
            ),
        ),
    ),
    FrameSpec(FrameType.LOGIN_CHALLENGE, LoginChallenge, (_REQUEST, _SCRAM)),
    FrameSpec(FrameType.LOGIN_PROOF, LoginProof, (_REQUEST, _SCRAM)),
    FrameSpec(FrameType.CHANGE_PASSWORD, ChangePassword, (_REQUEST, *_VERIFIER)),
    FrameSpec(FrameType.PASSWORD_CHANGED, PasswordChanged, (_REQUEST,)),
    _refusal(FrameType.PASSWORD_FAILURE, PasswordFailure),
    FrameSpec(
        FrameType.SEND_MESSAGE,
        SendMessage,
        (
            _REQUEST,
            _MESSAGE_ID,
            FieldSpec("recipients", Field.RECIPIENT, _NAME, Rule.REPEATED),
            FieldSpec("everyone", Field.EVERYONE, FLAG_VALUE, Rule.FLAG),
            _BODY,
        ),
    ),
    FrameSpec(
        FrameType.MESSAGE_PENDING,
        MessagePending,
        (
            _REQUEST,
            _MESSAGE_ID,
            FieldSpec("recipients_count", Field.COUNT, U32_VALUE, Rule.OPTIONAL),
            FieldSpec("received_at_ms", Field.RECEIVED_AT, U64_VALUE, Rule.OPTIONAL),
            FieldSpec("duplicate", Field.DUPLICATE, FLAG_VALUE, Rule.FLAG),
        ),
    ),
    FrameSpec(
        FrameType.MESSAGE_FAILURE,
        MessageFailure,
        (
            _MAYBE_REQUEST,
            _MESSAGE_ID,
            _CODE,
            _SAYING,
            FieldSpec("recipients", Field.RECIPIENT, _NAME, Rule.REPEATED),
            FieldSpec("delivery", Field.DELIVERY, U64_VALUE, Rule.OPTIONAL),
            FieldSpec("settled_at_ms", Field.SETTLED_AT, U64_VALUE, Rule.OPTIONAL),
        ),
    ),
    FrameSpec(
        FrameType.MESSAGE_SUCCESS,
        MessageSuccess,
        (
            _DELIVERY,
            _MESSAGE_ID,
            FieldSpec("recipient", Field.RECIPIENT, _NAME),
            FieldSpec("delivered_at_ms", Field.DELIVERED_AT, U64_VALUE),
        ),
    ),
    FrameSpec(
        FrameType.DISTRIBUTE_MESSAGE,
        DistributeMessage,
        (
            _MAYBE_REQUEST,
            _DELIVERY,
            _MESSAGE_ID,
            FieldSpec("sender", Field.SENDER, _NAME),
            FieldSpec("received_at_ms", Field.RECEIVED_AT, U64_VALUE),
            FieldSpec("audience", Field.AUDIENCE, U8_VALUE),
            FieldSpec("audience_count", Field.COUNT, U32_VALUE),
            _BODY,
        ),
    ),
    FrameSpec(
        FrameType.MESSAGE_RECEIPT,
        MessageReceipt,
        (
            _MAYBE_REQUEST,
            FieldSpec("deliveries", Field.DELIVERY, U64_VALUE, Rule.REPEATED),
        ),
    ),
    FrameSpec(
        FrameType.RECEIPT_SETTLED,
        ReceiptSettled,
        (_REQUEST, FieldSpec("count", Field.COUNT, U32_VALUE)),
    ),
    FrameSpec(
        FrameType.CHECK_MESSAGES,
        CheckMessages,
        (
            _REQUEST,
            FieldSpec("limit", Field.LIMIT, U32_VALUE, Rule.OPTIONAL),
            FieldSpec("outcomes_only", Field.OUTCOMES_ONLY, FLAG_VALUE, Rule.FLAG),
        ),
    ),
    FrameSpec(
        FrameType.CHECK_COMPLETE,
        CheckComplete,
        (
            _REQUEST,
            FieldSpec("delivered", Field.DELIVERED, U32_VALUE),
            FieldSpec("remaining", Field.REMAINING, U32_VALUE),
        ),
    ),
    FrameSpec(
        FrameType.RECALL_MESSAGE,
        RecallMessage,
        (
            _REQUEST,
            _MESSAGE_ID,
            FieldSpec("recipients", Field.RECIPIENT, _NAME, Rule.REPEATED),
            FieldSpec("everyone", Field.EVERYONE, FLAG_VALUE, Rule.FLAG),
        ),
    ),
    FrameSpec(
        FrameType.MESSAGE_RECALLED,
        MessageRecalled,
        (
            _REQUEST,
            _MESSAGE_ID,
            FieldSpec("everyone", Field.EVERYONE, FLAG_VALUE, Rule.FLAG),
            FieldSpec("recalled", Field.RECALLED, _NAME, Rule.REPEATED),
            FieldSpec("handed_out", Field.HANDED_OUT, _NAME, Rule.REPEATED),
            FieldSpec("ended", Field.ENDED, _NAME, Rule.REPEATED),
            FieldSpec("gone", Field.GONE, _NAME, Rule.REPEATED),
            FieldSpec("later", Field.LATER, _NAME, Rule.REPEATED),
        ),
    ),
    _refusal(FrameType.RECALL_FAILURE, RecallFailure),
    FrameSpec(
        FrameType.BLOCK_SENDERS,
        BlockSenders,
        (
            _REQUEST,
            FieldSpec("blocked", Field.BLOCKED, _NAME, Rule.REPEATED),
            FieldSpec("unblocked", Field.UNBLOCKED, _NAME, Rule.REPEATED),
        ),
    ),
    FrameSpec(
        FrameType.SENDERS_BLOCKED,
        SendersBlocked,
        (_REQUEST, FieldSpec("blocked", Field.BLOCKED, _NAME, Rule.REPEATED)),
    ),
    _refusal(FrameType.BLOCK_FAILURE, BlockFailure),
    FrameSpec(
        FrameType.DELETION_REQUEST,
        DeletionRequest,
        (_REQUEST, _USERNAME, FieldSpec("force", Field.FORCE, FLAG_VALUE, Rule.FLAG)),
    ),
    FrameSpec(
        FrameType.DELETION_SUCCESS,
        DeletionSuccess,
        (_REQUEST, _USERNAME, FieldSpec("discarded", Field.DISCARDED, U32_VALUE)),
    ),
    _refusal(
        FrameType.DELETION_FAILURE,
        DeletionFailure,
        FieldSpec("messages_waiting", Field.MESSAGES_WAITING, U32_VALUE, Rule.OPTIONAL),
    ),
)

_SPEC_BY_CLASS: Final[dict[type[Any], FrameSpec]] = {spec.made_from: spec for spec in FRAMES}
_SPEC_BY_TYPE: Final[dict[int, FrameSpec]] = {spec.number: spec for spec in FRAMES}
_SEND_MESSAGE: Final = int(FrameType.SEND_MESSAGE)
_MESSAGE_RECEIPT: Final = int(FrameType.MESSAGE_RECEIPT)
_DISTRIBUTE_MESSAGE: Final = int(FrameType.DISTRIBUTE_MESSAGE)
_MESSAGE_SUCCESS: Final = int(FrameType.MESSAGE_SUCCESS)
_READERS: Final[dict[int, FieldReader]] = {
    spec.number: FieldReader(spec.fields, spec.group) for spec in FRAMES
}


def frame_type(message: Message) -> FrameType:
    """Which frame a message is."""
    return _SPEC_BY_CLASS[type(message)].number


def is_known(type_: int) -> bool:
    """Whether this version has a frame of that number."""
    return type_ in _SPEC_BY_TYPE


def encode(message: Message) -> bytes:
    """The bytes of the whole frame, header included."""
    data: bytes | None = None
    if type(message) is DistributeMessage:
        data = hot.write_distribute(message)
    elif type(message) is MessagePending:
        data = hot.write_pending(message)
    elif type(message) is MessageSuccess:
        data = hot.write_success(message)
    elif type(message) is AccountList:
        data = hot.write_list(message)
    return encode_by_table(message) if data is None else data


def encode_by_table(message: Message) -> bytes:
    """The same for any message, by the table."""
    spec = _SPEC_BY_CLASS[type(message)]
    value = b"".join(write_fields(spec.fields, spec.group, message))
    if len(value) > limits.FRAME_BYTES_MAX:
        raise LocalProtocolError(
            f"{spec.number.name} of {len(value)} bytes does not fit in a frame"
        )
    return HEADER.pack(spec.number, len(value)) + value


def decode(type_: int, data: bytes, start: int, end: int) -> Message:
    """Read the value of a frame of a known type from data[start:end].

    Raises RemoteProtocolError(MALFORMED), or UnsupportedFieldError for an unknown field that must
    be understood.
    """
    message: Message | None = None
    if type_ == _SEND_MESSAGE:
        message = hot.read_send(data, start, end)
    elif type_ == _MESSAGE_RECEIPT:
        message = hot.read_receipt(data, start, end)
    elif type_ == _DISTRIBUTE_MESSAGE:
        message = hot.read_distribute(data, start, end)
    elif type_ == _MESSAGE_SUCCESS:
        message = hot.read_success(data, start, end)
    return decode_by_table(type_, data, start, end) if message is None else message


def decode_by_table(type_: int, data: bytes, start: int, end: int) -> Message:
    """The same for any layout, by the table."""
    values = _READERS[type_].read(data, start, end)
    message: Message = _SPEC_BY_TYPE[type_].made_from(**values)
    return message
