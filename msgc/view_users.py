"""The log of usernames as a table, and how typing narrows it.

Must never ask the server: it gets entries and shows them. Never fails: states of later servers
are shown as `?`.
"""

from collections import Counter
from enum import Enum, unique
from fnmatch import fnmatchcase
from typing import Final

from msgc.link_events import AccountLine
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
_MARK_COLUMNS: Final = 5
_SEEN_COLUMNS: Final = 13


@unique
class Prospect(Enum):
    """What will happen to a message if it is sent now, in the words of a count."""

    AT_ONCE = "at once"
    PROBABLY_LATER = "probably later"
    LATER = "later"
    REFUSED = "refused"


_STATES: Final[dict[Presence | None, str]] = {
    Presence.ON: "ON",
    Presence.SILENT: "ON?",
    Presence.OFF: "off",
}
_WORDS: Final[dict[Prospect, tuple[str, str]]] = {
    Prospect.AT_ONCE: ("delivered at once", "at once; new today"),
    Prospect.PROBABLY_LATER: ("probably waits: silent", "probably waits; new today"),
    Prospect.LATER: ("waits in the queue", "waits; new today"),
    Prospect.REFUSED: ("REFUSED: queue full", "REFUSED: queue full"),
}
"""What the row of a user says, and of one whose name is new: it may not be who it seems."""
_NEW_MS: Final = 24 * 3_600_000
_NEVER_MS: Final = 1 << 64
_SPOKEN: Final[dict[Presence | None, Safe]] = {
    Presence.ON: Safe("connected"),
    Presence.SILENT: Safe("connected but silent"),
    Presence.OFF: Safe("not connected"),
}


def user_columns(columns: int, *, marks: bool = False) -> tuple[Column, ...]:
    """Who, connected or not, when seen, and what happens if you send now."""
    mark = (Column("mark", "MARK", _MARK_COLUMNS - 1),) if marks else ()
    return (
        *mark,
        Column("name", "NAME", _name_columns(columns, marks=marks)),
        Column("state", "STATE", _STATE_COLUMNS - 1),
        Column("last_seen", "LAST SEEN", _SEEN_COLUMNS - 1),
        Column("if_you_send_now", "IF YOU SEND NOW"),
    )


def user_row(
    account: AccountLine,
    columns: int,
    now_ms: int,
    *,
    you: bool,
    new_since_ms: int,
    mark: bool | None = None,
) -> Row:
    """One row of such a table. `mark` None: this table has no marks."""
    state, then = _STATES.get(_presence(account), "?"), _then(account, new_since_ms)
    seen = _seen(account, now_ms)
    spoken = Safe("" if seen == "now" else "never seen" if seen == "never" else f"seen {seen}")
    width = _name_columns(columns, marks=mark is not None)
    marks = () if mark is None else (_mark_cell(is_marked=mark),)
    return Row(
        account.name,
        (
            *marks,
            Cell(safe_line(account.name, width), words=safe_line(account.name)),
            Cell(Safe(state), _state_style(account), _SPOKEN.get(_presence(account))),
            Cell(seen, words=spoken, is_moving=True),
            _then_cell(then, you=you),
        ),
    )


def new_since_ms(entries: tuple[AccountLine, ...], you: str, now_ms: int) -> int:
    """From when on a name is new to you: a day ago, or never while you are new yourself."""
    yours = next((entry.created_at_ms for entry in entries if entry.name == you), None)
    day_ago_ms = now_ms - _NEW_MS
    return day_ago_ms if yours is not None and yours < day_ago_ms else _NEVER_MS


def _then(account: AccountLine, since_ms: int) -> str:
    """What happens to a message to this user; nothing for a state of a later server."""
    if _presence(account) is None:
        return ""
    usual, new = _WORDS[_prospect(account)]
    created_ms = account.created_at_ms
    return new if created_ms is not None and created_ms > since_ms else usual


def _then_cell(then: str, *, you: bool) -> Cell:
    if you:
        return Cell(Safe("(you)"), words=Safe("that is you"))
    style = Style.RED if then.startswith("REFUSED") else Style.NORMAL
    return Cell(Safe(then), style)


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
    """`1 at once, 1 probably later, 2 later, 0 refused`: if these were written to now."""
    return Safe(", ".join(f"{count:,} {words}" for count, words in _count_prospects(entries)))


def prospects_in_brief(entries: tuple[AccountLine, ...]) -> Safe:
    """The same without what is nobody."""
    counts = ((count, words) for count, words in _count_prospects(entries) if count)
    return Safe(", ".join(f"{count:,} {words}" for count, words in counts))


def _count_prospects(entries: tuple[AccountLine, ...]) -> tuple[tuple[int, str], ...]:
    """Counted by what decides it, for the entries may be ten thousand."""
    kinds = Counter([(entry.presence, entry.queue_full) for entry in entries])
    counts: dict[Prospect, int] = dict.fromkeys(Prospect, 0)
    for (presence, queue_full), count in kinds.items():
        counts[_prospect(AccountLine("", presence, None, queue_full=queue_full))] += count
    return tuple((count, prospect.value) for prospect, count in counts.items())


def _prospect(account: AccountLine) -> Prospect:
    presence = _presence(account)
    if account.queue_full:
        return Prospect.REFUSED
    if presence is Presence.ON:
        return Prospect.AT_ONCE
    return Prospect.PROBABLY_LATER if presence is Presence.SILENT else Prospect.LATER


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


def _name_columns(columns: int, *, marks: bool) -> int:
    room = columns - _OTHER_COLUMNS - (_MARK_COLUMNS if marks else 0)
    return max(_NAME_COLUMNS_MIN, min(_NAME_COLUMNS_MAX, room))
