"""What the client says to people: codes and states as sentences that tell what to do.

The commands and the screens share it, so that both say the same. Sentences may hold names and texts
from the server: whoever shows one to a terminal passes it through `term.safe`.

Must never write anything anywhere.
Fails never: an unknown code is told with its number and the server's own text.
"""

from typing import TYPE_CHECKING, Final

from msgc.states import FateState, SendState
from msgc.words_trust import TLS_WANTED
from wire.codes import Audience, Code, NoticeKind, Presence

if TYPE_CHECKING:  # nothing is kept at the first prompt
    from msgc.values import Sent

CODE_ID_REUSED: Final = -1
"""Ours, not the wire's: the server had the id of a message that was sent for the first time."""
CODE_ACCOUNT_GONE: Final = -2
"""Ours: the account was deleted before the server's answer came."""
CODE_NOT_SENDABLE: Final = -3
"""Ours: the message cannot be put into one frame."""
CODE_TAKEN_BACK: Final = -4
"""Ours: the user took the message back before the server had it."""

CODE_PASSWORD_CHANGED: Final = -5
"""Ours: the keys that we keep are for a password of before."""

_REFUSALS: Final[dict[int, str]] = {
    Code.UNSUPPORTED: "The server does not know this request. It may be older than this client.",
    Code.VERSION: "The server speaks another version of the protocol. Use a client that fits it.",
    Code.TOO_SLOW: "The server gave up waiting. Try again.",
    Code.TOO_MANY_CONNECTIONS: "The server has as many connections as it takes. Try again later.",
    Code.TAKEN_OVER: "Another msgc of yours took over this session. Log in again to take it back.",
    Code.KICKED: "The operator of the server ended this session. Ask them before you log in again.",
    Code.INTERNAL: "The server has a fault of its own. Tell its operator, and try again later.",
    Code.RECIPIENT_DELETED: "The recipient deleted the account before the message was delivered.",
    Code.NO_RECIPIENTS: "There is nobody to send it to.",
    Code.TOO_MANY_RECIPIENTS: "Too many recipients for one message. Send it in parts, or to all.",
    Code.BODY_EMPTY: "The message is empty. Write something first.",
    Code.BODY_TOO_LARGE: "The message is too long. Shorten it, or send it in parts.",
    Code.TOO_OLD: "The server no longer knows whether it had this message. "
    "Ask the recipient before you send it again.",
    Code.TOO_MANY_INSTALLATIONS: "This user has sent from too many machines. "
    "Use one of the others, or ask the operator.",
    Code.STORAGE_FULL: "The server's storage is full. Nothing that waits is lost; "
    "send it again later.",
    Code.QUEUE_FULL: "A recipient's mailbox is full. Nothing was sent to anybody; try again later.",
    Code.TLS_NEEDED: TLS_WANTED,
    Code.BLOCKED: "A recipient takes no messages from you. Nothing was sent to anybody; "
    "leave them out.",
    Code.TOO_MANY_BLOCKED: "You block as many users as the server keeps. Unblock some first.",
    Code.BUSY: "The server is too busy. Try again in a moment.",
    Code.NOT_OWNER: "Only its owner can delete an account.",
    Code.WRONG_INSTALLATION: "The message belongs to another archive. Write it again.",
    Code.WRONG_PASSWORD: "Wrong password, or no such user: the server does not say which.",
    Code.PASSWORD_NEEDED: "The server wants a password.",
    Code.REGISTRATION_CLOSED: "This server makes no accounts for strangers. Ask its operator.",
    Code.INVITE_INVALID: "This server wants an invite code, and this is none, or one that was used "
    "or is too old. Ask its operator for one.",
    Code.TOO_MANY_ATTEMPTS: "Too many attempts. Wait a little before the next.",
    CODE_PASSWORD_CHANGED: "The password was changed since. Give the new one.",
    CODE_ID_REUSED: "The server already had a message with this number, so this archive is "
    "probably an old copy. This message was NOT sent; send it again.",
    CODE_ACCOUNT_GONE: "The account was deleted before the server answered. "
    "Ask the recipient before you send it again.",
    CODE_TAKEN_BACK: "You took it back before it was sent.",
    CODE_NOT_SENDABLE: "The message cannot be sent as it is. Shorten it, or name fewer recipients.",
}

