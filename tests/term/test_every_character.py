"""Every code point there is, drawn by a real curses on a real pty; pyte judges what is seen.

Each of the 1,114,112 stands alone, doubled, after an A and before a B. What is drawn of a text is
decided by the looks of its characters (`term.safe`), so each look is drawn once: a million
code points that nobody has assigned share one. `test_safe` holds the texts themselves.
"""

import json
import re
import sys
import unicodedata
from functools import cache
from itertools import groupby
from pathlib import Path

import pyte
import pytest
from wcwidth import wcwidth

from term.safe import safe_line
from tests.term.slot_program import ROWS, SIZE, SLOT_COLUMNS, SLOTS
from tests.term.test_curses_console import Terminal

SHARDS = 8
EVERY_CODE_POINT = 0x110000
FORMS = ("{0}", "{0}{0}", "A{0}", "{0}B")
# All that curses needs to say for itself: places, attributes, modes at the start and at the end.
CURSES_SAYS = re.compile(
    rb"\x1b\[[0-9;]*[HGdABCDJKXPLMST@mrl]|\x1b\[\?[0-9;]*[hlc]|\x1b[()][0B]|\x1b[=>78M]|[\r\n\b\x0f]"
)


class Judge(pyte.Screen):
    """A terminal that joins every mark to the cell before it, as terminals do.

    pyte joins only marks of a combining class, and drops the rest of the text at any other.
    """

    def draw(self, data: str) -> None:
        for is_mark, group in groupby(data, lambda character: wcwidth(character) == 0):
            if not is_mark:
                super().draw("".join(group))
                continue
            line = self.buffer[self.cursor.y]
            at = self.cursor.x - 1
            at -= line[at].data == ""
            text = unicodedata.normalize("NFC", line[at].data + "".join(group))
            line[at] = line[at]._replace(data=text)
            self.dirty.add(self.cursor.y)


@cache
def texts(shard: int) -> tuple[str, ...]:
    """What every SHARDS-th code point makes of the forms, each text once."""
    found: dict[str, None] = {}
    looks: set[str] = set()
    for code in range(shard, EVERY_CODE_POINT, SHARDS):
        character = chr(code)
        look = safe_line(character)
        if look not in looks:
            looks.add(look)
            found.update(dict.fromkeys(safe_line(form.format(character)) for form in FORMS))
    return tuple(found)


def pages(shard: int) -> list[list[list[str]]]:
    """Pages of rows of texts."""
    all_texts = texts(shard)
    rows = [list(all_texts[at : at + SLOTS]) for at in range(0, len(all_texts), SLOTS)]
    return [rows[at : at + ROWS] for at in range(0, len(rows), ROWS)]


def cells(text: str) -> list[str]:
    """The cells that a terminal fills: a mark joins the cell before, the second of two is empty."""
    found: list[str] = []
    for character in text:
        width = wcwidth(character)
        if width == 0:
            at = -2 if found[-1] == "" else -1
            found[at] = unicodedata.normalize("NFC", found[at] + character)
        else:
            found += [character, ""][:width]
    return found


def letters(found: list[str]) -> list[str]:
    """The cells without their marks."""
    return [unicodedata.normalize("NFD", each)[:1] for each in found]


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_character_is_seen_as_predicted_and_nothing_else_is_sent(
    shard: int, tmp_path: Path
) -> None:
    path = tmp_path / "pages"
    all_pages = pages(shard)
    path.write_text(json.dumps(all_pages))
    command = [sys.executable, "-m", "tests.term.slot_program", str(path)]
    terminal = Terminal(command, "linux", {}, SIZE)
    be_judged(terminal)
    try:
        for number, page in enumerate(all_pages):
            before = len(terminal.sent)
            terminal.until_shown(f"page {number} is drawn")
            judge(terminal, page, number, before)
            terminal.type(b" ")
        terminal.until_ended()
        assert b"ended well" in terminal.sent
    finally:
        terminal.close()


def be_judged(terminal: Terminal) -> None:
    rows, columns = SIZE
    terminal.screen = Judge(columns, rows)
    terminal.stream = pyte.ByteStream(terminal.screen)


def judge(terminal: Terminal, page: list[list[str]], number: int, before: int) -> None:
    said = CURSES_SAYS.sub(b"", terminal.sent[before:]).decode("utf-8")
    allowed = set("".join(text for row in page for text in row)) | set(f"page {number} is drawn |")
    assert set(said) <= allowed, sorted(map(ascii, set(said) - allowed))
    assert said.isprintable()
    for at, row in enumerate(page):
        shown = terminal.screen.buffer[at]
        assert shown[SLOT_COLUMNS * len(row)].data == "|", f"row {at} of page {number} has moved"
        for slot, text in enumerate(row):
            wanted = cells(text)
            wanted += [" "] * (SLOT_COLUMNS - len(wanted))
            begin = SLOT_COLUMNS * slot
            seen = [shown[begin + column].data for column in range(SLOT_COLUMNS)]
            if slot == 0 and any(unicodedata.category(each) == "Mc" for each in text):
                # The C library gives these marks a column. So curses may repeat the letter at the
                # beginning of a row to move past it, and this judge's terminal forgets the mark.
                seen, wanted = letters(seen), letters(wanted)
            assert seen == wanted, f"{text!a} on page {number}"


def test_a_text_that_gets_through_is_seen_by_the_judge(tmp_path: Path) -> None:
    """The judge can fail: a program that draws what it should not."""
    path = tmp_path / "pages"
    for text in ("\x9b2J", "\u202eab", "a\u200bb"):
        path.write_text(json.dumps([[[text]]]))
        command = [sys.executable, "-m", "tests.term.slot_program", str(path)]
        terminal = Terminal(command, "linux", {}, SIZE)
        be_judged(terminal)
        try:
            terminal.until_shown("page 0 is drawn")
            with pytest.raises(AssertionError):
                judge(terminal, [[safe_line(text)]], 0, 0)
        finally:
            terminal.close()
