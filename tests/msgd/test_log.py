import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgd.events import Event, EventKind, EventLog
from msgd.log import BUFFER_BYTES_MAX, WRITE_BYTES_MAX, Log, LogError, NoLog
from msgd.os_files import FileOutput, UnsafeFileError, read_config
from term.safe import safe_log

AT_MS = 1_772_375_518_123


class FakeOutput:
    """Takes chunks while it is willing."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.is_willing = True
        self.reopened = 0
        self.trouble: str | None = None
        self.closed = False

    def write(self, data: bytes) -> bool:
        assert len(data) <= WRITE_BYTES_MAX
        if self.is_willing:
            self.chunks.append(data)
        return self.is_willing

    def reopen(self) -> str | None:
        self.reopened += 1
        return self.trouble

    def close(self) -> None:
        self.closed = True

    @property
    def lines(self) -> list[str]:
        return b"".join(self.chunks).decode().splitlines()


def test_a_line_is_time_kind_and_text() -> None:
    output = FakeOutput()
    log = Log(output)
    events = EventLog(10)
    events.subscribe(log.write)
    events.add(EventKind.CONNECT, "bob from 127.0.0.1:40118", AT_MS)
    assert output.lines == []
    log.flush()
    assert output.lines == ["2026-03-01T14:31:58.123Z CONNECT bob from 127.0.0.1:40118"]


def test_a_line_stays_one_line_whatever_is_in_it() -> None:
    output = FakeOutput()
    log = Log(output)
    log.write(Event(AT_MS, EventKind.WARN, "a\nb\x1b[2J\u202ec" + "d" * 2_000))
    log.flush()
    assert len(output.lines) == 1
    assert "\x1b" not in output.lines[0]
    assert len(output.lines[0]) < 600


def test_the_lines_of_a_turn_are_few_writes_in_order() -> None:
    output = FakeOutput()
    log = Log(output)
    for number in range(300):
        log.write(Event(AT_MS + number, EventKind.SEND, f"alice to bob {number}"))
    log.flush()
    assert len(output.lines) == 300
    assert output.lines[299].endswith("bob 299")
    assert len(output.chunks) < 10


def test_an_output_that_takes_nothing_costs_lines_and_not_memory() -> None:
    output = FakeOutput()
    output.is_willing = False
    log = Log(output)
    line = Event(AT_MS, EventKind.SEND, "x" * 200)
    for _ in range(BUFFER_BYTES_MAX // 100):
        log.write(line)
        log.flush()
    output.is_willing = True
    log.flush()
    *written, last = output.lines
    assert len(b"".join(output.chunks)) <= BUFFER_BYTES_MAX + 200
    missing = BUFFER_BYTES_MAX // 100 - len(written)
    assert last == f"(the log took nothing for a while: {missing} lines are missing here)"
    log.flush()
    assert output.lines[-1] == last


def test_reopening_and_closing_write_what_is_left() -> None:
    output = FakeOutput()
    log = Log(output)
    log.write(Event(AT_MS, EventKind.START, "one"))
    log.reopen()
    assert len(output.lines) == 1
    log.write(Event(AT_MS, EventKind.STOP, "two"))
    log.close()
    assert len(output.lines) == 2
    assert (output.reopened, output.closed) == (1, True)


def test_a_panel_without_a_log_file_writes_nowhere() -> None:
    log = Log(NoLog())
    log.write(Event(AT_MS, EventKind.START, "one"))
    log.reopen()
    log.close()


def test_a_file_can_be_moved_away_and_reopened(tmp_path: Path) -> None:
    path = tmp_path / "msgd.log"
    output = FileOutput(str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert output.write(b"one\n")
    path.rename(tmp_path / "old.log")
    assert output.write(b"two\n")
    output.reopen()
    assert output.write(b"three\n")
    output.close()
    assert (tmp_path / "old.log").read_text() == "one\ntwo\n"
    assert path.read_text() == "three\n"


def test_a_file_that_cannot_be_reopened_goes_on_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    output = FileOutput(str(folder / "msgd.log"))
    folder.rename(tmp_path / "moved")
    log = Log(output)
    log.reopen()
    log.write(Event(AT_MS, EventKind.NOTICE, "still here"))
    log.close()
    text = (tmp_path / "moved" / "msgd.log").read_text()
    assert "going on with the old file" in text
    assert text.endswith(" NOTICE still here\n")


def test_a_file_that_cannot_be_opened_is_refused_with_words(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"cannot be opened: Is a directory; see --log"):
        FileOutput(str(tmp_path))


def test_a_full_device_takes_no_line() -> None:
    output = FileOutput("/dev/full")
    assert not output.write(b"one\n")
    output.close()


def test_a_configuration_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "msgd.toml"
    path.write_text("port = 1\n")
    path.chmod(0o644)
    mine = path.stat().st_uid
    assert read_config(str(path), mine) == b"port = 1\n"
    assert read_config("/dev/null", mine) == b""
    with pytest.raises(OSError, match="No such file"):
        read_config(str(tmp_path / "none"), mine)


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o620, 0o602])
def test_a_configuration_that_others_can_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "msgd.toml"
    path.write_text("port = 1\n")
    path.chmod(mode)
    with pytest.raises(UnsafeFileError, match=rf"\(mode {mode:04o}\).*; chmod go-w {path}$"):
        read_config(str(path), path.stat().st_uid)


def test_a_configuration_of_somebody_else_is_refused_but_for_roots(tmp_path: Path) -> None:
    path = tmp_path / "msgd.toml"
    path.write_text("port = 1\n")
    path.chmod(0o600)
    mine = path.stat().st_uid
    if mine != 0:
        with pytest.raises(UnsafeFileError, match="belongs to another user"):
            read_config(str(path), mine + 1)
        return
    assert read_config(str(path), 1_000) == b"port = 1\n"  # root's, as in /etc
    os.chown(path, 1_001, -1)
    with pytest.raises(UnsafeFileError, match="belongs to another user"):
        read_config(str(path), 1_000)


def objects(output: FakeOutput) -> list[dict[str, str]]:
    return [json.loads(line) for line in output.lines]


def test_as_json_each_line_is_an_object_with_the_same_four_keys() -> None:
    output = FakeOutput()
    log = Log(output, as_json=True)
    log.write(Event(AT_MS, EventKind.CONNECT, "bob from 127.0.0.1:40118"))
    log.write(Event(AT_MS + 1, EventKind.WARN, 'a\n"b"\x1b[2J\u202e\U000e0041'))
    log.write(Event(AT_MS + 2, EventKind.ERROR, "mailbox of é"))
    log.flush()
    first, second, third = objects(output)
    assert first == {
        "time": "2026-03-01T14:31:58.123Z",
        "level": "info",
        "kind": "CONNECT",
        "text": "bob from 127.0.0.1:40118",
    }
    assert (second["level"], second["kind"]) == ("warning", "WARN")
    assert second["text"] == safe_log('a\n"b"\x1b[2J\u202e\U000e0041')
    assert (third["level"], third["text"]) == ("error", "mailbox of é")
    assert all(line.isascii() and line.isprintable() for line in output.lines)


def test_as_json_what_the_log_says_of_itself_is_an_object_too() -> None:
    output = FakeOutput()
    output.is_willing = False
    log = Log(output, as_json=True)
    for _ in range(BUFFER_BYTES_MAX // 100):
        log.write(Event(AT_MS, EventKind.SEND, "x" * 200))
    output.is_willing = True
    output.trouble = "the log cannot be opened"
    log.reopen()
    assert [(line["kind"], line["level"]) for line in objects(output)[-2:]] == [
        ("LOG", "warning")
    ] * 2
    assert "lines are missing here" in objects(output)[-2]["text"]
    assert objects(output)[-1]["text"] == "the log cannot be opened"


@given(st.text(), st.booleans())
def test_no_text_makes_two_lines_or_moves_a_cursor(text: str, as_json: bool) -> None:
    output = FakeOutput()
    log = Log(output, as_json=as_json)
    log.write(Event(AT_MS, EventKind.NOTICE, text))
    log.flush()
    (line,) = output.lines
    assert line.isprintable()
