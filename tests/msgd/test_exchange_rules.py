"""Random users against a model in plain Python: nothing lost, nothing doubled, nothing misordered.

The model is what people hold in their hands: what each has sent, was told, and has in the archive.
The server may be stopped in order, or lose its power at any moment, also in the middle of a turn.
"""

import random
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from msgd.limits import ExchangeLimits
from tests.examples import examples
from tests.msgd.fake_server import Client, Server
from tests.sim.sim_disk import SimDisk
from wire.messages import (
    CheckComplete,
    CheckMessages,
    DistributeMessage,
    MessageFailure,
    MessagePending,
    MessageReceipt,
    MessageSuccess,
    ReceiptSettled,
    SendMessage,
)

NAMES = ("ann", "ben", "cat")
LIMITS = ExchangeLimits(
    window_messages_max=4, window_bytes_max=300, body_bytes_max=100, checks_max=3
)


@dataclass
class User:
    """A person with a client that does as docs/protocol.md says."""

    name: str
    client: Client | None = None
    counter: int = 0
    unanswered: dict[bytes, SendMessage] = field(default_factory=dict)
    archive: dict[int, DistributeMessage] = field(default_factory=dict)
    outcomes: dict[int, MessageSuccess] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    """What the server said is out of the queue, durably."""
    # Of this session:
    out: dict[int, int] = field(default_factory=dict)
    """Handed out and not confirmed: the number, and how large it is."""
    receipts: dict[int, tuple[int, ...]] = field(default_factory=dict)
    pushed: int = 0
    checked: int = 0
    checks: int = 0

    @property
    def installation(self) -> bytes:
        return self.name.encode().ljust(8, b"\0")

    def leave(self) -> None:
        """The session is over, however it ended."""
        self.client = None
        self.out.clear()
        self.receipts.clear()
        self.pushed = self.checked = self.checks = 0


