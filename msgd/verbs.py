"""The orders that the operator gives from a shell: `msgd kick bob`. One table for both ends.

A verb is a row of VERBS: how it is written, its arguments and options. The command line is read by
this table into an `Order`, which travels over the local socket of the data folder as one line of
JSON, and is obeyed by `msgd.orders`; one line comes back.

Must never act, and never read a secret from the command line: others can see it.
Fails with VerbError for words that make no order; the text says how it is used.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgd.options import Kind, Option
from msgd.settings import BY_NAME

Argument = str | int | bool
Arguments = Mapping[str, Argument]

ORDER_BYTES_MAX: Final = 4_096
ANSWER_BYTES_MAX: Final = 1 << 21


class VerbError(Exception):
    """These words make no order; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done: a verb, and its arguments by name."""

    verb: str
    arguments: Arguments = field(default_factory=dict)

    def encode(self) -> bytes:
        """One line."""
        value = {"order": self.verb, "arguments": dict(self.arguments)}
        return json.dumps(value, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an order."""

    done: bool
    text: str
    """One sentence for people."""
    rows: tuple[Mapping[str, object], ...] = ()
    """What was asked for, if it was a list."""

    def encode(self) -> bytes:
        """One line."""
        value = {"done": self.done, "text": self.text, "rows": [dict(row) for row in self.rows]}
        return json.dumps(value, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Verb:
    """One row of the table. `arguments` are those that must be given, in their order."""

    name: str
    use: str
    help: str
    arguments: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()


def _text(name: str, metavar: str, words: str) -> Option:
    return Option(name, Kind.TEXT, "", words, metavar)


_REASON: Final = _text("reason", "TEXT", "what the user is told, and the log")
_IS_NAME: Final = Option("name", Kind.FLAG, default=False, help="it is a name, even if it reads so")
_MINUTES: Final = Option(
    "minutes", Kind.NUMBER, 0, "for so long; 0: until it is taken back", "N", 0, 5_256_000
)

VERBS: Final = (
    Verb("kick", "kick NAME", "end a user's session", ("name",), (_REASON,)),
    Verb(
        "ban",
        "ban NAME|ADDRESS[/PREFIX]",
        "shut out a user or a network",
        ("whom",),
        (_MINUTES, _REASON, _IS_NAME),
    ),
    Verb("unban", "unban NAME|ADDRESS[/PREFIX]", "take a ban back", ("whom",), (_IS_NAME,)),
    Verb("bans", "bans", "list who is banned"),
    Verb(
        "passwd",
        "passwd NAME",
        "give a user a new password",
        ("name",),
        (
            Option("generate", Kind.FLAG, default=False, help="make one, and print it once"),
            Option("create", Kind.FLAG, default=False, help="make the account if it is not there"),
            Option("remove", Kind.FLAG, default=False, help="take the password away"),
        ),
    ),
    Verb(
        "invite",
        "invite",
        "make invites, each for one new account",
        (),
        (
            Option("count", Kind.NUMBER, 1, "so many", "N", 1, 100),
            Option("days", Kind.NUMBER, 7, "good for so long", "N", 1, 365),
            Option("list", Kind.FLAG, default=False, help="make none; tell how many are out"),
            _text("revoke", "CODE", "make none; take this one back, or all"),
        ),
    ),
)
BY_VERB: Final = {verb.name: verb for verb in VERBS}
_OF_ALL: Final = (
    BY_NAME["data"],
    BY_NAME["config"],
    Option("json", Kind.FLAG, default=False, help="print the answer as JSON"),
)


def options_of(verb: Verb) -> tuple[Option, ...]:
    """What may be given with it."""
    return (*verb.options, *_OF_ALL)


def split(verb: Verb, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The plain words, and the options with their values, each in its order."""
    by_switch = {option.switch: option for option in options_of(verb)}
    plain: list[str] = []
    switches: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            plain += rest
            break
        if not word.startswith("--"):
            plain.append(word)
            continue
        switches.append(word)
        option = by_switch.get(word)
        if option is not None and option.kind is not Kind.FLAG and rest:
            switches.append(rest.pop(0))
    return plain, switches


def decode_order(line: bytes) -> Order | None:
    """The order of a line; None if it is none, but something else. Raises VerbError."""
    if not line.startswith(b'{"order":'):
        return None
    try:
        value = json.loads(line)
        verb, arguments = value["order"], value["arguments"]
    except (ValueError, KeyError, RecursionError):
        raise VerbError("an order is an object with order and arguments") from None
    if not isinstance(verb, str) or not isinstance(arguments, dict):
        raise VerbError("an order is a text, its arguments are an object")
    for value in arguments.values():
        if not isinstance(value, str | int | bool):
            raise VerbError("an argument is a text, a number, true or false")
    return Order(verb, arguments)


def decode_answer(line: bytes) -> Answer:
    """Raises VerbError; for a refusal of the server's, with its words."""
    try:
        value = json.loads(line)
        if "error" in value:
            raise VerbError(str(value["error"]))
        return Answer(bool(value["done"]), str(value["text"]), tuple(map(dict, value["rows"])))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise VerbError("the server's answer is none: is it of the same version?") from None
