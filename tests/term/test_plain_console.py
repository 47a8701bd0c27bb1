import os
from collections.abc import Iterator

import pytest

from term.console import ConsoleClosed
from term.limits import PLAIN_LINE_BYTES_MAX
from term.picture import EMPTY, Picture, line
from term.plain_console import LineDecoder, PlainConsole
from term.safe import Safe, safe_text


class Pipes:
    """A plain console between two pipes."""

    def __init__(self) -> None:
        self.input_fd, self._feed_fd = os.pipe()
        self._output_fd, self.screen_fd = os.pipe()
        self.console = PlainConsole(self.input_fd, self.screen_fd)

    def type(self, data: bytes) -> None:
        os.write(self._feed_fd, data)

    def hang_up(self) -> None:
        os.close(self._feed_fd)
        self._feed_fd = -1

    def output(self) -> str:
        return os.read(self._output_fd, 65_536).decode()

    def stop_listening(self) -> None:
        os.close(self._output_fd)
        self._output_fd = -1

    def close(self) -> None:
        for fd in (self.input_fd, self._feed_fd, self._output_fd, self.screen_fd):
            if fd >= 0:
                os.close(fd)


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    pipes = Pipes()
    yield pipes
    pipes.close()


def test_a_line_is_a_line(pipes: Pipes) -> None:
    pipes.console.say(Safe("New message from bob."))
    pipes.console.ask(Safe("Username: "))
    assert pipes.output() == "New message from bob.\nUsername: "


def test_a_body_says_what_was_changed_in_it(pipes: Pipes) -> None:
    pipes.console.say_text(safe_text("a\u202eb\nc"))
    assert pipes.output() == "a<RLO>b\nc\n[direction controls]\n"
    pipes.console.say_text(safe_text("a\nb"))
    assert pipes.output() == "a\nb\n"


def test_a_picture_is_its_lines(pipes: Pipes) -> None:
    pipes.console.show(Picture((line(Safe("one")), EMPTY, line(Safe("two"))), 80, None))
    assert pipes.output() == "one\ntwo\n"


def test_lines_are_read_when_they_are_whole(pipes: Pipes) -> None:
    assert pipes.console.fileno() == pipes.input_fd
    assert pipes.console.read_lines() == ()
    pipes.type(b"one\r\ntwo\nthr")
    assert pipes.console.read_lines() == ("one", "two")
    pipes.type(b"ee\n")
    assert pipes.console.read_lines() == ("three",)


def test_the_end_is_told_after_the_last_line(pipes: Pipes) -> None:
    pipes.type(b"one\ntwo")
    assert pipes.console.read_lines() == ("one",)
    pipes.hang_up()
    assert pipes.console.read_lines() == ("two",)
    for _ in range(2):
        with pytest.raises(ConsoleClosed):
            pipes.console.read_lines()


def test_an_end_without_a_last_line_is_told_at_once(pipes: Pipes) -> None:
    pipes.hang_up()
    with pytest.raises(ConsoleClosed):
        pipes.console.read_lines()


def test_nobody_listens(pipes: Pipes) -> None:
    pipes.stop_listening()
    with pytest.raises(ConsoleClosed):
        pipes.console.say(Safe("hello"))


def test_a_line_is_bounded() -> None:
    decoder = LineDecoder()
    assert decoder.feed(b"a" * PLAIN_LINE_BYTES_MAX * 2) == ()
    assert decoder.feed(b"a\nb\n") == ("a" * PLAIN_LINE_BYTES_MAX, "b")


def test_bytes_that_are_not_text_do_not_end_it() -> None:
    assert LineDecoder().feed(b"caf\xe9\n\xc3\xa9\n") == ("caf\ufffd", "é")
    assert LineDecoder().end() == ()


def test_another_locale_gets_its_own_bytes_and_no_controls() -> None:
    """The two bytes of ě in UTF-8 are Ä and the beginning of a control sequence in Latin-1."""
    reader, writer = os.pipe()
    console = PlainConsole(reader, writer, "iso-8859-1")
    console.say(Safe("é\u011b日"))
    assert console.read_lines() == ("é??",)
    os.write(writer, b"caf\xe9\n")
    assert console.read_lines() == ("café",)
    os.close(reader)
    os.close(writer)
