"""One filled sample of every frame, and hypothesis strategies for all of them.

The samples are also what the golden bytes in tests/wire/golden_frames.txt are made from.
"""

from typing import Any

from hypothesis import strategies as st

from wire import fields, limits
from wire.codes import FrameType
from wire.fields import FieldSpec, Rule
from wire.frames import FRAMES, FrameSpec
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

MESSAGE_ID = bytes(range(16))
INSTALLATION = bytes(range(8))
NOON_MS = 1_772_366_400_000

SAMPLES: tuple[Message, ...] = (
    Hello((1,), "msgc/0.1", ("grease",)),
    Welcome(
        version=1,
        server_id=bytes(16),
        agent="msgd/0.1",
        authentication=1,
        server_time_ms=NOON_MS,
        frame_bytes_max=262_144,
        body_bytes_max=65_536,
        recipients_max=1_024,
        window_messages=64,
        window_bytes=262_144,
        ping_interval_ms=30_000,
    ),
    Error(code=4, text="no such frame", request=9),
    Error(code=1, text="broken", fatal=True),
    Ping(7),
    Pong(7),
    Notice(kind=1, text="3 messages wait", count=3),
    Logout(8),
    LoggedOut(8),
    LoggedOut(),
    CreateAccount(1, "alice"),
    CreateSuccess(1, "alice"),
    CreateFailure(1, 12, "the name is taken"),
    LoginRequest(2, "alice", INSTALLATION, create_if_new=True, live=True),
    LoginSuccess(2, "alice", 3, 1, last_seen_ms=NOON_MS, created=True, account=7),
    LoginFailure(2, 14, "in use"),
    ListAccounts(3, pattern="a*", cursor="alice", limit=100),
    ListAccounts(3),
    AccountList(
        3,
        accounts_total=11,
        accounts_connected=3,
        cursor="bob",
        entries=(AccountEntry("alice", 2, NOON_MS), AccountEntry("bob", 1)),
    ),
    AccountList(3, accounts_total=0, accounts_connected=0),
    DeletionRequest(4, "alice", force=True),
    DeletionSuccess(4, "alice", 13),
    DeletionFailure(4, 26, "13 messages wait", messages_waiting=13),
    SendMessage(5, MESSAGE_ID, b"hello", ("bob", "carol")),
    SendMessage(5, MESSAGE_ID, "grüße".encode(), everyone=True),
    MessagePending(5, MESSAGE_ID, 2, NOON_MS),
    MessagePending(5, MESSAGE_ID, duplicate=True),
    MessageFailure(MESSAGE_ID, 16, "no such user", ("bobb",), request=5),
    MessageFailure(MESSAGE_ID, 11, "deleted", ("bob",), delivery=77, settled_at_ms=NOON_MS),
    MessageSuccess(78, MESSAGE_ID, "bob", NOON_MS),
    DistributeMessage(79, MESSAGE_ID, "alice", NOON_MS, 1, 1, b"hello"),
    DistributeMessage(80, MESSAGE_ID, "alice", NOON_MS, 3, 10, b"hello", request=6),
    MessageReceipt((79, 80)),
    MessageReceipt((79,), request=9),
    ReceiptSettled(9, 1),
    CheckMessages(6, limit=10, outcomes_only=True),
    CheckMessages(6),
    CheckComplete(6, 1, 0),
    RecallMessage(10, MESSAGE_ID, ("bob", "carol")),
    RecallMessage(10, MESSAGE_ID, everyone=True),
    MessageRecalled(10, MESSAGE_ID, recalled=("bob", "carol"), handed_out=("dave",)),
    MessageRecalled(10, MESSAGE_ID, everyone=True, ended=("a",), gone=("b",), later=("c",)),
    RecallFailure(10, 31, "no such message"),
    MessageFailure(MESSAGE_ID, 29, "the queue is full", ("dave",), request=5),
    MessageFailure(MESSAGE_ID, 30, "recalled", ("bob",), delivery=81, settled_at_ms=NOON_MS),
    AccountList(
        3,
        accounts_total=2,
        accounts_connected=1,
        entries=(
            AccountEntry("alice", 2, NOON_MS, created_at_ms=NOON_MS - 1, queue_full=True),
            AccountEntry("bob", 1, created_at_ms=NOON_MS),
        ),
    ),
    Welcome(
        version=1,
        server_id=bytes(16),
        agent="msgd/0.1",
        authentication=2,
        server_time_ms=NOON_MS,
        frame_bytes_max=262_144,
        body_bytes_max=65_536,
        recipients_max=1_024,
        window_messages=64,
        window_bytes=262_144,
        ping_interval_ms=30_000,
        registration=2,
        channel_binding=True,
    ),
    CreateAccount(11, "alice", bytes(16), 600_000, bytes(32), bytes(range(32)), bytes(range(16))),
    LoginRequest(12, "alice", INSTALLATION, scram=b"n,,n=alice,r=abc"),
    LoginChallenge(12, b"r=abcdef,s=AAAAAAAAAAAAAAAAAAAAAA==,i=600000"),
    LoginProof(12, b"c=biws,r=abcdef,p=AAAA"),
    LoginSuccess(12, "alice", 0, 0, account=7, scram=b"v=AAAA"),
    LoginFailure(12, 32, "no such user, or a wrong password"),
    ChangePassword(13, bytes(16), 600_000, bytes(32), bytes(range(32))),
    PasswordChanged(13),
    PasswordFailure(13, 34, "too few iterations"),
    BlockSenders(13),
    BlockSenders(13, ("bob", "carol"), ("dave",)),
    SendersBlocked(13),
    SendersBlocked(13, ("bob", "carol")),
    BlockFailure(13, 15, "no such user"),
)

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
_VALUES: dict[int, st.SearchStrategy[Any]] = {
    id(fields.U8_VALUE): st.integers(0, 0xFF),
    id(fields.U16_VALUE): st.integers(0, 0xFFFF),
    id(fields.U32_VALUE): st.integers(0, 0xFFFFFFFF),
    id(fields.U64_VALUE): st.integers(0, (1 << 64) - 1),
    id(fields.REQUEST_VALUE): st.integers(1, 0xFFFFFFFF),
    id(fields.BODY_VALUE): _TEXTS.map(str.encode),
}


