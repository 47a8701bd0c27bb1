"""Bell and notification: seldom, not at night, and without the text."""

import pytest

from msgc.app_arrivals import BELL_MS, Arrivals
from msgc.quiet_hours import QuietHours
from msgc.settings import Settings
from msgc.view_text import Times
from term.safe import Safe
from tests.msgc.fake_server import FakeServer
from tests.msgc.screens.world import Screenful, WorldClock, WorldNetwork

WORDS = Safe("New message from bob.")
NOTICE = "notify msgc: New message from bob."


class Ear:
    """What is heard of arrivals at 14:32 UTC and later."""

    def __init__(self, **settings: object) -> None:
        from datetime import UTC

        self.clock = WorldClock()
        self.console = Screenful(WorldNetwork(self.clock, FakeServer()))
        self.arrivals = Arrivals(self.console, self.clock, Times(UTC))
        base: dict[str, object] = {"bell": True} | settings
        self.settings = Settings("h", 1, None, "auto", **base)  # type: ignore[arg-type]  # the fields are those of Settings, whose own check this is

    def hear(self, words: Safe = WORDS) -> list[str]:
        self.console.calls.clear()
        self.arrivals.tell(words, self.settings)
        return self.console.calls


def test_the_bell_rings_once_in_five_seconds() -> None:
    ear = Ear()
    assert ear.hear() == ["bell"]
    ear.clock.ms += BELL_MS - 1
    assert ear.hear() == []
    ear.clock.ms += 1
    assert ear.hear() == ["bell"]


def test_nothing_has_come() -> None:
    assert Ear().hear(Safe("")) == []


@pytest.mark.parametrize(
    ("bell", "notify", "sure", "heard"),
    [
        (False, False, True, []),
        (True, True, True, [NOTICE, "bell"]),
        (False, True, True, [NOTICE]),
        (False, True, False, [NOTICE, "bell"]),
    ],
)
def test_notification_and_bell(bell: bool, notify: bool, sure: bool, heard: list[str]) -> None:
    ear = Ear(bell=bell, notify=notify)
    ear.console.notices_are_sure = sure
    assert ear.hear() == heard


def test_quiet_hours_are_quiet_and_end() -> None:
    ear = Ear(notify=True, quiet=QuietHours(14 * 60, 14 * 60 + 33))
    assert ear.hear() == []
    ear.clock.ms += 60_000
    assert ear.hear() == [NOTICE, "bell"]
