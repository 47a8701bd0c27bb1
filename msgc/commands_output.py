"""What the commands print: data on stdout, words on stderr; plain lines or JSON.

JSON lines are ASCII with everything else escaped, so they are safe on a terminal and complete for a
program. docs/command-line.md lists their keys.

Must never print foreign text unescaped.
Fails with BrokenPipeError when the reader is gone, with OutputError when the output cannot be
written; what was not printed counts as unread.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from msgc import words
from msgc.command_end import flush, write
from msgc.link_events import AccountLine
from msgc.states import SendState
from msgc.surroundings import Surroundings
from msgc.values import Fate, Received, Sent
from term.safe import safe_line, safe_text
from wire.codes import Audience, Code, Presence
from wire.limits import BODY_BYTES_MAX

TIME_PATTERN: Final = "%Y-%m-%d %H:%M:%S"
BODY_COLUMNS_MAX: Final = 8 * BODY_BYTES_MAX
"""Wider than any body can become when it is made visible: a script gets all of it."""
_AUDIENCES: Final = {
    Audience.ONE: "one",
    Audience.SEVERAL: "several",
    Audience.EVERYONE: "everyone",
}
_PRESENCES: Final = {Presence.OFF: "off", Presence.ON: "on", Presence.SILENT: "silent"}
_OWN_CODES: Final = {
    words.CODE_ID_REUSED: "ID_REUSED",
    words.CODE_ACCOUNT_GONE: "ACCOUNT_GONE",
    words.CODE_NOT_SENDABLE: "NOT_SENDABLE",
    words.CODE_TAKEN_BACK: "TAKEN_BACK",
}


class Output:
    """See the module's text."""

    def __init__(self, world: Surroundings, *, as_json: bool, quiet: bool) -> None:
        self._world = world
        self.is_json = as_json
        self.is_quiet = quiet

    def say(self, text: str) -> None:
        """Words for a person, on stderr; not when asked to be quiet."""
        if not self.is_quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """Words that must be read, on stderr."""
        print(f"msgc: {safe_line(text)}", file=self._world.stderr)

    def flush(self) -> None:
        """Hand on what was printed; only then does it count as printed."""
        flush(self._world.stdout)

    def data(self, text: str) -> None:
        """ASCII that is complete as it is."""
        write(self._world.stdout, text)

    def received(self, message: Received) -> None:
        """A message from somebody."""
        if self.is_json:
            self._object(received_object(message))
            return
        audience = words.audience(message.audience, message.audience_count)
        self._line(f"{self.time(message.received_at_ms)}  {message.sender} to {audience}")
        self._body(message.body)

    def sent(self, sent: Sent) -> None:
        """A message of one's own, with its text."""
        if self.is_json:
            self._object(sent_object(sent))
            return
        audience = "all" if sent.everyone else ", ".join(sent.recipients)
        line = f"{self.time(sent.composed_at_ms)}  you to {audience}"
        self._line(f"{line}  [{sent.number}: {words.send_state(sent)}]")
        self._body(sent.body)

    def answered(self, sent: Sent) -> None:
        """What became of a message that was just sent: its number, or the whole as JSON."""
        if self.is_json:
            self._object(sent_object(sent))
        else:
            self._line(str(sent.number))

    def why(self, sent: Sent) -> None:
        """The life of a message of one's own."""
        if self.is_json:
            self._object(sent_object(sent))
            return
        self._line(f"message {sent.number}  id {sent.message_id.hex()}")
        self._line(f"{self.time(sent.composed_at_ms)}  composed")
        if sent.accepted_at_ms is not None:
            self._line(f"{self.time(sent.accepted_at_ms)}  on the server's disk")
        if sent.recall is not None:
            self._line(f"{self.time(sent.recall.asked_at_ms)}  you asked for it back")
            if sent.recall.answered_at_ms is not None:
                line = f"{self.time(sent.recall.answered_at_ms)}  the server answered: "
                self._line(line + words.recall_summary(sent))
        self._print_fates(sent)
        self._line(words.sent_summary(sent))

    def recalled(self, sent: Sent) -> None:
        """What became of a message that was to be taken back, for each recipient."""
        if self.is_json:
            self._object(sent_object(sent))
        else:
            self._print_fates(sent)

    def _print_fates(self, sent: Sent) -> None:
        for fate in _fates(sent):
            at = "" if fate.at_ms is None else self.time(fate.at_ms)
            self._line(f"{at:<19}  {fate.recipient}: {words.fate(fate.state)}")

    def account(self, account: AccountLine) -> None:
        """One user."""
        if self.is_json:
            self._object(account_object(account))
            return
        seen = ""
        if account.last_seen_ms is not None and account.presence != Presence.ON:
            seen = f"last seen {self.time(account.last_seen_ms)}"
        self._line(f"{words.presence(account.presence):<4} {account.name:<32} {seen}".rstrip())

    def line(self, text: str) -> None:
        """A sentence that is the answer itself; in JSON `fact` says it."""
        if not self.is_json:
            self._line(text)

    def fact(self, kind: str, **values: str | int | None) -> None:
        """Something that happened: only in JSON, for in words it is said on stderr."""
        if self.is_json:
            self._object({"kind": kind, **values})

    def time(self, at_ms: int) -> str:
        """A time, in the person's own zone."""
        return self._world.clock.local_text(at_ms, TIME_PATTERN)

    def _body(self, body: str) -> None:
        text = safe_text(body, BODY_COLUMNS_MAX, BODY_BYTES_MAX + 1)
        for line in text.lines:
            self._print(f"    {line}" if line else "")
        if text.note():
            self._print(f"    {text.note()}")

    def _line(self, text: str) -> None:
        self._print(safe_line(text))

    def _object(self, value: Mapping[str, Any]) -> None:
        self._print(json_line(value))

    def _print(self, line: str) -> None:
        write(self._world.stdout, f"{line}\n")


