"""What must be true at the end, whatever happened on the way.

The oracle hears what users composed and what their clients told them; at the end it looks into
their archives. It knows nothing of how the server works. It counts:

    lost         an accepted message that a recipient does not have, without having deleted itself;
                 a message reported as delivered that the recipient does not have; a message that
                 is still unanswered, or a fate still unknown, when all faults have healed
    duplicated   a message that a recipient has twice
    misordered   messages in another order than the server's, or than their sender's
    unexpected   a message that nobody wrote to that recipient, or with another body; one that was
                 refused, or recalled; one from before the recipient's account was deleted and
                 made anew
    named        messages that may be lost or come twice, because the server's operator was told so

Must never be lenient because of what the code does; where it is, the reason is in the promise.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise
from re import compile as pattern
from typing import Final

from msgc.archive import Archive
from msgc.states import FateState, SendState
from msgc.values import Received, Sent
from msgc.words import CODE_ACCOUNT_GONE

MESSAGE_NAMED: Final = pattern(r"\bmessage ([0-9a-f]{32})\b")
ACCOUNT_NAMED: Final = pattern(r"'([a-z0-9._-]+)'")
PENDING_FATES: Final = (FateState.WAITING, FateState.HANDED_OUT)
UNDECIDED: Final = (FateState.WAITING, FateState.UNKNOWN)
ALL = 1_000_000
"""More rows than any simulated archive has."""


@dataclass(slots=True)
class Composed:
    """A message as its writer knows it."""

    sender: str
    recipients: tuple[str, ...]
    everyone: bool
    body: str
    at: int
    accepted_at: int | None = None
    arrived_at: dict[str, int] = field(default_factory=dict)
    """When each recipient's client showed it for the first time."""


@dataclass(slots=True)
class Presence:
    """When an account of a name was known to be there: from its login to its deletion."""

    since: int
    until: int | None = None
    unsure_since: int | None = None
    """When its deletion was asked for; from then on it may be gone."""


@dataclass(slots=True)
class Verdict:
    """The counts, and a sentence for each violation."""

    accepted: int = 0
    delivered: int = 0
    recalled: int = 0
    lost: int = 0
    duplicated: int = 0
    misordered: int = 0
    unexpected: int = 0
    named: int = 0
    sentences: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.sentences


