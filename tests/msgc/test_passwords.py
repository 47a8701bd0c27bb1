"""Logins with a password: whole commands, honest servers, and servers that are no friends."""

import os
import stat
from pathlib import Path
from typing import Any, Final

import pytest

from msgc import command_line
from msgc.__main__ import _read_password_ahead
from msgc.command_end import CommandError, Exit, InterruptedTalkError
from msgc.net import Signal
from msgc.os_files import OsFiles
from msgc.os_secrets import OsSecrets
from msgc.passwords import (
    InviteError,
    PasswordChoice,
    PasswordSource,
    PasswordSourceError,
    generate_password,
    read_invite,
)
from tests.msgc.fake_server import FakeServer
from tests.msgc.fake_world import FakePrompter, FakeSecrets, FakeWorld
from tests.msgc.schema import check_line
from wire import messages
from wire.codes import Registration
from wire.invite import invite_text

GOOD: Final = "correct horse battery"
NEW: Final = "another long password"


def make(folder: Path, *answers: str | Signal) -> FakeWorld:
    server = FakeServer("alice", "bob")
    server.give_password("alice", GOOD)
    world = FakeWorld(folder, server)
    if answers:
        world.person = FakePrompter(world.network, *answers)
    return world


def server_of(world: FakeWorld) -> FakeServer:
    assert world.network.server is not None
    return world.network.server


def run(world: FakeWorld, *words: str) -> int:
    return command_line.run(world.surroundings, command_line.parse(words))


def refused(world: FakeWorld, *words: str) -> tuple[Exit, str]:
    with pytest.raises(CommandError) as raised:
        run(world, *words)
    return raised.value.code, str(raised.value)


def source(world: FakeWorld, **choice: Any) -> None:  # noqa: ANN401 - those of PasswordChoice
    chosen = PasswordSource(PasswordChoice(**choice), world.secrets, "here:1")
    object.__setattr__(world.surroundings, "passwords", chosen)


def heard(world: FakeWorld) -> list[messages.Message]:
    return [message for channel in world.network.channels for message in channel.session.heard]


# ----- asked for --------------------------------------------------------------------------------


def test_a_person_is_asked_without_echo_and_logged_in(tmp_path: Path) -> None:
    world = make(tmp_path, GOOD)
    server_of(world).queue("alice", "bob", "hello")
    assert run(world, "check") == 0
    assert "hello" in world.printed
    assert world.person is not None
    assert world.person.asked == [("Password of alice at here:1: ", True)]
    assert world.person.closed == 1
    assert world.surroundings.door.had_password
    assert GOOD not in world.printed + world.said


def test_a_wrong_password_is_asked_again_three_times_in_all(tmp_path: Path) -> None:
    world = make(tmp_path, "wrong one", "wrong two", "wrong three")
    code, text = refused(world, "check")
    assert (code, text) == (
        Exit.REFUSED,
        "Wrong password, or no such user: the server does not say which.",
    )
    assert world.person is not None
    assert len(world.person.asked) == 3
    assert world.said.count("Wrong password") == 2
    assert "wrong two" not in world.said


def test_the_second_try_may_be_right(tmp_path: Path) -> None:
    assert run(make(tmp_path, "wrong", GOOD), "check") == 0


def test_nobody_to_ask(tmp_path: Path) -> None:
    code, text = refused(make(tmp_path), "check")
    assert code is Exit.REFUSED
    assert "--password-file" in text


def test_a_signal_ends_the_question(tmp_path: Path) -> None:
    world = make(tmp_path, Signal.INTERRUPT)
    with pytest.raises(InterruptedTalkError):
        run(world, "check")
    assert world.person is not None
    assert world.person.closed == 1


def test_a_password_that_cannot_be_one_is_not_sent(tmp_path: Path) -> None:
    code, text = refused(make(tmp_path, "tab\there"), "check")
    assert code is Exit.REFUSED
    assert "control characters" in text
    assert "tab" not in text


def test_send_and_watch_prove_it_too(tmp_path: Path) -> None:
    world = make(tmp_path, GOOD)
    assert run(world, "send", "bob", "-m", "hi") == 0
    assert server_of(world).accepted[0].body == b"hi"


