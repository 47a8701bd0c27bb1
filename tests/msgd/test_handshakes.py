"""The line of those who shake hands, each limit at it and one past it; no encryption is needed."""

from collections import deque

import pytest

from msgd.bans import Bans
from msgd.events import EventKind, EventLog
from msgd.gate import Gate, GateLimits
from msgd.handshakes import Handshakes
from msgd.net import Channel, ChannelError, ChannelViolation, Wait
from msgd.reactor_limits import ReactorLimits
from msgd.refusals import Refusal, RefusalNotes
from msgd.slack import NEWCOMER_US, Slack
from msgd.sources import address_of
from msgd.values import Now
from tests.msgd.fake_net import FakeChannel, FakeNetwork


class Shaker(FakeChannel):
    """A connection whose handshake gives these answers; done when there are none."""

    def __init__(self, name: str, *answers: Wait | ChannelError) -> None:
        super().__init__(name)
        self.answers = deque(answers)
        self.needs_handshake = True
        self.steps = 0

    def shake(self) -> Wait | None:
        assert not self.closed
        self.steps += 1
        if not self.answers:
            return None
        answer = self.answers.popleft()
        if isinstance(answer, ChannelError):
            raise answer
        return answer


class Line:
    """Handshakes, their network and the time."""

    def __init__(self, limits: ReactorLimits | None = None) -> None:
        self.network = FakeNetwork()
        self.slack = Slack(ReactorLimits(slack_us_per_turn_max=1_000_000))
        self.events = EventLog(1_000)
        self.gate = Gate(
            GateLimits(source_new_max=0, early_drop_full=0),
            bans=Bans(),
            entropy=bytes,
            resident_bytes=lambda: 0,
        )
        self.handshakes = Handshakes(
            network=self.network,
            events=self.events,
            limits=limits or ReactorLimits(),
            gate=self.gate,
            slack=self.slack,
            refusals=RefusalNotes({}),
        )
        self.ms = 10_000

    @property
    def now(self) -> Now:
        return Now(self.ms, 1_000_000 + self.ms)

    def begin(self, *shakers: Shaker) -> None:
        for shaker in shakers:
            assert self.gate.enter(address_of(shaker.peer), self.now) is None
            self.handshakes.begin(shaker, self.now)

    def wake(self, *shakers: Shaker) -> None:
        for shaker in shakers:
            assert self.handshakes.wake(shaker)

    def work(self) -> list[Channel]:
        return [channel for channel, _ in self.handshakes.work(self.now)]

    def is_closed(self, shaker: Shaker) -> bool:
        return shaker.closed

    def told(self) -> list[str]:
        events = self.events.latest(1_000)
        assert all(event.kind is EventKind.REJECT for event in events)
        return [event.text for event in events]


def crowd(count: int) -> list[Shaker]:
    return [Shaker(f"10.0.0.1:{number}") for number in range(1, count + 1)]


def test_of_those_whose_time_is_over_a_turn_ends_as_many_as_it_has_slack_for() -> None:
    line = Line()
    slow = crowd(5)
    line.begin(*slow)
    line.slack.left_us = 2 * NEWCOMER_US
    line.ms += 5_000
    assert line.work() == []
    assert [line.is_closed(each) for each in slow] == [True, True, False, False, False]
    assert line.handshakes.deadline_ms(line.ms) == line.ms
    line.slack.left_us = 0
    line.work()
    assert [line.is_closed(each) for each in slow] == [True, True, True, False, False]
    line.slack.begin_turn()
    line.work()
    assert all(map(line.is_closed, slow))


def test_a_handshake_waits_for_what_it_wants_and_is_done() -> None:
    line = Line()
    one = Shaker("x", Wait.READ, Wait.WRITE)
    line.begin(one)
    assert line.network.watched[one] == (True, False)
    assert line.work() == []
    assert one.steps == 0, "nothing came, nothing is done"
    assert line.handshakes.deadline_ms(line.ms) == line.ms + 5_000
    line.wake(one)
    assert one not in line.network.watched, "the poll would tell of it again and again"
    assert line.work() == []
    assert line.network.watched[one] == (True, False)
    line.wake(one)
    assert line.handshakes.deadline_ms(line.ms) == line.ms
    assert line.work() == []
    assert line.network.watched[one] == (False, True)
    line.ms += 100
    line.wake(one)
    assert list(line.handshakes.work(line.now)) == [(one, 10_000)], "and since when it is there"
    assert len(line.handshakes) == 0
    assert one not in line.network.watched
    assert not one.closed
    assert line.told() == []
    assert line.handshakes.deadline_ms(line.ms) is None


def test_a_stranger_is_none_of_these() -> None:
    assert not Line().handshakes.wake(Shaker("x"))


def test_one_that_fails_is_closed_and_told() -> None:
    line = Line()
    one, other = Shaker("x", ChannelError("it speaks Latin")), Shaker("y")
    line.begin(one, other)
    line.wake(one, other)
    assert line.work() == [other]
    assert one.closed
    assert line.told() == ["connection from x: no handshake: it speaks Latin"]


def test_five_seconds_and_not_one_more() -> None:
    line = Line()
    one = Shaker("x")
    line.begin(one)
    for _ in range(5):
        line.work()
        line.ms += 1_000
    line.ms -= 1
    assert line.work() == []
    assert not line.is_closed(one)
    assert line.handshakes.deadline_ms(line.ms) == line.ms + 1
    line.ms += 1
    assert line.work() == []
    assert line.is_closed(one)
    assert line.told() == ["connection from x: no handshake: not done after 5 s"]


