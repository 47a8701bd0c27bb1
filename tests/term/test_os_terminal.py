import os
import pty

import pytest

from term.console import ConsoleClosed
from term.os_terminal import is_terminal, read_waiting, window_size, write_all


def test_reading_does_not_wait() -> None:
    reader, writer = os.pipe()
    assert read_waiting(reader) == b""
    os.write(writer, b"abc")
    assert read_waiting(reader) == b"abc"
    os.close(writer)
    with pytest.raises(ConsoleClosed):
        read_waiting(reader)
    os.close(reader)


def test_a_terminal_that_hangs_up_is_gone() -> None:
    controller, terminal = pty.openpty()
    assert is_terminal(terminal)
    os.close(controller)
    with pytest.raises(ConsoleClosed):
        read_waiting(terminal)
    with pytest.raises(ConsoleClosed):
        write_all(terminal, b"abc")
    os.close(terminal)


def test_other_errors_are_passed_on(tmp_path: object) -> None:
    fd = os.open(str(tmp_path), os.O_RDONLY | os.O_DIRECTORY)
    with pytest.raises(IsADirectoryError):
        read_waiting(fd)
    os.close(fd)
    full = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError, match="No space"):
        write_all(full, b"abc")
    os.close(full)


def test_a_pipe_is_no_terminal_and_has_no_size() -> None:
    reader, writer = os.pipe()
    assert not is_terminal(reader)
    assert window_size(reader) is None
    os.close(reader)
    os.close(writer)


def test_a_terminal_that_does_not_know_its_size_says_none() -> None:
    controller, terminal = pty.openpty()
    assert window_size(terminal) is None
    os.close(controller)
    os.close(terminal)
