"""All key tables by screen: docs/keys.md is printed from them, and a person's [keys] change them.

    python -m msgc.screens.keys > docs/keys.md

    [keys.composer]                  a screen, or `all` for every screen that has the command
    send = ["^X", "F2"]              a command, and the keys that do it now

Must never name a key that no table holds. Fails with KeyChoiceError, a sentence that names the
place and what would be right; then nothing is changed.
"""

import difflib
import sys
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from msgc.screens import (
    accounts,
    check,
    composer,
    drafts,
    history,
    leave,
    menu,
    message_view,
    notices,
    picker,
    prompt,
    secret,
    send,
    sent,
    settings,
    username,
)
from msgc.screens import (
    help as help_screen,
)
from msgc.screens.help import EDITING
from msgc.settings import KeyChoices
from term.key_names import KeyNameError, parse_key
from term.keys import KeyTable, KeyTableError, key_label


class KeyChoiceError(ValueError):
    """The person's [keys] cannot be obeyed; the text says where and why."""


class ScreenKeys(NamedTuple):
    """A table, its heading in the documentation, and its name in the configuration file."""

    section: str
    title: str
    table: KeyTable


TABLES: Final = (
    ScreenKeys("username", "Username", username.ASKING_KEYS),
    ScreenKeys("connecting", "Username, while the server is looked for", username.TRYING_KEYS),
    ScreenKeys("server", "Username, when the server is not known", username.DOUBTING_KEYS),
    ScreenKeys("server-refused", "Username, when the server is refused", username.REFUSING_KEYS),
    ScreenKeys("login", "Username, when a password is wanted", secret.LOGIN_KEYS),
    ScreenKeys("password", "A new password", secret.FORM_KEYS),
    ScreenKeys("menu", "Main menu", menu.KEYS),
    ScreenKeys("send", "Send message", send.KEYS),
    ScreenKeys("choose-one", "Choose one user", picker.ONE_KEYS),
    ScreenKeys("choose-several", "Choose several users", picker.SEVERAL_KEYS),
    ScreenKeys("composer", "Write a message", composer.KEYS),
    ScreenKeys("composer-discard", "Throw the text away?", composer.DISCARD_KEYS),
    ScreenKeys("check", "Check for messages", check.KEYS),
    ScreenKeys("message", "Message", message_view.KEYS),
    ScreenKeys("sent", "Sent messages", sent.KEYS),
    ScreenKeys("life", "A sent message", sent.LIFE_KEYS),
    ScreenKeys("life-recall", "Take a message back?", sent.RECALL_KEYS),
    ScreenKeys("drafts", "Drafts and unsent", drafts.KEYS),
    ScreenKeys("drafts-discard", "Throw away a draft?", drafts.QUESTION_KEYS),
    ScreenKeys("history", "History", history.KEYS),
    ScreenKeys("accounts", "Accounts", accounts.KEYS),
    ScreenKeys("accounts-delete", "Delete the account?", accounts.QUESTION_KEYS),
    ScreenKeys("notices", "Notices", notices.KEYS),
    ScreenKeys("settings", "Settings", settings.KEYS),
    ScreenKeys("help", "Help", help_screen.KEYS),
    ScreenKeys("leave", "Quit?", leave.KEYS),
    ScreenKeys("field", "A field in the message line", prompt.PROMPT_KEYS),
)
_ALL: Final = "all"
_INTRODUCTION: Final = """\
# Keys of msgc

Printed from the tables that the program obeys (`python -m msgc.screens.keys`); do not edit.
`^D` is Ctrl and d, `Meta-Enter` is Alt (or Esc) and Enter. C-s and C-q are never used: some
terminals keep them for themselves.

The keys can be chosen in the configuration file, by the name of the screen and of the command:

```toml
[keys.composer]
send = ["^X", "F2"]
discard = "F8"            # ^X was its key: a key means one thing on a screen

[keys.all]                # every screen that has the command, where the key is not text
redraw = "F5"
```

Footers and the help of each screen (`?`) show the keys as chosen; this page shows the defaults.
"""


def document() -> str:
    """The whole of docs/keys.md."""
    parts = [_INTRODUCTION]
    for section, title, table in TABLES:
        rows = [
            f"| {_keys(binding.keys)} | {binding.help} | `{binding.command}` |"
            for binding in table.defaults()
        ]
        head = [f"## {title}\n", f"In the configuration file: `[keys.{section}]`\n"]
        parts.append(
            "\n".join([*head, "| Keys | What they do | Command |", "|---|---|---|", *rows, ""])
        )
    parts.append(f"## Editing\n\n{EDITING}\n")
    return "\n".join(parts)


def bind(choices: KeyChoices, tables: tuple[ScreenKeys, ...] = TABLES) -> None:
    """Give the commands the keys that a person chose. Raises KeyChoiceError."""
    parsed = {
        section: {
            command: _parse(f"keys.{section}.{command}", names)
            for command, names in commands.items()
        }
        for section, commands in choices.items()
    }
    _check_names(parsed, tables)
    try:
        for section, _, table in tables:
            held = {binding.command for binding in table.defaults()}
            changes = {
                command: tuple(key for key in keys if not table.types(key))
                for command, keys in parsed.get(_ALL, {}).items()
                if command in held
            }
            changes = {command: keys for command, keys in changes.items() if keys}
            try:
                table.rebind(changes | parsed.get(section, {}))
            except KeyTableError as error:
                raise KeyChoiceError(f"keys.{section}: {error}.") from None
    except KeyChoiceError:
        for one in tables:
            one.table.restore()
        raise


def _check_names(
    parsed: Mapping[str, Mapping[str, tuple[str, ...]]], tables: tuple[ScreenKeys, ...]
) -> None:
    commands: dict[str, set[str]] = {_ALL: set()}
    for section, _, table in tables:
        commands[section] = {binding.command for binding in table.defaults()}
        commands[_ALL] |= commands[section]
    for section, changes in parsed.items():
        if section not in commands:
            raise KeyChoiceError(f'keys: there is no screen "{section}".{_hint(section, commands)}')
        for command in changes:
            if command not in commands[section]:
                hint = _hint(command, commands[section])
                raise KeyChoiceError(f'keys.{section}: there is no command "{command}".{hint}')


def _parse(place: str, names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise KeyChoiceError(f"{place}: name one key at least.")
    try:
        return tuple(dict.fromkeys(map(parse_key, names)))
    except KeyNameError as error:
        raise KeyChoiceError(f"{place}: {error}") from None


def _hint(wrong: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(wrong, known, 1, 0.5)
    return f' Did you mean "{near[0]}"?' if near else f" Known: {', '.join(sorted(known))}."


def _keys(keys: tuple[str, ...]) -> str:
    return " ".join(f"`{key_label(key)}`".replace("|", "\\|") for key in keys)


if __name__ == "__main__":
    sys.stdout.write(document())