def test_a_byte_now_and_then_does_not_buy_time() -> None:
    line = Line()
    one = Shaker("x", *([Wait.READ] * 100))
    line.begin(one)
    for _ in range(60):
        if not one.closed:
            line.wake(one)
        line.work()
        line.ms += 100
    assert one.closed
    assert one.steps <= 51


def test_who_is_done_in_the_last_moment_is_in() -> None:
    line = Line()
    one = Shaker("x")
    line.begin(one)
    for _ in range(5):
        line.work()
        line.ms += 1_000
    line.wake(one)
    assert line.work() == [one]


@pytest.mark.parametrize(("pause_ms", "closed"), [(2_000, True), (2_001, False)])
def test_a_pause_of_the_servers_own_is_nobodys_fault(pause_ms: int, *, closed: bool) -> None:
    line = Line()
    line.ms += 1_000
    one = Shaker("x")
    line.begin(one)
    line.work()
    for step_ms in (1_000, 1_000, 1_000):
        line.ms += step_ms
        line.work()
    line.ms += pause_ms
    line.work()
    assert one.closed == closed


def test_two_steps_a_turn() -> None:
    line = Line()
    shakers = crowd(3)
    line.begin(*shakers)
    line.wake(*shakers)
    assert line.work() == shakers[:2]
    assert line.handshakes.deadline_ms(line.ms) is not None
    assert line.handshakes.deadline_ms(line.ms) <= line.ms  # type: ignore[operator]  # see above
    assert line.work() == shakers[2:]


@pytest.mark.parametrize(("slack_us", "steps"), [(251, 2), (250, 1), (0, 1)])
def test_one_step_and_more_only_with_slack(slack_us: int, steps: int) -> None:
    line = Line()
    shakers = crowd(2)
    line.begin(*shakers)
    line.wake(*shakers)
    line.slack.left_us = slack_us
    assert line.work() == shakers[:steps]


def test_who_has_begun_goes_first() -> None:
    line = Line(ReactorLimits(handshake_steps_per_turn_max=1))
    first, second = Shaker("x", Wait.READ), Shaker("y")
    line.begin(first, second)
    line.wake(first)
    assert line.work() == []
    line.wake(second, first)
    assert line.work() == [first]
    assert line.work() == [second]


def test_fifty_a_second_and_one_more_in_the_next() -> None:
    line = Line(ReactorLimits(handshake_steps_per_turn_max=100))
    shakers = crowd(52)
    line.begin(*shakers)
    line.wake(*shakers[:50])
    assert line.work() == shakers[:50]
    line.wake(*shakers[50:])
    assert line.work() == []
    assert line.handshakes.deadline_ms(line.ms) == line.ms + 1_000
    assert not any(shaker in line.network.watched for shaker in shakers)
    line.ms += 999
    assert line.work() == []
    line.ms += 1
    assert line.work() == shakers[50:]


def test_who_has_a_place_goes_on_though_there_are_no_others() -> None:
    line = Line(ReactorLimits(handshakes_per_s_max=1))
    first, second = Shaker("x", Wait.READ), Shaker("y")
    line.begin(first, second)
    line.wake(first, second)
    assert line.work() == []
    line.wake(first)
    assert line.work() == [first]


def test_who_stands_in_line_too_long_is_closed() -> None:
    line = Line(ReactorLimits(handshakes_per_s_max=1))
    shakers = crowd(10)
    line.begin(*shakers)
    line.wake(*shakers)
    done = 0
    for _ in range(11):
        done += len(line.work())
        line.ms += 500
    assert done == 6
    assert sum(shaker.closed for shaker in shakers) == 4
    assert len(line.handshakes) == 0


def test_so_many_at_once_and_no_more() -> None:
    line = Line(ReactorLimits(handshakes_max=2))
    shakers = crowd(3)
    line.begin(*shakers)
    assert [shaker.closed for shaker in shakers] == [False, False, True]
    assert line.told() == ["connection from 10.0.0.1:3: no handshake: too many at once"]


def test_one_that_cannot_be_watched_is_closed() -> None:
    line = Line()
    one, other = Shaker("x"), Shaker("y", Wait.READ)
    line.network.watch_errors = 1
    line.begin(one)
    assert one.closed
    line.begin(other)
    line.wake(other)
    line.network.watch_errors = 1
    assert line.work() == []
    assert other.closed
    assert line.told() == ["connection from x: no handshake: no space left on device"]


@pytest.mark.parametrize(
    ("error", "penalties"),
    [
        (ChannelViolation("it speaks Latin"), 1),
        (ChannelError("cut during the handshake of TLS"), 0),
    ],
)
def test_how_it_ended_counts_for_its_source(error: ChannelError, penalties: int) -> None:
    line = Line()
    one = Shaker("10.0.0.1:1", error)
    line.begin(one)
    assert line.gate.new == 1
    line.wake(one)
    line.work()
    assert line.gate.new == 0
    refused = line.gate.enter(address_of("10.0.0.1:2"), line.now)
    assert refused is (Refusal.PENALTY if penalties else None)


def test_a_crowd_that_fails_is_told_once_a_second() -> None:
    line = Line()
    shakers = [Shaker("x", ChannelError("no")) for _ in range(5)]
    line.begin(*shakers)
    line.wake(*shakers)
    while not all(shaker.closed for shaker in shakers):
        line.work()
    assert line.told() == ["connection from x: no handshake: no"]


def test_at_the_end_all_are_let_go() -> None:
    line = Line()
    shakers = crowd(3)
    line.begin(*shakers)
    line.wake(*shakers[:1])
    line.handshakes.end(line.now)
    assert all(shaker.closed for shaker in shakers)
    assert line.network.watched == {}
    assert line.work() == []
