"""A simulated user: the client's real link and archive, with a finger that presses random keys.

The archive outlives the client process, as a file would: `crash` forgets the link and everything
that was not committed, and a new link starts on the same archive.

Must never touch the server's state; what it knows came over the network.
"""

import random
from collections import deque
from collections.abc import Callable
from typing import Protocol

from msgc.archive import MEMORY, Archive
from msgc.link import Link
from msgc.link_events import (
    Accounts,
    CheckDone,
    Deleted,
    DeleteRefused,
    LoggedIn,
    MessageArrived,
    RecallAnswered,
    RequestFailed,
    SendAnswered,
    SendPostponed,
)
from msgc.link_settings import LinkSettings
from msgc.states import FateState, LinkState, SendState
from msgc.words import CODE_TAKEN_BACK
from tests.sim.oracle import Oracle
from tests.sim.sim_clock import SimClock
from tests.sim.sim_net import ClientEnd, SimNetwork
from tests.sim.sim_password import SimCredentials
from wire.codes import Code, Presence

UNSENT_BYTES_MAX = 1 << 20
UNSENT_MAX = (25, 25, 25, 201)
"""So much one user or another leaves unsent; each of them is refused again while a disk is full."""
BURSTS = (*(1,) * 11, 10)
"""Of how many messages at once."""
RECENT_MAX = 10
PATIENCE_MS = 1_000
WORDS = ("lunch", "patch", "queue", "snow", "grüße", "日本語", "tab\there", "line\nline", "\x1b[2J")


class World(Protocol):
    """What a user sees of the world."""

    clock: SimClock
    has_passwords: bool
    indexes_words: bool
    net: SimNetwork
    oracle: Oracle
    names: tuple[str, ...]

    def trace(self, who: str, what: str) -> None:
        """Put a line into the trace."""

    def count(self, what: str) -> None:
        """Note that something of this kind has happened."""


