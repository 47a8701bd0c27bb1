"""Programs of the user's: given a message on their input, never through a shell."""

import sys
from pathlib import Path

import pytest

from msgc.os_process import Process, ProcessError


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
