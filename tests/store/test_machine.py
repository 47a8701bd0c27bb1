"""The store against a model in plain Python, with checkpoints, kills and power cuts in between."""

from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from store.credential import Credential
from store.entry import Entry, EntryKind
from store.fsck import fsck
from store.state import Account
from store.window import WindowVerdict
from tests.examples import examples
from tests.store.support import message_id, new_disk, open_store, waiting
from tests.store.test_credential import CREDENTIALS
from tests.store.workload import pass_time

NAMES = st.sampled_from(["ann", "bob", "cat", "dan"])
BODIES = st.sampled_from([b"", b"short", b"y" * 5000, b"z" * 14_000])


@dataclass
class Person:
    """What the model knows of an account."""

    number: int
    queue: dict[int, tuple[EntryKind, bytes, int]] = field(default_factory=dict)
    counters: set[int] = field(default_factory=set)
    credential: Credential | None = None
    blocked: tuple[int, ...] = ()


class Machine(RuleBasedStateMachine):
    """Rules are what msgd may do."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = new_disk(7)
        self.store = open_store(self.disk)
        self.people: dict[str, Person] = {}
        self.counter = 0
        self.at_ms = 0
        self.reserved: dict[str, int] = {}
        self.invites: dict[bytes, int] = {}

    def account(self, name: str) -> Account:
        return self.store.state.by_name[name]

    def now(self) -> int:
        self.at_ms += 1
        return self.at_ms

    @rule(name=NAMES)
    def create(self, name: str) -> None:
        if name not in self.people:
            account = self.store.create_account(name, self.now())
            self.people[name] = Person(account.number)
            self.reserved.pop(name, None)

    @rule(name=NAMES, credential=st.none() | CREDENTIALS, data=st.data())
    def register(self, name: str, credential: Credential | None, data: st.DataObject) -> None:
        if name not in self.people:
            invite = data.draw(st.sampled_from([b"", *self.invites]))
            account = self.store.create_account(name, self.now(), credential, invite)
            self.people[name] = Person(account.number, credential=credential)
            self.invites.pop(invite, None)
            self.reserved.pop(name, None)

    @rule(count=st.integers(1, 3), days=st.sampled_from([5, 1 << 40]))
    def invite(self, count: int, days: int) -> None:
        now = self.now()
        hashes = [(now * 10 + each).to_bytes(32, "big") for each in range(count)]
        self.store.make_invites(hashes, now + days, now)
        self.invites = {each: end for each, end in self.invites.items() if end > now}
        self.invites.update(dict.fromkeys(hashes, now + days))

    @precondition(lambda self: self.invites)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        now = self.now()
        good = {each: end for each, end in self.invites.items() if end > now}
        if good:
            gone = data.draw(st.sampled_from([*good]))
            self.store.revoke_invites([gone], now)
            del good[gone]
            self.invites = good  # those that have ended go with it, and not before

    @precondition(lambda self: self.people)
    @rule(credential=st.none() | CREDENTIALS, data=st.data())
    def set_password(self, credential: Credential | None, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.people)))
        self.store.set_credential(self.account(name), credential, self.now())
        self.people[name].credential = credential

    @precondition(lambda self: self.people)
    @rule(data=st.data(), body=BODIES)
    def send(self, data: st.DataObject, body: bytes) -> None:
        names = sorted(self.people)
        sender = data.draw(st.sampled_from(names))
        to = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        self.counter += 1
        entry = self.store.accept(
            self.account(sender),
            message_id(self.counter),
            [self.account(name) for name in to],
            body,
            self.now(),
        )
        self.people[sender].counters.add(self.counter)
        for name in to:
            sender_number = self.people[sender].number
            self.people[name].queue[entry.number] = (EntryKind.MESSAGE, body, sender_number)

    @precondition(lambda self: self.people)
    @rule(data=st.data(), body=BODIES)
    def send_everyone(self, data: st.DataObject, body: bytes) -> None:
        sender = data.draw(st.sampled_from(sorted(self.people)))
        self.counter += 1
        entry = self.store.accept_for_everyone(
            self.account(sender), message_id(self.counter), body, self.now()
        )
        assert entry.audience_count == len(self.people) - 1
        self.people[sender].counters.add(self.counter)
        for name, person in self.people.items():
            if name != sender:
                sender_number = self.people[sender].number
                person.queue[entry.number] = (EntryKind.MESSAGE, body, sender_number)

    def settle_some(self, name: str, entries: list[Entry], *, discarded: bool) -> None:
        first = self.store.state.next_number
        told = self.store.settle(self.account(name), entries, self.now(), discarded=discarded)
        by_number = {person.number: person for person in self.people.values()}
        kind = EntryKind.FAILURE if discarded else EntryKind.SUCCESS
        own = self.people[name].number
        senders = []
        for number, entry in enumerate(entries, first):
            del self.people[name].queue[entry.number]
            if entry.kind is EntryKind.MESSAGE and entry.sender in by_number:
                by_number[entry.sender].queue[number] = (kind, b"", own)
                senders.append(entry.sender)
        assert sorted(account.number for account in told) == sorted(set(senders))

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def await_more(self, data: st.DataObject) -> None:
        """Somebody comes to the end of a queue, or goes: that changes nothing that is kept."""
        queue = self.account(data.draw(st.sampled_from(sorted(self.people)))).queue
        queue.is_awaited = not queue.is_awaited

    @precondition(lambda self: self.people)
    @rule(data=st.data(), count=st.integers(1, 6), outcomes_only=st.booleans())
    def settle(self, data: st.DataObject, count: int, *, outcomes_only: bool) -> None:
        """Read a piece and settle any part of it, in any order, in one or two records."""
        name = data.draw(st.sampled_from(sorted(self.people)))
        queue = self.people[name].queue
        after = data.draw(st.sampled_from([0, *queue]))
        reader = self.store.reader(self.account(name), after, None)
        found: list[Entry] = []
        while not reader.exhausted and len(found) < count:
            found += reader.read(count - len(found), 20_000, outcomes_only=outcomes_only)
        wanted = [
            number
            for number, (kind, _, _) in queue.items()
            if number > after and not (outcomes_only and kind is EntryKind.MESSAGE)
        ]
        assert [entry.number for entry in found] == wanted[:count]
        chosen = data.draw(st.lists(st.sampled_from(found), unique_by=id)) if found else []
        half = len(chosen) // 2
        self.settle_some(name, chosen[:half], discarded=False)
        self.settle_some(name, chosen[half:], discarded=False)

    @precondition(lambda self: self.people)
    @rule(data=st.data(), reserve=st.sampled_from([0, 5, 1 << 40]))
    def delete(self, data: st.DataObject, reserve: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.people)))
        self.store.begin_deletion(self.account(name), self.now())
        reader = self.store.reader(self.account(name), 0, None)
        while not reader.exhausted:
            self.settle_some(name, reader.read(3, 20_000), discarded=True)
        while self.account(name).outcomes_waiting:  # of what it had sent to itself
            reader = self.store.reader(self.account(name), 0, None)
            while not reader.exhausted:
                self.settle_some(name, reader.read(3, 20_000), discarded=True)
        now = self.now()
        self.store.delete_account(self.account(name), now, now + reserve if reserve else 0)
        del self.people[name]
        if reserve:
            self.reserved = {each: end for each, end in self.reserved.items() if end > now}
            self.reserved[name] = now + reserve

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def touch(self, data: st.DataObject) -> None:
        self.store.touch(self.account(data.draw(st.sampled_from(sorted(self.people)))), self.now())

    @rule()
    def commit(self) -> None:
        self.store.commit()
        assert self.store.durable_lsn == self.store.open_lsn - 1

    @rule(slices=st.integers(1, 4))
    def work(self, slices: int) -> None:
        pass_time(self.store)
        for _ in range(slices):
            self.store.work(0)

    @rule()
    def checkpoint(self) -> None:
        self.store.checkpoint_now()
        while self.store.work(1):
            pass
        assert fsck(self.disk) == []

    @rule(close=st.booleans(), cut=st.booleans())
    def restart(self, *, close: bool, cut: bool) -> None:
        if close:
            self.store.close()
        else:
            self.store.commit()
        if cut:
            self.disk.crash()
        else:
            self.disk.kill()
        self.store = open_store(self.disk)

    @rule()
    def no_room_for_a_while(self) -> None:
        """Checkpoints fail at any point; nothing else does."""
        self.store.commit()
        self.disk.quota_bytes = self.disk.used_bytes() + self.disk.rng.randrange(20_000)
        pass_time(self.store)
        self.store.checkpoint_now()
        while self.store.work(1):
            pass
        self.disk.quota_bytes = 1 << 40

    @precondition(lambda self: self.people)
    @rule(data=st.data(), count=st.integers(0, 3))
    def block(self, data: st.DataObject, count: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.people)))
        others = st.sampled_from([person.number for person in self.people.values()])
        chosen = data.draw(st.lists(others, max_size=count, unique=True))
        self.store.block(self.account(name), chosen, self.now())
        self.people[name].blocked = tuple(chosen)

    @invariant()
    def queues_are_right(self) -> None:
        assert self.store.state.names == sorted(self.people)
        assert self.store.state.registry.reserved == self.reserved
        assert self.store.state.registry.invites == self.invites
        for name, person in self.people.items():
            account = self.account(name)
            assert account.credential == person.credential
            assert account.blocked == person.blocked
            found = waiting(self.store, name)
            assert [(number, kind, body) for number, kind, body, _ in found] == [
                (number, kind, body) for number, (kind, body, _) in person.queue.items()
            ]
            messages = [body for kind, body, _ in person.queue.values() if kind == 1]
            assert account.messages_waiting(self.store.state) == len(messages)
            assert account.bytes_waiting(self.store.state) == sum(map(len, messages))
            assert account.outcomes_waiting == len(person.queue) - len(messages)
            oldest = self.store.oldest_waiting_at_ms(account)
            assert (oldest is None) <= (len(person.queue) > 60 or not messages)
            for counter in person.counters:
                verdict = self.store.check_window(account, b"install1", counter)
                assert verdict is WindowVerdict.DUPLICATE


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=examples(40), stateful_step_count=40, deadline=None)
