"""All key tables by screen, and docs/keys.md printed from them.

    python -m msgc.screens.keys > docs/keys.md

Must never name a key that no table holds. Fails never; a test keeps the document equal.
"""

import sys
from typing import Final

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
    send,
    sent,
    settings,
    username,
)
from msgc.screens import (
    help as help_screen,
)
from msgc.screens.help import EDITING
from term.keys import KeyTable, key_label

TABLES: Final[tuple[tuple[str, KeyTable], ...]] = (
    ("Username", username.ASKING_KEYS),
    ("Username, while the server is looked for", username.TRYING_KEYS),
    ("Main menu", menu.KEYS),
    ("Send message", send.KEYS),
    ("Choose one user", picker.ONE_KEYS),
    ("Choose several users", picker.SEVERAL_KEYS),
    ("Write a message", composer.KEYS),
    ("Throw the text away?", composer.DISCARD_KEYS),
    ("Check for messages", check.KEYS),
    ("Message", message_view.KEYS),
    ("Sent messages", sent.KEYS),
    ("A sent message", sent.LIFE_KEYS),
    ("Drafts and unsent", drafts.KEYS),
    ("Throw away a draft?", drafts.QUESTION_KEYS),
    ("History", history.KEYS),
    ("Accounts", accounts.KEYS),
    ("Delete the account?", accounts.QUESTION_KEYS),
    ("Settings", settings.KEYS),
    ("Notices", notices.KEYS),
    ("Help", help_screen.KEYS),
    ("Quit?", leave.KEYS),
    ("A field in the message line", prompt.PROMPT_KEYS),
)
_INTRODUCTION: Final = """\
# Keys of msgc

Printed from the tables that the program obeys (`python -m msgc.screens.keys`); do not edit.
`^D` is Ctrl and d, `Meta-Enter` is Alt (or Esc) and Enter. C-s and C-q are never used: some
terminals keep them for themselves.
"""


def document() -> str:
    """The whole of docs/keys.md."""
    parts = [_INTRODUCTION]
    for title, table in TABLES:
        rows = [f"| {_keys(binding.keys)} | {binding.help} |" for binding in table.bindings()]
        parts.append(
            "\n".join([f"## {title}\n", "| Keys | What they do |", "|---|---|", *rows, ""])
        )
    parts.append(f"## Editing\n\n{EDITING}\n")
    return "\n".join(parts)


def _keys(keys: tuple[str, ...]) -> str:
    return " ".join(f"`{key_label(key)}`".replace("|", "\\|") for key in keys)


if __name__ == "__main__":
    sys.stdout.write(document())
