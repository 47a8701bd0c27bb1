import pytest

from msgd.events import EventKind
from msgd.limits import ExchangeLimits
from tests.msgd.fake_server import Client, Server
from wire.codes import Code, Presence
from wire.messages import (
    AccountList,
    CreateAccount,
    CreateFailure,
    CreateSuccess,
    ListAccounts,
    LoginFailure,
    LoginSuccess,
)


def listed(client: Client, pattern: str | None = None, limit: int | None = None) -> list[str]:
    """All the names, page after page."""
    found: list[str] = []
    cursor = None
    while True:
        client.say(ListAccounts(1, pattern, cursor, limit))
        page = client.last(AccountList)
        found += [entry.username for entry in page.entries]
        cursor = page.cursor
        if cursor is None:
            return found


# ----- creating -----------------------------------------------------------------------------------


def test_an_account_can_be_created_before_login() -> None:
    server = Server()
    client = server.client()
    client.say(CreateAccount(3, "Bob"))
    success = client.last(CreateSuccess)
    assert (success.request, success.username) == (3, "bob")
    assert server.noted(EventKind.CREATE) == [f"bob from {client.session.peer}"]
    client.login("bob", create=False)
    assert client.last(LoginSuccess).created is False


def test_an_account_can_be_created_after_login() -> None:
    server = Server()
    client = server.user("alice")
    client.say(CreateAccount(3, "bob"))
    client.last(CreateSuccess)
    client.send("bob")


@pytest.mark.parametrize("name", ["bob", "BOB"])
def test_a_name_that_exists_is_taken(name: str) -> None:
    server = Server()
    server.account("bob")
    client = server.client()
    client.say(CreateAccount(3, name))
    assert client.last(CreateFailure).code == Code.NAME_TAKEN


@pytest.mark.parametrize("name", ["", "-", "a/b", "a" * 33, "\x9b2J"])
def test_a_name_that_may_not_be_is_refused_with_the_rule(name: str) -> None:
    server = Server()
    client = server.client()
    client.say(CreateAccount(3, name))
    failure = client.last(CreateFailure)
    assert failure.code == Code.NAME_INVALID
    assert "a-z" in failure.text
    assert all(text.isprintable() for text in server.noted(EventKind.REJECT))


def test_a_server_with_all_its_accounts_makes_no_more() -> None:
    server = Server(limits=ExchangeLimits(accounts_max=1))
    server.account("bob")
    client = server.client()
    client.say(CreateAccount(3, "carol"))
    assert client.last(CreateFailure).code == Code.STORAGE_FULL
    client.login("carol")
    assert client.last(LoginFailure).code == Code.STORAGE_FULL
    client.login("bob")
    client.last(LoginSuccess)


# ----- listing ------------------------------------------------------------------------------------


def test_a_list_has_every_name_ever_used_in_order_and_who_is_connected() -> None:
    server = Server()
    server.user("carol").drop()
    server.advance(10)
    server.account("bob")
    client = server.user("alice")
    client.say(ListAccounts(1))
    page = client.last(AccountList)
    assert [(entry.username, entry.presence) for entry in page.entries] == [
        ("alice", Presence.ON),
        ("bob", Presence.OFF),
        ("carol", Presence.OFF),
    ]
    assert page.entries[1].last_seen_ms is None  # never logged in
    assert (page.accounts_total, page.accounts_connected) == (3, 1)
    assert page.cursor is None


def test_a_list_tells_when_somebody_was_last_seen() -> None:
    server = Server()
    carol = server.user("carol")
    server.advance(4_000)
    carol.drop()
    left_ms = server.now.wall_ms
    client = server.user("alice")
    client.say(ListAccounts(1, "c*"))
    assert client.last(AccountList).entries[0].last_seen_ms == left_ms


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("b*", ["bob", "bobby"]),
        ("B?B", ["bob"]),
        ("[!ac]*", ["bob", "bobby", "dave"]),
        ("*a*", ["alice", "dave"]),
        ("bob", ["bob"]),
        ("nobody", []),
        ("", ["alice", "bob", "bobby", "dave"]),
        ("zz*", []),
    ],
)
def test_a_list_is_narrowed_by_wildcards(pattern: str, names: list[str]) -> None:
    server = Server()
    for name in ("bob", "bobby", "dave"):
        server.account(name)
    client = server.user("alice")
    assert listed(client, pattern) == names
    assert client.last(AccountList).accounts_total == 4


def test_a_list_is_paged_and_every_page_goes_on_where_the_one_before_ended() -> None:
    server = Server()
    names = [f"u{number:03}" for number in range(25)]
    for name in names:
        server.account(name)
    client = server.user("alice")
    assert listed(client, "u*", 10) == names
    assert listed(client, None, 1) == ["alice", *names]
    assert len(client.all(AccountList)[0].entries) == 10


def test_a_page_holds_256_names_at_most() -> None:
    server = Server()
    client = server.user("alice")
    for number in range(300):
        client.post(CreateAccount(1, f"u{number:03}"))
    server.turn()
    client.say(ListAccounts(1, None, None, 1_000_000))
    assert len(client.last(AccountList).entries) == 256
    assert len(listed(client)) == 301


def test_a_page_is_bounded_work_even_when_nothing_matches() -> None:
    server = Server(limits=ExchangeLimits(names_scanned_max=10))
    for number in range(25):
        server.account(f"u{number:03}")
    client = server.user("alice")
    client.say(ListAccounts(1, "*24"))
    page = client.last(AccountList)
    assert not page.entries
    assert page.cursor == "u008"
    assert listed(client, "*24") == ["u024"]


def test_names_created_or_deleted_between_pages_do_not_disturb_the_cursor() -> None:
    server = Server()
    for name in ("b", "d", "f"):
        server.account(name)
    client = server.user("a")
    client.say(ListAccounts(1, None, None, 2))
    assert client.last(AccountList).cursor == "b"
    server.account("c")
    client.say(ListAccounts(1, None, "b", 2))
    assert [entry.username for entry in client.last(AccountList).entries] == ["c", "d"]


def test_a_limit_of_nothing_asks_for_the_totals_only() -> None:
    server = Server()
    server.account("bob")
    client = server.user("alice")
    client.say(ListAccounts(1, None, None, 0))
    page = client.last(AccountList)
    assert (page.entries, page.cursor, page.accounts_total) == ((), None, 2)


def test_a_name_in_a_list_waits_for_the_record_that_made_it() -> None:
    """Nobody sees in a list what a power cut could take back."""
    server = Server()
    other = server.client()
    client = server.user("alice")
    other.post(CreateAccount(1, "bob"))
    client.post(ListAccounts(2))
    server.read()
    lsn, answer = client.session.outbox[-1]
    assert isinstance(answer, AccountList)
    assert len(answer.entries) == 2
    assert lsn == server.store.open_lsn > server.store.durable_lsn


# ----- what a picker needs to know ----------------------------------------------------------------


def test_a_list_tells_since_when_an_account_is_there_and_whether_its_queue_is_full() -> None:
    server = Server(limits=ExchangeLimits(mailbox_messages_max=1))
    server.account("bob")
    alice = server.user("alice")
    alice.send("bob")
    alice.say(ListAccounts(1))
    first, second = alice.last(AccountList).entries
    assert (first.username, first.queue_full) == ("alice", False)
    assert (second.username, second.queue_full) == ("bob", True)
    assert first.created_at_ms == server.store.state.by_name["alice"].created_at_ms
