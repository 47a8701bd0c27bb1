"""What a picture of the panel is made of: the server's scene, and what the person is doing.

Must never hold anything that changes. Fails never.
"""

from dataclasses import dataclass
from typing import Final

from msgd.panel.values import Presence, Scene, Sort
from term.picture import Line, Style

SORT_WORDS: Final = {
    Sort.STATE: "state, name",
    Sort.NAME: "name",
    Sort.WAITING: "waiting",
    Sort.BYTES: "bytes",
    Sort.SEEN: "last seen",
    Sort.STUCK: "oldest mail",
}
PRESENCE_WORDS: Final = {
    Presence.ON: "* ON",
    Presence.SILENT: "? ON",
    Presence.OFF: "  off",
    Presence.DELETING: "  del",
}
PRESENCE_STYLES: Final = {
    Presence.ON: Style.GREEN | Style.BOLD,
    Presence.SILENT: Style.YELLOW | Style.BOLD,
    Presence.OFF: Style.NORMAL,
    Presence.DELETING: Style.DIM,
}
KIND_STYLES: Final = {
    "REJECT": Style.YELLOW,
    "REFUSE": Style.YELLOW,
    "WARN": Style.YELLOW | Style.BOLD,
    "ERROR": Style.RED | Style.BOLD,
}


@dataclass(frozen=True, slots=True)
class View:
    """One moment of a panel."""

    scene: Scene
    message: Line
    prompt_cursor: int | None
    """The column of the cursor in `message` while something is being typed."""
    keys: Line
    ascii_only: bool
    is_live: bool
    """Whether the scene is of now; if not, the server is out of reach."""
