"""A cursor and a scroll offset over rows that may change at any time.

`ListView` selects one row and keeps it selected by its identity when rows come and go; a list that
`stays_on_top` begins to do so when somebody moves the cursor. `ScrollView` only scrolls: for texts
and logs. Must never hold the rows themselves, only who they are: ten
thousand rows scroll as fast as ten. Never fails: every number is brought into range.
"""

from collections.abc import Hashable, Sequence

from term.safe import Safe


class ListView:
    """Which row is selected, and which rows are to be seen.

    With `stays_on_top` the first row is selected, whoever it is, until the cursor is moved, and
    again after `home`: for a list whose news come at the top, where nobody would see them if the
    window stayed with the row that happened to be the first.
    """

    def __init__(self, *, stays_on_top: bool = False) -> None:
        self._stays_on_top = stays_on_top
        self._is_on_top = stays_on_top  # until the cursor is moved
        self._identities: Sequence[Hashable] = ()
        self._cursor = 0
        self._offset = 0
        self._height = 1

    @property
    def cursor(self) -> int:
        """The selected row, 0 if there is none."""
        return self._cursor

    @property
    def offset(self) -> int:
        """The first row to be seen."""
        return self._offset

    @property
    def selected(self) -> Hashable | None:
        """The identity of the selected row, None in an empty list."""
        return self._identities[self._cursor] if self._identities else None

    def set_rows(self, identities: Sequence[Hashable]) -> None:
        """The rows as they are now. The selected one stays selected, or its place does."""
        selected = None if self._is_on_top else self.selected
        above = self._cursor - self._offset
        self._identities = identities
        if selected is not None and selected != self._identity_at(self._cursor):
            try:
                self._cursor = identities.index(selected)
            except ValueError:
                pass  # it went away: the row that took its place is selected
            else:
                self._offset = self._cursor - above  # the selected row stays where the eye is
        self._settle()

    def set_height(self, height: int) -> None:
        """How many rows are to be seen; call it before drawing, with the size of the moment."""
        self._height = max(1, height)
        self._settle()

    def visible(self) -> range:
        """The rows to be seen."""
        return range(self._offset, min(len(self._identities), self._offset + self._height))

    def select(self, identity: Hashable) -> bool:
        """Select this row; False if there is none such."""
        if identity not in self._identities:
            return False
        self._is_on_top = False
        self._cursor = self._identities.index(identity)
        self._settle()
        return True

    def move(self, rows: int) -> None:
        """Down by so many rows, up if negative."""
        self._is_on_top = False
        self._cursor += rows
        self._settle()

    def page(self, pages: int) -> None:
        """Down by so many screens, up if negative."""
        self.move(pages * max(1, self._height - 1))

    def half_page(self, pages: int) -> None:
        """Down by so many half screens, up if negative."""
        self.move(pages * max(1, self._height // 2))

    def home(self) -> None:
        """To the first row."""
        self._is_on_top = self._stays_on_top
        self._cursor = 0
        self._settle()

    def end(self) -> None:
        """To the last row."""
        self._is_on_top = False
        self._cursor = len(self._identities) - 1
        self._settle()

    def handle(self, command: str) -> bool:
        """Obey `up down page_up page_down half_page_up half_page_down first last`, else False."""
        return _obey(self, command)

    def position_text(self) -> Safe:
        """`[1-8 of 12]`; `[0 of 0]` when there is nothing."""
        return _position_text(self.visible(), len(self._identities))

    def check_invariants(self) -> None:
        """Cursor, offset and height agree."""
        count = len(self._identities)
        assert 0 <= self._cursor < max(1, count)
        assert 0 <= self._offset <= max(0, count - self._height)
        assert self._offset <= self._cursor < self._offset + self._height

    def _identity_at(self, row: int) -> Hashable | None:
        return self._identities[row] if row < len(self._identities) else None

    def _settle(self) -> None:
        count = len(self._identities)
        self._cursor = max(0, min(self._cursor, count - 1))
        last_offset = max(0, count - self._height)
        self._offset = max(self._offset, self._cursor - self._height + 1)
        self._offset = max(0, min(self._offset, self._cursor, last_offset))


class ScrollView:
    """Which lines of a text are to be seen; with `follow`, always the last ones (a log's tail)."""

    def __init__(self, *, follow: bool = False) -> None:
        self.follow = follow
        self._count = 0
        self._height = 1
        self._offset = 0

    @property
    def offset(self) -> int:
        """The first line to be seen."""
        return self._offset

    def set_lines(self, count: int, height: int) -> None:
        """How many lines there are, and how many can be seen; call it before drawing."""
        self._count = max(0, count)
        self._height = max(1, height)
        if self.follow:
            self._offset = self._count
        self._settle()

    def visible(self) -> range:
        """The lines to be seen."""
        return range(self._offset, min(self._count, self._offset + self._height))

    def move(self, rows: int) -> None:
        """Down by so many lines, up if negative. Moving up ends following."""
        if rows < 0:
            self.follow = False
        self._offset += rows
        self._settle()

    def page(self, pages: int) -> None:
        """Down by so many screens, up if negative."""
        self.move(pages * max(1, self._height - 1))

    def half_page(self, pages: int) -> None:
        """Down by so many half screens, up if negative."""
        self.move(pages * max(1, self._height // 2))

    def home(self) -> None:
        """To the first line."""
        self.move(-self._count)

    def end(self) -> None:
        """To the last line."""
        self.move(self._count)

    def handle(self, command: str) -> bool:
        """Obey the same words as a `ListView`."""
        return _obey(self, command)

    def position_text(self) -> Safe:
        """`-- more 5 --` while there are lines below, else `[end]`."""
        below = self._count - self.visible().stop
        return Safe(f"-- more {below} --" if below > 0 else "[end]")

    def _settle(self) -> None:
        self._offset = max(0, min(self._offset, self._count - self._height))


def _obey(view: ListView | ScrollView, command: str) -> bool:
    if command == "up":
        view.move(-1)
    elif command == "down":
        view.move(1)
    elif command == "page_up":
        view.page(-1)
    elif command == "page_down":
        view.page(1)
    elif command == "half_page_up":
        view.half_page(-1)
    elif command == "half_page_down":
        view.half_page(1)
    elif command == "first":
        view.home()
    elif command == "last":
        view.end()
    else:
        return False
    return True


def _position_text(visible: range, count: int) -> Safe:
    if count == 0:
        return Safe("[0 of 0]")
    return Safe(f"[{visible.start + 1}-{visible.stop} of {count}]")
