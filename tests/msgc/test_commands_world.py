"""Commands in a rough world: long work, a person who cannot wait, a server that is no friend."""

from pathlib import Path
from typing import Any

import pytest

from msgc import command_line
from msgc.command_end import CommandError, Exit, InterruptedTalkError
from msgc.net import Signal
from tests.msgc.fake_server import FakeAccount, FakeServer
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


# ----- long work ------------------------------------------------------------------------------


def test_check_shows_how_far_it_is(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    for number in range(300):
        server.queue("alice", "bob", str(number))
    world = FakeWorld(tmp_path, server)
    world.stderr.isatty = lambda: True  # type: ignore[method-assign]  # a person sits there
    steady = world.clock

    def now_ms() -> int:
        steady.steady_ms += 10
        return steady.steady_ms

    object.__setattr__(world.clock, "now_ms", now_ms)
    assert run(world, "check", "--json") == 0
    assert len(objects(world)) == 300
    assert " of 300 messages (" in world.said
    assert world.said.endswith("\rmsgc: 300 messages, 0 still waiting.\n")


def test_check_interrupted_keeps_what_came(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    for number in range(300):
        server.queue("alice", "bob", f"{number} " + "x" * 1_000)
    world = FakeWorld(tmp_path, server)
    accepts = server.settle

    def interrupt(account: FakeAccount, number: int) -> None:
        world.network.signals = [Signal.INTERRUPT]
        accepts(account, number)

    server.settle = interrupt  # type: ignore[method-assign]  # a person who cannot wait
    with pytest.raises(InterruptedTalkError):
        run(world, "check", "--json")
    assert world.printed == ""
    assert "kept, still unread. The next check prints them." in world.said
    server.settle = accepts  # type: ignore[method-assign]  # the same person, patient
    again = FakeWorld(tmp_path, server)
    assert run(again, "check", "--json") == 0
    assert [found["text"].split()[0] for found in objects(again)] == [str(n) for n in range(300)]


def test_what_a_hostile_server_says_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    """Names, senders and texts that no honest server gives: plain output is safe all the same."""
    hostile = "\x1b]0;owned\x07\u202e\x9b2J\nmsgc: all is well"
    server = FakeServer("alice", hostile)
    server.queue("alice", hostile, hostile)
    world = FakeWorld(tmp_path, server)
    run(world, "list")
    run(world, "check")
    run(world, "history")
    for line in (world.printed + world.said).splitlines():
        assert line.isprintable()
        assert not line.startswith("msgc: all is well")
    assert "^[]0;owned^G<RLO><9B>2J" in world.printed
