"""The server's log in the simulation: every event goes into the trace."""

from typing import Protocol

from msgd.events import Event
from msgd.log import Log


class Traces(Protocol):
    def trace(self, who: str, what: str) -> None: ...

    def hear_of_damage(self, text: str) -> None: ...


class NowhereOutput:
    """A LogOutput that keeps nothing."""

    def write(self, data: bytes) -> bool:
        return True

    def reopen(self) -> None:
        """There is no file."""

    def close(self) -> None:
        """Nor anything to let go of."""


class SimLog:
    def __init__(self, world: Traces) -> None:
        self.world = world
        self.log = Log(NowhereOutput())

    def write(self, event: Event) -> None:
        self.world.trace("server", f"{event.kind.name} {event.text}")
        self.log.write(event)
        if " is damaged at byte " in event.text:
            self.world.hear_of_damage(event.text)
