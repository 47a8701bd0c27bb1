"""The words of the command line: what is understood as what, and what is refused."""

import io
import re
from pathlib import Path

import pytest

from msgc import command_line
from msgc.command_line import parse
from msgc.command_options import NAMES, UsageError, help_text
from tests.msgc.fake_server import FakeServer
from tests.msgc.fake_world import FakeWorld


@pytest.mark.parametrize(
    ("words", "command", "user"),
    [
        (["check"], "check", None),
        (["-u", "alice", "check"], "check", "alice"),
        (["check", "-u", "alice"], "check", "alice"),
        (["--user=alice", "check"], "check", "alice"),
        (["-u", "check", "list"], "list", "check"),
        (["alice"], None, None),
        ([], None, None),
        (["--port", "7", "--plain", "alice"], None, None),
    ],
)
def test_commands_are_found_wherever_they_stand(
    words: list[str], command: str | None, user: str | None
) -> None:
    request = parse(words)
    assert request.command == command
    assert request.options.user == user


def test_screens_take_a_name() -> None:
    assert parse(["--host", "h", "alice"]).options.name == "alice"
    assert parse(["--", "check"]).command is None, "a user called check"


@pytest.mark.parametrize(
    "words",
    [
        ["--nonsense"],
        ["alice", "bob"],
        ["check", "--limit", "0"],
        ["check", "--limit", "x"],
        ["check", "extra"],
        ["send", "bob", "--wait", "soon"],
        ["create"],
        ["why"],
        ["send", "\udcff"],
    ],
)
def test_what_is_not_understood_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        parse(words)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("60s", 60_000), ("5", 5_000), ("10ms", 10), ("2m", 120_000), ("1h", 3_600_000)],
)
def test_times(text: str, milliseconds: int) -> None:
    assert parse(["send", "bob", "--wait", text]).options.wait == milliseconds


@pytest.mark.parametrize("command", NAMES)
def test_every_command_is_in_the_help_and_has_its_own(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"\n  {command} " in help_text()
    with pytest.raises(SystemExit) as raised:
        parse([command, "--help"])
    assert raised.value.code == 0
    assert f"msgc {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["send", "-m", "x"], "name the recipients, or say --all"),
        (["send", "bob", "--all", "-m", "x"], "name the recipients, or say --all"),
        (["send", "bob"], "the message is empty"),
        (["send", "bob", "-m", "x" * 65_537], "longer than 65536 bytes"),
        (["watch", "--exec", ""], "--exec needs a command"),
    ],
)
def test_requests_that_make_no_sense(tmp_path: Path, words: list[str], said: str) -> None:
    world = FakeWorld(tmp_path, FakeServer("alice"))
    with pytest.raises(UsageError, match=said):
        command_line.run(world.surroundings, parse(words))
    assert not world.network.channels


def test_a_user_must_be_named(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, None, user=None)
    with pytest.raises(UsageError, match="who are you"):
        command_line.run(world.surroundings, parse(["check"]))


def test_standard_input_that_is_no_text_is_refused(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, None)
    stdin = io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8", errors="surrogateescape")
    object.__setattr__(world.surroundings, "stdin", stdin)
    with pytest.raises(UsageError, match="not valid UTF-8"):
        command_line.run(world.surroundings, parse(["send", "bob"]))


def test_documentation_names_every_command_and_exit_code() -> None:
    text = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
    for command in NAMES:
        assert f"\n**{command}** " in text
        assert re.search(rf"^msgc {command}\b", text, re.MULTILINE)


def test_a_word_beside_a_username_is_no_second_username() -> None:
    with pytest.raises(UsageError, match="there is no command 'frob'"):
        parse(["-u", "dave", "frob"])
    with pytest.raises(UsageError, match="check"):
        parse(["-u", "dave", "chekc"])
    assert parse(["-u", "dave", "dave"]).command is None
