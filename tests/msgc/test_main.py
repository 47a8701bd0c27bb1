"""The program itself: its exit codes, its words, and an archive that survives a kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from msgc.values import Arrival
from tests.msgc.line import make_archive

ROOT = Path(__file__).parents[2]


def environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}


def msgc(home: Path, *words: str, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, "-m", "msgc", *words],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--version",), 0, ""),
        (("--help",), 0, ""),
        (("--nonsense",), 2, "msgc: unrecognized arguments: --nonsense. See: msgc --help\n"),
        (("check",), 2, "msgc: who are you? Say -u NAME, or set MSGC_USER\n"),
        (("-u", "Not a name", "check"), 2, "msgc: A username has 1 to 32 characters"),
        (("-u", "a", "--port", "x", "check"), 2, "msgc: --port must be a number.\n"),
        (("-u", "a", "--port", "1", "check"), 5, "msgc: Cannot reach the server at 127.0.0.1:1:"),
        (("-u", "a", "history"), 1, "msgc: There is no archive of a for this server here.\n"),
        (("alice",), 5, "msgc: input and output are not a terminal; use --plain. This run goes on"),
        (("-u", "a", "watch", "--exec", "unbalanced 'q"), 2, "msgc: --exec: no closing quotation"),
        (("chekc",), 2, 'msgc: Did you mean "msgc check"? To be the user chekc: msgc -u chekc\n'),
        (("chekc", "extra"), 2, 'msgc: Did you mean "msgc check"? To be the user chekc:'),
    ],
)
def test_exit_codes_and_words(tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = msgc(tmp_path, *words)
    assert done.returncode == code
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


def test_checks_stay_on(tmp_path: Path) -> None:
    done = msgc(tmp_path, "--version", flags=("-O",))
    assert (done.returncode, "python -O" in done.stderr) == (1, True)


def test_a_broken_archive_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / ".local/share/msgc/127.0.0.1_7070"
    folder.mkdir(parents=True)
    (folder / "alice.db").write_bytes(b"no database" * 100)
    done = msgc(tmp_path, "-u", "alice", "history")
    assert done.returncode == 1
    assert "is damaged" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("redirection", "said"),
    [
        (">/dev/full", "msgc: The output cannot be written: no space left on device."),
        (">&-", "msgc: Standard output is closed. Nothing was done."),
    ],
)
def test_an_output_that_takes_nothing_is_one_sentence(
    tmp_path: Path, redirection: str, said: str
) -> None:
    archive_path = tmp_path / ".local/share/msgc/127.0.0.1_1/alice.db"
    archive_path.parent.mkdir(parents=True)
    archive = make_archive(str(archive_path))
    archive.inbox.store([Arrival(b"s" * 16, 1, b"m" * 16, "bob", 1, 1, 1, "x")])
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m msgc -u alice --port 1 check {redirection}"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
    assert len(archive.inbox.unread(9)) == 1
    archive.close()


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    archive_path = tmp_path / ".local/share/msgc/127.0.0.1_7070/alice.db"
    archive_path.parent.mkdir(parents=True)
    archive = make_archive(str(archive_path))
    with archive.change():
        for _ in range(300):
            archive.outbox.compose(("bob",), everyone=False, body="x" * 1_000)
    archive.close()
    process = subprocess.Popen(
        [sys.executable, "-m", "msgc", "-u", "alice", "history"],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 141
    assert said == b""


WRITER = """
import sys
from msgc.values import Arrival
from tests.msgc.line import make_archive
archive = make_archive(sys.argv[1])
number = int(sys.argv[2])
while True:
    number += 1
    sent = archive.outbox.compose(("bob",), everyone=False, body=str(number))
    print("sent", sent.message_id.hex(), flush=True)
    archive.inbox.store([Arrival(b"s" * 16, number, b"m" * 16, "bob", number, 1, 1, "x")])
    print("received", number, flush=True)
"""


@pytest.mark.slow
def test_what_was_promised_is_there_after_a_kill(tmp_path: Path) -> None:
    path = str(tmp_path / "alice.db")
    promised: list[list[str]] = []
    for round_ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, path, str(1_000 * round_)],
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        promised += [process.stdout.readline().split() for _ in range(5 + 7 * round_)]
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
        promised += [line.split() for line in rest.splitlines(keepends=True) if line[-1] == "\n"]
        process.wait(30)
        process.stdout.close()
    archive = make_archive(path)
    sent = {message.message_id.hex() for message in archive.outbox.recent(100_000)}
    received = {str(message.delivery) for message in archive.inbox.recent(100_000)}
    assert {value for kind, value in promised if kind == "sent"} <= sent
    assert {value for kind, value in promised if kind == "received"} <= received
    ids = [value for kind, value in promised if kind == "sent"]
    assert len(ids) == len(set(ids)), "no id is used twice"
    archive.close()


@pytest.mark.parametrize(
    ("start", "unneeded"),
    [
        (
            "import msgc.app, term.curses_console",
            (
                *("msgc.link", "wire.messages", "wcwidth", "msgc.commands_output"),
                *("msgc.screens.menu", "msgc.screens.history", "msgc.screens.composer"),
                *("msgc.archive", "sqlite3", "wire.scram", "msgc.credentials", "hashlib", "hmac"),
                *("ssl", "msgc.os_tls", "subprocess", "msgc.os_process", "json", "tomllib"),
                *("asyncio", "threading", "msgc.screens.keys", "difflib"),
            ),
        ),
        (
            "import msgc.commands_archive",
            ("msgc.link", "wire.messages", "curses", "subprocess", "msgc.mailbox_text"),
        ),
    ],
)
def test_what_is_not_needed_at_the_start_is_not_loaded(
    start: str, unneeded: tuple[str, ...]
) -> None:
    """Each costs a person who waits for the first prompt 5 to 50 ms."""
    code = f"import sys, msgc.__main__; {start}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not set(unneeded) & set(done.stdout.split())