def json_line(value: Mapping[str, Any]) -> str:
    """One object as one line of ASCII."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def received_object(message: Received) -> dict[str, Any]:
    """A received message, for JSON."""
    return {
        "kind": "message",
        "number": message.number,
        "from": message.sender,
        "received_at_ms": message.received_at_ms,
        "audience": _name(_AUDIENCES, message.audience),
        "audience_count": message.audience_count,
        "id": message.message_id.hex(),
        "text": message.body,
    }


def sent_object(sent: Sent) -> dict[str, Any]:
    """A message of one's own, for JSON."""
    failed = sent.code is not None
    return {
        "kind": "sent",
        "number": sent.number,
        "id": sent.message_id.hex(),
        "state": _sent_state(sent),
        "to": list(sent.recipients),
        "everyone": sent.everyone,
        "composed_at_ms": sent.composed_at_ms,
        "accepted_at_ms": sent.accepted_at_ms,
        "accepted_count": sent.accepted_count,
        "delivered": sent.delivered,
        "waiting": sent.waiting,
        "lost": sent.lost,
        "recalled": sent.recalled,
        "recall": None if sent.recall is None else "open" if sent.recall.is_open else "answered",
        "retry_at_ms": sent.retry_at_ms,
        "code": code_name(sent.code) if failed else None,
        "reason": words.failure(sent) if failed else None,
        "refused": list(sent.refused_recipients),
        "fates": [
            {"to": fate.recipient, "state": fate.state.name.lower(), "at_ms": fate.at_ms}
            for fate in _fates(sent)
        ],
        "text": sent.body,
    }


def _sent_state(sent: Sent) -> str:
    """As in the archive; but lost when nobody waits any more and somebody will never have it."""
    is_over = sent.state is SendState.PENDING and not sent.waiting
    return "lost" if is_over and sent.lost else sent.state.name.lower()


def _fates(sent: Sent) -> tuple[Fate, ...]:
    """None before it was accepted: nobody is waiting for what was not sent."""
    return sent.fates if sent.state is SendState.PENDING else ()


def account_object(account: AccountLine) -> dict[str, Any]:
    """A user, for JSON."""
    return {
        "kind": "account",
        "name": account.name,
        "state": _name(_PRESENCES, account.presence),
        "last_seen_ms": account.last_seen_ms,
    }


def code_name(code: int | None) -> str | None:
    """A code as programs should test it."""
    if code is None or code in _OWN_CODES:
        return None if code is None else _OWN_CODES[code]
    return Code(code).name if code in list(Code) else f"CODE_{code}"


def _name(names: Mapping[Any, str], number: int) -> str:
    return names.get(number, "other")
