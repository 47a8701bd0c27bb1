"""One row of the table of options: what it takes, and what it is called in each source.

`msgd.settings` lays the sources over each other; groups of rows have modules of their own.

Must never know which options there are. Fails never.
"""

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

ENVIRONMENT_PREFIX: Final = "MSGD_"

Value = str | int | bool


class SettingsError(Exception):
    """A setting that cannot be: the text says where it stands and what is allowed."""


@unique
class Kind(Enum):
    """What an option takes."""

    TEXT = "text"
    FLAG = "flag"
    NUMBER = "number"
    BYTES = "bytes"  # a number, with K, M or G if one likes


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the table. `name` is as in the configuration file; `metavar` is for the help."""

    name: str
    kind: Kind
    default: Value
    help: str
    metavar: str = ""
    minimum: int = 0
    maximum: int = 0
    choices: tuple[str, ...] = ()

    @property
    def switch(self) -> str:
        """As on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """As in the environment."""
        return ENVIRONMENT_PREFIX + self.name.upper()


def number(name: str, default: int, minimum: int, maximum: int, text: str) -> Option:
    """The row of a number; its unit is in its name."""
    kind = Kind.BYTES if "bytes" in name else Kind.NUMBER
    return Option(name, kind, default, text, "N", minimum, maximum)


def flag(name: str, text: str) -> Option:
    """The row of a switch, which is off unless it is given."""
    return Option(name, Kind.FLAG, default=False, help=text)
