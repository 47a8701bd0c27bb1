"""The watch sees what it is there for, and nothing where nothing is."""

import pytest

from store.entry import EntryKind
from store.limits import INSTALLATIONS_MAX
from tests.msgd.fake_server import Server
from tests.sim.watch import LOCKED_OUT_MS_MAX, TURNS_BETWEEN_FILES, Watch


@pytest.fixture
def server() -> Server:
    server = Server()
    server.user("alice")
    server.user("bob").send("alice")
    return server


def watch(server: Server) -> Watch:
    return Watch(server.exchange, server.store, server.store.core.disk)  # type: ignore[arg-type]  # it is one


def all_told(server: Server) -> str:
    """Of as many turns as it takes to look at everything."""
    seen = watch(server)
    return next(filter(None, (seen.look(0) for _ in range(TURNS_BETWEEN_FILES))), "")


def test_a_server_at_work_is_no_violation(server: Server) -> None:
    assert not all_told(server)


def test_two_sessions_of_one_name_are_told(server: Server) -> None:
    alice, bob = server.exchange.online["alice"], server.exchange.online["bob"]
    bob.name, bob.account = alice.name, alice.account
    assert "two sessions are logged in as alice" in all_told(server)


def test_a_session_that_the_rules_forgot_is_told(server: Server) -> None:
    del server.exchange.online["alice"]
    assert "alice is logged in, and the server does not know it" in all_told(server)


def test_who_is_locked_out_for_long_is_told(server: Server) -> None:
    bob = server.exchange.online["bob"]
    seen = watch(server)
    bob.waiting_for = "alice"
    assert not seen.look(10)
    assert not seen.look(10 + LOCKED_OUT_MS_MAX)
    assert "alice was locked out for 2001 ms" in seen.look(11 + LOCKED_OUT_MS_MAX)
    bob.waiting_for = None
    assert not seen.look(10_000)


def test_what_grows_is_told(server: Server) -> None:
    alice = server.exchange.online["alice"]
    assert alice.account is not None
    alice.account.windows = dict.fromkeys(  # type: ignore[assignment]  # only counted
        bytes([number]) for number in range(INSTALLATIONS_MAX + 1)
    )
    assert f"{INSTALLATIONS_MAX} is the limit" in all_told(server)


def test_what_is_out_is_counted_anew(server: Server) -> None:
    alice = server.exchange.online["alice"]
    alice.outstanding_bytes += 1
    assert "counted wrong" in all_told(server)
    alice.outstanding_bytes -= 1
    most = server.limits.window_messages_max
    alice.outstanding.update(
        {
            number: (number - 1, number, int(EntryKind.SUCCESS), 0, 0, 1, b"")
            for number in range(1_000, 1_001 + most)
        }
    )
    assert "messages out" in all_told(server)


def test_files_that_nobody_needs_are_told(server: Server) -> None:
    disk = server.store.core.disk
    for number in range(0x20, 0x24):
        disk.close(disk.create(f"journal/{number:016x}.journal"))
    assert "other files in journal/" in all_told(server)
