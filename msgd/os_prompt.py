"""Asking a person for a secret, or reading it from a pipe.

The only file of this package that imports `getpass`.
Must never show what is typed. Fails with EOFError when nobody is there to answer.
"""

import getpass
import sys


def is_terminal() -> bool:
    """Whether a person types, who may mistype."""
    return sys.stdin.isatty()


def ask_secret(prompt: str) -> str:
    """What was typed, not shown; from a pipe its next line. Raises EOFError."""
    if is_terminal():
        return getpass.getpass(prompt)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.removesuffix("\n")
