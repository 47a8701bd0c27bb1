"""Messages as rows of a table, and one message as a text to read.

Must never hold a message back or change it: what is not shown is said. Everything foreign passes
through `term.safe`. Fails never.
"""

from typing import Final

from msgc.states import SendState
from msgc.values import HistoryEntry, Received, Sent
from msgc.view import Cell, Column, Fact, Row
from msgc.view_text import STAMP_COLUMNS, Times, join_names, plural
from term.picture import EMPTY, Line, Span, Style
from term.safe import Safe, safe_line, safe_text
from term.width import wrap
from wire.codes import Audience
from wire.limits import BODY_BYTES_MAX

_NAME_COLUMNS_MAX: Final = 20
_NAME_COLUMNS_MIN: Final = 10
_TO_COLUMNS: Final = 5
_STATE_COLUMNS: Final = 9
_PREVIEW_CHARACTERS_MAX: Final = 1_000
_BODY_LINES_MAX: Final = 4_096


def received_columns(columns: int) -> tuple[Column, ...]:
    """When, from whom, to how many, and the beginning of the text."""
    return (
        Column("flags", "", 2),
        Column("received_at", "RECEIVED", STAMP_COLUMNS),
        Column("from", "FROM", name_columns(columns), before=" from "),
        Column("to", "TO", _TO_COLUMNS, before=" to "),
        Column("text", "TEXT", before=": "),
    )


def received_row(
    received: Received, columns: int, times: Times, now_ms: int, *, fresh: bool, whole: bool = False
) -> Row:
    """One row of such a table; `whole` for a face that says the whole text."""
    strange = _has_controls(received.body)
    flags = Safe(f"{'N' if fresh else ' '}{'!' if strange else ' '}")
    spoken = [word for word, is_so in (("new", fresh), ("holds controls", strange)) if is_so]
    lines = tuple(_spoken_lines(received.body)) if whole and received.body.strip() else ()
    text = one_line(received.body)
    return Row(
        received.number,
        (
            Cell(flags, words=Safe(", ".join(spoken)), is_moving=True),
            Cell(times.stamp(received.received_at_ms, now_ms), is_moving=True),
            name_cell(received.sender, columns),
            Cell(Safe(audience_word(received)), words=Safe(audience_words(received))),
            Cell(text, words=Safe("") if lines else None, is_moving=True),
        ),
        Style.BOLD if fresh else Style.NORMAL,
        lines,
    )


def sent_columns(columns: int) -> tuple[Column, ...]:
    """When, to whom, what became of it, and the beginning of the text."""
    return (
        Column("written_at", "WRITTEN", STAMP_COLUMNS),
        Column("to", "TO", name_columns(columns), before=" to "),
        Column("state", "STATE", _STATE_COLUMNS),
        Column("text", "TEXT", before=": "),
    )


def sent_row(sent: Sent, columns: int, times: Times, now_ms: int) -> Row:
    """One row of such a table."""
    return Row(
        sent.message_id,
        (
            Cell(times.stamp(sent.composed_at_ms, now_ms), is_moving=True),
            name_cell(to_words(sent), columns),
            Cell(Safe(state_word(sent)), words=Safe(spoken_state(sent))),
            Cell(one_line(sent.body)),
        ),
    )


def history_columns(columns: int) -> tuple[Column, ...]:
    """One message of either direction: `from bob` or `to bob`."""
    return (
        Column("flags", "", 1),
        Column("at", "WHEN", STAMP_COLUMNS),
        Column("way", "", 4, before=" "),
        Column("who", "WHO", name_columns(columns), before=" "),
        Column("text", "TEXT", before=": "),
    )


def history_row(entry: HistoryEntry, columns: int, times: Times, now_ms: int) -> Row:
    """One row of such a table; the mark of what was not looked at yet is N."""
    fresh = entry.received is not None and entry.received.unread
    identity: object
    if entry.received is not None:
        way, who, body = "from", entry.received.sender, entry.received.body
        identity = ("received", entry.received.number)
    else:
        assert entry.sent is not None
        way, who, body = "to", to_words(entry.sent), entry.sent.body
        identity = ("sent", entry.sent.message_id)
    return Row(
        identity,
        (
            Cell(Safe("N" if fresh else " "), words=Safe("new" if fresh else ""), is_moving=True),
            Cell(times.stamp(entry.at_ms, now_ms), is_moving=True),
            Cell(Safe(way)),
            name_cell(who, columns),
            Cell(one_line(body)),
        ),
        Style.BOLD if fresh else Style.NORMAL,
    )


