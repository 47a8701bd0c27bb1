"""`msgd passwd` and `msgd invite`, on the rules and on a folder that no server has."""

import random
from typing import Any

import pytest

from msgd import offline
from msgd.events import EventKind
from msgd.limits import ExchangeLimits
from msgd.orders import Orders
from msgd.verbs import Answer, Order
from store.errors import StoreLocked
from store.limits import INVITES_AT_ONCE_MAX
from tests.msgd.fake_server import SMALL, Server
from tests.msgd.password_world import DAY_MS, Guest, create, server_with, verifier_of
from tests.sim.sim_clock import SimClock
from tests.sim.sim_disk import SimDisk
from wire.codes import Code, Registration
from wire.invite import read_invite
from wire.messages import CreateFailure, CreateSuccess, Error, LoginFailure, LoginSuccess

NEW = verifier_of("the operator's choice")
KEYS: dict[str, Any] = {
    "salt": NEW.salt.hex(),
    "iterations": NEW.iterations,
    "stored_key": NEW.stored_key.hex(),
    "server_key": NEW.server_key.hex(),
}
INVITING = ExchangeLimits(password_needed=True, registration=Registration.INVITE)


def obey(server: Server, verb: str, **arguments: str | int | bool) -> Answer:
    orders = Orders(exchange=server.exchange, events=server.events, save_bans=lambda _: None)
    answer = orders.obey(Order(verb, arguments), "the test", server.now)
    server.turn()
    return answer


def test_a_new_password_counts_at_once_and_ends_the_session() -> None:
    server = server_with()
    guest = Guest(server)
    guest.log_in("bob", "bob's password")
    answer = obey(server, "passwd", name="BOB", **KEYS)
    assert answer == Answer(done=True, text="bob has a new password; the session was ended")
    assert guest.client.last(Error).code == Code.KICKED
    assert isinstance(Guest(server).log_in("bob", "bob's password"), LoginFailure)
    assert isinstance(Guest(server).log_in("bob", "the operator's choice"), LoginSuccess)
    noted = " ".join(event.text for event in server.all_events())
    assert "passwd ordered by the test: bob has a new password" in noted
    assert KEYS["stored_key"] not in noted


def test_an_account_without_a_password_gets_its_first() -> None:
    server = server_with()
    assert obey(server, "passwd", name="carol", **KEYS).done
    assert isinstance(Guest(server).log_in("carol", "the operator's choice"), LoginSuccess)


def test_a_password_is_taken_away() -> None:
    server = server_with()
    answer = obey(server, "passwd", name="bob", remove=True)
    assert "has no password any more" in answer.text
    assert isinstance(Guest(server).log_in("bob", "bob's password"), LoginFailure)


def test_the_operator_makes_accounts_also_where_it_is_closed_and_the_name_reserved() -> None:
    limits = ExchangeLimits(
        password_needed=True, registration=Registration.CLOSED, name_reserved_ms=DAY_MS
    )
    server = server_with(limits)
    bob = server.store.state.by_name["bob"]
    server.store.delete_account(bob, server.now.wall_ms, server.now.wall_ms + DAY_MS)
    answer = obey(server, "passwd", name="bob", **KEYS)
    assert answer == Answer(done=False, text="there is no user bob; --create makes the account")
    answer = obey(server, "passwd", name="bob", create=True, **KEYS)
    assert answer == Answer(done=True, text="bob has an account now")
    assert server.noted(EventKind.CREATE) == ["bob by the operator"]
    assert isinstance(Guest(server).log_in("bob", "the operator's choice"), LoginSuccess)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "-"}, "that is no name"),
        ({"name": "dave"}, "is being deleted"),
        ({"name": "erin", "create": True}, "accounts, its most"),
        ({"salt": "00"}, "no verifier"),
        ({"salt": "xx"}, "no verifier"),
        ({"stored_key": ""}, "no verifier"),
        ({"iterations": 599_999}, "no verifier"),
        ({"iterations": "many"}, "no verifier"),
    ],
)
def test_what_cannot_be_is_said(change: dict[str, Any], words: str) -> None:
    server = server_with(ExchangeLimits(password_needed=True, accounts_max=3))
    dave = server.store.create_account("dave", server.now.wall_ms)
    server.store.begin_deletion(dave, server.now.wall_ms)
    answer = obey(server, "passwd", **{"name": "bob", **KEYS, **change})
    assert not answer.done
    assert words in answer.text