def _value(spec: FieldSpec) -> st.SearchStrategy[Any]:
    known = _VALUES.get(id(spec.kind))
    if known is not None:
        return known
    if spec.kind.label.startswith("text"):
        return _TEXTS.filter(lambda value: len(value.encode()) <= limits.CAPABILITY_BYTES_MAX)
    sizes = [int(word) for word in spec.kind.label.split() if word.isdigit()]
    return st.binary(min_size=sizes[0], max_size=sizes[-1])


def _field(spec: FieldSpec) -> st.SearchStrategy[Any]:
    if spec.rule is Rule.FLAG:
        return st.booleans()
    if spec.rule is Rule.OPTIONAL:
        return st.none() | _value(spec)
    if spec.rule is Rule.REPEATED:
        return st.lists(_value(spec), max_size=4).map(tuple)
    return _value(spec)


def _frame(spec: FrameSpec) -> st.SearchStrategy[Message]:
    attributes = {field.attribute: _field(field) for field in spec.fields}
    if spec.group is not None:
        entry = st.builds(
            spec.group.entry, **{field.attribute: _field(field) for field in spec.group.specs}
        )
        attributes[spec.group.attribute] = st.lists(entry, max_size=4).map(tuple)
    return st.builds(spec.made_from, **attributes)


MESSAGES: st.SearchStrategy[Message] = st.one_of([_frame(spec) for spec in FRAMES])


def messages_of(*kinds: FrameType) -> st.SearchStrategy[Message]:
    """Messages of these frames."""
    return st.one_of([_frame(spec) for spec in FRAMES if spec.number in kinds])