class Rules(RuleBasedStateMachine):
    """See the module's text."""

    @initialize()
    def begin(self) -> None:
        self.disk = SimDisk(random.Random(3))
        self.server = Server(disk=self.disk, limits=LIMITS)
        self.users = {name: User(name) for name in NAMES}
        self.accepted: dict[bytes, tuple[str, tuple[str, ...]]] = {}
        for name in NAMES:
            self.server.account(name)

    # ----- what people do ---------------------------------------------------------------------

    @rule(name=st.sampled_from(NAMES), live=st.booleans())
    def log_in(self, name: str, live: bool) -> None:
        """Also while logged in: then the same installation takes over."""
        user = self.users[name]
        old = user.client
        user.leave()
        user.client = self.server.user(name, live=live, installation=user.installation)
        assert old is None or old.is_closed
        for message in tuple(user.unanswered.values()):
            user.client.say(message)
            self.harvest()
        self.harvest()

    @rule(name=st.sampled_from(NAMES))
    def lose_connection(self, name: str) -> None:
        user = self.users[name]
        if user.client is not None:
            user.client.drop()
            user.leave()

    @rule(
        name=st.sampled_from(NAMES),
        to=st.lists(st.sampled_from(NAMES), max_size=3, unique=True),
        size=st.integers(1, 100),
        count=st.integers(1, 6),
    )
    def send(self, name: str, to: list[str], size: int, count: int) -> None:
        user = self.users[name]
        if user.client is None:
            return
        for _ in range(count):
            self.post(user, tuple(to), size)
        self.server.turn()
        self.harvest()
        assert not user.unanswered

    @rule(name=st.sampled_from(NAMES), limit=st.none() | st.integers(0, 6), only=st.booleans())
    def check(self, name: str, limit: int | None, only: bool) -> None:
        user = self.users[name]
        if user.client is None or user.checks >= LIMITS.checks_max:
            return
        user.checks += 1
        user.client.say(CheckMessages(user.client.request(), limit, only))
        self.harvest()

    @rule(name=st.sampled_from(NAMES), data=st.data())
    def confirm(self, name: str, data: st.DataObject) -> None:
        user = self.users[name]
        if user.client is None or not user.out:
            return
        numbers = data.draw(st.lists(st.sampled_from(sorted(user.out)), min_size=1, unique=True))
        self.post_receipt(user, tuple(numbers))
        self.server.turn()
        self.harvest()
        assert not user.receipts

    # ----- what befalls the server ------------------------------------------------------------

    @rule(by_ms=st.integers(1, 60_000))
    def time_passes(self, by_ms: int) -> None:
        self.server.advance(by_ms)
        self.server.clock.jump_wall(by_ms % 7_000 - 3_500)
        self.harvest()

    @rule()
    def save(self) -> None:
        self.server.store.checkpoint_now()

    @rule()
    def restart(self) -> None:
        self.server.stop()
        for user in self.users.values():
            user.leave()
        self.server.start()

    @rule()
    def lose_power(self) -> None:
        self.disk.crash()
        self.server.clients.clear()
        for user in self.users.values():
            user.leave()
        self.server.start()

    @rule(name=st.sampled_from(NAMES), to=st.sampled_from(NAMES))
    @precondition(lambda self: any(user.client for user in self.users.values()))
    def lose_power_in_the_middle_of_a_turn(self, name: str, to: str) -> None:
        """Everything is read and answered, and nothing of it may have reached anybody."""
        user = self.users[name]
        if user.client is not None:
            self.post(user, (to,), 10)
            if user.out:
                self.post_receipt(user, tuple(user.out))
        durable_lsn = self.server.store.durable_lsn
        self.server.read()
        self.server.exchange.end_turn(self.server.now)
        if user.client is not None:
            tags = [lsn for lsn, _ in user.client.session.outbox]
            assert tags
            assert all(lsn > durable_lsn for lsn in tags)
        self.lose_power()

    # ----- the model --------------------------------------------------------------------------

    def post(self, user: User, to: tuple[str, ...], size: int) -> None:
        assert user.client is not None
        user.counter += 1
        message_id = user.installation + user.counter.to_bytes(8, "big")
        body = f"{user.name} {user.counter} ".encode().ljust(size, b".")[: max(size, 8)]
        message = SendMessage(user.client.request(), message_id, body, to, everyone=not to)
        user.unanswered[message_id] = message
        user.client.post(message)

    def post_receipt(self, user: User, numbers: tuple[int, ...]) -> None:
        assert user.client is not None
        request = user.client.request()
        user.receipts[request] = numbers
        user.client.post(MessageReceipt(numbers, request))

    def harvest(self) -> None:
        """Look at everything that came."""
        for user in self.users.values():
            if user.client is not None:
                inbox, user.client.inbox = user.client.inbox, []
                for message in inbox:
                    self.look_at(user, message)
                if user.client.is_closed:
                    user.leave()

    def look_at(self, user: User, message: object) -> None:
        if isinstance(message, MessagePending):
            sent = user.unanswered.pop(message.message_id)
            everybody = tuple(name for name in NAMES if name != user.name)
            self.accepted[message.message_id] = (user.name, sent.recipients or everybody)
        elif isinstance(message, DistributeMessage):
            if message.request is None:
                assert message.delivery > user.pushed, "pushed out of order"
                user.pushed = message.delivery
            else:
                assert message.delivery > user.checked, "checked out of order"
                user.checked = message.delivery
            self.take(user, message.delivery, len(message.body))
            before = user.archive.setdefault(message.delivery, message)
            assert (before.message_id, before.body) == (message.message_id, message.body)
            assert message.message_id[:8].rstrip(b"\0").decode() == message.sender
        elif isinstance(message, MessageSuccess):
            self.take(user, message.delivery, 0)
            before_outcome = user.outcomes.setdefault(message.delivery, message)
            assert before_outcome == message
        elif isinstance(message, ReceiptSettled):
            numbers = user.receipts.pop(message.request)
            assert message.count == len(numbers)
            user.settled.update(numbers)
            for number in numbers:
                del user.out[number]
        elif isinstance(message, CheckComplete):
            user.checks -= 1
        else:
            assert not isinstance(message, MessageFailure), message

    def take(self, user: User, number: int, size: int) -> None:
        assert number not in user.settled, "handed out after it was settled"
        assert number not in user.out, "handed out twice in one session"
        user.out[number] = size
        # Receipts of this turn make room before their answer is read.
        confirmed = {number for numbers in user.receipts.values() for number in numbers}
        held = [size for number, size in user.out.items() if number not in confirmed]
        assert len(held) <= LIMITS.window_messages_max, "more out than the window"
        assert sum(held) <= LIMITS.window_bytes_max, "more bytes out than the window"

    # ----- the end ----------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "users"):
            return
        for name in NAMES:
            self.log_in(name, live=False)
        for _ in range(2):  # the second time for the outcomes that the first one made
            for user in self.users.values():
                self.drain(user)
        self.judge()

    def drain(self, user: User) -> None:
        """Check for everything and confirm it."""
        self.check(user.name, None, only=False)
        while user.checks or user.out:
            assert user.out, "a check that is stuck"
            self.post_receipt(user, tuple(user.out))
            self.server.turn()
            self.harvest()

    def judge(self) -> None:
        for user in self.users.values():
            account = self.server.store.state.by_name[user.name]
            assert account.messages_waiting(self.server.store.state) == 0
            assert account.outcomes_waiting == 0
            in_order = [user.archive[number] for number in sorted(user.archive)]
            held = [message.message_id for message in in_order]
            wanted = [one for one, (_, to) in self.accepted.items() if user.name in to]
            assert sorted(held) == sorted(wanted), "lost, doubled or invented"
            for name in NAMES:
                own = [one for one in held if one.startswith(name.encode())]
                assert own == sorted(own), "misordered"
            times = [message.received_at_ms for message in in_order]
            assert times == sorted(times), "RECEIVED_AT went back"
            told = [(one.message_id, one.recipient) for one in user.outcomes.values()]
            due = [
                (one, to)
                for one, (sender, recipients) in self.accepted.items()
                for to in recipients
                if sender == user.name
            ]
            assert sorted(told) == sorted(due), "an outcome lost, doubled or invented"


Rules.TestCase.settings = settings(
    max_examples=examples(40),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestRules = Rules.TestCase
