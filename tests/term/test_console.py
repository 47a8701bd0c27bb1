import pytest

from term.console import Console, ConsoleClosed, ConsoleUnsuitable, LendableConsole
from term.curses_console import CursesConsole
from term.picture import Picture

CURSES: type[LendableConsole] = CursesConsole  # mypy judges


class RememberingConsole:
    """The smallest console: what a test of a screen needs."""

    def __init__(self, rows: int, columns: int) -> None:
        self.pictures: list[Picture] = []
        self._size = (rows, columns)

    def size(self) -> tuple[int, int]:
        return self._size

    def draw(self, picture: Picture) -> None:
        self.pictures.append(picture)

    def redraw(self) -> None: ...

    def resized(self) -> None: ...

    def bell(self) -> None: ...

    def suspend(self) -> None: ...

    def close(self) -> None: ...

    def fileno(self) -> int:
        return -1

    def read(self) -> bytes:
        return b""


def test_a_console_is_written_in_a_few_lines() -> None:
    console: Console = RememberingConsole(24, 80)
    console.draw(Picture((), 80, None))
    assert console.size() == (24, 80)


@pytest.mark.parametrize("kind", [ConsoleClosed, ConsoleUnsuitable])
def test_reasons_are_sentences(kind: type[Exception]) -> None:
    assert str(kind("use --plain")) == "use --plain"
