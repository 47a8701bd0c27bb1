"""Every screen in every state that looks different, each made by keys and news alone.

The golden texts in `golden/` are pictures of these. After a wanted change, record them anew and
read the difference:

    python -m tests.msgc.screens.states
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from term.picture import plain
from tests.msgc.screens import states_reading, states_sending
from tests.msgc.screens.fake_desk import Person

SIZES: Final = ((16, 60), (24, 80), (43, 132))
GOLDEN: Final = Path(__file__).parent / "golden"


def picture_of(state: Callable[[], Person]) -> str:
    """The state at all sizes, with the place of the cursor."""
    parts = []
    top = state().top
    for size in SIZES:
        picture = top.picture(size)
        cursor = "none"
        if picture.cursor is not None:
            cursor = f"row {picture.cursor[0]} column {picture.cursor[1]}"
        parts.append(f"===== {size[1]}x{size[0]}, cursor: {cursor}\n{plain(picture)}")
    return "".join(parts)


STATES: Final[dict[str, Callable[[], Person]]] = {
    name: value
    for name, value in sorted((vars(states_sending) | vars(states_reading)).items())
    if getattr(value, "__annotations__", {}) == {"return": Person} and not name.startswith("_")
}


def record() -> None:
    """Write all golden texts anew, and remove those of states that are gone."""
    GOLDEN.mkdir(exist_ok=True)
    for path in GOLDEN.glob("*.txt"):
        if path.stem not in STATES:
            path.unlink()
    for name, state in STATES.items():
        (GOLDEN / f"{name}.txt").write_text(picture_of(state), encoding="utf-8")


if __name__ == "__main__":
    record()
