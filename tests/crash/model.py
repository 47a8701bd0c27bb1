"""What a message store is, in plain Python: accounts, queues, and who may retry what.

Knows nothing of files, batches or checkpoints; written from the documents, not from the store. Its
`picture` is compared with the one that `tests.crash.judge` takes of a recovered store.

Must never import anything that stores.
"""

from dataclasses import dataclass, field, replace
from zlib import crc32

MESSAGE = 1
SUCCESS = 2
FAILURE = 3
ONE = 1
SEVERAL = 2
EVERYONE = 3
RECIPIENT_DELETED = 11
RECALLED = 30

Picture = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a queue."""

    number: int
    kind: int
    message_id: bytes
    sender: int
    sender_name: str
    at_ms: int
    audience: int
    audience_count: int
    code: int
    body: bytes

    def picture(self) -> Picture:
        return (
            self.number,
            self.kind,
            self.message_id,
            self.sender,
            self.sender_name,
            self.at_ms,
            self.audience,
            self.audience_count,
            self.code,
            len(self.body),
            crc32(self.body),
        )


@dataclass(slots=True)
class Person:
    """One account."""

    number: int
    name: str
    created_at_ms: int
    last_seen_ms: int
    closing: bool = False
    session: int = 0  # the number of its beginning, while it lasts
    password: bytes = b""  # as the store was given it, or nothing
    blocked: tuple[int, ...] = ()
    queue: tuple[Item, ...] = ()
    accepted: dict[bytes, frozenset[int]] = field(default_factory=dict)  # by installation

    def copy(self) -> "Person":
        return replace(self, accepted=dict(self.accepted))

    def picture(self) -> Picture:
        mail = [item for item in self.queue if item.kind == MESSAGE]
        return (
            self.number,
            self.name,
            self.created_at_ms,
            self.last_seen_ms,
            self.closing,
            len(mail),
            sum(len(item.body) for item in mail),
            len(self.queue) - len(mail),
            tuple(sorted((key, tuple(sorted(some))) for key, some in self.accepted.items())),
            tuple(item.picture() for item in self.queue),
            self.session,
            self.password,
            self.blocked,
        )


class Model:
    """All accounts, and the next number."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.next_number = 1
        self.latest_ms = 0
        self.reserved: dict[str, int] = {}
        self.invites: dict[bytes, int] = {}

    def copy(self) -> "Model":
        other = Model()
        other.people = {name: person.copy() for name, person in self.people.items()}
        other.next_number, other.latest_ms = self.next_number, self.latest_ms
        other.reserved, other.invites = dict(self.reserved), dict(self.invites)
        return other

    def picture(self) -> Picture:
        people = tuple(self.people[name].picture() for name in sorted(self.people))
        admitted = (tuple(sorted(self.reserved.items())), tuple(sorted(self.invites.items())))
        return (self.next_number, self.latest_ms, people, admitted)

    def take_number(self, count: int = 1) -> int:
        number = self.next_number
        self.next_number += count
        return number

    def take_time(self, at_ms: int) -> int:
        self.latest_ms = max(self.latest_ms, at_ms)
        return self.latest_ms

    def create(self, name: str, at_ms: int) -> None:
        at_ms = self.take_time(at_ms)
        self.people[name] = Person(self.take_number(), name, at_ms, at_ms)
        self.reserved.pop(name, None)

    def register(self, name: str, password: bytes, invite: bytes, at_ms: int) -> None:
        """An account with a password, for an invite that is good for no other."""
        self.create(name, at_ms)
        self.people[name].password = password
        self.invites.pop(invite, None)

    def set_password(self, name: str, password: bytes) -> None:
        self.take_number()
        self.people[name].password = password

    def block(self, name: str, blocked: tuple[int, ...]) -> None:
        self.take_number()
        self.people[name].blocked = blocked

    def invite(self, invites: list[bytes], until_ms: int) -> None:
        self.take_number()
        self.invites.update(dict.fromkeys(invites, until_ms))

    def touch(self, name: str, at_ms: int) -> None:
        self.take_number()
        person = self.people[name]
        person.last_seen_ms = max(person.last_seen_ms, at_ms)

    def send(
        self, sender: str, recipients: list[str] | None, message_id: bytes, body: bytes, at_ms: int
    ) -> None:
        """To these, or to everyone but the sender and those who are leaving."""
        at_ms = self.take_time(at_ms)
        writer = self.people[sender]
        audience = EVERYONE
        if recipients is None:
            recipients = [
                each.name
                for each in self.people.values()
                if each is not writer and not each.closing
            ]
        else:
            audience = ONE if len(recipients) == 1 else SEVERAL
        item = Item(
            self.take_number(),
            MESSAGE,
            message_id,
            writer.number,
            sender,
            at_ms,
            audience,
            len(recipients),
            0,
            body,
        )
        for name in recipients:
            self.people[name].queue += (item,)
        installation, counter = message_id[:8], int.from_bytes(message_id[8:], "big")
        writer.accepted[installation] = writer.accepted.get(installation, frozenset()) | {counter}

    def settle(self, name: str, numbers: list[int], at_ms: int, *, discarded: bool) -> None:
        """These leave the queue; each message among them leaves an outcome with its sender."""
        at_ms = self.take_time(at_ms)
        person = self.people[name]
        first = self.take_number(len(numbers))
        settled = {item.number: item for item in person.queue}
        person.queue = tuple(item for item in person.queue if item.number not in set(numbers))
        senders = {each.number: each for each in self.people.values()}
        for place, number in enumerate(numbers, first):
            item = settled[number]
            writer = senders.get(item.sender)
            if item.kind == MESSAGE and writer is not None:
                kind, code = (FAILURE, RECIPIENT_DELETED) if discarded else (SUCCESS, 0)
                writer.queue += (
                    Item(
                        place, kind, item.message_id, person.number, name, at_ms, ONE, 1, code, b""
                    ),
                )

    def begin_session(self, name: str, at_ms: int) -> None:
        self.people[name].session = self.next_number
        self.touch(name, at_ms)

    def end_session(self, name: str, at_ms: int) -> None:
        self.people[name].session = 0
        self.touch(name, at_ms)

    def recall(self, sender: str, message_id: bytes, names: list[str], at_ms: int) -> None:
        """The copies leave these queues; each leaves an outcome with the sender."""
        at_ms = self.take_time(at_ms)
        writer = self.people[sender]
        for place, name in enumerate(names, self.take_number(len(names))):
            person = self.people[name]
            person.queue = without(person.queue, message_id)
            writer.queue += (
                Item(place, FAILURE, message_id, person.number, name, at_ms, ONE, 1, RECALLED, b""),
            )

    def recall_from_all(self, message_id: bytes, kept: list[str], at_ms: int) -> None:
        """A message to everyone leaves all queues but these; nobody gets an outcome."""
        self.take_time(at_ms)
        self.take_number()
        for person in self.people.values():
            if person.name not in kept:
                person.queue = without(person.queue, message_id)

    def begin_deletion(self, name: str) -> None:
        self.take_number()
        self.people[name].closing = True

    def delete(self, name: str, reserve_until_ms: int) -> None:
        self.take_number()
        if reserve_until_ms:
            self.reserved[name] = reserve_until_ms
        del self.people[name]


def without(queue: tuple[Item, ...], message_id: bytes) -> tuple[Item, ...]:
    """The queue but for the message of this id; its outcomes stay."""
    return tuple(item for item in queue if item.kind != MESSAGE or item.message_id != message_id)
