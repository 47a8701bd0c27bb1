"""The certificate as its operator hears of it."""

from datetime import UTC, datetime

import pytest

from msgd.certificates import DAY_MS, SOON_DAYS, Certificates, day_of, described
from msgd.events import EventKind, EventLog
from msgd.net import Channel, Ready, SecurityError, Wish
from msgd.values import Now

END = int(datetime(2030, 6, 1, 12, tzinfo=UTC).timestamp()) * 1_000


class FakeSecurity:
    """A certificate that is renewed as a test says."""

    def __init__(self) -> None:
        self.pin = "sha256//first"
        self.end_ms = END
        self.next: str | SecurityError | None = None
        self.renewals = 0

    def protect(self, carrier: Channel) -> Channel:
        return carrier

    def renew(self) -> bool:
        self.renewals += 1
        if isinstance(self.next, SecurityError):
            raise self.next
        if self.next is None:
            return False
        self.pin, self.end_ms, self.next = self.next, END + 365 * DAY_MS, None
        return True


class Desk:
    """The face, its certificate and its events."""

    def __init__(self) -> None:
        self.security = FakeSecurity()
        self.events = EventLog(100)
        self.face = Certificates(security=self.security, events=self.events)
        self.wall_ms = END - 100 * DAY_MS

    def turn(self, *wishes: Wish) -> list[tuple[EventKind, str]]:
        """One turn; gives what was told in it."""
        before = self.events.total
        now = Now(1, self.wall_ms)
        assert not self.face.serve(Ready(wishes=wishes), now)
        assert not self.face.work(now)
        assert self.face.deadline_ms() is None
        count = self.events.total - before
        return [(event.kind, event.text) for event in self.events.latest(count)] if count else []


def test_a_new_certificate_is_told_with_its_pin() -> None:
    desk = Desk()
    desk.security.next = "sha256//second"
    assert desk.turn() == []
    assert desk.security.renewals == 0
    assert desk.turn(Wish.REOPEN) == [
        (
            EventKind.NOTICE,
            "new connections get a new certificate: sha256//second, good until 2031-06-01",
        )
    ]
    assert desk.turn(Wish.REOPEN) == [], "the same again is no news"
    assert desk.turn(Wish.STOP) == []
    assert desk.security.renewals == 2


def test_a_broken_one_is_told_and_the_old_one_stays() -> None:
    desk = Desk()
    desk.security.next = SecurityError("key.pem is not there\x1b[2J")
    ((kind, text),) = desk.turn(Wish.REOPEN)
    assert kind is EventKind.WARN
    assert text.startswith("the old certificate stays: key.pem is not there")
    assert "\x1b" not in text
    assert desk.security.pin == "sha256//first"


@pytest.mark.parametrize(("more_ms", "warns"), [(1, False), (0, True)])
def test_two_weeks_before_the_end_a_warning_comes(more_ms: int, *, warns: bool) -> None:
    desk = Desk()
    desk.wall_ms = END - SOON_DAYS * DAY_MS - more_ms
    told = desk.turn()
    assert bool(told) == warns
    if warns:
        text = "the certificate ends on 2030-06-01; put a new one in its place and send SIGHUP"
        assert told == [(EventKind.WARN, text)]


def test_it_comes_once_a_day() -> None:
    desk = Desk()
    desk.wall_ms = END - DAY_MS
    assert desk.turn()
    desk.wall_ms += DAY_MS - 1
    assert desk.turn() == []
    desk.wall_ms += 1
    assert desk.turn()
    desk.wall_ms += DAY_MS
    ((_, text),) = desk.turn()
    assert text.startswith("the certificate ended on 2030-06-01: clients may refuse it")


def test_a_new_certificate_is_warned_of_anew() -> None:
    desk = Desk()
    desk.wall_ms = END - DAY_MS
    assert desk.turn()
    desk.security.next = "sha256//second"
    assert desk.turn(Wish.REOPEN)
    desk.security.end_ms = END
    assert desk.turn(), "on the same day"


def test_words_about_a_certificate() -> None:
    assert described(FakeSecurity()) == "sha256//first, good until 2030-06-01"
    assert day_of(0) == "1970-01-01"
    Desk().face.end(Now(0, 0))
