"""A person with a real client: link, archive in a file, and socket, without the screens.

The archive outlives the client process, as a file does: `crash` forgets everything else, and a
new link starts on the same file. Whatever the link tells goes to the oracle too.

Must never write to the wire but through the link, nor read the server's files.
"""

from collections.abc import Collection
from pathlib import Path
from random import Random

from msgc.archive import Archive
from msgc.limits import READ_BYTES_MAX
from msgc.link import Link
from msgc.link_events import (
    CheckDone,
    Deleted,
    DeleteRefused,
    LinkEvent,
    LoggedIn,
    NameRefused,
    NoticeArrived,
    SendAnswered,
    SendPostponed,
)
from msgc.link_settings import LinkSettings
from msgc.net import Channel, Clock, NetError, Network
from msgc.server import Server
from msgc.states import LinkState, SendState
from msgc.values import Sent
from tests.sim.oracle import Oracle

CHECKS_MAX = 3
CHECK_AGAIN_MS = 200


class Person:
    """See the module's text. `port` is where the server is, or will be."""

    def __init__(
        self,
        *,
        name: str,
        folder: Path,
        port: int,
        network: Network,
        clock: Clock,
        oracle: Oracle,
        random: Random,
        live: bool,
    ) -> None:
        self.name = name
        self.live = live
        self.news: list[LinkEvent] = []
        """What the link told and nobody took; `forget_news` empties it."""
        self.refusals: list[int] = []
        """The codes of messages that were refused, for good or for now."""
        self.calm = False
        """Only wants all its mail, and nothing else."""
        self.remaining: int | None = None
        """How much waited for it when its last check was complete."""
        self.logins = 0
        self.crashes = 0
        self.accepted = 0
        self._path = str(folder / f"{name}.archive")
        self._port = port
        self._network = network
        self._clock = clock
        self._oracle = oracle
        self._random = random
        self._channel: Channel | None = None
        self._connected = False
        self._unsent = b""
        self._checks = 0
        self._next_check_ms = 0
        self.archive, self.link = self._begin()

    # ----- the client process

    def _begin(self) -> tuple[Archive, Link]:
        archive = Archive(self._path, self._clock.wall_ms, self._random.randbytes)
        link = Link(archive, self._random.random, LinkSettings(agent="proof"))
        link.log_in(self.name, create_if_new=True, live=self.live)
        return archive, link

    def crash(self) -> None:
        """kill -9 of the client, and a new one at once."""
        self.crashes += 1
        self._hang_up()
        self._checks = 0
        self.archive.close()
        self.archive, self.link = self._begin()

    def close(self) -> None:
        """The end: no connection, no open file."""
        self._hang_up()
        self.archive.close()

    def cut(self) -> None:
        """The cable is pulled."""
        if self._channel is not None:
            self._drop("the cable was pulled")

    def _hang_up(self) -> None:
        if self._channel is not None:
            self._channel.close()
        self._channel = None
        self._connected = False
        self._unsent = b""

    def _drop(self, reason: str) -> None:
        self._hang_up()
        self.link.disconnected(reason, self._clock.now_ms())

    # ----- what the loop asks and does

    @property
    def is_online(self) -> bool:
        """Whether the server knows it now."""
        return self.link.state is LinkState.ONLINE

    def reading(self) -> Collection[int]:
        """Descriptors to watch for bytes."""
        return (self._channel.fileno(),) if self._channel is not None and self._connected else ()

    def writing(self) -> Collection[int]:
        """Descriptors to watch for room."""
        if self._channel is None or (self._connected and not self._unsent):
            return ()
        return (self._channel.fileno(),)

    def deadline_ms(self) -> int | None:
        """When it has something to do, if nothing happens before."""
        times = [self.link.next_deadline_ms()]
        if self.calm and self.is_online and self.remaining != 0:
            times.append(self._next_check_ms)
        return min((at_ms for at_ms in times if at_ms is not None), default=None)

    def step(self, readable: Collection[int], writable: Collection[int]) -> None:
        """Do whatever is due now."""
        channel = self._channel
        if channel is not None and not self._connected and channel.fileno() in writable:
            self._finish_connecting(channel)
        elif channel is not None and channel.fileno() in readable:
            self._receive(channel)
        self.link.tick(self._clock.now_ms())
        if self.calm:
            self._finish_up()
        self._connect()
        self._hear()
        self._send()

    def _connect(self) -> None:
        if self._channel is not None or not self.link.wants_connection(self._clock.now_ms()):
            return
        self.link.connecting(self._clock.now_ms())
        try:
            self._channel = self._network.connect(Server("127.0.0.1", self._port))
        except NetError as error:
            self.link.disconnected(str(error), self._clock.now_ms())

    def _finish_connecting(self, channel: Channel) -> None:
        try:
            self._connected = channel.finish_connecting()
        except NetError as error:
            self._drop(str(error))
            return
        if self._connected:
            self.link.connected(self._clock.now_ms())

    def _receive(self, channel: Channel) -> None:
        try:
            data = channel.receive(READ_BYTES_MAX)
        except NetError as error:
            self._drop(str(error))
            return
        if data:
            self.link.receive_data(data, self._clock.now_ms())
        elif data is not None:
            self._drop("the server closed the connection")

    def _send(self) -> None:
        if self._connected and self._channel is not None:
            try:
                while self._channel is not None:
                    self._unsent = self._unsent or self.link.data_to_send()
                    taken = self._channel.send(self._unsent) if self._unsent else 0
                    if not taken:
                        break
                    self._unsent = self._unsent[taken:]
            except NetError as error:
                self._drop(str(error))
        if self.link.should_close():
            self._drop("closed by us")

    # ----- what it hears

    def _hear(self) -> None:
        while (event := self.link.next_event()) is not None:
            match event:
                case LoggedIn(created=created):
                    self.logins += 1
                    self._checks = 0
                    self.remaining = None
                    self._oracle.logged_in(self.name, created)
                case SendAnswered(message_id=message_id, state=SendState.PENDING):
                    self.accepted += 1
                    self._oracle.accepted(message_id)
                case SendAnswered(code=code):
                    self.refusals.append(code or 0)
                case SendPostponed(code=code):
                    self.refusals.append(code)
                case CheckDone(remaining=remaining, outcomes_only=False):
                    self._checks = max(0, self._checks - 1)
                    self.remaining = remaining
                case Deleted():
                    self._oracle.deleted(self.name)
                case DeleteRefused():
                    self._oracle.deletion_refused(self.name)
                case NameRefused() | NoticeArrived():
                    self.news.append(event)
                case _:
                    pass

    # ----- what it does

    def compose(self, names: tuple[str, ...], body: str) -> Sent:
        """Write a message to these names, or to everyone when there are none."""
        sent = self.archive.outbox.compose(names, not names, body)
        self._oracle.composed(self.name, sent)
        self.link.send_outbox()
        return sent

    def check(self, limit: int | None = None) -> None:
        """Fetch what waits, unless enough of that is under way."""
        if self.is_online and self._checks < CHECKS_MAX and self.link.check(limit) is not None:
            self._checks += 1
            self.remaining = None

    def leave(self) -> None:
        """Log out."""
        if self.is_online:
            self.link.log_out()

    def come_back(self) -> None:
        """Log in again after `leave`, or after whatever stopped the link."""
        if self.link.state is LinkState.STOPPED:
            self.link.log_in(self.name, create_if_new=True, live=self.live)

    def delete(self, *, force: bool) -> None:
        """Delete the account."""
        if self.is_online:
            self._oracle.deletion_asked(self.name)
            self.link.delete_account(force)

    def ask_again(self) -> None:
        """Forget that nothing was left: be told anew."""
        self.remaining = None
        self._next_check_ms = 0

    def _finish_up(self) -> None:
        """Come back, and fetch until nothing is left."""
        self.come_back()
        now_ms = self._clock.now_ms()
        if self.is_online and self._next_check_ms <= now_ms and self.remaining != 0:
            self._next_check_ms = now_ms + CHECK_AGAIN_MS
            self.check()

    def is_done(self) -> bool:
        """On line, every message answered, nothing left to fetch."""
        unsent = self.archive.outbox.counts().unsent
        return self.is_online and self.remaining == 0 and unsent == 0
