"""Recalls in the middle of everything else, at random; the server is killed now and then."""

import random

import pytest

from tests.msgd.fake_server import Client, Server
from tests.msgd.test_exchange_recall import cut_off, recall
from wire.codes import Code
from wire.messages import DistributeMessage, MessageFailure, MessageSuccess, SendMessage

NAMES = ("bob", "carol", "dave")


class Storm:
    """Alice sends and recalls, the others come, read and go, and the server is killed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.server = Server()
        for name in NAMES:
            self.server.account(name)
        self.alice = self.server.user("alice")
        self.counter = 0
        self.sent: list[SendMessage] = []
        self.from_all: set[bytes] = set()
        self.here: dict[str, Client] = {}
        self.ends: dict[tuple[bytes, str], str] = {}
        self.shown: set[tuple[bytes, str]] = set()

    def step(self) -> None:
        name = self.chance.choice(NAMES)
        action = self.chance.choice(("send", "send", "all", "recall", "in", "out", "read", "kill"))
        if action == "send":
            self.sent.append(self.alice.send(*self.chance.sample(NAMES, self.chance.randint(1, 3))))
        elif action == "all":
            self.sent.append(self.alice.send())
        elif action == "recall" and self.sent:
            message = self.chance.choice(self.sent)
            if recall(self.alice, message).everyone:
                self.from_all.add(message.message_id)
        elif action == "in" and name not in self.here:
            self.here[name] = self.server.user(name, live=self.chance.random() < 0.5)
        elif action == "out" and name in self.here:
            self.look()
            self.here.pop(name).drop()
        elif action == "read" and name in self.here:
            self.here[name].check(self.chance.choice((None, 1)))
            self.look()
            if self.chance.random() < 0.7:
                self.here[name].confirm()
                self.here[name].inbox.clear()
        elif action == "kill":
            self.kill()
        self.look()

    def look(self) -> None:
        for name, client in self.here.items():
            news = client.all(DistributeMessage)
            self.shown.update((each.message_id, name) for each in news)
        for each in self.alice.inbox:
            if isinstance(each, MessageSuccess):
                self.end(each.message_id, each.recipient, "delivered")
            elif isinstance(each, MessageFailure) and each.delivery is not None:
                assert each.code == Code.RECALLED
                self.end(each.message_id, each.recipients[0], "recalled")
        if self.alice.deliveries():
            self.alice.confirm()
        self.alice.inbox.clear()

    def end(self, message_id: bytes, recipient: str, how: str) -> None:
        assert self.ends.setdefault((message_id, recipient), how) == how

    def kill(self) -> None:
        self.look()
        self.here.clear()
        if self.chance.random() < 0.3:
            self.server.store.checkpoint_now()
        installation, counter = self.alice.installation, self.alice.counter
        cut_off(self.server)
        self.alice = self.server.user("alice", installation=installation)
        self.alice.counter = counter
        self.alice.check(outcomes_only=True)
        self.look()

    def waiting_ids(self, name: str) -> list[bytes]:
        store = self.server.store
        account = store.state.by_name[name]
        reader = store.reader(account, 0, None)
        found: list[bytes] = []
        while not reader.exhausted:
            found += [each.message_id for each in reader.read(100, 1 << 20)]
        assert len(found) == account.messages_waiting(store.state)
        return found

    def audit(self) -> None:
        """Each copy of each accepted message stands in exactly one place."""
        for name in NAMES:
            waits = self.waiting_ids(name)
            assert len(waits) == len(set(waits))
            for message in self.sent:
                if message.recipients and name not in message.recipients:
                    continue
                copy = message.message_id, name
                places = (copy in self.ends) + (message.message_id in waits)
                if message.message_id in self.from_all and not places:
                    self.ends[copy] = "recalled"
                else:
                    assert places == 1, (name, message)
        taken = {copy for copy, how in self.ends.items() if how == "recalled"}
        assert not taken & self.shown


@pytest.mark.parametrize("seed", range(25))
def test_every_copy_ends_in_exactly_one_way(seed: int) -> None:
    """Accepted = delivered + recalled + still waiting; and nothing recalled was ever shown."""
    storm = Storm(seed)
    for _ in range(80):
        storm.step()
        storm.audit()
    storm.kill()
    for name in NAMES:
        storm.here[name] = storm.server.user(name, live=False)
        storm.here[name].check()
        storm.look()
        while storm.here[name].deliveries():
            storm.here[name].confirm()
            storm.here[name].inbox.clear()
        storm.look()
        assert storm.waiting_ids(name) == []
    storm.audit()
