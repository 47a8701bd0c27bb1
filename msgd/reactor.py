"""The loop: the one place where the server waits, and the order in which everything is done.

One turn is: poll, read, commit, release, house-keeping, close. The order is the promise. An answer
leaves only in `release`, which stands after `commit`; so nobody is ever told of a thing that a
power cut could take back.

Must never do two things: let anybody else call these steps, and wait anywhere but in the poll.
Fails with what the store raises (the process must end), or with a bug of ours. What a peer does
wrong ends that peer's connection and nothing else.
"""

from typing import Protocol

from msgd.brakes import Brakes
from msgd.crowd import Crowd, put_on_tab
from msgd.door import Door
from msgd.events import EventKind, EventLog
from msgd.exchange import Exchange
from msgd.gate import Gate
from msgd.log import Log
from msgd.net import Channel, ChannelError, Clock, Network, Ready, Wait, Wish
from msgd.penalties import Fault
from msgd.reactor_limits import ReactorLimits
from msgd.session import Session
from msgd.slack import Slack
from msgd.transport import Transport
from msgd.upkeep import Upkeep
from msgd.values import Now
from store.store import Store
from term.safe import safe_log
from wire.errors import RemoteProtocolError
from wire.messages import SendMessage


class Face(Protocol):
    """What shows the server to people, and hears what they want. `msgd.admin` is one."""

    def serve(self, ready: Ready, now: Now) -> bool:
        """Look for what concerns it among what is ready. Gives whether the end was asked for."""

    def work(self, now: Now) -> bool:
        """Show what changed, if it is time to; True while it has more to do that cannot wait."""

    def deadline_ms(self) -> int | None:
        """When `work` has something to do next, by the monotonic clock."""

    def end(self, now: Now) -> None:
        """The server is about to end."""


