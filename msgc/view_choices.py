"""The settings that a person can choose on a screen: words, values, and what they turn into.

Must never keep a value: the settings are `msgc.settings.Settings`, kept in the configuration file.
Fails with SettingsError for words that are none of a setting's values.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from msgc.quiet_hours import QuietHoursError, parse_quiet_hours
from msgc.settings import COLORS, Settings, SettingsError
from msgc.settings_text import Value
from msgc.view_values import Setting

_YES_NO: Final = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class _Choice:
    """`values` by the words for them; empty: the words are typed. The first is no default."""

    key: str
    words: str
    values: dict[str, Value]
    note: str


_CHOICES: Final = (
    _Choice(
        "bell", "Ring the bell for a new message", dict(_YES_NO), "At most once in five seconds."
    ),
    _Choice(
        "notify",
        "Have the terminal notify you",
        dict(_YES_NO),
        "With OSC 9, which many terminals turn into a notification of the desktop; it names the "
        "sender, never the text. Where it cannot be known to arrive (tmux, screen), the bell "
        "rings too.",
    ),
    _Choice(
        "quiet",
        "Quiet hours",
        {},
        "Within them nothing rings and nothing is notified. Write them as 22:00-07:00, or none.",
    ),
    _Choice(
        "live",
        "New messages come",
        {"at once": True, "when I check": False},
        "Takes effect at the next connection. Either way nothing is lost: what did not come waits "
        "at the server.",
    ),
    _Choice(
        "ask_before_quitting",
        "Ask before quitting",
        {"when something is unsent": False, "always": True},
        "What is unsent is kept here and goes at the next connection.",
    ),
    _Choice(
        "color",
        "Colours",
        {word: word for word in COLORS},
        "Takes effect at the next start. Every state has a word besides.",
    ),
    _Choice(
        "ascii",
        "Only ASCII to the terminal",
        dict(_YES_NO),
        "Takes effect at the next start. msgc itself draws in ASCII always; with yes, characters "
        "of others that are not ASCII are shown as ?.",
    ),
)
PASSWORD_SETTING: Final = Setting(
    name="password",
    words="Your password",
    value="change it",
    choices=(),
    note="It is proven to the server and never sent. The old one is asked for first.",
)
"""No setting, but where people look for it. The screen opens another for it."""
_BY_KEY: Final = {choice.key: choice for choice in _CHOICES}


def settings_of(settings: Settings) -> tuple[Setting, ...]:
    """All of them, with what is chosen and what stands in the way."""
    return tuple(
        Setting(
            name=one.key,
            words=one.words,
            value=_words_of(settings, one),
            choices=tuple(one.values),
            note=one.note,
            fixed_by=settings.fixed.get(one.key, ""),
        )
        for one in _CHOICES
    )


def value_of(key: str, words: str) -> Value:
    """What goes into the file for these words. Raises SettingsError."""
    choice = _BY_KEY[key]
    if choice.values:
        return choice.values[words]
    try:
        hours = parse_quiet_hours(words)
    except QuietHoursError as error:
        raise SettingsError(str(error)) from None
    return str(hours) if hours is not None else ""


def changed(settings: Settings, key: str, value: Value) -> Settings:
    """The settings of this run with that value; what the command line fixed stays."""
    if key in settings.fixed:
        return settings
    if key == "quiet":
        return replace(settings, quiet=parse_quiet_hours(str(value)))
    update: dict[str, Any] = {key: value}
    return replace(settings, **update)


def _words_of(settings: Settings, choice: _Choice) -> str:
    value = getattr(settings, choice.key)
    if not choice.values:
        return str(value) if value is not None else "none"
    return next(words for words, one in choice.values.items() if one == value)
