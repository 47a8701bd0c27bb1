"""What the line mode says and asks: each function of the client as a conversation.

A conversation is a generator: it yields a `Step` and goes on with the line that was typed, or with
None when what it waits for has happened. Must never do I/O: `say` and the desk are handed in.
Fails never; the end of the input ends the conversation from outside.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final, TypeAlias

from msgc.profile import is_name
from msgc.screens.desk import Desk
from msgc.values import AccountLine, Received
from msgc.view_messages import audience_words, one_line, state_word, to_words
from msgc.view_text import join_names, plural, was_ago
from msgc.view_users import matching
from msgc.view_values import (
    CheckBroken,
    CheckEnded,
    DeletionRefused,
    News,
    Phase,
    Target,
    Wanted,
)
from msgc.words import name_rule, none_available, presence
from term.safe import Safe, safe_line, safe_text

_HISTORY_ROWS: Final = 20
_ACCOUNTS_ROWS: Final = 200
_INBOX_ROWS: Final = 1_000
_WILDCARDS: Final = frozenset("*?[")
MENU: Final = (
    ("1", "s", "Send message"),
    ("2", "c", "Check for messages"),
    ("3", "o", "Sent messages"),
    ("5", "h", "History"),
    ("6", "a", "Accounts"),
    ("q", "q", "Disconnect and quit"),
)
"""Numbers and letters are those of the screens' menu; 4 and 7 are only there."""


@dataclass(frozen=True, slots=True)
class Step:
    """Ask for a line (`prompt` not empty), or wait until `until` holds, or both.

    `listens`: a line is taken while waiting, too; else lines typed ahead are for later steps.
    """

    prompt: Safe
    until: Callable[[], bool]
    listens: bool = False

    @property
    def takes_lines(self) -> bool:
        """Whether the next line is for this step."""
        return bool(self.prompt) or self.listens


Talk: TypeAlias = Generator[Step, str | None, None]
Answer: TypeAlias = Generator[Step, str | None, str]
Names: TypeAlias = Generator[Step, str | None, tuple[str, ...]]