_PRESENCES: Final[dict[int, str]] = {
    Presence.OFF: "off",
    Presence.ON: "ON",
    Presence.SILENT: "ON?",
}

_NOTICES: Final[dict[int, str]] = {
    NoticeKind.SHUTTING_DOWN: "The server is being shut down. msgc goes on trying.",
    NoticeKind.STORAGE_FULL: "The server's storage is full: it refuses new messages for now.",
}


def plural(count: int, noun: str) -> str:
    """`1 user`, `3 users`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def in_use(name: str) -> str:
    """The name belongs to a live session."""
    return f"Username {name} is already in use, choose another."


def held(name: str, pid: int | None) -> str:
    """Another process of this user holds the profile."""
    who = f"msgc process {pid}" if pid is not None else "another msgc process"
    return f"{name} is connected from this computer already: {who} holds the archive. Use that one."


def held_for(command: str, name: str, pid: int | None) -> str:
    """The same for a command that needs to be the one connection: what to do instead."""
    process = "the running msgc" if pid is None else f"the running msgc (pid {pid})"
    if command in {"check", "watch"}:
        return (
            f"{name} is connected from this computer already: {process} receives the messages; "
            f"see: msgc -u {name} history"
        )
    if command == "list":
        return (
            f"{name} is connected from this computer already: see the Accounts screen of "
            f"{process}, or use another name with -u."
        )
    return held(name, pid)


def unreachable(server: str, reason: str) -> str:
    """No connection. `server` is its name, as `msgc.server.Server` has it.

    A reason that is a whole sentence is the answer of a server that was reached.
    """
    if reason.endswith("."):
        return f"Not connected to the server at {server}. {reason}"
    return f"Cannot reach the server at {server}: {reason}."


def blocked(name: str, names: tuple[str, ...]) -> str:
    """What became of blocking or unblocking `name`; `names` are all who are blocked now."""
    if name in names:
        return f"{name} is blocked: the server takes no message of theirs for you. U takes it back."
    if name:
        return f"{name} is not blocked."
    return f"You block {', '.join(names)}." if names else "You block nobody."


def not_a_name(name: str) -> str:
    """It cannot be a username; `name_rule` says what can."""
    return f'"{name}" is not a username.'


def name_rule() -> str:
    """What a username may be."""
    return (
        "A username has 1 to 32 characters: letters a-z, digits, and . _ - inside. "
        "It begins and ends with a letter or a digit."
    )


def refusal(code: int, text: str, name: str = "") -> str:
    """Why the server refused, and what to do. `text` is the server's own, `name` who it is about.

    Sources of the codes: `wire.codes.Code`, and the CODE_ constants of this module.
    """
    match code:
        case Code.IN_USE:
            return in_use(name)
        case Code.NAME_TAKEN:
            return f"Username {name} is taken, choose another."
        case Code.NAME_INVALID:
            return name_rule()
        case Code.UNKNOWN_USER:
            return f"There is no account {name} on the server. Make one with: msgc create {name}"
        case Code.BEING_DELETED:
            return f"The account {name} is being deleted. Wait a moment, or choose another."
        case Code.UNDELIVERED_MESSAGES:
            return f"Messages wait for {name}. Read them first, or force the deletion."
        case Code.BUSY if text:
            return _sentence(text)
        case Code.KICKED if text:
            return f"{_REFUSALS[code]} It says: {text.removesuffix('.')}."
        case Code.UNKNOWN_RECIPIENT:
            return text or "A recipient does not exist. Nothing was sent to anybody."
        case _:
            return _REFUSALS.get(code) or f"The server says: {text or 'no'} (code {code})."


def create_refusal(code: int, text: str, name: str) -> str:
    """Why an account was not made."""
    if code == Code.STORAGE_FULL:
        return f"The account {name} was not made: the server's storage is full. Try again later."
    if code == Code.PASSWORD_NEEDED:
        return (
            f"The account {name} was not made: this server wants a password for it. Connect as "
            f"{name}, or use: msgc create {name}"
        )
    return refusal(code, text, name)


def undelivered(name: str, waiting: int) -> str:
    """The account still has messages, and was not deleted."""
    wait = "1 message waits" if waiting == 1 else f"{waiting} messages wait"
    return (
        f"{wait} for {name}, so the account was not deleted. Read them first, or force the "
        "deletion: then they are discarded, and their senders are told."
    )


def deletion(name: str, waiting: int, elsewhere: int, *, force: bool) -> str:
    """What deleting the account would mean. `elsewhere`: of one's own, not delivered everywhere."""
    if not waiting:
        first = f"No message waits for {name}: the account would be deleted."
    elif force:
        first = (
            f"{plural(waiting, 'message')} waiting for {name} would be discarded, and their "
            "senders told: the account would be deleted."
        )
    else:
        wait = "1 message waits" if waiting == 1 else f"{waiting} messages wait"
        first = f"{wait} for {name}: the account would not be deleted, unless with --force."
    own = ""
    if elsewhere:
        own = f" {plural(elsewhere, 'message')} of your own would still be delivered, unheard of."
    return f"{first}{own} Nothing was changed."