class Oracle:
    """Hears everything, then judges. Times are positions in the order in which it heard."""

    def __init__(self) -> None:
        self.messages: dict[bytes, Composed] = {}
        self.accounts: dict[str, list[Presence]] = {}
        self.doubtful: set[bytes] = set()
        """Messages that may be lost or doubled: a repair has named them."""
        self.heard: list[str] = []
        """Violations that were seen as they happened."""
        self._now = 0
        self.sent_again: set[bytes] = set()
        self._last_shown: dict[tuple[str, bool], int] = {}

    def _tick(self) -> int:
        self._now += 1
        return self._now

    # ----- what it hears

    def composed(self, sender: str, sent: Sent) -> None:
        self.messages[sent.message_id] = Composed(
            sender, sent.recipients, sent.everyone, sent.body, self._tick()
        )

    def accepted(self, message_id: bytes) -> None:
        message = self.messages[message_id]
        if message.accepted_at is None:
            message.accepted_at = self._tick()

    def logged_in(self, name: str, created: bool) -> None:
        lives = self.accounts.setdefault(name, [])
        if lives and lives[-1].until is None:
            if not created and lives[-1].unsure_since is None:
                return
            if not created:
                # Its deletion was asked for, and nobody heard what came of it: it may be the same
                # account, or another whose making nobody heard of either.
                lives[-1].unsure_since = None
            lives[-1].until = self._tick()
        lives.append(Presence(self._tick()))

    def deletion_asked(self, name: str) -> None:
        lives = self.accounts.get(name)
        if lives and lives[-1].until is None and lives[-1].unsure_since is None:
            lives[-1].unsure_since = self._tick()

    def deletion_refused(self, name: str) -> None:
        lives = self.accounts.get(name)
        if lives and lives[-1].until is None:
            lives[-1].unsure_since = None

    def deleted(self, name: str) -> None:
        lives = self.accounts.get(name)
        if lives and lives[-1].until is None:
            lives[-1].until = self._tick()

    def begins_session(self, name: str) -> None:
        """A client has logged in: what it gets now is in order by itself."""
        self._last_shown.pop((name, True), None)
        self._last_shown.pop((name, False), None)

    def shown(self, name: str, row: Received, *, asked_for: bool) -> None:
        """A person's client shows a message as new, pushed or because it was asked for."""
        message = self.messages.get(row.message_id)
        now = self._tick()
        again = message is not None and message.arrived_at.setdefault(name, now) != now
        if again and row.message_id not in self.doubtful:
            self.heard.append(f"{name} was shown {label(row)} a second time")
        key = (name, asked_for)
        if row.delivery <= self._last_shown.get(key, 0):
            self.heard.append(f"{name} was shown {label(row)} after a younger one")
        self._last_shown[key] = row.delivery

    # ----- what may be lost because somebody was told

    def doubt(self, lines: Iterable[str]) -> None:
        """The lines of a repair's report. Where they name no message, all of an account's are."""
        for line in lines:
            if line.startswith("damage:"):
                continue
            named = {bytes.fromhex(each) for each in MESSAGE_NAMED.findall(line)}
            names = set(ACCOUNT_NAMED.findall(line))
            self.doubtful |= named
            is_lost = line.startswith("lost: message")
            if not named:
                self._doubt_accounts(names or self.accounts.keys())
            elif not all(self._may_be_meant(each, names, is_lost) for each in named):
                self._doubt_all_between(names)

    def _may_be_meant(self, message_id: bytes, names: set[str], is_lost: bool) -> bool:
        """Whether a report's line about these accounts can be about this message. If it cannot, the
        bytes of the id are themselves damaged: they stand for nobody's message, or for another.
        """
        message = self.messages.get(message_id)
        if message is None:
            return False
        if not message.everyone and not names <= {message.sender, *message.recipients}:
            return False
        # What has been shown is not lost from a queue.
        return not (is_lost and not names.isdisjoint(message.arrived_at))

    def _doubt_accounts(self, names: AbstractSet[str]) -> None:
        for message_id, message in self.messages.items():
            if message.everyone or not names.isdisjoint((message.sender, *message.recipients)):
                self.doubtful.add(message_id)
        for name in names:
            self.deletion_asked(name)  # it may be gone, or be there again

    def _doubt_all_between(self, names: AbstractSet[str]) -> None:
        for message_id, message in self.messages.items():
            if message.everyone or names <= {message.sender, *message.recipients}:
                self.doubtful.add(message_id)

    # ----- what it says

    def judge(self, archives: dict[str, Archive]) -> Verdict:
        verdict = Verdict()
        boxes = {name: received(archive) for name, archive in archives.items()}
        outboxes = {name: archive.outbox.recent(ALL) for name, archive in archives.items()}
        # A message may be refused (no such user), the refusal lost, and the message accepted when
        # it is sent again, after younger ones of its sender. That is no disorder.
        self.sent_again = {
            sent.message_id for outbox in outboxes.values() for sent in outbox if sent.attempts > 1
        }
        for name, box in boxes.items():
            self._judge_box(verdict, name, box)
        held = {name: {row.message_id for row in box} for name, box in boxes.items()}
        for name, outbox in outboxes.items():
            for sent in outbox:
                self._judge_sent(verdict, name, sent, held)
        verdict.sentences += self.heard
        return verdict

    def _judge_box(self, verdict: Verdict, name: str, box: list[Received]) -> None:
        """Everything in a box was written to its owner, once, and stands in order."""
        seen: set[bytes] = set()
        for row in box:
            message = self.messages.get(row.message_id)
            wanted = message is not None and (message.everyone or name in message.recipients)
            same = message is not None and (message.sender, message.body) == (row.sender, row.body)
            if not (wanted and same):
                verdict.unexpected += 1
                verdict.sentences.append(f"{name} has {label(row)}, which nobody wrote to it")
            elif self._is_another_lifes(name, message):
                verdict.unexpected += 1
                verdict.sentences.append(f"{name} has {label(row)}, sent to an earlier account")
            if row.message_id in seen and row.message_id in self.doubtful:
                verdict.named += 1
            elif row.message_id in seen:
                verdict.duplicated += 1
                verdict.sentences.append(f"{name} has {label(row)} twice")
            seen.add(row.message_id)
        verdict.delivered += len(seen)
        sure = [row for row in box if row.message_id not in self.doubtful]
        self._judge_order(verdict, name, sorted(sure, key=lambda row: row.delivery))

    def _judge_order(self, verdict: Verdict, name: str, box: list[Received]) -> None:
        last_time = 0
        last_counter: dict[bytes, bytes] = {}
        for row in box:
            installation, counter = row.message_id[:8], row.message_id[8:]
            overtaken = last_counter.get(installation, b"") > counter
            if row.message_id in self.sent_again:
                overtaken, counter = False, last_counter.get(installation, b"")
            if row.received_at_ms < last_time or overtaken:
                verdict.misordered += 1
                verdict.sentences.append(f"{name} has {label(row)} out of order")
            last_time = row.received_at_ms
            last_counter[installation] = counter
        # Accepted before another was even written: it stands before it (a linearizable queue).
        latest_written = 0
        for row in box:
            message = self.messages.get(row.message_id)
            if message is None:
                continue
            if message.accepted_at is not None and message.accepted_at < latest_written:
                verdict.misordered += 1
                verdict.sentences.append(f"{name} has {label(row)} after a younger one")
            latest_written = max(latest_written, message.at)

    def _judge_sent(
        self, verdict: Verdict, name: str, sent: Sent, held: dict[str, set[bytes]]
    ) -> None:
        message = self.messages[sent.message_id]
        who = f"{name}'s {sent.number}"
        if sent.state is SendState.UNSENT:
            self._lose(verdict, f"{who} was never answered")
            return
        if sent.message_id in self.doubtful:
            verdict.named += 1
            return
        if sent.state is SendState.FAILED and sent.code != CODE_ACCOUNT_GONE:
            for recipient in sorted(held):
                if sent.message_id in held[recipient]:
                    verdict.unexpected += 1
                    verdict.sentences.append(f"{who} was refused, and {recipient} has it")
        if message.accepted_at is None:
            return
        verdict.accepted += 1
        if sent.state is not SendState.PENDING:
            self._lose(verdict, f"{who} was accepted and is {sent.state.name}")
            return
        self._judge_fates(verdict, name, sent, held)

    def _judge_fates(
        self, verdict: Verdict, name: str, sent: Sent, held: dict[str, set[bytes]]
    ) -> None:
        """What the sender was told of an accepted message, and what is so."""
        message = self.messages[sent.message_id]
        who = f"{name}'s {sent.number}"
        fates = {fate.recipient: fate.state for fate in sent.fates}
        for recipient in self._recipients(message, held):
            has = sent.message_id in held[recipient]
            fate = fates.get(recipient, FateState.WAITING)
            if fate is FateState.WAITING and sent.recall is not None and sent.recall.rest:
                fate = FateState.RECALLED  # from all who are not named
            if fate is FateState.RECALLED:
                verdict.recalled += 1
                if has and not self._may_have_gone(name, message):
                    verdict.unexpected += 1
                    verdict.sentences.append(f"{who} was recalled, and {recipient} has it")
            elif fate is FateState.DELIVERED and not has:
                self._lose(verdict, f"{who} is said to be with {recipient}")
            elif not has and not (
                self._may_have_gone(recipient, message)
                or (fate in UNDECIDED and self._may_be_recalled(name, sent, message))
            ):
                self._lose(verdict, f"{who} never reached {recipient}")
            elif fate in PENDING_FATES and self._must_know(name, message, has):
                self._lose(verdict, f"{name} was never told of {sent.number} at {recipient}")
        for recipient, fate in fates.items():
            gone = {
                FateState.RECIPIENT_DELETED: recipient,
                FateState.UNKNOWN: name,
            }.get(fate)
            if gone is not None and not self._may_have_gone(gone, message):
                self._lose(verdict, f"{name} was told {fate.name} of {sent.number} at {recipient}")
        if sent.waiting and not self._may_have_gone(name, message):
            self._lose(verdict, f"{who} still waits for {sent.waiting} of {sent.total}")
        if message.everyone:
            return
        if sent.accepted_count not in (None, len(message.recipients)):
            self._lose(verdict, f"{who} was accepted for {sent.accepted_count}")

    def _recipients(self, message: Composed, names: Iterable[str]) -> list[str]:
        """Who must have it, for all that the oracle can know."""
        if not message.everyone:
            return list(message.recipients)
        return [name for name in names if name != message.sender and self._was_there(name, message)]

    def _was_there(self, name: str, message: Composed) -> bool:
        """Whether one account of that name lived from before the writing until after acceptance."""
        assert message.accepted_at is not None
        return any(
            life.since < message.at
            and (life.until or message.accepted_at) >= message.accepted_at
            and (life.unsure_since or message.accepted_at) >= message.accepted_at
            for life in self.accounts.get(name, ())
        )

    def _may_have_gone(self, name: str, message: Composed) -> bool:
        """Whether an account of that name ended after the writing: its mail went with it."""
        return any(
            (life.until or 0) > message.at or (life.unsure_since or 0) > message.at
            for life in self.accounts.get(name, ())
        )

    def _may_be_recalled(self, sender: str, sent: Sent, message: Composed) -> bool:
        """Whether it was asked back, and the answer may have gone with the sender's account."""
        return sent.recall is not None and self._may_have_gone(sender, message)

    def _is_another_lifes(self, name: str, message: Composed | None) -> bool:
        """Whether it was acknowledged before the account's deletion was asked for, and shown to
        an account that was made later: mail of the dead.
        """
        if message is None or message.accepted_at is None:
            return False
        arrived_at = message.arrived_at.get(name, 0)
        lives = self.accounts.get(name, [])
        return any(
            life.until is not None
            and life.unsure_since is not None
            and message.accepted_at < life.unsure_since
            and following.since < arrived_at
            for life, following in pairwise(lives)
        )

    def _must_know(self, sender: str, message: Composed, has: bool) -> bool:
        """Whether the sender's own account lived on, so that the answer had somewhere to go."""
        return has and not self._may_have_gone(sender, message)

    @staticmethod
    def _lose(verdict: Verdict, sentence: str) -> None:
        verdict.lost += 1
        verdict.sentences.append(sentence)


def received(archive: Archive) -> list[Received]:
    """All that an archive holds of others' messages."""
    return list(archive.inbox.recent(ALL))


def label(row: Received) -> str:
    return f"{row.sender}'s {int.from_bytes(row.message_id[8:], 'big')} (delivery {row.delivery})"