class Conversation:
    """All of them. `inside` tells whether a name is logged in; `hear` takes the news."""

    def __init__(self, desk: Desk, say: Callable[[Safe], None], inside: Callable[[], bool]) -> None:
        self._desk = desk
        self._say_safe = say
        self._inside = inside
        self._ended: CheckEnded | CheckBroken | None = None
        self._refused: DeletionRefused | None = None

    def hear(self, news: News) -> None:
        """What some steps wait for."""
        if isinstance(news, (CheckEnded, CheckBroken)):
            self._ended = news
        elif isinstance(news, DeletionRefused):
            self._refused = news

    def talk(self, name: str | None) -> Talk:
        """From the name prompt to the end."""
        while True:
            yield from self._log_in(name)
            if not self._inside():
                return
            name = None
            while self._inside():
                choice = yield from self._choose()
                if choice == "q":
                    self._desk.quit()
                    return
                yield from self._do(choice)
            self._tell_refusal()

    # ----- the name -----------------------------------------------------------------------------

    def _log_in(self, name: str | None) -> Talk:
        desk = self._desk
        while not self._inside():
            if name is None:
                name = yield from self._ask("Username (q quits): ", leaves=False)
                if name == "q":
                    desk.quit()
                    return
            if not name.strip():
                name = None
                continue
            desk.log_in(name)
            if not is_name(name.strip()):
                self._say(name_rule())
            name = None
            yield from self._connect()
            self._tell_refusal()

    def _connect(self) -> Talk:
        """Until one is in or refused; while there is no server, lines are commands."""
        desk = self._desk
        told = ""
        while not self._inside():
            standing = desk.overview().standing
            if standing.phase is Phase.NO_NAME:
                return
            if standing.phase is Phase.WAITING and standing.reason != told:
                told = standing.reason
                self._say(standing.reason)
                self._say("It is tried again and again. r: now, n: another name, q: quit.")
            listens = standing.phase is Phase.WAITING
            line = yield Step(Safe(""), self._has_moved(standing.phase), listens)
            if line == "r":
                desk.retry_now()
            elif line == "n":
                desk.give_up_name()
            elif line == "q":
                desk.quit()

    def _has_moved(self, phase: Phase) -> Callable[[], bool]:
        return lambda: self._inside() or self._desk.overview().standing.phase is not phase

    def _tell_refusal(self) -> None:
        refusal = self._desk.refusal()
        if refusal and not self._inside():
            self._say_safe(refusal)

    # ----- the menu -----------------------------------------------------------------------------

    def _choose(self) -> Answer:
        overview = self._desk.overview()
        if overview.standing.online:
            self._say(f"You are connected as {overview.name}.")
        else:
            self._say(f"You are not connected: {overview.standing.words(self._desk.now_ms())}.")
        details = {"2": f" ({overview.waiting:,} waiting)", "5": f" ({overview.kept:,} kept)"}
        for digit, letter, label in MENU:
            keys = digit if digit == letter else f"{digit}  {letter}"
            self._say(f"{keys}  {label}{details.get(digit, '')}")
        while self._inside():
            line = yield from self._ask("Choose a number or letter; q quits: ", leaves=False)
            for digit, letter, _ in MENU:
                if line in {digit, letter}:
                    return digit
            if line:
                self._say(f'"{line}" is not in the menu.')
        return ""

    def _do(self, choice: str) -> Talk:
        if choice == "1":
            yield from self._send()
        elif choice == "2":
            yield from self._check()
        elif choice == "3":
            self._tell_sent()
        elif choice == "5":
            yield from self._history()
        elif choice == "6":
            yield from self._accounts()

    # ----- sending ------------------------------------------------------------------------------

    def _send(self) -> Talk:
        desk = self._desk
        while True:
            yield from self._fetch_accounts("")
            self._tell_accounts()
            self._say("1  To one user (1-to-1)")
            self._say("2  To several users (1-to-n)")
            self._say("3  To all users (1-to-all)")
            option = yield from self._ask("Choose 1, 2 or 3; q goes back: ")
            if option not in {"1", "2", "3"}:
                return
            target = Target(everyone=True)
            if option != "3":
                names = yield from self._ask_names(several=option == "2")
                if not names:
                    continue
                target = Target(recipients=names)
            body = yield from self._ask_body(target)
            if not body.strip():
                self._say("Nothing is sent: the message is empty.")
                continue
            desk.send(target, body)
            yield Step(Safe(""), self._is_answered)
            self._say_safe(desk.message())
            desk.say(Safe(""))

    def _is_answered(self) -> bool:
        overview = self._desk.overview()
        return overview.unsent == 0 or not overview.standing.online

    def _ask_names(self, *, several: bool) -> Names:
        label = "Users, with spaces between them; * ? [a-z] are wildcards; q goes back: "
        while True:
            line = yield from self._ask(label if several else "User; q goes back: ")
            typed = line.replace(",", " ").split()
            if not typed:
                return ()
            if not several and len(typed) > 1:
                self._say("One user only; q goes back.")
                continue
            names, stranger = self._find_names(typed, wildcards=several)
            if stranger is None:
                return names
            self._say(f'No user matches "{stranger}".')

    def _find_names(
        self, typed: list[str], *, wildcards: bool
    ) -> tuple[tuple[str, ...], str | None]:
        """The names that are meant, and the first word that is nobody's."""
        entries = self._desk.directory().entries
        known = {entry.name for entry in entries}
        found: dict[str, None] = {}
        for word in typed:
            folded = word.lower()
            if wildcards and _WILDCARDS & set(folded):
                names = [entry.name for entry in matching(entries, folded)]
            else:
                names = [folded] if folded in known else []
            if not names:
                return (), word
            found.update(dict.fromkeys(names))
        return tuple(found), None

    def _ask_body(self, target: Target) -> Answer:
        who = "all users" if target.everyone else join_names(target.recipients)
        self._say(f"Message to {who}. A line with a single dot ends it; two dots make one.")
        lines: list[str] = []
        while True:
            line = yield Step(Safe("| "), _never)
            if line is None or line == ".":
                return "\n".join(lines)
            lines.append("." if line == ".." else line)

    # ----- reading ------------------------------------------------------------------------------

    def _check(self) -> Talk:
        desk = self._desk
        self._ended = None
        if desk.check():
            yield Step(Safe(""), lambda: self._ended is not None)
        else:
            self._say("Not connected: the server cannot be asked now.")
        unread = desk.inbox(_INBOX_ROWS)
        for received in unread:
            self._tell_received(received)
        desk.look_at(unread)
        ended = self._check_end()
        if isinstance(ended, CheckEnded) and not unread:
            self._say(none_available(desk.times.clock(ended.at_ms)))
        elif isinstance(ended, CheckBroken):
            self._say("No answer came. What waits is safe at the server.")

    def _check_end(self) -> CheckEnded | CheckBroken | None:
        return self._ended

    def _tell_received(self, received: Received) -> None:
        stamp = self._desk.times.full(received.received_at_ms)
        to = audience_words(received)
        self._say(f"From {received.sender}, received {stamp} by the server, to {to}:")
        shown = safe_text(received.body)
        for line in shown.lines:
            self._say_safe(Safe(f"  {line}"))
        note = shown.note()
        if note:
            self._say_safe(Safe(f"  {note}"))

    def _tell_sent(self) -> None:
        desk = self._desk
        rows = desk.sent(_HISTORY_ROWS)
        if not rows:
            self._say("You have not sent anything yet.")
        for sent in reversed(rows):
            stamp = desk.times.stamp(sent.composed_at_ms, desk.now_ms())
            text = one_line(sent.body)
            self._say(f"{stamp} to {to_words(sent)}, {state_word(sent)}: {text}")

    def _history(self) -> Talk:
        desk = self._desk
        query = yield from self._ask(
            "Search for (empty shows the last ones; q goes back): ", leaves=False
        )
        if query == "q":
            return
        rows = desk.history(Wanted(query, thorough=True), _HISTORY_ROWS)
        if not rows:
            self._say("Nothing found.")
        for entry in reversed(rows):
            stamp = desk.times.stamp(entry.at_ms, desk.now_ms())
            if entry.received is not None:
                who, body = f"from {entry.received.sender}", entry.received.body
            elif entry.sent is not None:
                who, body = f"to {to_words(entry.sent)}", entry.sent.body
            else:
                continue
            self._say(f"{stamp} {who}: {one_line(body)}")

    # ----- accounts -----------------------------------------------------------------------------

    def _accounts(self) -> Talk:
        desk = self._desk
        pattern = ""
        while self._inside():
            yield from self._fetch_accounts(pattern)
            self._tell_accounts()
            line = yield from self._ask(
                "A wildcard lists again; new NAME makes an account; delete deletes yours; "
                "q goes back: "
            )
            verb, _, rest = line.partition(" ")
            if not line:
                return
            if verb == "new" and rest.strip():
                # The answer comes before that of the list, which is asked for next.
                desk.create_account(rest.strip())
            elif line == "delete":
                yield from self._delete()
            else:
                pattern = line

    def _delete(self) -> Talk:
        desk = self._desk
        name = desk.overview().name
        sure = yield from self._ask(f"Delete the account {name}? yes or no; q goes back: ")
        if sure != "yes":
            self._say("The account is kept.")
            return
        self._refused = None
        desk.delete_account(force=False)
        yield Step(Safe(""), self._deletion_answered)
        refused = self._refusal()
        if refused is None or not self._inside():
            return
        self._say(refused.reason)
        if refused.messages_waiting is None:
            return
        waiting = plural(refused.messages_waiting, "message")
        typed = yield from self._ask(
            f"To delete it with its {waiting}, type {name}; q goes back: ", leaves=name != "q"
        )
        if typed != name:
            self._say("The account is kept.")
            return
        self._refused = None
        desk.delete_account(force=True)
        yield Step(Safe(""), self._deletion_answered)

    def _refusal(self) -> DeletionRefused | None:
        return self._refused

    def _deletion_answered(self) -> bool:
        gone = not self._inside() or not self._desk.overview().standing.online
        return gone or self._refused is not None

    def _fetch_accounts(self, pattern: str) -> Talk:
        desk = self._desk
        before = desk.directory().request
        desk.ask_accounts(pattern)
        if desk.overview().standing.online:
            yield Step(Safe(""), lambda: self._has_come(before))

    def _has_come(self, before: int) -> bool:
        directory = self._desk.directory()
        come = directory.request != before and directory.complete
        return come or not self._inside() or not self._desk.overview().standing.online

    def _tell_accounts(self) -> None:
        directory = self._desk.directory()
        you = self._desk.overview().name
        now_ms = self._desk.now_ms()
        total, connected = plural(directory.total, "user"), directory.connected
        self._say(f"{total}, {connected:,} connected:")
        for entry in directory.entries[:_ACCOUNTS_ROWS]:
            self._say(
                f"  {entry.name}{_seen(entry, now_ms)}{' (you)' if entry.name == you else ''}"
            )
        left = len(directory.entries) - _ACCOUNTS_ROWS
        if left > 0:
            self._say(f"  and {left:,} more: Accounts lists those that match a wildcard.")

    # ----- lines --------------------------------------------------------------------------------

    def _say(self, line: str) -> None:
        self._say_safe(safe_line(line))

    def _ask(self, prompt: str, *, leaves: bool = True) -> Answer:
        """The line; empty for `q` when that `leaves`, as an empty line does."""
        line = yield Step(safe_line(prompt), _never)
        typed = (line or "").strip()
        return "" if leaves and typed == "q" else typed


def _never() -> bool:
    return False


def _seen(entry: AccountLine, now_ms: int) -> str:
    state = presence(entry.presence)
    if state != "off":
        return f" {state}"
    when = (
        "never seen"
        if entry.last_seen_ms is None
        else f"seen {was_ago(entry.last_seen_ms, now_ms)}"
    )
    return f" off, {when}"
