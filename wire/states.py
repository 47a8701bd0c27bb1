"""Which frame is legal when: the whole of legality, as one table.

The same rows judge what is sent and what is received, at both ends; what is not in the table is an
error. The diagram in docs/protocol.md is printed from it (`python -m wire.states`).

Must never hold anything but the table and its readers.
Fails with `IllegalFrameError` for a pair that is not in the table.
"""

from enum import Enum, unique
from typing import Final

from wire.codes import FrameType
from wire.errors import WireError


@unique
class State(Enum):
    """Where a connection stands, seen from either end."""

    NEW = "new"
    GREETING = "greeting"
    READY = "ready"
    LOGGING_IN = "logging in"
    CHALLENGED = "challenged"
    PROVING = "proving"
    ONLINE = "online"
    LEAVING = "leaving"
    CLOSED = "closed"

    __hash__ = object.__hash__  # there is one of each; Enum's own is a call for each look-up


@unique
class Role(Enum):
    """Which end this is."""

    CLIENT = "client"
    SERVER = "server"

    __hash__ = object.__hash__  # as above

    @property
    def peer(self) -> "Role":
        """The other end."""
        return Role.SERVER if self is Role.CLIENT else Role.CLIENT


class IllegalFrameError(WireError):
    """A frame that may not be sent in this state, or not by this end."""


_F = FrameType
_S = State

FROM_CLIENT: Final = frozenset(
    {
        _F.HELLO,
        _F.PING,
        _F.PONG,
        _F.LOGOUT,
        _F.CREATE_ACCOUNT,
        _F.LOGIN_REQUEST,
        _F.LOGIN_PROOF,
        _F.CHANGE_PASSWORD,
        _F.LIST_ACCOUNTS,
        _F.SEND_MESSAGE,
        _F.MESSAGE_RECEIPT,
        _F.CHECK_MESSAGES,
        _F.RECALL_MESSAGE,
        _F.BLOCK_SENDERS,
        _F.DELETION_REQUEST,
    }
)
FROM_SERVER: Final = frozenset(set(FrameType) - FROM_CLIENT) | {_F.PING, _F.PONG}
SENDERS: Final = {Role.CLIENT: FROM_CLIENT, Role.SERVER: FROM_SERVER}

_ALIVE: Final = (_F.PING, _F.PONG, _F.NOTICE, _F.ERROR)
_ACCOUNT_ANSWERS: Final = (_F.CREATE_SUCCESS, _F.CREATE_FAILURE)
_REQUESTS: Final = (
    _F.CREATE_ACCOUNT,
    _F.CHANGE_PASSWORD,
    _F.LIST_ACCOUNTS,
    _F.SEND_MESSAGE,
    _F.MESSAGE_RECEIPT,
    _F.CHECK_MESSAGES,
    _F.RECALL_MESSAGE,
    _F.BLOCK_SENDERS,
    _F.DELETION_REQUEST,
)
_ANSWERS: Final = (
    *_ACCOUNT_ANSWERS,
    _F.PASSWORD_CHANGED,
    _F.PASSWORD_FAILURE,
    _F.ACCOUNT_LIST,
    _F.MESSAGE_PENDING,
    _F.MESSAGE_FAILURE,
    _F.MESSAGE_SUCCESS,
    _F.DISTRIBUTE_MESSAGE,
    _F.RECEIPT_SETTLED,
    _F.CHECK_COMPLETE,
    _F.MESSAGE_RECALLED,
    _F.RECALL_FAILURE,
    _F.SENDERS_BLOCKED,
    _F.BLOCK_FAILURE,
    _F.DELETION_FAILURE,
)


def _stay(state: State, *frames: FrameType) -> dict[FrameType, State]:
    return dict.fromkeys(frames, state)