# ----- sources ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "asked"),
    [
        ({"file": "/f"}, ("file", "/f")),
        ({"command": "pass show x"}, ("command", "pass show x")),
        ({"keyring": True}, ("keyring", "msgc here:1", "alice")),
    ],
)
def test_sources_are_read_once_a_server_asks(
    tmp_path: Path, choice: dict[str, Any], asked: tuple[str, ...]
) -> None:
    world = make(tmp_path)
    world.secrets.password = GOOD
    source(world, **choice)
    assert run(world, "check") == 0
    assert world.secrets.asked == [asked]


def test_a_source_with_a_wrong_password_is_asked_once(tmp_path: Path) -> None:
    world = make(tmp_path, GOOD)
    world.secrets.password = "wrong"
    source(world, file="/f")
    assert refused(world, "check")[0] is Exit.REFUSED
    assert len(world.secrets.asked) == 1


def test_a_source_is_not_touched_where_a_name_is_enough(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, FakeServer("alice"))
    source(world, file="/f")
    assert run(world, "check") == 0
    assert world.secrets.asked == []


def test_an_empty_keyring_says_how_to_fill_it(tmp_path: Path) -> None:
    world = make(tmp_path)
    source(world, keyring=True)
    with pytest.raises(PasswordSourceError, match='keyring set "msgc here:1" alice'):
        run(world, "check")


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    secrets = OsSecrets(OsFiles())
    path = tmp_path / "password"
    path.write_text(f"{GOOD}\nrest\n")
    path.chmod(0o600)
    assert secrets.of_file(str(path), 100).startswith(GOOD)
    for mode in (0o640, 0o604, 0o620, 0o601):
        path.chmod(mode)
        with pytest.raises(PasswordSourceError, match="chmod 600"):
            secrets.of_file(str(path), 100)
    path.chmod(0o600)
    with pytest.raises(PasswordSourceError, match="longer than 5 bytes"):
        secrets.of_file(str(path), 5)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(PasswordSourceError, match="it is a link"):
        secrets.of_file(str(link), 100)
    with pytest.raises(PasswordSourceError, match="it is a folder"):
        secrets.of_file(str(tmp_path), 100)
    os.mkfifo(tmp_path / "fifo", 0o600)
    with pytest.raises(PasswordSourceError, match="it is a folder"):
        secrets.of_file(str(tmp_path / "fifo"), 100)
    with pytest.raises(PasswordSourceError, match=f"There is no file {tmp_path}/missing.$"):
        secrets.of_file(str(tmp_path / "missing"), 100)
    path.write_bytes(b"\xff\xff")
    with pytest.raises(PasswordSourceError, match="UTF-8"):
        secrets.of_file(str(path), 100)