def unknown_recipients(names: tuple[str, ...]) -> str:
    """The server knows no such user; the send was all or nothing."""
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"No user matches {quoted}."


def full_mailboxes(names: tuple[str, ...]) -> str:
    """These users' mailboxes take no more; the send was all or nothing."""
    if len(names) == 1:
        return f"The mailbox of {names[0]} is full. Nothing was sent; try again later."
    listed = ", ".join(names)
    return f"The mailboxes of {listed} are full. Nothing was sent to anybody; leave them out."


def blocked_by(names: tuple[str, ...]) -> str:
    """These users take nothing from this one; the send was all or nothing."""
    verb = "takes" if len(names) == 1 else "take"
    tail = "." if len(names) == 1 else " to anybody; leave them out."
    return f"{', '.join(names)} {verb} no messages from you. Nothing was sent{tail}"


def failure(sent: "Sent") -> str:
    """Why a message of one's own came to nothing."""
    if sent.code == Code.QUEUE_FULL and sent.refused_recipients:
        return full_mailboxes(sent.refused_recipients)
    if sent.code == Code.BLOCKED and sent.refused_recipients:
        return blocked_by(sent.refused_recipients)
    if sent.code == Code.UNKNOWN_RECIPIENT and sent.refused_recipients:
        return unknown_recipients(sent.refused_recipients)
    return refusal(sent.code or 0, sent.text or "")


def sent_summary(sent: "Sent") -> str:
    """Where a message stands, in one line: `Sent to 3 users: 1 delivered, 2 waiting.`"""
    if sent.state is SendState.UNSENT:
        if sent.recall is not None and sent.recall.is_open:
            return "To be taken back: the server is asked by itself, as soon as it answers."
        if sent.retry_at_ms is not None:
            return (
                f"Not sent yet: {trouble(sent.code or 0)}. It is kept, and tried again by itself."
            )
        return "Not sent yet: it goes by itself when the server answers."
    if sent.state is SendState.FAILED:
        return f"Not sent. {failure(sent)}"
    if sent.everyone and sent.accepted_count is None:
        return f"Sent to all users: {sent.delivered} delivered so far."
    parts = [f"{sent.delivered} delivered", f"{sent.waiting} waiting"]
    if sent.recalled:
        parts.append(f"{sent.recalled} recalled")
    if sent.lost:
        parts.append(f"{sent.lost} came to nothing")
    return f"Sent to {plural(sent.total, 'user')}: {', '.join(parts)}."


