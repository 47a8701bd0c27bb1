"""A question at a real terminal: echo, secrets, and how it is left."""

import os
import termios
from collections.abc import Iterator

import pytest

from term.console import ConsoleClosed
from term.os_prompt import TerminalPrompt
from term.safe import Safe

LOCAL_FLAGS = 3


@pytest.fixture
def pair() -> Iterator[tuple[int, int]]:
    person, terminal = os.openpty()
    yield person, terminal
    for fd in (person, terminal):
        try:
            os.close(fd)
        except OSError:
            continue


def echoes(terminal: int) -> bool:
    return bool(termios.tcgetattr(terminal)[LOCAL_FLAGS] & termios.ECHO)


def test_an_answer_that_is_no_secret_is_seen(pair: tuple[int, int]) -> None:
    person, terminal = pair
    prompt = TerminalPrompt(os.dup(terminal))
    prompt.ask(Safe("Yes? "), secret=False)
    assert prompt.read_line() is None
    os.write(person, b"yes\n")
    assert prompt.read_line() == "yes"
    assert os.read(person, 100) == b"Yes? yes\r\n"
    prompt.close()


def test_a_secret_is_not_seen_and_the_terminal_is_given_back(pair: tuple[int, int]) -> None:
    person, terminal = pair
    before = termios.tcgetattr(terminal)
    prompt = TerminalPrompt(os.dup(terminal))
    prompt.ask(Safe("Password: "), secret=True)
    assert not echoes(terminal)
    os.write(person, b"wrong\x15r\xc3\xa4tsel\n")
    assert prompt.read_line() == "r\u00e4tsel"
    assert os.read(person, 100) == b"Password: \r\n"
    prompt.ask(Safe("Again: "), secret=True)
    assert not echoes(terminal)
    prompt.ask(Safe("Yes? "), secret=False)
    assert echoes(terminal)
    prompt.ask(Safe("Again: "), secret=True)
    prompt.close()
    assert termios.tcgetattr(terminal) == before


def test_c_z_cannot_stop_it_without_echo(pair: tuple[int, int]) -> None:
    person, terminal = pair
    prompt = TerminalPrompt(os.dup(terminal))
    prompt.ask(Safe("Password: "), secret=True)
    os.write(person, b"a\x1ab\n")
    assert prompt.read_line() == "a\x1ab"
    prompt.close()


def test_the_end_of_the_input_is_told(pair: tuple[int, int]) -> None:
    person, terminal = pair
    prompt = TerminalPrompt(os.dup(terminal))
    prompt.ask(Safe("Password: "), secret=True)
    os.write(person, b"\x04")
    with pytest.raises(ConsoleClosed):
        prompt.read_line()
    prompt.close()
    assert echoes(terminal)


def test_a_terminal_that_is_gone(pair: tuple[int, int]) -> None:
    person, terminal = pair
    prompt = TerminalPrompt(os.dup(terminal))
    prompt.ask(Safe("Password: "), secret=True)
    os.close(person)
    with pytest.raises(ConsoleClosed):
        prompt.read_line()
    prompt.close()


def test_what_is_no_terminal_keeps_no_secret() -> None:
    reading, writing = os.pipe()
    prompt = TerminalPrompt(writing)
    with pytest.raises(ConsoleClosed):
        prompt.ask(Safe("Password: "), secret=True)
    prompt.close()
    os.close(reading)


def test_a_question_without_an_answer_ends_its_line(pair: tuple[int, int]) -> None:
    person, terminal = pair
    prompt = TerminalPrompt(os.dup(terminal))
    prompt.ask(Safe("Password: "), secret=True)
    assert os.read(person, 100) == b"Password: "
    prompt.close()
    assert os.read(person, 100) == b"\r\n"
