"""What the states of screens are made of: desks that know something, and texts hard to draw.

Must never hold a state itself: they stand in `states_sending` and `states_reading`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from msgc.screens.composer import Composer
from msgc.screens.screen import Screen
from msgc.view_values import Target
from tests.msgc.screens.fake_desk import FakeDesk

NAMES: Final = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
WIDE: Final = "日本語の文字 e\u0301 и кириллица, 🎉 ok\nsecond line: ﷽ and 한국어"
HOSTILE: Final = "\x1b[2J\x1b]52;c;aGk=\x07click \u202etxt.exe\r\nand\ttabs\x00, \u200bhidden\u2066"
LONG: Final = "\n".join(
    f"{n}: " + "the quick brown fox jumps over the lazy dog " * 3 for n in range(60)
)


def make_desk(**changes: object) -> FakeDesk:
    desk = FakeDesk()
    desk.know(*NAMES)
    desk.look = replace(desk.look, accounts_total=7, accounts_connected=2, **changes)  # type: ignore[arg-type]  # the fields are those of Overview, whose own check this is
    return desk


def compose(desk: FakeDesk) -> Callable[[Target], Screen]:
    return lambda target: Composer(desk, target)


def offline(desk: FakeDesk) -> FakeDesk:
    desk.offline()
    return desk


def thousands(desk: FakeDesk) -> FakeDesk:
    desk.know(*sorted(f"user{n}" for n in range(3_000)), "zoe")
    return desk
