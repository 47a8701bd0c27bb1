"""The commands that read the archive: what they find, print and write."""

from pathlib import Path
from typing import Any

import pytest

from msgc import command_line
from msgc.command_end import CommandError, Exit
from msgc.command_options import UsageError
from msgc.states import FateState
from msgc.values import Arrival
from tests.msgc.fake_server import FakeServer
from tests.msgc.fake_world import FakeWorld
from tests.msgc.schema import check_line


def run(world: FakeWorld, *words: str) -> int:
    return command_line.run(world.surroundings, command_line.parse(words))


def objects(world: FakeWorld) -> list[dict[str, Any]]:
    return [check_line(line) for line in world.printed.splitlines()]


def refused(world: FakeWorld, *words: str) -> tuple[Exit, str]:
    with pytest.raises(CommandError) as raised:
        run(world, *words)
    return raised.value.code, str(raised.value)


# ----- history and why ------------------------------------------------------------------------


def test_history_and_why_ask_no_server(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    server.queue("alice", "bob", "the patch")
    world = FakeWorld(tmp_path, server)
    run(world, "check")
    run(world, "send", "bob", "-m", "re: patch")
    server.settle(server.accounts["bob"], max(server.accounts["bob"].queue))
    run(world, "check")
    later = FakeWorld(tmp_path, None)
    assert run(later, "history") == 0
    assert [line for line in later.printed.splitlines() if line.startswith("    ")] == [
        "    the patch",
        "    re: patch",
    ]
    later = FakeWorld(tmp_path, None)
    run(later, "history", "re", "--json")
    assert [found["kind"] for found in objects(later)] == ["sent"]
    later = FakeWorld(tmp_path, None)
    run(later, "why", "1")
    assert "bob: delivered" in later.printed
    assert "1 delivered, 0 waiting" in later.printed
    later = FakeWorld(tmp_path, None)
    run(later, "why", "1", "--json")
    assert objects(later)[0]["fates"][0]["state"] == "delivered"
    assert refused(later, "why", "2")[0] == Exit.ERROR
    run(later, "history", "nothing like it")
    assert "Nothing found." in later.said


def test_history_without_an_archive(tmp_path: Path) -> None:
    code, text = refused(FakeWorld(tmp_path, None), "history")
    assert (code, text) == (Exit.ERROR, "There is no archive of alice for this server here.")


# ----- what is kept, narrowed and exported ----------------------------------------------------


def keep_some(folder: Path) -> FakeWorld:
    """Two messages from bob, one from carol, one to each of them, one to all."""
    server = FakeServer("alice", "bob", "carol")
    world = FakeWorld(folder, server)
    for sender, text in (("bob", "one"), ("carol", "two"), ("bob", "From me\n\x1b[2J")):
        server.queue("alice", sender, text)
    run(world, "check")
    for words in (("bob", "-m", "three"), ("carol", "-m", "four"), ("--all", "-m", "five")):
        world.clock.steady_ms += 1_000
        run(world, "send", *words)
    return FakeWorld(folder, None)


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        ((), ["one", "two", "From me\n\x1b[2J", "three", "four", "five"]),
        (("--from", "bob"), ["one", "From me\n\x1b[2J"]),
        (("--from", "Alice"), ["three", "four", "five"]),
        (("--to", "carol"), ["four"]),
        (("--to", "alice"), ["one", "two", "From me\n\x1b[2J"]),
        (("--from", "alice", "--to", "bob"), ["three"]),
        (("--from", "bob", "--to", "alice", "one"), ["one"]),
        (("--from", "alice", "--to", "alice"), []),
        (("--since", "2020-01-01"), ["three", "four", "five"]),
        (("--until", "2020-01-01"), ["one", "two", "From me\n\x1b[2J"]),
        (("--limit", "2"), ["four", "five"]),
        (("o", "--from", "carol"), ["two"]),
        (("hree", "--to", "bob"), ["three"]),
    ],
)
def test_history_and_export_narrowed(
    tmp_path: Path, words: tuple[str, ...], texts: list[str]
) -> None:
    world = keep_some(tmp_path)
    assert run(world, "history", *words, "--json") == 0
    assert [found["text"] for found in objects(world)] == texts
    if "--limit" not in words:
        again = FakeWorld(tmp_path, None)
        assert run(again, "export", *words, "--json") == 0
        assert objects(again) == objects(world)
    if not texts:
        assert "Nothing found." in world.said


def test_history_of_two_others_makes_no_sense(tmp_path: Path) -> None:
    world = keep_some(tmp_path)
    with pytest.raises(UsageError, match="one of --from and --to must be alice"):
        run(world, "history", "--from", "bob", "--to", "carol")


def test_export_is_a_mailbox(tmp_path: Path) -> None:
    world = keep_some(tmp_path)
    assert run(world, "export") == 0
    assert world.printed.isascii()
    assert world.printed.count("\nFrom ") == 5
    assert "\n=46rom me\n=1B[2J\n" in world.printed
    assert world.said == "msgc: 6 messages exported.\n"


def test_export_into_a_file_is_all_or_nothing(tmp_path: Path) -> None:
    world = keep_some(tmp_path)
    path = tmp_path / "mail"
    path.write_text("before")
    assert run(world, "export", "-o", str(path), "-q") == 0
    assert (world.printed, world.said) == ("", "")
    assert path.read_text().startswith("From bob@here ")
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_text()

    progress = FakeWorld(tmp_path, None)
    calls = iter([0, 0])

    def now_ms() -> int:
        try:
            return next(calls)
        except StopIteration:
            raise KeyboardInterrupt from None

    object.__setattr__(progress.clock, "now_ms", now_ms)
    progress.stderr.isatty = lambda: True  # type: ignore[method-assign]  # a person sits there
    with pytest.raises(KeyboardInterrupt):
        run(progress, "export", "-o", str(path))
    assert path.read_text() == before
    assert sorted(found.name for found in tmp_path.iterdir()) == ["mail", "msgc"]
    for bad in (tmp_path, tmp_path / "no" / "such"):
        code, text = refused(FakeWorld(tmp_path, None), "export", "-o", str(bad))
        assert (code, text.startswith(f"Cannot write {bad}: ")) == (Exit.ERROR, True)


def test_what_came_to_nothing_is_not_done(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, FakeServer("alice", "bob"))
    run(world, "send", "bob", "-m", "x")
    archive = world.profiles.visit("alice")
    assert archive is not None
    sent = archive.outbox.recent(1)[0]
    archive.outbox.record_outcome(sent.message_id, "bob", FateState.RECIPIENT_DELETED, 5)
    archive.close()
    run(world, "history")
    assert "[1: lost]" in world.printed
    world.stdout.truncate(0)
    world.stdout.seek(0)
    run(world, "history", "--json")
    assert objects(world)[0]["state"] == "lost"


def test_names_are_usernames_and_nothing_that_a_shell_expands(tmp_path: Path) -> None:
    world = keep_some(tmp_path)
    archive = world.profiles.open("alice")
    for number, sender in enumerate(("$(touch owned)", "a b", "zoe", "\x1b[2J"), 1_000):
        arrival = Arrival(b"s" * 16, number, b"m" * 16, sender, 1, 1, 1, "x")
        archive.archive.inbox.store([arrival])
    archive.close()
    assert run(world, "names") == 0
    assert world.printed == "bob\ncarol\nzoe\n"
    again = FakeWorld(tmp_path, None)
    run(again, "names", "--json")
    assert objects(again)[0] == {"kind": "name", "name": "bob"}