def state_word(sent: Sent) -> str:
    """Where it stands, in at most nine columns: the fewest words that are true."""
    if sent.state is not SendState.PENDING:
        return "unsent" if sent.state is SendState.UNSENT else "FAILED"
    if sent.lost:
        return f"{sent.lost} lost"
    if sent.recalled and sent.recalled == sent.total:
        return "recalled"
    if sent.delivered and sent.delivered < sent.total:
        return f"{sent.delivered} of {sent.total}"
    return "waiting" if sent.waiting else "delivered"


def spoken_state(sent: Sent) -> str:
    """The same in words that need no column to be understood."""
    if sent.state is not SendState.PENDING:
        return "not sent yet" if sent.state is SendState.UNSENT else "FAILED"
    if sent.lost:
        return f"{sent.lost} came to nothing"
    if sent.recalled and sent.recalled == sent.total:
        return "recalled"
    if sent.delivered and sent.delivered < sent.total:
        recalled = f", {sent.recalled} recalled" if sent.recalled else ""
        return f"{sent.delivered} of {sent.total} delivered{recalled}"
    return "waiting" if sent.waiting else "delivered"


def to_words(sent: Sent) -> str:
    """To whom, briefly; not yet safe."""
    if sent.everyone:
        return "all"
    first, others = sent.recipients[0], len(sent.recipients) - 1
    return f"{first} +{others}" if others else first


def audience_word(received: Received) -> str:
    """`1`, a count, or `all`."""
    if received.audience == Audience.EVERYONE:
        return "all"
    return str(received.audience_count)


def audience_words(received: Received) -> str:
    """To whom it went, for the one message that is read."""
    if received.audience == Audience.ONE:
        return "you alone"
    if received.audience == Audience.EVERYONE:
        return f"all ({plural(received.audience_count, 'user')})"
    return f"{received.audience_count:,} users"


def one_line(body: str) -> Safe:
    """The beginning of a text in one row; line breaks become spaces."""
    return safe_line(" ".join(body[:_PREVIEW_CHARACTERS_MAX].split()) or "(blank)")


def body_lines(body: str, columns: int) -> list[Line]:
    """The whole text, wrapped; then, if need be, what a reader should know about it."""
    shown = safe_text(body, columns_max=4 * BODY_BYTES_MAX, lines_max=_BODY_LINES_MAX)
    lines: list[Line] = []
    for line in shown.lines:
        lines += [(Span(row),) if row else EMPTY for row in wrap(line, columns)]
    note = shown.note()
    if note:
        lines += [EMPTY, (Span(note, Style.DIM),)]
    return lines


def _spoken_lines(body: str) -> list[Safe]:
    """The whole text, not wrapped, for a face of lines."""
    shown = safe_text(body, columns_max=4 * BODY_BYTES_MAX, lines_max=_BODY_LINES_MAX)
    note = shown.note()
    return [*shown.lines, note] if note else list(shown.lines)


def received_facts(received: Received, times: Times) -> tuple[Fact, ...]:
    """Who sent it, when the server had it, and to whom it went."""
    stamp = times.full(received.received_at_ms)
    return (
        Fact("From", safe_line(received.sender)),
        Fact("Received", Safe(f"{stamp} by the server")),
        Fact("To", Safe(audience_words(received))),
    )


def names_of(sent: Sent) -> Safe:
    """To whom, as long as it fits a row."""
    if sent.everyone:
        return Safe("all users")
    return safe_line(join_names(sent.recipients, 8))


def _has_controls(body: str) -> bool:
    """Whether its beginning holds what a terminal would obey: the flag `!`."""
    shown = safe_text(body[:_PREVIEW_CHARACTERS_MAX])
    return shown.controls or shown.directional


def name_cell(name: str, columns: int) -> Cell:
    """A name in its column; a longer one ends with `~`, and is said whole."""
    return Cell(safe_line(name, name_columns(columns)), words=safe_line(name))


def name_columns(columns: int) -> int:
    """How wide a column of names is in a window of so many columns."""
    return max(_NAME_COLUMNS_MIN, min(_NAME_COLUMNS_MAX, columns // 7))