def errand_summary(parts: "tuple[Sent, ...]") -> str:
    """Where the messages of one `msgc send` stand: there are several when it is to very many."""
    if len(parts) == 1:
        return sent_summary(parts[0])
    went = [sent for sent in parts if sent.state is SendState.PENDING]
    users = plural(sum(sent.total for sent in went), "user")
    delivered = sum(sent.delivered for sent in went)
    waiting = sum(sent.waiting for sent in went)
    text = f"Sent to {users} in {len(went)} of {plural(len(parts), 'message')}"
    lost = sum(sent.lost for sent in went)
    ends = f", {lost} came to nothing" if lost else ""
    return f"{text}: {delivered} delivered, {waiting} waiting{ends}."


def send_state(sent: "Sent") -> str:
    """One word for a list."""
    if sent.state is SendState.UNSENT:
        return "unsent"
    if sent.state is SendState.FAILED:
        return "failed"
    if sent.recall is not None and sent.recall.is_open:
        return "recalling"
    if sent.waiting:
        return "waiting"
    if sent.recalled:
        return f"{sent.recalled} recalled" if sent.delivered else "recalled"
    if sent.lost:
        return f"{sent.lost} lost" if sent.delivered else "lost"
    return "done"


def trouble(code: int) -> str:
    """Why the server cannot take a message for now, in the middle of a sentence."""
    return "the server is full" if code == Code.STORAGE_FULL else "the server is busy"


def postponed(number: int, code: int, clock: str) -> str:
    """A message of one's own goes later. `clock` is a time of day."""
    return f"Message {number} is kept: {trouble(code)}, msgc tries again at {clock}."


def recall_summary(sent: "Sent") -> str:
    """What became of the wish to take a message back, in one line."""
    recall = sent.recall
    if sent.state is SendState.FAILED:
        return f"Nobody has it. {failure(sent)}"
    if recall is None:
        return "There is nobody left to take it back from."
    if recall.is_open:
        return "The server will be asked to take it back as soon as it answers."
    if recall.code is not None:
        return f"Not recalled. {refusal(recall.code, '')}"
    late = sum(one.state is FateState.HANDED_OUT for one in sent.fates)
    if sent.recalled and not (late or sent.delivered or sent.lost or sent.waiting):
        return f"Recalled from {plural(sent.recalled, 'user')}: nobody has it, nobody will."
    parts = [f"Recalled from {sent.recalled}"] if sent.recalled else ["Too late, nothing recalled"]
    if sent.delivered:
        parts.append(f"{sent.delivered} had it already")
    if late:
        parts.append(f"{late} may have it (handed out, not confirmed yet)")
    if sent.lost:
        parts.append(f"{sent.lost} came to nothing before")
    return f"{', '.join(parts)}."


def fate(state: FateState) -> str:
    """What became of it at one recipient, as a word or two."""
    match state:
        case FateState.WAITING:
            return "waiting"
        case FateState.DELIVERED:
            return "delivered"
        case FateState.RECIPIENT_DELETED:
            return "recipient deleted"
        case FateState.UNKNOWN:
            return "unknown"
        case FateState.RECALLED:
            return "recalled"
        case FateState.HANDED_OUT:
            return "may have it"


def presence(number: int) -> str:
    """`ON`, `ON?` (connected but silent) or `off`."""
    return _PRESENCES.get(number, "?")


def audience(kind: int, count: int) -> str:
    """To whom a message was: `you`, `3 users` or `all`."""
    if kind == Audience.ONE:
        return "you"
    if kind == Audience.EVERYONE:
        return "all"
    return plural(count, "user")


def none_available(clock: str) -> str:
    """The server had nothing. `clock` is a time of day."""
    return f"No messages are available (asked the server at {clock})."


def notice(kind: int, text: str, count: int | None) -> str:
    """News from the server."""
    if kind == NoticeKind.MAIL_WAITING:
        return f"{plural(count or 0, 'message')} waiting for you."
    if kind == NoticeKind.ANNOUNCEMENT:
        return f"The operator says: {text}"
    return _NOTICES.get(kind) or f"The server says: {text}"


def _sentence(text: str) -> str:
    """What the server wrote for people, as one of ours."""
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def duration(milliseconds: int) -> str:
    """A length of time in its two largest units: `4 d 2 h`, `3 min`, `12 s`."""
    seconds = max(0, milliseconds) // 1000
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
