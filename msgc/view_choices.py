"""The settings that a person can choose, each kept in the archive of the name.

Must never hold a value: the archive does. A value that is not among the choices (an older or newer
msgc wrote it) counts as the first choice.
"""

from dataclasses import dataclass
from typing import Final

from msgc.archive_drafts import Preferences
from msgc.view_values import Setting


@dataclass(frozen=True, slots=True)
class _Choice:
    name: str
    words: str
    choices: tuple[str, ...]
    note: str


_BELL: Final = _Choice(
    "bell",
    "Ring the bell for a new message",
    ("yes", "no"),
    "At most once in five seconds.",
)
_LIVE: Final = _Choice(
    "live",
    "New messages come",
    ("at once", "when I check"),
    "Takes effect at the next connection. Either way nothing is lost: what did not come waits "
    "at the server.",
)
_QUIT: Final = _Choice(
    "quit",
    "Ask before quitting",
    ("when something is unsent", "always"),
    "What is unsent is kept here and goes at the next connection.",
)
_CHOICES: Final = (_BELL, _LIVE, _QUIT)


def settings_of(preferences: Preferences) -> tuple[Setting, ...]:
    """All of them, with what is chosen."""
    return tuple(
        Setting(one.name, one.words, _value(preferences, one), one.choices, one.note)
        for one in _CHOICES
    )


def step_setting(preferences: Preferences, name: str, step: int) -> None:
    """Choose the next value (or the one before), round and round."""
    choice = next(one for one in _CHOICES if one.name == name)
    place = choice.choices.index(_value(preferences, choice)) + step
    preferences.set(_key(choice), choice.choices[place % len(choice.choices)])


def bell_on(preferences: Preferences, *, default: bool) -> bool:
    """Whether new messages ring; `default` is the configuration's word."""
    if preferences.get(_key(_BELL)) is None:
        return default
    return _value(preferences, _BELL) == "yes"


def is_live(preferences: Preferences) -> bool:
    """Whether messages are to come by themselves while connected."""
    return _value(preferences, _LIVE) == "at once"


def asks_always(preferences: Preferences) -> bool:
    """Whether quitting always asks."""
    return _value(preferences, _QUIT) == "always"


def _value(preferences: Preferences, choice: _Choice) -> str:
    kept = preferences.get(_key(choice))
    return kept if kept in choice.choices else choice.choices[0]


def _key(choice: _Choice) -> str:
    return f"screens.{choice.name}"
