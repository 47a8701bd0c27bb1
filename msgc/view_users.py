"""The log of usernames as a table, and how typing narrows it.

Must never ask the server: it gets entries and shows them. Never fails: states of later servers
are shown as `?`.
"""

from fnmatch import fnmatchcase
from typing import Final

from msgc.values import AccountLine
from msgc.view import Cell, Column, Row
from msgc.view_text import was_ago
from term.picture import Style
from term.safe import Safe, safe_line
from wire.codes import Presence

_WILDCARDS: Final = frozenset("*?[")
_NAME_COLUMNS_MAX: Final = 32
_OTHER_COLUMNS: Final = 48
_NAME_COLUMNS_MIN: Final = 14
_STATE_COLUMNS: Final = 6
_SEEN_COLUMNS: Final = 13
_STATES: Final[dict[Presence | None, tuple[str, str]]] = {
    Presence.ON: ("ON", "delivered at once"),
    Presence.SILENT: ("ON?", "silent: may wait"),
    Presence.OFF: ("off", "waits in the queue"),
}
_SPOKEN: Final[dict[Presence | None, Safe]] = {
    Presence.ON: Safe("connected"),
    Presence.SILENT: Safe("connected but silent"),
    Presence.OFF: Safe("not connected"),
}


def user_columns(columns: int, *, marks: bool = False) -> tuple[Column, ...]:
    """Who, connected or not, when seen, and what happens if you send now."""
    mark = (Column("mark", "MARK", 4),) if marks else ()
    return (
        *mark,
        Column("name", "NAME", _name_columns(columns)),
        Column("state", "STATE", _STATE_COLUMNS - 1),
        Column("last_seen", "LAST SEEN", _SEEN_COLUMNS - 1),
        Column("if_you_send_now", "IF YOU SEND NOW"),
    )


def user_row(
    account: AccountLine, columns: int, now_ms: int, *, you: bool, mark: bool | None = None
) -> Row:
    """One row of such a table. `mark` None: this table has no marks."""
    state, then = _STATES.get(_presence(account), ("?", ""))
    seen = _seen(account, now_ms)
    spoken = Safe("" if seen == "now" else "never seen" if seen == "never" else f"seen {seen}")
    marks = () if mark is None else (_mark_cell(is_marked=mark),)
    return Row(
        account.name,
        (
            *marks,
            Cell(safe_line(account.name, _name_columns(columns)), words=safe_line(account.name)),
            Cell(Safe(state), _state_style(account), _SPOKEN.get(_presence(account))),
            Cell(seen, words=spoken, is_moving=True),
            Cell(Safe("(you)" if you else then), words=Safe("that is you" if you else then)),
        ),
    )


def _mark_cell(*, is_marked: bool) -> Cell:
    return Cell(Safe("[x]" if is_marked else "[ ]"), words=Safe("marked" if is_marked else ""))


def narrow(entries: tuple[AccountLine, ...], typed: str) -> tuple[AccountLine, ...]:
    """Those whose name holds what is typed, or matches it when it is a wildcard."""
    wanted = typed.strip().lower()
    if not wanted:
        return entries
    if is_wildcard(wanted):
        return matching(entries, wanted)
    return tuple(entry for entry in entries if wanted in entry.name)


def is_wildcard(typed: str) -> bool:
    """Whether it is more than a part of a name: it holds `*`, `?` or `[`."""
    return bool(_WILDCARDS & set(typed))


def matching(entries: tuple[AccountLine, ...], pattern: str) -> tuple[AccountLine, ...]:
    """Those whose whole name matches the wildcard (`*`, `?`, `[a-z]`)."""
    wanted = pattern.strip().lower()
    return tuple(entry for entry in entries if fnmatchcase(entry.name, wanted))


def best_match(entries: tuple[AccountLine, ...], typed: str) -> str | None:
    """Which of the narrowed names is most likely meant: the same, one that begins so, the first."""
    wanted = typed.strip().lower()
    names = [entry.name for entry in entries]
    if wanted in names:
        return wanted
    return next((name for name in names if name.startswith(wanted)), names[0] if names else None)


def prospects(entries: tuple[AccountLine, ...]) -> Safe:
    """`1 at once, 2 later`: what would happen if these were written to now."""
    at_once = sum(_presence(entry) is Presence.ON for entry in entries)
    maybe = sum(_presence(entry) is Presence.SILENT for entry in entries)
    later = len(entries) - at_once - maybe
    words = [(at_once, "at once"), (maybe, "silent"), (later, "later")]
    return Safe(", ".join(f"{count:,} {word}" for count, word in words if count))


def _presence(account: AccountLine) -> Presence | None:
    try:
        return Presence(account.presence)
    except ValueError:
        return None


def _state_style(account: AccountLine) -> Style:
    if account.presence == Presence.ON:
        return Style.GREEN
    return Style.YELLOW if account.presence == Presence.SILENT else Style.NORMAL


def _seen(account: AccountLine, now_ms: int) -> Safe:
    if account.presence == Presence.ON:
        return Safe("now")
    return Safe("never") if account.last_seen_ms is None else was_ago(account.last_seen_ms, now_ms)


def _name_columns(columns: int) -> int:
    return max(_NAME_COLUMNS_MIN, min(_NAME_COLUMNS_MAX, columns - _OTHER_COLUMNS))
