"""Programs of the user's: given a message on their input, never through a shell."""

import shlex
import sys
from pathlib import Path

import pytest

from msgc.os_process import OsEditor, OsRunningEditor, Process, ProcessError
from msgc.outside_editor import EditorError


def end_of(process: Process) -> int:
    while (code := process.exit_code()) is None:
        pass
    return code


def test_the_program_has_the_whole_message(tmp_path: Path) -> None:
    wanted = tmp_path / "copy"
    code = "import sys; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read())"
    data = b"x" * 300_000  # more than a pipe holds
    assert end_of(Process((sys.executable, "-c", code, str(wanted)), data)) == 0
    assert wanted.read_bytes() == data


def test_nothing_of_the_message_is_run(tmp_path: Path) -> None:
    assert end_of(Process(("true", "; touch", str(tmp_path / "x")), b"$(touch y)")) == 0
    assert not list(tmp_path.iterdir())


def test_a_program_that_fails_or_is_not_there() -> None:
    assert end_of(Process(("false",), b"")) == 1
    with pytest.raises(ProcessError, match="Cannot run /no/such: no such file"):
        Process(("/no/such",), b"")


# ----- the person's editor ----------------------------------------------------------------------

WRITES = "import sys; p = sys.argv[-1]; t = open(p).read(); open(p, 'w').write(t + '{}')"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def editor(code: str) -> OsEditor:
    return OsEditor(f"{sys.executable} -c {shlex.quote(code)}")


def text_of(running: OsRunningEditor) -> str:
    while running.exit_code() is None:
        pass
    try:
        return running.text()
    finally:
        running.close()


@pytest.mark.parametrize(
    ("before", "added", "after"),
    [
        ("one", "two\\n", "one\ntwo"),
        ("one", "", "one"),
        ("one\n", "", "one\n"),
        ("", "", ""),
        ("", "x", "x"),
        ("one", "two\\r\\n", "one\ntwo"),
        ("日本", "", "日本"),
    ],
)
def test_an_editor_changes_a_file(folder: Path, before: str, added: str, after: str) -> None:
    assert text_of(editor(WRITES.format(added)).start(before)) == after
    assert list(folder.iterdir()) == []


def test_the_file_is_private_and_what_is_beside_it_goes_too(folder: Path) -> None:
    code = (
        "import os, sys; p = sys.argv[-1]; os.rename(p, p + '~'); "
        "open(p, 'w').write(oct(os.stat(p + '~').st_mode))"
    )
    running = editor(code).start("x")
    (made,) = folder.iterdir()
    assert made.stat().st_mode & 0o777 == 0o700
    assert text_of(running).endswith("600")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("", "export EDITOR=nano"),
        ("/no/such -x", "Cannot run the editor /no/such: no such file"),
        ("'open", "VISUAL or EDITOR cannot be used: no closing quotation."),
    ],
)
def test_an_editor_that_cannot_be_started_leaves_nothing(
    folder: Path, command: str, words: str
) -> None:
    with pytest.raises(EditorError, match=words):
        OsEditor(command).start("x")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os, sys; os.remove(sys.argv[-1])", "cannot be read: no such file"),
        ("import sys; open(sys.argv[-1], 'wb').write(b'\\xff')", "is not UTF-8 text"),
        ("import sys; open(sys.argv[-1], 'wb').write(b'x' * 300000)", "longer than 262,144 bytes"),
    ],
)
def test_a_file_that_is_no_text_is_refused(folder: Path, code: str, words: str) -> None:
    with pytest.raises(EditorError, match=words):
        text_of(editor(code).start("x"))
    assert list(folder.iterdir()) == []


def test_an_editor_is_ended_with_us(folder: Path) -> None:
    running = editor("import sys; sys.stdin.readline()").start("x")
    running.end()
    assert text_of(running) == "x"
    assert running.exit_code() in {-15, 1}