class Reactor:
    """Runs the turns. Everything that it needs is handed to it."""

    def __init__(
        self,
        *,
        network: Network,
        clock: Clock,
        store: Store,
        exchange: Exchange,
        events: EventLog,
        log: Log,
        limits: ReactorLimits,
        gate: Gate,
        face: Face | None,
    ) -> None:
        self.ended = False
        self._network = network
        self._clock = clock
        self._store = store
        self._exchange = exchange
        self._events = events
        self._log = log
        self._limits = limits
        self._gate = gate
        self._slack = Slack(limits)
        self._brakes = Brakes(limits, self._slack)
        self._is_braked = self._brakes.interval_us > 0
        self._crowd = Crowd(self._slack, is_bounded=self._is_braked)
        self._upkeep = Upkeep(store=store, clock=clock, limits=limits)
        self._face = face
        self._door = Door(
            network=network,
            events=events,
            limits=limits,
            gate=gate,
            slack=self._slack,
            refused=exchange.tally.connections_refused,
        )
        self._transports: dict[int, Transport] = {}  # by number of session
        self._by_channel: dict[Channel, Transport] = {}
        self._again: dict[int, Transport] = {}  # whole frames are left from the turn before
        self._cut_short: list[int] = []  # of these, who had no more than everybody is sure of
        self._held: list[Session] = []  # their outboxes wait for a later batch
        self._touched: dict[int, Transport] = {}  # looked at in this turn's last step
        self._sending: dict[int, Transport] = {}  # something waits for the peer to take it
        self._busy = False  # the exchange or a face has more background work
        self._stop_by_ms: int | None = None
        self._findings_told = len(store.findings)
        self._findings_due_ms = 0

    @property
    def connections(self) -> int:
        """How many connections are served now."""
        return len(self._transports)

    def run(self) -> None:
        """Turn until the end was asked for and everybody was told."""
        while not self.ended:
            self.turn()

    def turn(self) -> None:
        """One turn. The comment at each step says why it stands where it stands."""
        # 1. Poll. First, so that the batch is whatever arrived while the last commit ran.
        ready = self._network.poll(self._timeout_ms())
        now = Now(self._clock.monotonic_ms(), self._clock.wall_ms())
        # 2. Read. Changes memory and the open batch only; nothing of it is seen outside yet.
        self._obey(ready, now)
        self._read(ready, now)
        self._exchange.end_turn(now)
        # 3. Commit. Before release, because an answer must survive a power cut.
        self._store.commit()
        # 4. Release. One send for each connection, of everything that this turn made durable.
        self._release(now)
        # 5. House-keeping. After release, so that nobody waits for it; what it has to tell is
        #    committed and released by the next turn, which comes at once.
        self._keep_house(now)
        # 6. Close. Last, so that no step above ever holds a connection that is gone.
        self._close_doomed(now)
        self._end_if_done(now)

    # ----- 1. poll ----------------------------------------------------------------------------

    def _timeout_ms(self) -> int:
        exchange = self._exchange
        if self._again or self._crowd or self._busy or exchange.dirty or self._store.has_pending:
            return 0
        now_ms = self._clock.monotonic_ms()
        first_ms = now_ms + self._limits.idle_turn_ms
        for at_ms in (
            exchange.next_deadline_ms(),
            self._brakes.deadline_ms(),
            self._upkeep.deadline_ms(),
            self._stop_by_ms,
            None if self._face is None else self._face.deadline_ms(),
            *self._door.deadlines(now_ms),
            *[transport.stalled_until_ms for transport in self._sending.values()],
        ):
            if at_ms is not None and at_ms < first_ms:
                first_ms = at_ms
        return max(0, first_ms - now_ms)

    # ----- 2. read ----------------------------------------------------------------------------

    def _obey(self, ready: Ready, now: Now) -> None:
        """What people and the system want, before what peers want."""
        for wish in ready.wishes:
            if wish is Wish.STOP:
                self.stop(now)
            elif wish is Wish.REOPEN:
                self._log.reopen()
        if self._face is not None and self._face.serve(ready, now):
            self.stop(now)

    def stop(self, now: Now) -> None:
        """Tell the clients and end; asked a second time, end as soon as this turn is committed."""
        if self._stop_by_ms is not None:
            self._stop_by_ms = now.monotonic_ms
            return
        self._stop_by_ms = now.monotonic_ms + self._limits.shutdown_ms
        self._door.shut(now)
        self._exchange.shut_down(now)
        self._touched.update(self._transports)
        if self._face is not None:
            self._face.end(now)

    def _read(self, ready: Ready, now: Now) -> None:
        self._slack.begin_turn()
        self._brakes.begin_turn()
        crowd, by_channel = self._crowd, self._by_channel
        crowd.begin_turn(map(by_channel.get, ready.readable), now.monotonic_ms)
        self._read_again(now)
        for channel in ready.writable:
            self._flush(channel, now)
        for channel in ready.readable:
            transport = by_channel.get(channel)
            if transport is None:
                self._door.hear(channel)
                continue
            self._touched[transport.session.number] = transport
            if transport.send_waits_for is Wait.READ:
                transport.flush(now.monotonic_ms)  # encrypted, it may have waited for bytes
            if crowd.hears(transport, now.monotonic_ms) and transport.read():
                if transport.received_bytes > self._brakes.bytes_max:
                    self._brakes.weigh(transport, now.monotonic_ms)
                self._serve(transport, now)
        if crowd.is_hurried:
            return
        # Strangers last: whoever is in already is answered before them.
        for channel in self._door.take(len(self._transports), now, knocking=ready.listener):
            self._admit(channel, now)
        for channel, begun_ms in self._door.shake(now):
            self._admit(channel, Now(begun_ms, now.wall_ms))

    def _read_again(self, now: Now) -> None:
        """Those that stood in line, those of whom the turn before left something, and those that
        were held back: of the last two nobody, where somebody comes before them.
        """
        crowd = self._crowd
        heard: list[Transport] = []
        for transport in crowd.take(now.monotonic_ms) if crowd else ():
            self._touched[transport.session.number] = transport
            if not transport.is_paused and transport.session.closing is None:
                heard.append(transport)
        if not crowd.is_hurried:
            # What is dear comes before all that can wait with it, or it would always be last.
            for transport in crowd.take_dear():
                self._touched[transport.session.number] = transport
                if not transport.is_paused and transport.session.closing is None:
                    self._serve(transport, now)
            # Those come first that had less than they wanted, as others were before them.
            cut_short, self._cut_short = self._cut_short, []
            again = {number: self._again[number] for number in cut_short if number in self._again}
            again.update(self._again)
            self._again = {}
            for held in self._brakes.release(self._transports, now.monotonic_ms):
                if not held.is_paused:
                    again[held.session.number] = held
            for held in again.values():
                self._touched[held.session.number] = held
                if crowd.hears(held, now.monotonic_ms):
                    heard.append(held)
        for transport in heard:
            # Whole frames are here, or bytes of them: of neither the poll would tell.
            if transport.has_leftover:
                self._serve(transport, now)
            else:
                self._read_once(transport, now)

    def _admit(self, channel: Channel, begun: Now) -> None:
        """A connection that can talk, and since when it is there."""
        session = self._exchange.open_session(channel.peer, begun)
        session.binding = channel.binding
        transport = Transport(channel, session, self._limits)
        self._crowd.join(transport, begun.monotonic_ms)
        self._transports[session.number] = transport
        self._by_channel[channel] = transport
        self._touched[session.number] = transport

    def _serve(self, transport: Transport, now: Now) -> None:
        """Hand the whole frames that are there to the exchange, up to its share of the turn."""
        number = transport.session.number
        self._touched[number] = transport
        transport.has_leftover = False
        brakes = self._brakes
        share = brakes.share()
        left = self._serve_share(transport, share, now)
        if self._is_braked and transport.has_leftover and share == left:
            self._crowd.wait_for_slack(transport)
        elif self._is_braked:
            put_on_tab(transport, share - left, now.monotonic_ms)
        if brakes.take(share - left) and transport.has_leftover:
            self._cut_short.append(number)

    def _serve_share(self, transport: Transport, share: int, now: Now) -> int:
        """So many frames at most; gives how many more there could have been."""
        session = transport.session
        connection = session.connection
        receive = self._exchange.receive
        brakes = self._brakes
        is_braked = self._is_braked
        now_us = now.monotonic_ms * 1_000
        left = share
        in_a_row = True  # until one is unusual: what follows is likely to be, too
        while left > 0:
            if session.closing is not None:
                return left
            if not connection.buffered_bytes:  # as it usually is after the first
                transport.frame_since_ms = None
                return left
            if in_a_row and (
                sends := connection.next_sends(
                    left if session.spent_us <= now_us else brakes.room(session, left, now_us)
                )
            ):
                taken = self._exchange.receive_sends(session, sends, now)
                if taken:
                    connection.pass_sends(sends[taken - 1][0])
                in_a_row = taken == len(sends)
                left -= taken
                if is_braked and brakes.spend(transport, taken, now_us):
                    break
                continue
            if is_braked and brakes.must_wait(connection):
                break
            left -= 1
            try:
                message = connection.next_event()
            except RemoteProtocolError as error:
                self._exchange.break_session(session, error, now)
                return left
            if message is None:
                self._brakes.await_rest(
                    transport, self._transports, now.monotonic_ms, is_next=left < share - 1
                )
                return left + 1  # there was none
            receive(session, message, now)
            if is_braked:
                count = 1 if type(message) is SendMessage else 0  # some other requests are dear
                is_dear = count or session.cost_us or session.spent_us > now_us
                if is_dear and brakes.spend(transport, count, now_us):
                    break
        transport.has_leftover = True
        return left

    def _read_once(self, transport: Transport, now: Now) -> None:
        self._touched[transport.session.number] = transport
        if transport.read():
            if transport.received_bytes > self._brakes.bytes_max:
                self._brakes.weigh(transport, now.monotonic_ms)
            self._serve(transport, now)

    def _flush(self, channel: Channel, now: Now) -> None:
        transport = self._by_channel.get(channel)
        if transport is None:
            self._door.wake(channel)
            return
        self._touched[transport.session.number] = transport
        transport.flush(now.monotonic_ms)
        if transport.receive_waits_for is Wait.WRITE:  # encrypted, it may have waited for room
            self._read_once(transport, now)

    # ----- 4. release -------------------------------------------------------------------------

    def _release(self, now: Now) -> None:
        durable_lsn = self._store.durable_lsn
        held, self._held = self._held, []
        for session in (*held, *self._exchange.take_dirty()):
            transport = self._transports.get(session.number)
            if transport is None:
                continue
            self._touched[session.number] = transport
            transport.release(durable_lsn)
            transport.flush(now.monotonic_ms)
            if session.outbox:
                self._held.append(session)

    # ----- 5. house-keeping -------------------------------------------------------------------

    def _keep_house(self, now: Now) -> None:
        for transport in self._sending.values():
            until_ms = transport.stalled_until_ms
            if until_ms is not None and until_ms <= now.monotonic_ms and transport.gone is None:
                seconds = self._limits.write_stall_ms // 1_000
                transport.gone = f"took nothing of what was sent to it for {seconds} s"
                self._touched[transport.session.number] = transport
        for transport in self._brakes.late(self._transports, now.monotonic_ms):
            text = "a frame that was begun did not come to its end in time"
            self._exchange.end_slow_session(transport.session, text, now)
        self._door.keep_time(now)
        self._exchange.tick(now)
        self._busy = self._exchange.work(now)
        self._upkeep.work(now, is_quiet=not self._touched)
        if now.monotonic_ms >= self._findings_due_ms:
            self._findings_due_ms = now.monotonic_ms + self._limits.idle_turn_ms
            self._tell_findings(now)
            self._door.keep_house(len(self._store.state.by_name), now)
        if self._face is not None:
            self._busy |= self._face.work(now)

    def _tell_findings(self, now: Now) -> None:
        """What the store found out since it was opened: never silently."""
        findings = self._store.findings
        for finding in findings[self._findings_told :]:
            self._events.add(EventKind.WARN, safe_log(finding), now.wall_ms)
        self._findings_told = len(findings)

    # ----- 6. close ---------------------------------------------------------------------------

    def _close_doomed(self, now: Now) -> None:
        # Sessions that the rules doomed are in `dirty` too, if only to be looked at here.
        touched, self._touched = self._touched, {}
        for number, transport in touched.items():
            session = transport.session
            if session.account is not None and not transport.is_logged_in:
                transport.is_logged_in = True
                self._gate.log_in(session.address)
            if transport.gone is not None:
                self._close(transport, transport.gone, now, linger=False)
            elif session.closing is not None and (transport.is_flushed or session.at_once):
                self._close(transport, session.closing, now, linger=not session.at_once)
            elif number in self._transports:
                self._watch(transport, now)
        self._log.flush()  # here, because who was closed is in it too

    def _close(self, transport: Transport, reason: str, now: Now, *, linger: bool) -> None:
        number = transport.session.number
        del self._transports[number]
        del self._by_channel[transport.channel]
        self._sending.pop(number, None)
        self._again.pop(number, None)
        self._crowd.leave(transport)
        if linger:
            self._door.linger(transport.channel, now)
        else:
            self._door.forget(transport.channel)
        session = transport.session
        self._exchange.close_session(session, reason, now)
        fault = Fault.PROTOCOL if transport.is_violated else session.fault
        if fault is None and not transport.is_logged_in and not session.is_excused:
            fault = Fault.WRONG_LOGIN if session.wrong_logins else Fault.NO_LOGIN
        self._gate.leave(session.address, fault, now, logged_in=transport.is_logged_in)

    def _watch(self, transport: Transport, now: Now) -> None:
        """Tell the poll what to look for, if that is not what it looks for already."""
        number = transport.session.number
        if transport.output_bytes:
            self._sending[number] = transport
        else:
            self._sending.pop(number, None)
        if transport.is_at_rest:
            return
        has_more = transport.has_leftover or transport.channel.has_pending
        # While paused, its turn comes when some is taken; and a doomed one is not heard.
        is_heard = not transport.is_paused and transport.session.closing is None
        if has_more and is_heard and not transport.is_in_line:
            self._again[number] = transport
        reading, writing = transport.wants()
        if reading is not transport.reading or writing is not transport.writing:
            transport.reading = reading
            transport.writing = writing
            try:
                self._network.watch(transport.channel, reading, writing)
            except ChannelError as error:  # nobody would ever tell of it again
                self._close(transport, str(error), now, linger=False)

    def _end_if_done(self, now: Now) -> None:
        if self._stop_by_ms is None:
            return
        everybody_left = not self._transports and self._door.is_empty
        if not everybody_left and now.monotonic_ms < self._stop_by_ms:
            return
        for transport in tuple(self._transports.values()):
            self._close(transport, "the server ended", now, linger=False)
        self._door.close()
        self._store.commit()  # when the last were seen
        self._log.flush()
        self.ended = True
