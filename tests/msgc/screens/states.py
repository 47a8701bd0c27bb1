"""Every screen in every state that looks different, each made by keys and news alone.

The golden texts in `golden/` are all faces of these: pictures at three sizes, what the face of
lines says, and the JSON of the body. After a wanted change, record them anew and read the
difference:

    python -m tests.msgc.screens.states && git diff --word-diff tests/msgc/screens/golden
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from msgc.view import LINES, Room
from msgc.view_json import Json, object_of
from msgc.view_lines import lines_of, prompt_of, question_lines
from term.picture import plain
from tests.msgc.screens import states_reading, states_sending
from tests.msgc.screens.fake_desk import Person

SIZES: Final = ((16, 60), (24, 80), (43, 132))
_JSON: Final[dict[str, Any]] = {"ensure_ascii": False, "separators": (", ", ": ")}
GOLDEN: Final = Path(__file__).parent / "golden"


def picture_of(state: Callable[[], Person]) -> str:
    """The state at all sizes, with the place of the cursor; then said as lines, and as JSON."""
    parts = []
    top = state().top
    for size in SIZES:
        picture = top.picture(size)
        cursor = "none"
        if picture.cursor is not None:
            cursor = f"row {picture.cursor[0]} column {picture.cursor[1]}"
        parts.append(f"===== {size[1]}x{size[0]}, cursor: {cursor}\n{plain(picture)}")
    lines = "\n".join((*lines_of(top.view(LINES)), *question_lines(top.view(LINES))))
    parts.append(f"===== lines\n{lines}\n{prompt_of(top.view(LINES))}\n")
    face = object_of(top.view(Room.of((24, 80))))
    del face["keys"]  # docs/keys.md has them all
    parts.append(f"===== json\n{json_text(face)}\n")
    return "".join(parts)


def json_text(face: Json) -> str:
    """One line for each block of the body, and for each row of a table."""
    assert isinstance(face, dict)
    body = face["body"]
    assert isinstance(body, list)
    head = json.dumps({key: value for key, value in face.items() if key != "body"}, **_JSON)
    blocks: list[str] = []
    for block in body:
        assert isinstance(block, dict)
        rows = block.get("rows") if block["kind"] == "table" else None
        if isinstance(rows, list):
            blocks.append(json.dumps({**block, "rows": len(rows)}, **_JSON))
            blocks += [f"  {json.dumps(row, **_JSON)}" for row in rows]
        else:
            blocks.append(json.dumps(block, **_JSON))
    return "\n".join((head, *blocks))


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
