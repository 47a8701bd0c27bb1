"""A machine that says no: ports, folders, disks, damage. Each refusal is a sentence and a code."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.machine import Finished, until
from tests.e2e.stage import Stage
from wire.codes import Code
from wire.messages import CheckMessages, DistributeMessage, Error, MessageFailure, MessagePending

pytestmark = pytest.mark.e2e

REFUSED: Final = 78


def mount_tmpfs(folder: Path, *options: str) -> None:
    """A file system of its own; the test is skipped where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", ",".join(("mode=0700", *options)), "tmpfs", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a file system of its own can be mounted by root only")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    """Where a test may mount one; it is unmounted at the end."""
    folder = tmp_path / "tmpfs"
    folder.mkdir()
    yield folder
    if os.path.ismount(folder):
        subprocess.run(["umount", "-l", str(folder)], check=True)


def is_refused(done: Finished, code: int, *said: str) -> None:
    assert done.code == code, done
    assert done.err.startswith("msgd: ")
    assert "Traceback" not in done.err
    for words in said:
        assert words in done.err, done.err


def test_a_port_in_use(stage: Stage, tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = stage.msgd("--headless", "--port", str(port), "--data", str(tmp_path / "data"))
    is_refused(done, 1, f"127.0.0.1:{port}", "in use")


def test_a_second_server_on_the_same_folder(stage: Stage) -> None:
    server = stage.start_server()
    done = stage.msgd("--headless", "--port", "0", "--data", str(server.data))
    is_refused(done, REFUSED, "another msgd is running on this folder")
    # The first one did not notice.
    stage.plain_user("alice").log_out()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_an_address_that_others_can_reach(stage: Stage, tmp_path: Path, host: str) -> None:
    data = tmp_path / "data"
    done = stage.msgd("--headless", "--port", "0", "--host", host, "--data", str(data))
    is_refused(done, 2, "can be reached from other machines", "--unsafe-plaintext")
    assert not data.exists()


def test_a_folder_that_cannot_be_written_to(stage: Stage, tmpfs: Path) -> None:
    """Read-only: before anything was there, and with a good store in it."""
    if os.geteuid() == 0:
        mount_tmpfs(tmpfs, "size=64m")
    server = stage.add_server(data=str(tmpfs / "data"))
    server.start()
    stage.create("alice")
    server.stop()
    arguments = ("--headless", "--port", "0", "--data")
    if os.geteuid() == 0:
        subprocess.run(["mount", "-o", "remount,ro", str(tmpfs)], check=True)
        done = stage.msgd(*arguments, str(server.data))
        is_refused(done, REFUSED, "must be able to write to its data folder", "--data")
        done = stage.msgd(*arguments, str(tmpfs / "new"))
        is_refused(done, REFUSED, str(tmpfs / "new"), "Read-only file system")
    else:
        tmpfs.chmod(0o500)
        done = stage.msgd(*arguments, str(tmpfs / "new"))
        tmpfs.chmod(0o700)
        is_refused(done, REFUSED, str(tmpfs / "new"), "Permission denied")
    assert server.tool("fsck", str(server.data)).strip().endswith("is sound")


def test_a_folder_that_others_may_read(stage: Stage, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    done = stage.msgd("--headless", "--port", "0", "--data", str(data))
    is_refused(done, REFUSED, str(data), "700")


def test_a_file_where_the_folder_should_be(stage: Stage, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_text("no folder", encoding="ascii")
    done = stage.msgd("--headless", "--port", "0", "--data", str(data))
    is_refused(done, REFUSED, str(data))
    assert data.read_text(encoding="ascii") == "no folder"


def test_no_terminal_and_not_headless(stage: Stage, tmp_path: Path) -> None:
    done = stage.msgd("--port", "0", "--data", str(tmp_path / "data"))
    is_refused(done, 2, "not a terminal", "--headless")


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x40
    path.write_bytes(data)


def offset_of(path: Path, text: bytes) -> int:
    found = path.read_bytes().find(text)
    assert found >= 0, f"{text!r} is not in {path}"
    return found


def a_store_with_messages(stage: Stage) -> Path:
    """Some are in mailbox files (from before a restart), some in the journal only."""
    server = stage.start_server()
    stage.create("bob", "carol")
    alice = stage.plain_user("alice")
    for number in range(5):
        alice.send(("bob", "carol"), f"early {number}")
    server.restart()
    alice = stage.plain_user("alice")
    for number in range(5):
        alice.send(("bob", "carol"), f"late {number}")
    server.kill()
    return server.data


def journal_with(data: Path, text: bytes) -> Path:
    for path in sorted((data / "journal").iterdir()):
        if text in path.read_bytes():
            return path
    raise AssertionError(f"no journal with {text!r}")


def test_a_damaged_journal_is_refused(stage: Stage) -> None:
    """Damage in the middle, with good records after it: nothing is dropped in silence."""
    data = a_store_with_messages(stage)
    path = journal_with(data, b"late 1")
    flip(path, offset_of(path, b"late 1"))
    before = {file: file.read_bytes() for file in data.rglob("*") if file.is_file()}
    done = stage.msgd("--headless", "--port", "0", "--data", str(data))
    is_refused(done, REFUSED, path.name, "is damaged at byte")
    checked = stage.msgd("fsck", str(data))
    assert checked.code == REFUSED
    assert path.name in checked.err + checked.out
    # Refusing changes nothing: whoever looks finds it as it was.
    assert before == {file: file.read_bytes() for file in data.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", ["MANIFEST", "accounts"])
def test_a_damaged_file_is_refused(stage: Stage, name: str) -> None:
    data = a_store_with_messages(stage)
    path = data / name
    if path.is_dir():
        path = max(path.iterdir())
        flip(path, offset_of(path, b"carol"))
    else:
        flip(path, 20)
    done = stage.msgd("--headless", "--port", "0", "--data", str(data))
    is_refused(done, REFUSED, path.name, "damaged")


def test_a_missing_file_is_refused(stage: Stage) -> None:
    data = a_store_with_messages(stage)
    path = journal_with(data, b"late 1")
    path.unlink()
    done = stage.msgd("--headless", "--port", "0", "--data", str(data))
    is_refused(done, REFUSED, path.name)


def test_a_torn_tail_is_no_damage(stage: Stage) -> None:
    """The last write may be half done after a power cut: it was never acknowledged."""
    data = a_store_with_messages(stage)
    path = journal_with(data, b"late 4")
    flip(path, offset_of(path, b"late 4"))
    stage.server.start()
    got = stage.plain_user("bob").check()
    assert [one.body for one in got] == [
        *(f"early {number}".encode() for number in range(5)),
        *(f"late {number}".encode() for number in range(4)),
    ]
    assert "WARN" in stage.server.log


def test_a_damaged_mailbox_hurts_its_owner_only(stage: Stage) -> None:
    """Found at the start, or when it is read; named; and the others go on."""
    data = a_store_with_messages(stage)
    bob, carol = (box_with(stage, data, name) for name in ("bob", "carol"))
    assert bob != carol
    flip(bob, offset_of(bob, b"early 2"))
    checked = stage.msgd("fsck", str(data))
    assert checked.code == REFUSED
    assert bob.name in checked.err + checked.out
    server = stage.server
    server.start()
    assert len(stage.plain_user("carol").check()) == 10
    reader = stage.plain_user("bob")
    reader.list_accounts()
    reader.say(CheckMessages(reader.next_request()))
    error = reader.expect(Error)
    got = [one.body for one in reader.heard if isinstance(one, DistributeMessage)]
    assert error.code == Code.INTERNAL
    assert b"early 2" not in got
    server.wait_for_log(bob.name)
    assert server.alive


def box_with(stage: Stage, data: Path, name: str) -> Path:
    """The mailbox file of this user."""
    out = stage.msgd("dump", str(data), name).out
    number = int(out.split()[1])
    [path] = data.glob(f"mailboxes/*/{number:016x}.mailbox")
    return path


def test_a_full_disk(stage: Stage, tmpfs: Path) -> None:
    """New messages are refused, what waits can be read, and it heals by itself."""
    mount_tmpfs(tmpfs, "size=40m")
    server = stage.add_server(
        data=str(tmpfs / "data"),
        options=("--reserve-bytes", "2M", "--free-bytes-min", "4M"),
    )
    server.start()
    stage.create("bob")
    alice, bob = stage.plain_user("alice"), stage.plain_user("bob")
    assert isinstance(alice.send(("bob",), "before"), MessagePending)
    ballast = tmpfs / "ballast"
    free = shutil.disk_usage(tmpfs).free
    ballast.write_bytes(bytes(free - 1024 * 1024))

    def refused() -> bool:
        answer = alice.send(("bob",), "full?")
        return isinstance(answer, MessageFailure) and answer.code == Code.STORAGE_FULL

    until(refused, "STORAGE_FULL")
    assert server.alive
    waiting = bob.check()
    assert waiting[0].body == b"before"
    assert bob.check() == [], "a receipt needs no room"
    ballast.unlink()
    until(lambda: isinstance(alice.send(("bob",), "after"), MessagePending), "room again")
    assert bob.check()[-1].body == b"after"
    server.restart()
    assert stage.plain_user("bob").check() == []


def test_a_disk_with_no_byte_left(stage: Stage, tmpfs: Path) -> None:
    """Every byte is taken by somebody else, in the middle of the work."""
    mount_tmpfs(tmpfs, "size=40m")
    server = stage.add_server(
        data=str(tmpfs / "data"),
        options=("--reserve-bytes", "2M", "--free-bytes-min", "4M"),
    )
    server.start()
    stage.create("bob")
    alice, bob = stage.plain_user("alice"), stage.plain_user("bob")
    sent = [alice.send(("bob",), f"text {number}") for number in range(50)]
    assert all(isinstance(answer, MessagePending) for answer in sent)
    fill(tmpfs / "ballast")
    accepted = []
    for number in range(50):
        answer = alice.send(("bob",), f"full {number}")
        if isinstance(answer, MessagePending):
            accepted.append(f"full {number}".encode())
    assert server.alive
    got = [one.body for one in bob.check()]
    assert got == [*(f"text {number}".encode() for number in range(50)), *accepted]
    (tmpfs / "ballast").unlink()
    server.restart()
    assert stage.plain_user("bob").check() == []


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4_096):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue


def test_a_client_whose_home_cannot_be_written_to(stage: Stage) -> None:
    """msgc says so in a sentence, and sends nothing that it could not keep."""
    stage.start_server()
    stage.create("alice")
    home = stage.folder / "home-alice"
    (home / ".local").mkdir(parents=True)
    (home / ".local" / "share").write_text("a file in the way", encoding="ascii")
    done = stage.msgc("alice", "check")
    assert done.code == 1
    assert str(home / ".local" / "share") in done.err
    assert "Traceback" not in done.err


def test_a_client_whose_archive_is_damaged(stage: Stage) -> None:
    stage.start_server()
    stage.create("alice", "bob")
    assert stage.msgc("alice", "send", "bob", "-m", "one").code == 0
    [archive] = (stage.folder / "home-alice").rglob("alice.db")
    archive.write_bytes(b"this is no archive" * 1_000)
    for extra in archive.parent.glob("alice.db-*"):
        extra.unlink()
    done = stage.msgc("alice", "check")
    assert done.code == 1
    assert archive.name in done.err
    assert "Traceback" not in done.err