class SimUser:
    """One person with one client. `calm` stops the random keys, not the client."""

    def __init__(self, world: World, name: str, rng: random.Random) -> None:
        self.world = world
        self._clock = world.clock
        self.name = name
        self.rng = rng
        self.pace_ms = rng.choice((2_000, 10_000, 30_000, 60_000))
        self.live = rng.random() < 0.8
        self.deletes = rng.random() < 0.3 and not world.has_passwords
        self.archive = Archive(MEMORY, world.clock.wall_ms, rng.randbytes)
        self.archive._search._database.has_search &= world.indexes_words
        self.calm = False
        self.remaining: int | None = None
        self._unsent_max = rng.choice(UNSENT_MAX)
        self._unsent_most = 0
        """No more than so many are UNSENT: to ask the archive each time costs."""
        self._recent: deque[bytes] = deque(maxlen=RECENT_MAX)
        self._checks = 0
        self._next_check_ms = 0
        self._next_key_ms = world.clock.now_ms + rng.randint(0, self.pace_ms)
        self._end: ClientEnd | None = None
        self._unsent = b""
        self._listed: deque[str | None] = deque()
        self.link = self._new_link()
        self._own_ms = self._own_wake_ms()

    # ----- the client process

    def _new_link(self) -> Link:
        settings = LinkSettings(agent="sim", poll_outbox=False)
        link = Link(self.archive, self.rng.random, settings)
        self._log_in(link)
        return link

    def _log_in(self, link: Link) -> None:
        credentials = None
        if self.world.has_passwords:
            credentials = SimCredentials(self.name, self.rng.randbytes)
        link.log_in(self.name, create_if_new=True, live=self.live, credentials=credentials)

    def crash(self) -> None:
        """kill -9, and start again at once."""
        self.world.count("client crashes")
        self._hang_up()
        self._checks = 0
        self.link = self._new_link()

    def _hang_up(self) -> None:
        if self._end is not None:
            self._end.close()
        self._end = None
        self._unsent = b""

    def wake_ms(self) -> int | None:
        """When this user has something to do next."""
        own_ms = self._own_ms
        if self._end is None:
            return own_ms
        arrival_ms = self._end.wire.to_client.arrival_ms()
        if arrival_ms is None or (own_ms is not None and own_ms < arrival_ms):
            return own_ms
        return arrival_ms

    def _own_wake_ms(self) -> int | None:
        """The same, but for what may arrive: only a step changes it."""
        now_ms = self.world.clock.now_ms
        if self._end is None and self.link.wants_connection(now_ms):
            return now_ms
        own_ms = self.link.next_deadline_ms()
        key_ms = None
        if not self.calm:
            key_ms = self._next_key_ms
        elif self.link.state in (LinkState.ONLINE, LinkState.STOPPED):
            key_ms = self._next_check_ms
        if own_ms is None or key_ms is None:
            return key_ms if own_ms is None else own_ms
        return min(own_ms, key_ms)

    def be_calm(self) -> None:
        """From now on only fetch what is there."""
        self.calm = True
        self._own_ms = self._own_wake_ms()

    def act(self) -> int | None:
        """Do what is due now, and give when there is something to do next.

        A step without cause changes nothing, and costs.
        """
        wake_ms = self.wake_ms()
        is_due = wake_ms is not None and wake_ms <= self._clock.now_ms
        if is_due or (self._unsent and self._end is not None and self._end.wire.to_server.room()):
            self._step()
            wake_ms = self.wake_ms()
        return wake_ms

    def _step(self) -> None:
        now_ms = self.world.clock.now_ms
        self._connect(now_ms)
        self._receive(now_ms)
        self.link.tick(now_ms)
        self._hear()
        if not self.calm and now_ms >= self._next_key_ms:
            self._next_key_ms = now_ms + self.rng.randint(1, 2 * self.pace_ms)
            self._press_a_key()
        elif self.calm:
            self._finish_up(now_ms)
        self._send(now_ms)
        self._own_ms = self._own_wake_ms()

    def _connect(self, now_ms: int) -> None:
        if self._end is None and self.link.wants_connection(now_ms):
            self.link.connecting(now_ms)
            self._end = self.world.net.connect()
            if self._end is None:
                self.link.disconnected("refused", now_ms)
            else:
                self.link.connected(now_ms)

    def _receive(self, now_ms: int) -> None:
        if self._end is None:
            return
        data = self._end.read()
        if data is None:
            self._hang_up()
            self.link.disconnected("the connection ended", now_ms)
        elif data:
            self.link.receive_data(data, now_ms)

    def _send(self, now_ms: int) -> None:
        if self._end is None:
            return
        self._unsent += self.link.data_to_send()
        assert len(self._unsent) <= UNSENT_BYTES_MAX, "the client's buffer grows without end"
        if self._unsent:
            self._unsent = self._unsent[self._end.write(self._unsent) :]
        if self.link.should_close():
            self._hang_up()
            self.link.disconnected("closed by us", now_ms)

    # ----- what it hears

    def _hear(self) -> None:
        oracle = self.world.oracle
        while (event := self.link.next_event()) is not None:
            self.world.trace(self.name, repr(event))
            match event:
                case LoggedIn(name=name, created=created, again=again, proven=proven):
                    assert name == self.name
                    self._checks = 0
                    self.remaining = None
                    self._listed.clear()
                    oracle.logged_in(name, created)
                    oracle.begins_session(name)
                    self.world.count("reconnects" if again else "logins")
                    if proven:
                        self.world.count("logins with a password")
                case SendAnswered(message_id=message_id, state=SendState.PENDING):
                    oracle.accepted(message_id)
                case SendPostponed(code=Code.STORAGE_FULL):
                    self.world.count("sends refused, disk full")
                case RecallAnswered():
                    self._look_back(event)
                case CheckDone(remaining=remaining, outcomes_only=False):
                    self._checks -= 1
                    self.remaining = remaining
                case RequestFailed():
                    self._checks = 0  # of a check, most likely: then nothing more comes of it
                case MessageArrived(received=received, check=check):
                    oracle.shown(self.name, received, asked_for=check is not None)
                case Deleted(name=name):
                    self.world.count("deletions done")
                    oracle.deleted(name)
                case DeleteRefused():
                    self.world.count("deletions refused")
                    oracle.deletion_refused(self.name)
                case Accounts():
                    self._look_at(event)
                case _:
                    pass

    def _look_back(self, answer: RecallAnswered) -> None:
        sent = self.archive.outbox.get(answer.message_id)
        assert sent is not None
        if sent.state is SendState.PENDING:
            self.world.oracle.accepted(answer.message_id)  # an answer may be the first to tell it
        if sent.recalled:
            self.world.count("recalls from all" if sent.everyone else "recalls")
        if answer.code == Code.UNKNOWN_MESSAGE:
            self.world.count("recalls of what was never accepted")
        elif any(fate.state is FateState.HANDED_OUT for fate in sent.fates):
            self.world.count("recalls too late")

    def _look_at(self, page: Accounts) -> None:
        """A list of five users is one page: it must be whole, in order, and counted right."""
        names = [entry.name for entry in page.entries]
        connected = [entry.name for entry in page.entries if entry.presence != Presence.OFF]
        whole = not self._listed or self._listed.popleft() in {None, "*"}
        wrong = names != sorted(set(names)) or not set(names) <= set(self.world.names)
        if whole:
            wrong |= len(names) != page.accounts_total
            wrong |= len(connected) != page.accounts_connected
        if wrong or not page.complete:
            self.world.oracle.heard.append(f"{self.name} was shown a wrong list: {page!r}")

    # ----- what it does

    def _press_a_key(self) -> None:
        keys: tuple[tuple[float, Callable[[], None]], ...] = (
            (0.42, self._compose),
            (0.22, self._check),
            (0.06, self._recall),
            (0.06, self._pull_the_cable),
            (0.05, self.crash),
            (0.06, self._list),
            (0.03, self._leave),
            (0.10, self._delete),
        )
        roll = self.rng.random()
        for share, key in keys:
            roll -= share
            if roll < 0:
                self.world.trace(self.name, key.__name__)
                key()
                return

    def _compose(self) -> None:
        if self._unsent_most >= self._unsent_max:
            self._unsent_most = len(self.archive.outbox.unsent_ids(self._unsent_max))
            if self._unsent_most == self._unsent_max:
                return
        everyone = self.rng.random() < 0.15
        others = [name for name in self.world.names if name != self.name]
        recipients = self.rng.sample(others, self.rng.randint(1, len(others)))
        if self.rng.random() < 0.05:
            recipients.append("stranger")
        if self.rng.random() < 0.1:
            recipients.append(self.name)
        size = self.rng.choice((1, 1, 1, 5, 5, 300))
        body = " ".join(self.rng.choices(WORDS, k=size))
        names = () if everyone else tuple(recipients)
        kind = "one" if len(names) == 1 else "n"
        self.world.count(f"sends to {'all' if everyone else kind}")
        with self.archive.change():
            for _ in range(self.rng.choice(BURSTS)):
                sent = self.archive.outbox.compose(names, everyone, body)
                self.world.oracle.composed(self.name, sent)
                self._recent.appendleft(sent.message_id)
                self._unsent_most += 1
        self.link.send_outbox()

    def _recall(self) -> None:
        """Take back something of one's own, sent lately; now and then in the same breath."""
        if self.rng.random() < 0.3:
            self._compose()
        if self._recent:
            self.archive.recalls.ask(self.rng.choice(self._recent), CODE_TAKEN_BACK)
            self.link.send_outbox()

    def _check(self) -> None:
        if self.link.state is LinkState.ONLINE and self._checks < 3:
            self._checks += 1
            limit = self.rng.choice((None, 1, 5, 100))
            self.link.check(limit)
            self.world.count(
                {None: "checks for all", 1: "checks for one"}.get(limit, "checks for n")
            )

    def _list(self) -> None:
        if self.link.state is LinkState.ONLINE:
            wanted = self.rng.choice((None, "*", "u[0-2]", "?1", "nobody"))
            if self.link.list_accounts(wanted) is not None:
                self._listed.append(wanted)
                self.world.count("lists")

    def _pull_the_cable(self) -> None:
        if self._end is None:
            return
        if self.rng.random() < 0.5:
            self.world.count("resets")
            self._end.wire.reset()
        else:
            self.world.count("stalls")
            self._end.wire.stall(self.world.clock.now_ms + self.rng.randint(1, 90_000))

    def _leave(self) -> None:
        """Log out for a while; or come back."""
        if self.link.state is LinkState.ONLINE:
            self.link.log_out()
        elif self.link.state is LinkState.STOPPED:
            self._come_back()

    def _delete(self) -> None:
        if self.deletes and self.link.state is LinkState.ONLINE:
            self.world.oracle.deletion_asked(self.name)
            force = self.rng.random() < 0.7
            self.world.count("deletions forced" if force else "deletions without force")
            self.link.delete_account(force)
        elif self.link.state is LinkState.STOPPED:
            self._come_back()

    def _come_back(self) -> None:
        self.live = self.rng.random() < 0.8
        self._log_in(self.link)

    # ----- the end

    def _finish_up(self, now_ms: int) -> None:
        """After the healing: come back, and fetch until nothing is left."""
        if self._next_check_ms > now_ms:
            return
        if self.link.state is LinkState.STOPPED:
            self._next_check_ms = now_ms + PATIENCE_MS
            self._come_back()
        elif self.link.state is LinkState.ONLINE:
            self._next_check_ms = now_ms + PATIENCE_MS
            self._checks += 1
            self.link.check(None)

    def is_done(self) -> bool:
        """Whether it is on line, has all its answers, and was told that nothing is left."""
        if self.link.state is not LinkState.ONLINE or self.remaining != 0:
            return False
        return not self.archive.outbox.unsent_ids(1) and not self.archive.recalls.open_ids(1)