def test_invites_are_given_out_and_used() -> None:
    server = server_with(INVITING)
    answer = obey(server, "invite", count=2, days=14)
    assert (answer.done, answer.text) == (True, "2 invites, each for one account, for 14 days")
    assert [row["until_ms"] for row in answer.rows] == [server.now.wall_ms + 14 * DAY_MS] * 2
    invites = [read_invite(str(row["invite"])) for row in answer.rows]
    assert len(set(invites)) == 2
    for name, invite in zip(("dave", "erin"), invites, strict=True):
        client = server.client()
        create(client, name, invite=invite)
        client.last(CreateSuccess)
    noted = " ".join(event.text for event in server.all_events())
    assert not any(str(row["invite"]) in noted for row in answer.rows)


def test_an_invite_is_taken_back() -> None:
    server = server_with(INVITING)
    rows = obey(server, "invite", count=2, days=14).rows
    first, second = (str(row["invite"]) for row in rows)
    answer = obey(server, "invite", count=1, days=7, revoke=first.upper())
    assert (answer.done, answer.text, answer.rows) == (True, "1 invite is taken back", ())
    client = server.client()
    create(client, "dave", invite=read_invite(first))
    assert client.last(CreateFailure).code == Code.INVITE_INVALID
    again = obey(server, "invite", revoke=first)
    assert not again.done
    assert again.text.startswith("there is no such invite")
    create(client, "dave", invite=read_invite(second))
    client.last(CreateSuccess)
    assert not obey(server, "invite", revoke=second).done
    assert "or say all" in obey(server, "invite", revoke="x").text
    noted = " ".join(event.text for event in server.all_events())
    assert first not in noted.lower()


def test_all_invites_are_told_and_taken_back() -> None:
    server = server_with(INVITING)
    obey(server, "invite", count=3, days=14)
    for _ in range(2):
        obey(server, "invite", count=INVITES_AT_ONCE_MAX, days=7)
    answer = obey(server, "invite", list=True)
    assert answer.text == f"{3 + 2 * INVITES_AT_ONCE_MAX} invites are out, not used"
    times = [row["until_ms"] for row in answer.rows]
    assert times[-1] == server.now.wall_ms + 14 * DAY_MS
    assert times == sorted(times, key=str)
    assert obey(server, "invite", revoke="all").text == "203 invites are taken back"
    assert obey(server, "invite", list=True).text == "0 invites are out, not used"
    assert obey(server, "invite", revoke="all").text == "0 invites are taken back"


def test_where_nobody_asks_for_invites_it_is_said() -> None:
    answer = obey(server_with(), "invite", count=1, days=1)
    assert answer.text.startswith("an invite, each for one account, for 1 day; this server")


@pytest.mark.parametrize(
    ("count", "days", "done"),
    [
        (INVITES_AT_ONCE_MAX, 365, True),
        (INVITES_AT_ONCE_MAX + 1, 7, False),
        (0, 7, False),
        (1, 366, False),
        (1, 0, False),
        ("x", 7, False),
    ],
)
def test_invites_have_their_limits(count: str | int, days: int, done: bool) -> None:
    assert obey(server_with(INVITING), "invite", count=count, days=days).done is done


# ----- without a server ---------------------------------------------------------------------------


def offline_answer(disk: SimDisk, verb: str, **arguments: str | int | bool) -> Answer:
    return offline.obey(
        Order(verb, arguments),
        ExchangeLimits(),
        lambda: disk,
        clock=SimClock(),
        entropy=random.Random(5).randbytes,
        settings=SMALL,
    )


def test_both_work_on_the_folder_of_a_server_that_does_not_run() -> None:
    server = server_with()
    disk = server.disk
    assert isinstance(disk, SimDisk)
    with pytest.raises(StoreLocked):
        offline_answer(disk, "passwd", name="bob", **KEYS)
    server.stop()
    assert offline_answer(disk, "passwd", name="bob", **KEYS).text == "bob has a new password"
    (row,) = offline_answer(disk, "invite", count=1, days=7).rows
    server.limits = INVITING
    server.start()
    assert isinstance(Guest(server).log_in("bob", "the operator's choice"), LoginSuccess)
    client = server.client()
    create(client, "dave", invite=read_invite(str(row["invite"])))
    client.last(CreateSuccess)


def test_no_store_is_made_where_there_was_none() -> None:
    disk = SimDisk(random.Random(1))
    answer = offline_answer(disk, "passwd", name="bob", **KEYS)
    assert "no data folder" in answer.text
    assert disk.files() == ()
