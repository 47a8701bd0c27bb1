"""What one turn of the loop is for: a few frames of each, lists and bursts out of its slack."""

import pytest

from msgd.reactor_limits import ReactorLimits
from tests.msgd.fake_machine import FAST, Bench, of
from tests.msgd.fake_net import FakeClient
from tests.msgd.test_brakes import RATED, pending, post
from wire.messages import AccountList, ListAccounts, Ping, Pong


def test_one_who_is_alone_has_22_frames_in_a_turn() -> None:
    bench = Bench(RATED)
    alice, _ = bench.user("alice"), bench.user("bob", live=False)
    post(alice, 1, 23)
    bench.turn()
    assert pending(alice) == 2 + 300 // 15
    assert bench.timeout_ms() == 0
    bench.turn()
    assert pending(alice) == 1


def test_each_has_two_frames_for_sure_and_20_more_are_for_all() -> None:
    bench = Bench(RATED)
    names = [f"crowd{number}" for number in range(5)]
    crowd = [bench.user(name) for name in names]
    bench.user("bob", live=False)
    bench.pass_time(1_000)
    for name, each in zip(names, crowd, strict=True):
        post(each, 1, 20, name)
    turns: list[list[int]] = []
    for _ in range(4):
        bench.turn()
        turns.append([pending(each) for each in crowd])
    assert [sum(turn) for turn in turns] == [20 + 10, 20 + 8, 20 + 6, 16]
    assert turns[0] == [20, 4, 2, 2, 2]
    assert turns[1] == [0, 2, 18, 6, 2], "who had least is first in the next turn"
    assert [sum(each) for each in zip(*turns, strict=True)] == [20] * 5


def test_any_frames_count_for_the_share() -> None:
    bench = Bench(RATED)
    alice = bench.user("alice")
    alice.say(*(Ping(number) for number in range(1, 24)))
    bench.turn()
    assert len(of(Pong, alice.hear())) == 22


def test_one_with_two_frames_is_answered_at_once_beside_a_crowd() -> None:
    bench = Bench(RATED)
    crowd = [bench.user(f"crowd{number}") for number in range(3)]
    for each in crowd:
        each.say(*(Ping(number) for number in range(1, 1_000)))
    bench.turn()
    other = bench.user("other")
    for _ in range(5):
        other.say(Ping(7), Ping(8))
        bench.turn()
        assert other.hear() == [Pong(7), Pong(8)]


def test_who_has_just_come_does_not_wait_for_what_was_left() -> None:
    bench = Bench(RATED)
    flood, alice = bench.user("flood"), bench.user("alice")
    bench.pass_time(1_000)
    flood.say(*(Ping(number) for number in range(1, 1_000)))
    bench.turn()
    assert len(of(Pong, flood.hear())) == 22
    served: list[int] = []
    for number in range(6):
        alice.say(Ping(number + 1))
        bench.turn()
        assert alice.hear() == [Pong(number + 1)]
        served.append(len(of(Pong, flood.hear())))
    assert served == [22, 0, 22, 0, 22, 0], "but it waits for one turn, and no more"
    bench.turn()
    assert len(of(Pong, flood.hear())) == 22, "nobody came"


def test_nor_do_those_go_on_who_were_too_fast() -> None:
    bench = Bench(RATED)
    flood, alice, _ = bench.user("flood"), bench.user("alice"), bench.user("bob", live=False)
    post(flood, 1, 101, "flood")
    bench.settle()
    assert pending(flood) == 100
    bench.clock.advance_to(bench.clock.now_ms + 50)
    alice.say(Ping(1))
    bench.turn()
    assert (pending(flood), alice.hear()) == (0, [Pong(1)])
    assert bench.timeout_ms() == 0
    alice.say(Ping(2))
    bench.turn()
    assert (pending(flood), alice.hear()) == (1, [Pong(2)])


