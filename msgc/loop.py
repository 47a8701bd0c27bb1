"""The client's loop: one link over one connection, other descriptors, timers and signals.

The command line and the screens both run on it. One turn: wait, read, timers, connect, send,
close; what the link has to tell is given out after each of its steps.

Must never block anywhere but in the one poll, and never read more than it can hand on.
Fails only with what the callbacks raise; a broken connection is the link's affair.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from msgc import limits
from msgc.net import Channel, Clock, Door, NetError, Network, Signal, TrustError

if TYPE_CHECKING:  # the first screen is there before the network is needed
    from msgc.link import Link
    from msgc.link_events import LinkEvent

Callback: TypeAlias = Callable[[], None]


@dataclass(slots=True, eq=False)
class Timer:
    """Something to do at a time of the steady clock. `cancel` at will."""

    at_ms: int
    callback: Callback
    cancelled: bool = field(default=False)

    def cancel(self) -> None:
        """It will not happen."""
        self.cancelled = True


class Loop:
    """See the module's text."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self.clock = clock
        self._network = network
        self._link: Link | None = None
        self._door: Door | None = None
        self._on_event: Callable[[LinkEvent], None] | None = None
        self._channel: Channel | None = None
        self._connected = False
        self._unsent = b""
        self._readers: dict[int, Callback] = {}
        self._timers: list[Timer] = []
        self._asleep_ms = clock.asleep_ms()
        self._on_signal: dict[Signal, Callback] = {}

    # ----- what to watch ------------------------------------------------------------------

    def attach(self, link: "Link", door: Door, on_event: "Callable[[LinkEvent], None]") -> None:
        """Drive this link, and give its events to `on_event`. An earlier link is let go."""
        self.detach()
        self._link, self._door, self._on_event = link, door, on_event

    def detach(self) -> None:
        """Let go of the link: its connection is closed as it stands."""
        if self._link is not None and self._channel is not None:
            self._drop(self._link, "closed")
        self._link = None

    def watch_reader(self, fd: int, on_ready: Callback) -> None:
        """Call back whenever there is something to read from `fd`."""
        self._readers[fd] = on_ready

    def forget_reader(self, fd: int) -> None:
        """No longer."""
        self._readers.pop(fd, None)

    def watch_signal(self, signal: Signal, on_signal: Callback) -> None:
        """Call back when this signal comes."""
        self._on_signal[signal] = on_signal
        self._network.watch_signals((signal,))

    def release_signals(self) -> None:
        """No signal is waited for any more: they end the process again."""
        self._on_signal.clear()
        self._network.release_signals()

    def call_at(self, at_ms: int, callback: Callback) -> Timer:
        """Call back once, at that time of `clock.now_ms`."""
        timer = Timer(at_ms, callback)
        self._timers.append(timer)
        return timer

    # ----- going round --------------------------------------------------------------------

    def run(self, done: Callable[[], bool]) -> None:
        """Turn until `done`, which is asked after each turn."""
        while not done():
            self.turn()

    def turn(self, wait_ms_max: int | None = None) -> None:
        """One turn; it waits until something happens, `wait_ms_max` at most."""
        # What the user's side did since the last turn goes out first. When that made news, who
        # hears it must have a turn before anything is waited for.
        if self._serve_link():
            wait_ms_max = 0
        reading, writing = set(self._readers), set()
        channel = self._channel
        if channel is not None:
            reads, writes = channel.interest(has_unsent=bool(self._unsent))
            reading |= {channel.fileno()} if reads else set()
            writing |= {channel.fileno()} if writes else set()
            if channel.has_pending:
                wait_ms_max = 0
        ready = self._network.poll(reading, writing, self._timeout_ms(wait_ms_max))
        self._notice_sleep()
        for signal in ready.signals:
            callback = self._on_signal.get(signal)
            if callback is not None:
                callback()
        if self._channel is not None and self._link is not None:
            fd = self._channel.fileno()
            is_readable = fd in ready.readable
            if not self._connected and (is_readable or fd in ready.writable):
                self._finish_connecting(self._link)
            elif self._connected and (is_readable or self._channel.has_pending):
                self._read(self._link)
        for fd in ready.readable:
            if fd in self._readers:
                self._readers[fd]()
        self._run_timers()
        self._serve_link()

    def _notice_sleep(self) -> None:
        """The clock that goes on in sleep has left behind the one that stands still."""
        asleep_ms, before_ms = self.clock.asleep_ms(), self._asleep_ms
        self._asleep_ms = asleep_ms
        if self._link is not None and asleep_ms - before_ms >= limits.SLEEP_JUMP_MS:
            self._link.awake(self.clock.now_ms())

    def _timeout_ms(self, wait_ms_max: int | None) -> int | None:
        times = [timer.at_ms for timer in self._timers if not timer.cancelled]
        if self._link is not None:
            deadline_ms = self._link.next_deadline_ms()
            if deadline_ms is not None:
                times.append(deadline_ms)
        waits = [max(0, min(times) - self.clock.now_ms())] if times else []
        if wait_ms_max is not None:
            waits.append(wait_ms_max)
        return min(waits, default=None)

    def _run_timers(self) -> None:
        now_ms = self.clock.now_ms()
        due = [timer for timer in self._timers if timer.at_ms <= now_ms or timer.cancelled]
        self._timers = [timer for timer in self._timers if timer not in due]
        for timer in sorted(due, key=lambda timer: timer.at_ms):
            if not timer.cancelled:
                timer.callback()

    # ----- the link -----------------------------------------------------------------------

    def _serve_link(self) -> bool:
        """Everything about the link that needs no waiting. Whether there was anything to tell."""
        link = self._link
        if link is None:
            return False
        link.tick(self.clock.now_ms())
        if link.wants_connection(self.clock.now_ms()):
            self._connect(link)
        told = self._tell(link)
        if self._link is link and self._channel is not None:
            self._write(link)
        if self._link is link and link.should_close():
            self._drop(link, "closed")
        return self._tell(link) or told

    def _tell(self, link: "Link") -> bool:
        told = False
        while self._link is link and self._on_event is not None:
            event = link.next_event()
            if event is None:
                break
            told = True
            self._on_event(event)
        return told

    def _connect(self, link: "Link") -> None:
        link.connecting(self.clock.now_ms())
        # Told before the host's name is looked up, which may take a while.
        self._tell(link)
        if self._link is not link:
            return
        assert self._door is not None
        try:
            self._channel = self._door.open()
        except TrustError as error:
            link.distrust(error)
            self._drop(link, str(error))
        except NetError as error:
            self._drop(link, str(error))

    def _finish_connecting(self, link: "Link") -> None:
        assert self._channel is not None
        try:
            if self._channel.finish_connecting():
                self._connected = True
                link.connected(self.clock.now_ms(), self._channel.binding)
        except TrustError as error:
            link.distrust(error)
            self._drop(link, str(error))
        except NetError as error:
            self._drop(link, str(error))

    def _read(self, link: "Link") -> None:
        assert self._channel is not None
        try:
            data = self._channel.receive(limits.READ_BYTES_MAX)
        except NetError as error:
            self._drop(link, str(error))
            return
        if data:
            link.receive_data(data, self.clock.now_ms())
        elif data is not None:
            self._drop(link, "the server closed the connection")

    def _write(self, link: "Link") -> None:
        """Send as much as the socket takes. The link is asked for more only when all is gone."""
        if not self._connected or self._channel is None:
            return
        try:
            while True:
                self._unsent = self._unsent or link.data_to_send()
                # Also with nothing: what TLS has sealed may still have to go.
                taken = self._channel.send(self._unsent)
                if not taken:
                    return
                self._unsent = self._unsent[taken:]
        except NetError as error:
            self._drop(link, str(error))

    def _drop(self, link: "Link", reason: str) -> None:
        if self._channel is not None:
            self._channel.close()
        self._channel = None
        self._connected = False
        self._unsent = b""
        link.disconnected(reason, self.clock.now_ms())
