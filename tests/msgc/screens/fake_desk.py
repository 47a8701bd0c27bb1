"""A desk over plain tuples, and a person who types: screens are tried without a terminal.

Must never know how a screen works: it answers, and notes what was asked of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from msgc.link_events import AccountLine
from msgc.screens.desk import Desk
from msgc.screens.screen import Screen
from msgc.screens.stack import Stack
from msgc.states import FateState, SendState
from msgc.values import Draft, Fate, HistoryEntry, Received, Sent
from msgc.view_news import News
from msgc.view_notices import Notice
from msgc.view_text import Times
from msgc.view_values import (
    Directory,
    Distrust,
    Limits,
    Overview,
    Phase,
    Setting,
    Standing,
    Target,
    Wanted,
    Wish,
)
from term.keys import KeyEvent, Paste
from term.picture import plain
from term.safe import Safe
from wire.codes import Audience, Presence

NOW_MS = int(datetime(2026, 3, 1, 14, 32, 7, tzinfo=UTC).timestamp()) * 1_000
MINUTE_MS = 60_000
DAY_MS = 86_400_000


@dataclass
class FakeDesk(Desk):
    """Everything that is asked or done stands in `done`, as (what, arguments...)."""

    look: Overview = field(
        default_factory=lambda: Overview(
            "alice", "127.0.0.1:7070", Standing(Phase.ONLINE), accounts_total=3
        )
    )
    book: Directory = field(default_factory=Directory)
    said: str = ""
    refused: str = ""
    doubted: Distrust | None = None
    wanted: Wish | None = None
    password_refusal: str = ""
    unread: tuple[Received, ...] = ()
    entries: tuple[HistoryEntry, ...] = ()
    outbox: tuple[Sent, ...] = ()
    kept_drafts: dict[str, Draft] = field(default_factory=dict)
    choices: tuple[Setting, ...] = ()
    past: tuple[Notice, ...] = ()
    now: int = NOW_MS
    can_take_back: bool = True
    bad_words: str = "nonsense"
    server_limits: Limits = field(default_factory=Limits)
    done: list[tuple[object, ...]] = field(default_factory=list)

    @property
    def times(self) -> Times:
        return Times(UTC)

    def now_ms(self) -> int:
        return self.now

    def overview(self) -> Overview:
        return self.look

    def distrust(self) -> Distrust | None:
        return self.doubted

    def wish(self) -> Wish | None:
        return self.wanted

    def give_password(self, password: str) -> Safe:
        self.done.append(("give_password", password))
        return Safe(self.password_refusal)

    def register(self, password: str, invite: str) -> Safe:
        self.done.append(("register", password, invite))
        return Safe(self.password_refusal)

    def change_password(self, old: str, new: str) -> Safe:
        self.done.append(("change_password", old, new))
        return Safe(self.password_refusal)

    def make_password(self) -> str:
        return "0123-4567-89ab-cdef-ghjk"

    def block(self, name: str, blocked: bool) -> None:
        self.done.append(("block", name, blocked))

    def accept_server(self) -> None:
        self.done.append(("accept_server",))

    def directory(self) -> Directory:
        return self.book

    def limits(self) -> Limits:
        return self.server_limits

    def message(self) -> Safe:
        return Safe(self.said)

    def past_notices(self) -> tuple[Notice, ...]:
        return self.past

    def refusal(self) -> Safe:
        return Safe(self.refused)

    def inbox(self, count_max: int) -> tuple[Received, ...]:
        return self.unread[:count_max]

    def look_at(self, received: tuple[Received, ...]) -> None:
        self.done.append(("look_at", *(one.number for one in received)))
        numbers = {one.number for one in received}
        self.unread = tuple(one for one in self.unread if one.number not in numbers)

    def mark_unread(self, received: tuple[Received, ...]) -> None:
        self.done.append(("mark_unread", *(one.number for one in received)))
        self.unread = (*self.unread, *received)

    def history(self, wanted: Wanted, count_max: int) -> tuple[HistoryEntry, ...]:
        self.done.append(("history", wanted, count_max))
        found = (
            entry
            for entry in self.entries
            if wanted.words in _body(entry) and wanted.person in _people(entry)
        )
        return tuple(found)[:count_max]

    def sent(self, count_max: int) -> tuple[Sent, ...]:
        return self.outbox[:count_max]

    def sent_one(self, message_id: bytes) -> Sent | None:
        return next((one for one in self.outbox if one.message_id == message_id), None)

    def unsent(self, count_max: int) -> tuple[Sent, ...]:
        return tuple(one for one in self.outbox if one.state is not SendState.PENDING)[:count_max]

    def drafts(self) -> tuple[Draft, ...]:
        return tuple(self.kept_drafts.values())

    def draft(self, target: Target) -> Draft | None:
        return self.kept_drafts.get(target.purpose)

    def keep_draft(self, target: Target, body: str) -> None:
        self.done.append(("keep_draft", target, body))
        self.kept_drafts.pop(target.purpose, None)
        if body.strip():
            draft = Draft(target.purpose, target.recipients, target.everyone, body, self.now)
            self.kept_drafts[target.purpose] = draft

    def settings(self) -> tuple[Setting, ...]:
        return self.choices

    def say(self, words: Safe) -> None:
        self.said = words

    def log_in(self, name: str) -> None:
        self.done.append(("log_in", name))

    def give_up_name(self) -> None:
        self.done.append(("give_up_name",))

    def retry_now(self) -> None:
        self.done.append(("retry_now",))

    def ask_accounts(self, pattern: str) -> None:
        self.done.append(("ask_accounts", pattern))

    def count_accounts(self) -> None:
        self.done.append(("count_accounts",))

    def seek_account(self, name: str) -> bool:
        self.done.append(("seek_account", name))
        return self.look.standing.online

    def check(self) -> bool:
        self.done.append(("check",))
        return self.look.standing.online

    def send(self, target: Target, body: str) -> None:
        self.done.append(("send", target, body))
        self.kept_drafts.pop(target.purpose, None)

    def send_again(self, message_id: bytes) -> None:
        self.done.append(("send_again", message_id))

    def recall(self, message_id: bytes) -> None:
        self.done.append(("recall", message_id))

    def take_back(self, message_id: bytes) -> bool:
        self.done.append(("take_back", message_id))
        return self.can_take_back

    def create_account(self, name: str) -> None:
        self.done.append(("create_account", name))

    def delete_account(self, force: bool) -> None:
        self.done.append(("delete_account", force))

    def choose_setting(self, name: str, words: str) -> Safe:
        self.done.append(("choose_setting", name, words))
        if words == self.bad_words:
            return Safe("That is no value.")
        self.choices = tuple(
            replace(one, value=words) if one.name == name else one for one in self.choices
        )
        return Safe("")

    def quit(self) -> None:
        self.done.append(("quit",))

    # ----- for the tests --------------------------------------------------------------------

    def offline(self, reason: str = "connection refused") -> None:
        """The server is not there; the next attempt is in four seconds."""
        standing = Standing(Phase.WAITING, reason, self.now + 4_000)
        self.look = replace(self.look, standing=standing)

    def know(self, *names: str) -> None:
        """The server has told these names: the first is connected, the second silent."""
        presences = (Presence.ON, Presence.SILENT)
        entries = tuple(
            AccountLine(
                name,
                presences[place] if place < 2 else Presence.OFF,
                None if place % 5 == 4 else self.now - place * 7 * DAY_MS // 5,
            )
            for place, name in enumerate(names)
        )
        self.book = Directory(
            entries, len(entries), min(2, len(entries)), complete=True, asked_at_ms=self.now
        )


class Person:
    """Types at a stack of screens, as the app would have it."""

    def __init__(self, desk: FakeDesk, screen: Screen) -> None:
        self.desk = desk
        self.stack = Stack(screen)

    @property
    def top(self) -> Screen:
        return self.stack.top

    def press(self, *keys: KeyEvent) -> None:
        """One key after the other."""
        for key in keys:
            self.desk.said = ""
            self.stack.apply(self.top.handle(key))

    def type(self, text: str) -> None:
        """Every character as a key."""
        names = {" ": "Space", "\n": "Enter"}
        self.press(*(names.get(character, character) for character in text))

    def paste(self, text: str) -> None:
        self.press(Paste(text))

    def hear(self, news: News) -> None:
        self.stack.hear(news)

    def see(self, rows: int = 24, columns: int = 80) -> str:
        """What is on the screen."""
        return plain(self.top.picture((rows, columns)))


def message(
    number: int,
    body: str,
    *,
    sender: str = "bob",
    age_ms: int = MINUTE_MS,
    audience: Audience = Audience.ONE,
    count: int = 1,
) -> Received:
    """A message that was received `age_ms` ago."""
    at_ms = NOW_MS - age_ms
    message_id = number.to_bytes(16, "big")
    return Received(
        number,
        sender,
        at_ms,
        audience,
        count,
        body,
        unread=True,
        stored_at_ms=at_ms,
        delivery=number,
        message_id=message_id,
    )


def own(
    number: int,
    body: str,
    fates: Iterable[tuple[str, FateState]] = (("bob", FateState.WAITING),),
    *,
    state: SendState = SendState.PENDING,
    everyone: bool = False,
    code: int | None = None,
) -> Sent:
    """A message of one's own, composed an hour ago."""
    composed_ms = NOW_MS - 60 * MINUTE_MS
    pending = state is SendState.PENDING
    rows = tuple(
        Fate(name, fate, None if fate is FateState.WAITING else composed_ms + 90_000)
        for name, fate in fates
    )
    return Sent(
        message_id=number.to_bytes(16, "big"),
        recipients=() if everyone else tuple(row.recipient for row in rows),
        everyone=everyone,
        body=body,
        composed_at_ms=composed_ms,
        state=state,
        attempts=1,
        code=code,
        accepted_count=len(rows) if pending else None,
        accepted_at_ms=composed_ms + 40 if pending else None,
        fates=rows,
    )


def _people(entry: HistoryEntry) -> str:
    if entry.received is not None:
        return entry.received.sender
    assert entry.sent is not None
    return " ".join(entry.sent.recipients)


def _body(entry: HistoryEntry) -> str:
    if entry.received is not None:
        return entry.received.body
    assert entry.sent is not None
    return entry.sent.body
