"""The only way from foreign text to a screen or a log.

Terminals obey what they are sent: a control character in a name can move the cursor, answer as if
typed, or turn a line around. Every function here takes any text at all and gives text in which
nothing is obeyed and nothing is invisible. Drawing takes only `Safe`.

Must never change what is stored or sent: this is for display. Must never raise for any text. Each
function applied to its own result gives the same result.
"""

import re
from dataclasses import dataclass
from typing import Final, NewType

from term.characters import (
    ASCII_CONTROL,
    CONTROL,
    DIRECTIONAL,
    ESCAPED,
    HIDDEN,
    LINE_END,
    MARK_HOLDER,
    MARKS,
    SHOWN,
    UNUSUAL,
    WIDTHS,
    is_right_to_left,
)
from term.limits import (
    BODY_MARKS_MAX,
    HIDDEN_QUIET_MAX,
    LINE_MARKS_MAX,
    LOG_CHARACTERS_MAX,
    TAB_COLUMNS,
    TEXT_COLUMNS_MAX,
    TEXT_LINES_MAX,
)

Safe = NewType("Safe", str)

_STRAY_BYTE: Final = re.compile("[\udc80-\udcff]")
_CUT_SIGN: Final = "~"
_LOG_CUT_SIGN: Final = "..."


@dataclass(frozen=True, slots=True)
class SafeText:
    """A message body, ready to be drawn.

    `hidden`: characters that were removed because they draw nothing. `directional`: the text held
    direction overrides, now visible as words. `cut_bytes`: UTF-8 bytes that were not shown because
    the text is too long. `controls`: it held control characters, now visible.
    """

    lines: tuple[Safe, ...]
    hidden: int
    directional: bool
    cut_bytes: int
    controls: bool

    def note(self) -> Safe:
        """What the reader should know about these lines, in brackets; empty if nothing."""
        words = []
        if self.hidden > HIDDEN_QUIET_MAX:
            words.append(f"[{self.hidden} hidden]")
        if self.directional:
            words.append("[direction controls]")
        if self.controls:
            words.append("[control characters]")
        if self.cut_bytes:
            words.append(f"[+{self.cut_bytes} bytes]")
        return Safe(" ".join(words))


def safe_line(text: str, columns_max: int | None = None) -> Safe:
    """One line for names, subjects and sentences of the server: newlines and tabs become signs.

    Longer than `columns_max` columns: cut, and ended with `~`.
    """
    line = _show(text, LINE_MARKS_MAX)
    if columns_max is None or _columns(line) <= columns_max:
        return Safe(line)
    if columns_max <= 0:
        return Safe("")
    return Safe(line[: _prefix_length(line, columns_max - 1)] + _CUT_SIGN)


def safe_text(
    text: str, columns_max: int = TEXT_COLUMNS_MAX, lines_max: int = TEXT_LINES_MAX
) -> SafeText:
    """A message body as lines: newline, CRLF and the Unicode separators end a line.

    Tabs become spaces up to the next multiple of four columns. At most `columns_max` columns and
    `lines_max` lines in all; the rest is counted in `cut_bytes`.
    """
    cleaned, hidden, unusual = text, 0, UNUSUAL.search(text) is not None
    if unusual:
        cleaned, hidden = HIDDEN.subn("", LINE_END.sub("\n", text))
    lines: list[Safe] = []
    columns_left = columns_max
    taken = 0  # characters of `cleaned` that are shown, with their newlines
    for row in cleaned.split("\n", lines_max)[:lines_max]:
        line = _show_row(row)
        columns = _columns(line)
        if columns > columns_left:
            length = _raw_prefix_length(row, columns_left)
            lines.append(_show_row(row[:length]))
            taken += length
            break
        lines.append(line)
        columns_left -= columns
        taken += len(row) + 1
    return SafeText(
        lines=tuple(lines),
        hidden=hidden,
        directional=unusual and DIRECTIONAL.search(text) is not None,
        cut_bytes=len(cleaned[taken:].encode("utf-8", "surrogatepass")),
        controls=unusual and CONTROL.search(cleaned) is not None,
    )


def safe_log(text: str, characters_max: int = LOG_CHARACTERS_MAX) -> str:
    """One line of a log: everything that is not plainly visible as an escape of Python's kind."""
    line = text if _is_plain_ascii(text) else text[: characters_max + 1].translate(ESCAPED)
    if len(line) <= characters_max:
        return line
    return line[: max(0, characters_max - len(_LOG_CUT_SIGN))] + _LOG_CUT_SIGN[:characters_max]


def safe_bytes(data: bytes, columns_max: int | None = None) -> Safe:
    """One line of bytes that should be UTF-8 but may not be: stray bytes are shown as `<FF>`."""
    text = data.decode("utf-8", "surrogateescape")
    return safe_line(_STRAY_BYTE.sub(_show_stray_byte, text), columns_max)


def has_right_to_left(text: Safe) -> bool:
    """Whether a terminal may draw this text from the right: then it needs a row of its own."""
    return not text.isascii() and any(is_right_to_left(character) for character in set(text))


def _show(text: str, marks_max: int) -> str:
    if _is_plain_ascii(text):
        return text
    text = LINE_END.sub("\n", text)
    if text.isascii():
        return ASCII_CONTROL.sub(_show_control, text)
    return _settle_marks(text.translate(SHOWN), marks_max)


def _show_row(row: str) -> Safe:
    if "\t" not in row:
        return Safe(_show(row, BODY_MARKS_MAX))
    if _is_plain_ascii(row.replace("\t", "")):
        return Safe(row.expandtabs(TAB_COLUMNS))
    first, *others = row.split("\t")
    line = _show(first, BODY_MARKS_MAX)
    columns = _columns(line)
    for segment in others:
        blanks = TAB_COLUMNS - columns % TAB_COLUMNS
        piece = _show(segment, BODY_MARKS_MAX)
        line += " " * blanks + piece
        columns += blanks + _columns(piece)
    return Safe(line)


def _settle_marks(line: str, marks_max: int) -> str:
    """Give marks without a base one to stand on, and drop those that no cell could hold."""
    marks = "".join(character for character in set(line) if MARKS[character])
    if not marks:
        return line
    if line[:1] in marks:
        line = MARK_HOLDER + line
    return re.sub(f"([{marks}]{{{marks_max}}})[{marks}]+", r"\1", line)


def _columns(line: str) -> int:
    return len(line) if line.isascii() else sum(map(WIDTHS.__getitem__, line))


def _prefix_length(line: str, columns_max: int) -> int:
    """How many characters of shown text fit, with the marks of the last one."""
    columns = 0
    for index, character in enumerate(line):
        columns += WIDTHS[character]
        if columns > columns_max:
            return index
    return len(line)


def _raw_prefix_length(row: str, columns_max: int) -> int:
    """How many characters of a row of foreign text fit once they are shown."""
    columns = 0
    for index, character in enumerate(row):
        if character == "\t":
            columns += TAB_COLUMNS - columns % TAB_COLUMNS
        else:
            columns += _columns(SHOWN[ord(character)])
        if columns > columns_max:
            return index
    return len(row)


def _show_control(match: re.Match[str]) -> str:
    return SHOWN[ord(match.group())]


def _show_stray_byte(match: re.Match[str]) -> str:
    return f"<{ord(match.group()) - 0xDC00:02X}>"


def _is_plain_ascii(text: str) -> bool:
    return text.isascii() and text.isprintable()