def test_the_file_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "password"
    path.write_text(GOOD)
    path.chmod(0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(PasswordSourceError, match="somebody else"):
        OsSecrets(OsFiles()).of_file(str(path), 100)


def test_a_program_prints_it_and_no_shell_runs_it() -> None:
    secrets = OsSecrets(OsFiles())
    assert secrets.of_command("printf 'a b\\nc'", 100, 5_000) == "a b\nc"
    assert secrets.of_command("echo $HOME ';' x", 100, 5_000) == "$HOME ; x\n"
    for command, words in (
        ("", "empty"),
        ("a 'b", "understood"),
        ("/no/such/program", "Cannot run"),
        ("false", "ended with 1"),
        ("printf '\\377'", "UTF-8"),
    ):
        with pytest.raises(PasswordSourceError, match=words):
            secrets.of_command(command, 100, 5_000)
    with pytest.raises(PasswordSourceError, match="did not end"):
        secrets.of_command("sleep 5", 100, 50)


def test_a_program_that_may_not_ask_reads_nothing_and_is_not_heard(
    capfd: pytest.CaptureFixture[str],
) -> None:
    secrets = OsSecrets(OsFiles())
    asks = "sh -c 'echo PIN >&2; read pin; echo got $pin'"
    assert secrets.of_command(asks, 100, 5_000, may_ask=False) == "got\n"
    assert capfd.readouterr().err == ""


def test_what_was_read_ahead_is_given_once() -> None:
    secrets = FakeSecrets()
    secrets.password = GOOD
    ahead = PasswordSource(PasswordChoice(command="pass"), secrets, "here:1")
    assert ahead.is_program
    assert "60 seconds" in ahead.waiting
    ahead.read_ahead()
    assert not ahead.waiting
    assert ahead.read("alice") == GOOD
    assert len(secrets.asked) == 1
    assert ahead.read("alice") == GOOD
    assert len(secrets.asked) == 2


def test_what_went_wrong_ahead_is_told_when_it_is_asked_for() -> None:
    secrets = FakeSecrets()
    secrets.password = ""
    ahead = PasswordSource(PasswordChoice(command="pass"), secrets, "here:1")
    ahead.read_ahead()
    with pytest.raises(PasswordSourceError, match="first line is empty"):
        ahead.read("alice")
    assert len(secrets.asked) == 1


def test_a_program_is_run_before_the_screens_where_it_was_needed_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = make(tmp_path)
    world.secrets.password = GOOD
    source(world, command="pass")
    _read_password_ahead(world.surroundings)
    assert world.secrets.asked == []
    world.surroundings.door.note_password()
    _read_password_ahead(world.surroundings)
    assert world.secrets.asked == [("command", "pass")]
    assert "Waiting for the password command" in capsys.readouterr().err


def test_a_keyring_that_is_not_installed() -> None:
    with pytest.raises(PasswordSourceError, match="pip install keyring"):
        OsSecrets(OsFiles()).of_keyring("msgc here:1", "alice")


def test_an_empty_first_line_is_no_password(tmp_path: Path) -> None:
    world = make(tmp_path)
    world.secrets.password = ""
    source(world, file="/f")
    with pytest.raises(PasswordSourceError, match="first line is empty"):
        run(world, "check")


# ----- servers that are no friends --------------------------------------------------------------


def test_a_server_that_asked_once_and_does_not_any_more_is_refused(tmp_path: Path) -> None:
    world = make(tmp_path, GOOD)
    assert run(world, "check") == 0
    server_of(world).passwords = None
    world.network.channels.clear()
    code, text = refused(world, "check")
    assert code is Exit.DISTRUSTED
    assert "DOES NOT ASK FOR A PASSWORD ANY MORE" in text
    assert [type(message) for message in heard(world)] == [messages.Hello]
    assert refused(world, "create", "carol")[0] is Exit.DISTRUSTED
    assert run(world, "pin", "forget", "here:1") == 0
    assert run(world, "check") == 0


@pytest.mark.parametrize(
    ("challenge", "words"),
    [
        (b"x,s=" + b"QUFB" * 8 + b",i=599999", "599999 iterations"),
        (b"x,s=" + b"QUFB" * 8 + b",i=5000001", "5000001 iterations"),
        (b"x,s=" + b"QUFB" * 8 + b",i=4096", "4096 iterations"),
        (b"x,s=" + b"QUFB" * 8 + b",i=99999999999", "number of iterations"),
        (b"x,s=QUFB,i=600000", "salt has 3 bytes"),
        (b",s=" + b"QUFB" * 8 + b",i=600000", "not an answer"),
        (b"nonsense", "cannot be read"),
    ],
)
def test_an_odd_challenge_is_refused_and_not_computed(
    tmp_path: Path, challenge: bytes, words: str
) -> None:
    world = make(tmp_path, GOOD)
    server_of(world).challenge = challenge
    with pytest.raises(CommandError) as raised:
        run(world, "check")
    assert raised.value.code is Exit.DISTRUSTED
    assert words in " ".join(raised.value.more)
    assert not any(isinstance(message, messages.LoginProof) for message in heard(world))
    assert not world.surroundings.door.had_password


def test_a_server_that_lets_one_in_without_a_proof_is_not_believed(tmp_path: Path) -> None:
    world = make(tmp_path, GOOD)
    server_of(world).lets_in = True
    assert refused(world, "check")[0] is Exit.DISTRUSTED


def test_a_server_that_does_not_know_the_account_is_not_believed(tmp_path: Path) -> None:
    world = make(tmp_path, GOOD)
    server_of(world).signature = b"v=" + b"QUFB" * 11
    code, text = refused(world, "check")
    assert code is Exit.DISTRUSTED
    assert "IS NOT BELIEVED" in text


# ----- accounts ---------------------------------------------------------------------------------


def test_an_account_is_made_with_a_password_that_is_asked_for_twice(tmp_path: Path) -> None:
    world = make(tmp_path, "too short", NEW, "a slip", NEW, NEW)
    assert run(world, "create", "carol") == 0
    assert "The account carol is made." in world.said
    assert "too few" in world.said
    assert "two different ones" in world.said
    assert world.person is not None
    assert all(secret for _, secret in world.person.asked)
    assert NEW not in world.said + world.printed
    created = [one for one in heard(world) if isinstance(one, messages.CreateAccount)]
    assert created[0].iterations == 600_000
    assert created[0].salt is not None
    assert len(created[0].salt) == 16
    again = FakeWorld(tmp_path, server_of(world), "carol")
    again.person = FakePrompter(again.network, NEW)
    assert run(again, "check") == 0


def test_a_password_is_made_and_shown_once(tmp_path: Path) -> None:
    world = make(tmp_path)
    assert run(world, "create", "carol", "--generate") == 0
    password = world.printed.strip()
    assert len(password) == 24
    assert password not in world.said
    again = FakeWorld(tmp_path, server_of(world), "carol")
    again.person = FakePrompter(again.network, password)
    assert run(again, "check") == 0


def test_a_made_password_in_json(tmp_path: Path) -> None:
    world = make(tmp_path)
    assert run(world, "create", "carol", "--generate", "--json") == 0
    created = check_line(world.printed)
    assert created["kind"] == "created"
    assert len(created["password"]) == 24


def test_an_invite_is_asked_for_where_one_is_needed(tmp_path: Path) -> None:
    world = make(tmp_path, invite_text(bytes.fromhex("00112233445566778899aabbccddeeff")), NEW, NEW)
    server = server_of(world)
    server.registration = Registration.INVITE
    server.invites.add(bytes.fromhex("00112233445566778899aabbccddeeff"))
    assert run(world, "create", "carol") == 0


@pytest.mark.parametrize(
    ("registration", "words"),
    [(Registration.INVITE, "wants an invite code"), (Registration.CLOSED, "makes no accounts")],
)
def test_why_no_account_is_made(tmp_path: Path, registration: Registration, words: str) -> None:
    world = make(tmp_path)
    server_of(world).registration = registration
    code, text = refused(world, "create", "carol", "--generate", "--invite", "0" * 26)
    assert code is Exit.REFUSED
    assert words in text


def test_nobody_to_invent_a_password(tmp_path: Path) -> None:
    code, text = refused(make(tmp_path), "create", "carol")
    assert code is Exit.REFUSED
    assert "--generate" in text


@pytest.mark.parametrize("text", ["", "xyz", "0" * 25, "0" * 27, "0" * 25 + "1"])
def test_what_is_no_invite(text: str) -> None:
    with pytest.raises(InviteError, match="invite"):
        read_invite(text)


def test_what_is_an_invite() -> None:
    assert read_invite(None) is None
    invite = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert read_invite(f" {invite_text(invite).upper()} ") == invite, "as msgd prints it"


def test_a_password_is_changed_after_the_old_one_is_proven(tmp_path: Path) -> None:
    world = make(tmp_path, GOOD, NEW, NEW)
    assert run(world, "passwd") == 0
    assert "The password of alice is changed." in world.said
    again = FakeWorld(tmp_path, server_of(world))
    again.person = FakePrompter(again.network, GOOD, NEW)
    assert run(again, "check") == 0
    assert "Wrong password" in again.said


def test_a_password_is_changed_by_a_script(tmp_path: Path) -> None:
    world = make(tmp_path)
    world.secrets.password = GOOD
    source(world, file="/old")
    assert run(world, "passwd", "--generate", "--json") == 0
    changed = check_line(world.printed)
    assert changed["kind"] == "password_changed"
    world = FakeWorld(tmp_path, server_of(world))
    world.secrets.password = changed["password"]
    source(world, file="/new")
    assert run(world, "check") == 0


def test_generated_passwords_are_long_and_different() -> None:
    made = {generate_password(os.urandom) for _ in range(100)}
    assert len(made) == 100
    assert {len(one) for one in made} == {24}
    assert generate_password(lambda count: b"\xff" * count) == "zzzz-zzzz-zzzz-zzzz-zzzz"