def test_where_all_may_be_fast_nobody_shares() -> None:
    bench = Bench(FAST)
    alice, carol, _ = bench.user("alice"), bench.user("carol"), bench.user("bob", live=False)
    post(alice, 1, 129)
    post(carol, 1, 128, "carol")
    bench.turn()
    assert (pending(alice), pending(carol)) == (128, 128)


def pages(clients: list[FakeClient]) -> list[int]:
    return [len(of(AccountList, each.hear())) for each in clients]


def test_lists_end_with_the_slack_and_each_has_its_turn() -> None:
    bench = Bench(RATED)
    deaf = [bench.user(f"deaf{number}") for number in range(3)]
    for each in deaf:
        each.say(*(ListAccounts(number) for number in range(1, 11)))
    page_us = 50 + 2 * 3
    most = -(-300 // page_us)  # the last one may begin with a microsecond left
    turns: list[list[int]] = []
    for _ in range(6):
        bench.turn()
        turns.append(pages(deaf))
    assert turns[:3] == [[most, 0, 0], [0, most, 0], [0, 0, most]]
    assert 0 < sum(turns[3]) <= most
    assert sum(map(sum, turns)) == 10 * 3


def test_one_list_is_in_every_turn_whoever_takes_the_slack() -> None:
    bench = Bench(RATED)
    flood, deaf = bench.user("flood"), bench.user("deaf")
    flood.say(*(Ping(number) for number in range(1, 1_000)))
    deaf.say(*(ListAccounts(number) for number in range(1, 4)))
    turns: list[list[int]] = []
    for _ in range(4):
        bench.turn()
        turns.append([len(of(Pong, flood.hear())), *pages([deaf])])
    assert turns == [[22, 1], [22, 1], [22, 1], [22, 0]]


def test_who_waits_for_a_list_is_heard_before_it() -> None:
    bench = Bench(RATED)
    deaf = [bench.user(f"deaf{number}") for number in range(2)]
    other = bench.user("other")
    for each in deaf:
        each.say(*(ListAccounts(number) for number in range(1, 31)))
    other.say(Ping(7), ListAccounts(8))
    bench.turn()
    assert other.hear() == [Pong(7)]
    bench.turn()
    assert len(of(AccountList, other.hear())) == 0, "the other deaf one came before"
    bench.turn()
    assert len(of(AccountList, other.hear())) == 1


def test_those_who_were_too_fast_go_on_together() -> None:
    bench = Bench(RATED)
    names = [f"crowd{number}" for number in range(3)]
    crowd = [bench.user(name) for name in names]
    bench.user("bob", live=False)
    for name, each in zip(names, crowd, strict=True):  # their times are ten milliseconds apart
        post(each, 1, 200, name)
        bench.settle()
        bench.pass_time(10)
    bench.pass_time(60)
    for each in crowd:
        each.hear()
    commits = bench.store.status().commits
    bench.pass_time(1_000)
    assert [pending(each) for each in crowd] == [20] * 3
    assert bench.store.status().commits - commits == 20


@pytest.mark.parametrize(("slack_us", "first"), [(600, 6), (601, 7), (1, 1), (0, 1)])
def test_of_those_who_were_too_fast_so_many_go_on_as_there_is_slack(
    slack_us: int, first: int
) -> None:
    bench = Bench(ReactorLimits(slack_us_per_turn_max=slack_us, crowd_us_per_turn_max=1_000))
    names = [f"crowd{number}" for number in range(8)]
    crowd = [bench.user(name) for name in names]
    bench.user("bob", live=False)
    for name, each in zip(names, crowd, strict=True):
        post(each, 1, 101, name)
    bench.settle(1_000)
    assert [pending(each) for each in crowd] == [100] * 8
    bench.clock.advance_to(bench.clock.now_ms + 50)
    bench.turn()
    assert sum(pending(each) for each in crowd) == first
    assert bench.timeout_ms() == 0
    bench.settle()
    assert sum(pending(each) for each in crowd) == 8 - first


def test_somebody_who_is_sure_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="never be heard"):
        ReactorLimits(sure_frames_per_turn=0)
    ReactorLimits(sure_frames_per_turn=1)
