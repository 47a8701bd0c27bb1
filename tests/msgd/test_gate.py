"""Who may connect: each limit at its number and one past it."""

import ipaddress

import pytest

from msgd.bans import Ban, Bans
from msgd.gate import Gate, GateLimits
from msgd.penalties import Fault, PenaltyLimits
from msgd.refusals import PAUSE_MS, Refusal, RefusalNotes
from msgd.sources import Address
from msgd.values import Now

START = Now(1_000_000, 2_000_000)


def later(by_ms: int) -> Now:
    return Now(START.monotonic_ms + by_ms, START.wall_ms + by_ms)


def ip(text: str) -> Address:
    return ipaddress.ip_address(text)


class Door:
    """A gate, with chance and memory in the hand of the test."""

    def __init__(self, limits: GateLimits | None = None) -> None:
        self.bans = Bans()
        self.percent = 99
        """What chance says: below the rule's percentage a newcomer is refused."""
        self.resident_bytes = 0
        self.gate = Gate(
            limits or GateLimits(),
            bans=self.bans,
            entropy=lambda size: self.percent.to_bytes(size, "big"),
            resident_bytes=lambda: self.resident_bytes,
        )

    def enter(self, count: int, first: str = "198.51.100.1", *, each_its_own: bool = True) -> int:
        """How many of so many newcomers get in."""
        start = int(ip(first))
        kind = type(ip(first))
        addresses = [kind(start + number * each_its_own) for number in range(count)]
        return sum(self.gate.enter(address, START) is None for address in addresses)


# ----- chance -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waiting", "percent_refused"),
    [(0, 0), (9, 0), (10, 30), (11, 30), (55, 65), (98, 98), (99, 99), (100, 100), (500, 100)],
)
def test_early_drop_is_10_30_100(waiting: int, percent_refused: int) -> None:
    refused = 0
    for percent in range(100):
        door = Door()
        door.gate._new = waiting
        door.percent = percent
        refusal = door.gate.enter(ip("192.0.2.1"), START)
        assert refusal in {None, Refusal.EARLY_DROP}
        refused += refusal is not None
    assert refused == percent_refused


def test_who_has_logged_in_or_left_is_not_counted_by_chance() -> None:
    door = Door()
    door.percent = 0
    assert door.enter(11) == 10
    door.gate.log_in(ip("198.51.100.1"))
    assert door.enter(1, "192.0.2.1") == 1
    assert door.enter(1, "192.0.2.2") == 0
    door.gate.leave(ip("192.0.2.1"), None, START, logged_in=False)
    assert door.enter(1, "192.0.2.3") == 1
    assert door.gate.new == 10


def test_without_the_rule_nobody_is_dropped() -> None:
    door = Door(GateLimits(early_drop_begin=0, early_drop_full=0))
    door.percent = 0
    assert door.enter(500) == 500


@pytest.mark.parametrize(("begin", "percent", "full"), [(10, 30, 10), (10, 101, 100), (0, -1, 9)])
def test_a_rule_of_chance_that_cannot_be(begin: int, percent: int, full: int) -> None:
    with pytest.raises(ValueError, match="early_drop"):
        GateLimits(early_drop_begin=begin, early_drop_percent=percent, early_drop_full=full)


# ----- sources ------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_8_of_a_source_may_be_about_to_log_in(address: str) -> None:
    door = Door()
    assert door.enter(9, address, each_its_own=False) == 8
    assert door.gate.enter(ip(address), START) is Refusal.SOURCE
    door.gate.log_in(ip(address))
    assert door.enter(2, address, each_its_own=False) == 1


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_64_of_a_source_may_be_connected(address: str) -> None:
    door = Door()
    for _ in range(64):
        assert door.gate.enter(ip(address), START) is None
        door.gate.log_in(ip(address))
    assert door.gate.enter(ip(address), START) is Refusal.SOURCE
    door.gate.leave(ip(address), None, START, logged_in=True)
    assert door.gate.enter(ip(address), START) is None
    assert door.gate.enter(ip(address), START) is Refusal.SOURCE, "a newcomer counts too"


def test_a_source_is_one_ipv4_address_or_64_bits_of_ipv6() -> None:
    door = Door()
    assert door.enter(9, "192.0.2.1") == 9
    door = Door()
    assert door.enter(9, "2001:db8::1") == 8, "all of one /64"
    assert door.gate.enter(ip("2001:db8:0:1::"), START) is None


def test_without_limits_a_source_may_have_any() -> None:
    door = Door(GateLimits(source_new_max=0, source_connections_max=0, early_drop_full=0))
    assert door.enter(500, "192.0.2.1", each_its_own=False) == 500


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", None])
def test_peers_of_this_machine_are_counted_only_if_asked_for(address: str | None) -> None:
    at = None if address is None else ip(address)
    door = Door()
    for _ in range(500):
        assert door.gate.enter(at, START) is None
        door.gate.log_in(at)
        door.gate.leave(at, Fault.PROTOCOL, START, logged_in=True)
    assert door.gate.new == door.gate.sources == 0
    door = Door(GateLimits(counts_this_machine=True))
    refusals = [door.gate.enter(at, START) for _ in range(9)]
    assert refusals[8] is (None if at is None else Refusal.SOURCE)


def test_nothing_is_kept_of_who_has_left_in_order() -> None:
    door = Door()
    for number in range(500):
        address = ip("192.0.2.1") + number
        assert door.gate.enter(address, START) is None
        if number % 2:
            door.gate.log_in(address)
        door.gate.leave(address, None, START, logged_in=number % 2 == 1)
    assert door.gate.new == door.gate.sources == 0


