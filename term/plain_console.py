"""Lines in and lines out: for `--plain`, pipes, screen readers and TERM=dumb.

No cursor motion, no colour, no bell, nothing that vanishes: one event is one line. Must never write
what is not `Safe`. Input lines are cut at PLAIN_LINE_BYTES_MAX. Fails with ConsoleClosed when input
or output end.
"""

from term.console import ConsoleClosed
from term.limits import PLAIN_LINE_BYTES_MAX
from term.os_echo import Echo
from term.os_terminal import is_terminal, read_waiting, write_all
from term.picture import Picture, plain
from term.safe import Safe, SafeText


class LineDecoder:
    """Bytes become lines; no I/O. A line ends with LF or CRLF; stray bytes become U+FFFD."""

    def __init__(self, line_bytes_max: int = PLAIN_LINE_BYTES_MAX, encoding: str = "utf-8") -> None:
        self._line_bytes_max = line_bytes_max
        self._encoding = encoding
        self._held = bytearray()

    def feed(self, data: bytes) -> tuple[str, ...]:
        """The lines that these bytes complete, without their ends."""
        *complete, rest = data.split(b"\n")
        lines = []
        for piece in complete:
            self._hold(piece)
            lines.append(self._take_line())
        self._hold(rest)
        return tuple(lines)

    def end(self) -> tuple[str, ...]:
        """The last line, if the input ended without a newline."""
        return (self._take_line(),) if self._held else ()

    def _hold(self, piece: bytes) -> None:
        self._held += piece[: self._line_bytes_max - len(self._held)]

    def _take_line(self) -> str:
        line = bytes(self._held).removesuffix(b"\r").decode(self._encoding, "replace")
        self._held.clear()
        return line


class PlainConsole:
    """Two descriptors: lines come from one, and lines go to the other.

    `encoding` is that of the person's locale. In another one bytes of UTF-8 would be controls
    (0x9B is the beginning of a sequence in Latin-1), so what it lacks becomes a question mark.
    """

    def __init__(self, input_fd: int, output_fd: int, encoding: str = "utf-8") -> None:
        self._input_fd = input_fd
        self._output_fd = output_fd
        self._encoding = encoding
        self._decoder = LineDecoder(encoding=encoding)
        self._ended = False
        self._echo = Echo(input_fd)

    def say(self, line: Safe) -> None:
        """Write one line."""
        self._write(line + "\n")

    def say_text(self, text: SafeText) -> None:
        """Write a message body, and what the reader should know about it."""
        note = text.note()
        lines = (*text.lines, note) if note else text.lines
        self._write("".join(line + "\n" for line in lines))

    def show(self, picture: Picture) -> None:
        """Write a picture as lines, without the empty ones."""
        rows = plain(picture).splitlines()
        self._write("".join(row + "\n" for row in rows if row))

    def ask(self, prompt: Safe, *, secret: bool = False) -> None:
        """Write a prompt and stay on its line; the answer comes from `read_lines`.

        A secret one is not echoed, until the next prompt or the end.
        """
        if not secret:
            self._echo.turn_on()
        elif is_terminal(self._input_fd):
            self._echo.turn_off()
        self._write(prompt)

    def close(self) -> None:
        """Give the terminal back as it was found."""
        self._echo.turn_on()

    def read_lines(self) -> tuple[str, ...]:
        """The lines that were completed since; empty if none. ConsoleClosed at the end of input.

        A last line without a newline is given before the end is told.
        """
        if self._ended:
            raise ConsoleClosed("the input has ended")
        try:
            return self._decoder.feed(read_waiting(self._input_fd))
        except ConsoleClosed:
            self._ended = True
            last = self._decoder.end()
            if last:
                return last
            raise

    def fileno(self) -> int:
        """The descriptor to wait on for `read_lines`."""
        return self._input_fd

    def _write(self, text: str) -> None:
        write_all(self._output_fd, text.encode(self._encoding, "replace"))
