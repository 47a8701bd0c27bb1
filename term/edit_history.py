"""What an editor remembers of its own changes: steps to take back and do again, and what was cut.

Each step is the place, what stood there and what stands there now, so a long text is not kept once
for every key. Must never hold more than its limits: the oldest is forgotten first. Never fails.
"""

from collections import deque
from dataclasses import dataclass

from term.limits import KILLS_MAX, UNDO_CHARACTERS_MAX, UNDO_STEPS_MAX


@dataclass(frozen=True, slots=True)
class Step:
    """At `start`, `removed` gave way to `inserted`; the cursor was at `cursor` before."""

    start: int
    removed: str
    inserted: str
    cursor: int

    @property
    def characters(self) -> int:
        """How much it holds."""
        return len(self.removed) + len(self.inserted)


class History:
    """Steps back, and steps forward again until something new is written."""

    def __init__(self) -> None:
        self._back: deque[Step] = deque()
        self._forward: list[Step] = []
        self._characters = 0  # of both

    def clear(self) -> None:
        """Nothing can be taken back."""
        self._back.clear()
        self._forward.clear()
        self._characters = 0

    def add(self, step: Step, *, goes_on: bool) -> None:
        """A change was made. With `goes_on` it becomes one with the step before, if it touches."""
        self._characters -= sum(gone.characters for gone in self._forward)
        self._forward.clear()
        if goes_on and self._back and not step.removed:
            last = self._back[-1]
            if last.start + len(last.inserted) == step.start:
                self._drop(self._back.pop())
                step = Step(last.start, last.removed, last.inserted + step.inserted, last.cursor)
        self._back.append(step)
        self._characters += step.characters
        while len(self._back) > UNDO_STEPS_MAX or self._characters > UNDO_CHARACTERS_MAX:
            self._drop(self._back.popleft())

    def undo(self, text: str) -> tuple[str, int] | None:
        """Text and cursor before the last step; None if there is none."""
        if not self._back:
            return None
        step = self._back.pop()
        self._forward.append(step)
        end = step.start + len(step.inserted)
        return text[: step.start] + step.removed + text[end:], step.cursor

    def redo(self, text: str) -> tuple[str, int] | None:
        """Text and cursor after the step that was taken back last; None if there is none."""
        if not self._forward:
            return None
        step = self._forward.pop()
        self._back.append(step)
        end = step.start + len(step.removed)
        after = text[: step.start] + step.inserted + text[end:]
        return after, step.start + len(step.inserted)

    def check_invariants(self) -> None:
        """The limits hold, and what is counted is what is there."""
        steps = (*self._back, *self._forward)
        assert len(steps) <= UNDO_STEPS_MAX
        assert self._characters == sum(step.characters for step in steps)
        assert self._characters <= UNDO_CHARACTERS_MAX

    def _drop(self, step: Step) -> None:
        self._characters -= step.characters


class KillRing:
    """What was cut, newest first; kills in a row are one."""

    def __init__(self) -> None:
        self._kills: deque[str] = deque(maxlen=KILLS_MAX)
        self._place = 0  # which of them was put back last

    def add(self, text: str, *, goes_on: bool, before: bool) -> None:
        """`goes_on`: it belongs to the kill before it; `before`: it stood at its left."""
        if not goes_on or not self._kills:
            self._kills.appendleft(text)
        elif before:
            self._kills[0] = text + self._kills[0]
        else:
            self._kills[0] += text

    def newest(self) -> str:
        """What was cut last; empty if nothing was."""
        self._place = 0
        return self._kills[0] if self._kills else ""

    def older(self) -> str:
        """What was cut before the one given last, round and round."""
        if not self._kills:
            return ""
        self._place = (self._place + 1) % len(self._kills)
        return self._kills[self._place]
