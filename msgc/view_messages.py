"""Messages as rows of a table, and one message as a text to read.

Must never hold a message back or change it: what is not shown is said. Everything foreign passes
through `term.safe`. Fails never.
"""

from typing import Final

from msgc.values import HistoryEntry, Received, SendState, Sent
from msgc.view_text import STAMP_COLUMNS, Times, join_names, plural
from term.picture import EMPTY, Line, Span, Style
from term.safe import Safe, safe_line, safe_text
from term.width import pad, wrap
from wire.codes import Audience
from wire.limits import BODY_BYTES_MAX

_NAME_COLUMNS_MAX: Final = 20
_NAME_COLUMNS_MIN: Final = 10
_TO_COLUMNS: Final = 6
_STATE_COLUMNS: Final = 10
_PREVIEW_CHARACTERS_MAX: Final = 1_000
_BODY_LINES_MAX: Final = 4_096


def received_header(columns: int) -> Line:
    """The heads of the columns of `received_line`."""
    name = f"{'FROM':<{_name_columns(columns)}}"
    words = f"     {'RECEIVED':<{STAMP_COLUMNS}} {name} {'TO':<{_TO_COLUMNS}}TEXT"
    return (Span(Safe(words), Style.DIM),)


def received_line(
    received: Received, columns: int, times: Times, now_ms: int, *, selected: bool, fresh: bool
) -> Line:
    """When, from whom, to how many, and the beginning of the text."""
    style = Style.BOLD if selected or fresh else Style.NORMAL
    stamp = pad(times.stamp(received.received_at_ms, now_ms), STAMP_COLUMNS)
    flags = f"{'N' if fresh else ' '}{'!' if _has_controls(received.body) else ' '}"
    return (
        Span(Safe(f"{'>' if selected else ' '} {flags} "), style),
        Span(Safe(f"{stamp} "), style),
        Span(_name(received.sender, columns), style),
        Span(Safe(f" {audience_word(received):<{_TO_COLUMNS}}"), style),
        Span(one_line(received.body), style),
    )


def sent_header(columns: int) -> Line:
    """The heads of the columns of `sent_line`."""
    name = f"{'TO':<{_name_columns(columns)}}"
    state = f"{'STATE':<{_STATE_COLUMNS}}"
    words = f"  {'WRITTEN':<{STAMP_COLUMNS}} {name} {state}TEXT"
    return (Span(Safe(words), Style.DIM),)


def sent_line(sent: Sent, columns: int, times: Times, now_ms: int, *, selected: bool) -> Line:
    """When, to whom, what became of it, and the beginning of the text."""
    style = Style.BOLD if selected else Style.NORMAL
    stamp = pad(times.stamp(sent.composed_at_ms, now_ms), STAMP_COLUMNS)
    return (
        Span(Safe(f"{'>' if selected else ' '} {stamp} "), style),
        Span(_name(to_words(sent), columns), style),
        Span(Safe(f" {state_word(sent):<{_STATE_COLUMNS}}"), style),
        Span(one_line(sent.body), style),
    )


def history_header(columns: int) -> Line:
    """The heads of the columns of `history_line`."""
    name = f"{'WHO':<{_name_columns(columns)}}"
    return (Span(Safe(f"  {'WHEN':<{STAMP_COLUMNS}}      {name} TEXT"), Style.DIM),)


def history_line(
    entry: HistoryEntry, columns: int, times: Times, now_ms: int, *, selected: bool
) -> Line:
    """One message of either direction: `from bob` or `to bob`."""
    style = Style.BOLD if selected else Style.NORMAL
    if entry.received is not None:
        way, who, body = "from", entry.received.sender, entry.received.body
    else:
        assert entry.sent is not None
        way, who, body = "to", to_words(entry.sent), entry.sent.body
    return (
        Span(Safe(f"{'>' if selected else ' '} "), style),
        Span(pad(times.stamp(entry.at_ms, now_ms), STAMP_COLUMNS), style),
        Span(Safe(f" {way:<4} "), style),
        Span(_name(who, columns), style),
        Span(Safe(" "), style),
        Span(one_line(body), style),
    )


def state_word(sent: Sent) -> str:
    """Where it stands, in at most nine columns: the fewest words that are true."""
    if sent.state is not SendState.PENDING:
        return "unsent" if sent.state is SendState.UNSENT else "FAILED"
    if sent.lost:
        return f"{sent.lost} lost"
    if sent.waiting and sent.delivered:
        return f"{sent.delivered} of {sent.total}"
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


def received_facts(received: Received, times: Times) -> list[Line]:
    """Who sent it, when the server had it, and to whom it went."""
    stamp = times.full(received.received_at_ms)
    rows = (
        ("From", str(safe_line(received.sender))),
        ("Received", f"{stamp} by the server"),
        ("To", audience_words(received)),
    )
    return [fact(label, Safe(words)) for label, words in rows]


def fact(label: str, words: Safe) -> Line:
    """`Label     words`."""
    return (Span(Safe(f" {label:<10}"), Style.DIM), Span(words))


def names_of(sent: Sent) -> Safe:
    """To whom, as long as it fits a row."""
    if sent.everyone:
        return Safe("all users")
    return safe_line(join_names(sent.recipients, 8))


def _has_controls(body: str) -> bool:
    """Whether its beginning holds what a terminal would obey: the flag `!`."""
    shown = safe_text(body[:_PREVIEW_CHARACTERS_MAX])
    return shown.controls or shown.directional


def _name(name: str, columns: int) -> Safe:
    """A name in its column; a longer one ends with `~`."""
    width = _name_columns(columns)
    return pad(safe_line(name, width), width)


def _name_columns(columns: int) -> int:
    return max(_NAME_COLUMNS_MIN, min(_NAME_COLUMNS_MAX, columns // 7))
