"""Several faces of the loop as one: each hears and works in each turn, in their order.

Must never let one of them keep the others from their turn. Fails with what one of them raises.
"""

from msgd.net import Ready
from msgd.reactor import Face
from msgd.values import Now


def join_faces(*faces: Face) -> Face:
    """One face; what stands alone costs nothing more."""
    return faces[0] if len(faces) == 1 else Faces(*faces)


class Faces:
    """See `msgd.reactor.Face`."""

    def __init__(self, *faces: Face) -> None:
        self._faces = faces

    def serve(self, ready: Ready, now: Now) -> bool:
        """Whether any of them was asked for the end."""
        asked = [face.serve(ready, now) for face in self._faces]  # each, and only then whether any
        return any(asked)

    def work(self, now: Now) -> bool:
        """Whether any of them has more to do."""
        more = [face.work(now) for face in self._faces]
        return any(more)

    def deadline_ms(self) -> int | None:
        """The first of theirs."""
        deadlines = [face.deadline_ms() for face in self._faces]
        return min((at for at in deadlines if at is not None), default=None)

    def end(self, now: Now) -> None:
        """Tell each of them."""
        for face in self._faces:
            face.end(now)