# ----- penalties ----------------------------------------------------------------------------------


def punished(door: Door, fault: Fault, times: int, address: str = "192.0.2.1") -> None:
    for _ in range(times):
        assert door.gate.enter(ip(address), START) is None
        door.gate.leave(ip(address), fault, START, logged_in=False)


@pytest.mark.parametrize(
    ("fault", "cost_ms", "forgiven"),
    [
        (Fault.NO_LOGIN, 1_000, 14),
        (Fault.WRONG_LOGIN, 5_000, 2),
        (Fault.TOO_SLOW, 10_000, 1),
        (Fault.PROTOCOL, 90_000, 0),
    ],
)
def test_penalties_are_enforced_from_15_seconds(fault: Fault, cost_ms: int, forgiven: int) -> None:
    door = Door()
    punished(door, fault, forgiven)
    assert door.gate.enter(ip("192.0.2.1"), START) is None
    door.gate.leave(ip("192.0.2.1"), fault, START, logged_in=False)
    until_ms = cost_ms * (forgiven + 1)
    assert door.gate.enter(ip("192.0.2.1"), later(until_ms - 1)) is Refusal.PENALTY
    assert door.gate.enter(ip("192.0.2.2"), START) is None, "nobody else is"
    assert door.gate.enter(ip("192.0.2.1"), later(until_ms)) is None


def test_penalties_run_out_while_none_are_added() -> None:
    door = Door()
    for second in range(100):
        now = later(second * 1_000)
        assert door.gate.enter(ip("192.0.2.1"), now) is None
        door.gate.leave(ip("192.0.2.1"), Fault.NO_LOGIN, now, logged_in=False)


def test_no_penalty_is_longer_than_600_seconds() -> None:
    door = Door()
    gate = door.gate
    for _ in range(8):  # they were all connected when the first of them ended
        assert gate.enter(ip("192.0.2.1"), START) is None
    for _ in range(8):
        gate.leave(ip("192.0.2.1"), Fault.PROTOCOL, START, logged_in=False)
    assert gate.enter(ip("192.0.2.1"), later(599_999)) is Refusal.PENALTY
    assert gate.enter(ip("192.0.2.1"), later(600_000)) is None


def test_penalties_can_be_off() -> None:
    door = Door(GateLimits(penalties=PenaltyLimits(penalty_ms_max=0)))
    punished(door, Fault.PROTOCOL, 100)
    assert door.gate.sources == 0


@pytest.mark.parametrize("first", ["10.0.0.0", "2001:db8::"])
def test_65536_sources_are_remembered_and_one_more_takes_the_place_of_the_oldest(
    first: str,
) -> None:
    door = Door(GateLimits(early_drop_full=0))
    gate = door.gate
    step = 1 if first == "10.0.0.0" else 1 << 64
    for number in range(65_536):
        gate.enter(ip(first) + number * step, START)
        gate.leave(ip(first) + number * step, Fault.PROTOCOL, START, logged_in=False)
    assert gate.sources == 65_536
    assert gate.enter(ip(first), START) is Refusal.PENALTY
    one_more = ip(first) + 65_536 * step
    gate.enter(one_more, START)
    gate.leave(one_more, Fault.PROTOCOL, START, logged_in=False)
    assert gate.enter(one_more, START) is Refusal.PENALTY
    assert gate.enter(ip(first), START) is None


# ----- memory, bans, notes ------------------------------------------------------------------------


def test_memory_is_256_mib_and_a_kib_for_each_account() -> None:
    door = Door()
    door.resident_bytes = (256 << 20) + 7 * 1_024
    assert not door.gate.look_at_memory(accounts=7)
    assert door.enter(1) == 1
    door.resident_bytes += 1
    assert door.gate.look_at_memory(accounts=7)
    assert not door.gate.look_at_memory(accounts=7), "said once"
    assert door.gate.enter(None, START) is Refusal.MEMORY
    assert door.gate.enter(ip("127.0.0.1"), START) is Refusal.MEMORY
    assert door.gate.look_at_memory(accounts=8)
    assert door.enter(1, "192.0.2.1") == 1


def test_memory_can_be_without_a_limit() -> None:
    door = Door(GateLimits(memory_bytes_max=0))
    door.resident_bytes = 1 << 50
    assert not door.gate.look_at_memory(accounts=0)
    assert door.enter(1) == 1


def test_bans_come_first_and_hold_on_this_machine_too() -> None:
    door = Door()
    door.bans.add(Ban("127.0.0.0/8", 0, START.wall_ms + 10, ""), 0)
    assert door.gate.enter(ip("127.0.0.1"), START) is Refusal.BANNED
    assert door.gate.enter(ip("127.0.0.1"), later(10)) is None


def test_a_flood_of_refusals_is_two_lines_a_second() -> None:
    notes = RefusalNotes({})
    assert notes.add(Refusal.SOURCE, "a", 0) == "connection from a: too many of its source"
    assert notes.add(Refusal.PENALTY, "b", 0) is not None
    assert [notes.add(Refusal.SOURCE, "c", PAUSE_MS - 1) for _ in range(9)] == [None] * 9
    assert notes.take() == ["9 more connections, the last from c: too many of its source"]
    assert notes.take() == []
    assert notes.add(Refusal.SOURCE, "d", PAUSE_MS) is not None
