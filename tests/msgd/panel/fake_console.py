"""A terminal that keeps the last picture, and types what a test says."""

from term.console import ConsoleClosed
from term.picture import Picture, plain


class FakeConsole:
    """A term.console.Console."""

    def __init__(self, rows: int = 24, columns: int = 80) -> None:
        self.size_now = (rows, columns)
        self.size_told = (rows, columns)
        self.pictures: list[Picture] = []
        self.typed = b""
        self.is_gone = False
        self.bells = 0
        self.redraws = 0
        self.closed = False

    @property
    def text(self) -> str:
        """The screen as it is now."""
        return plain(self.pictures[-1])

    @property
    def rows(self) -> list[str]:
        return self.text.splitlines()

    def size(self) -> tuple[int, int]:
        return self.size_told

    def draw(self, picture: Picture) -> None:
        self.pictures.append(picture)

    def redraw(self) -> None:
        self.redraws += 1

    def resized(self) -> None:
        self.size_told = self.size_now

    def bell(self) -> None:
        self.bells += 1

    def suspend(self) -> None:
        raise AssertionError("a server must not be suspended")

    def close(self) -> None:
        self.closed = True

    def fileno(self) -> int:
        return 9

    def read(self) -> bytes:
        if self.is_gone:
            raise ConsoleClosed("gone")
        typed, self.typed = self.typed, b""
        return typed