TRANSITIONS: Final[dict[State, dict[FrameType, State]]] = {
    _S.NEW: {_F.HELLO: _S.GREETING},
    _S.GREETING: {_F.WELCOME: _S.READY},
    _S.READY: {
        **_stay(_S.READY, *_ALIVE, _F.CREATE_ACCOUNT, *_ACCOUNT_ANSWERS),
        _F.LOGIN_REQUEST: _S.LOGGING_IN,
        _F.LOGOUT: _S.LEAVING,
    },
    _S.LOGGING_IN: {
        # A CREATE_ACCOUNT sent before the LOGIN_REQUEST may be answered after it.
        **_stay(_S.LOGGING_IN, *_ALIVE, *_ACCOUNT_ANSWERS),
        _F.LOGIN_SUCCESS: _S.ONLINE,
        _F.LOGIN_FAILURE: _S.READY,
        _F.LOGIN_CHALLENGE: _S.CHALLENGED,
        _F.LOGOUT: _S.LEAVING,
    },
    _S.CHALLENGED: {
        # No LOGIN_FAILURE here: nothing is told to who has not tried to prove anything.
        **_stay(_S.CHALLENGED, *_ALIVE, *_ACCOUNT_ANSWERS),
        _F.LOGIN_PROOF: _S.PROVING,
        _F.LOGOUT: _S.LEAVING,
    },
    _S.PROVING: {
        **_stay(_S.PROVING, *_ALIVE, *_ACCOUNT_ANSWERS),
        _F.LOGIN_SUCCESS: _S.ONLINE,
        _F.LOGIN_FAILURE: _S.READY,
        _F.LOGOUT: _S.LEAVING,
    },
    _S.ONLINE: {
        **_stay(_S.ONLINE, *_ALIVE, *_REQUESTS, *_ANSWERS),
        _F.DELETION_SUCCESS: _S.LEAVING,
        _F.LOGOUT: _S.LEAVING,
    },
    _S.LEAVING: {
        # What was on its way when the other end left: requests are ignored, answers still count.
        **_stay(_S.LEAVING, *_ALIVE, *_REQUESTS, *_ANSWERS, _F.LOGOUT, _F.DELETION_SUCCESS),
        **_stay(_S.LEAVING, _F.LOGIN_CHALLENGE, _F.LOGIN_SUCCESS, _F.LOGIN_FAILURE),
        _F.LOGGED_OUT: _S.CLOSED,
    },
    _S.CLOSED: {},
}


def advance(state: State, sender: Role, frame: FrameType, *, fatal: bool = False) -> State:
    """The state after `sender` has sent `frame` in `state`. Raises IllegalFrameError.

    `fatal` marks an ERROR that ends the connection: the server may send it at any time.
    """
    if frame not in SENDERS[sender]:
        raise IllegalFrameError(f"{frame.name} is not the {sender.value}'s to send")
    if fatal and state is not State.CLOSED:
        return State.CLOSED
    after = TRANSITIONS[state].get(frame)
    if after is None:
        raise IllegalFrameError(f"{frame.name} is not allowed while {state.value}")
    return after


def flowing(sender: Role) -> frozenset[int]:
    """The numbers of the frames that `sender` may send while ONLINE and that change nothing.

    ERROR is not among them: a fatal one changes everything.
    """
    row = TRANSITIONS[State.ONLINE]
    return frozenset(
        int(frame)
        for frame, after in row.items()
        if after is State.ONLINE and frame in SENDERS[sender] and frame is not FrameType.ERROR
    )


def table() -> str:
    """The table as Markdown, a line a state and target, for docs/protocol.md."""
    lines = ["| state | frame | state after |", "|---|---|---|"]
    for state, row in TRANSITIONS.items():
        targets: dict[State, list[str]] = {}
        for frame, after in row.items():
            targets.setdefault(after, []).append(frame.name)
        for after, names in targets.items():
            lines.append(f"| {state.value} | {', '.join(sorted(names))} | {after.value} |")
        if state is not State.CLOSED:
            lines.append(f"| {state.value} | ERROR with FATAL | {State.CLOSED.value} |")
    return "\n".join(lines)


def diagram() -> str:
    """The frames that change the state, an arrow a line, for docs/protocol.md."""
    lines: list[str] = []
    for state, row in TRANSITIONS.items():
        for frame, after in row.items():
            if after is not state:
                arrow = f"--{frame.name}-->"
                lines.append(f"{state.value:>10}  {arrow:<24} {after.value}")
    lines.append(f"{'any':>10}  {'--ERROR with FATAL-->':<24} {State.CLOSED.value}")
    return "\n".join(lines)
