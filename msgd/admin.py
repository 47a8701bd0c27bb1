"""The panels of a running server: who attached, what they ask, and what they are shown.

A panel is a process of its own. It connects to the local socket in the data folder (or has been
started with the server, as its owner), says `panel.requests` and is sent `panel.values.Scene`s, a
line each (`panel.codec`): at most ten a second, and none before it has taken the one before. So one
that does not read holds one scene of memory, and no time.

Must never wait for a panel, and never act for another user than the one who runs the server.
Fails never: what a panel does wrong ends its connection and nothing else. When the owner's panel is
gone, the end of the server is asked for: who closes a window means to end what runs in it.
"""

from typing import Final

from msgd import verbs
from msgd.events import EventKind
from msgd.net import AcceptError, Caller, Channel, ChannelError, LocalNetwork, Ready, Wait
from msgd.orders import Orders
from msgd.panel import requests
from msgd.panel.codec import (
    REQUEST_BYTES_MAX,
    CodecError,
    Lines,
    decode_request,
    encode_error,
    encode_scene,
)
from msgd.panel.desk import Desk, Office
from msgd.values import Now
from term.safe import safe_log

PANELS_MAX: Final = 8
CALLERS_PER_TURN_MAX: Final = 4
CALLERS_PAUSE_MS: Final = 1_000
READ_BYTES_PER_TURN_MAX: Final = 2_048
"""About a hundred requests, the shortest ones."""
SCENE_MS_MIN: Final = 100
WORK_US_PER_TURN_MAX: Final = 3_000
STALL_MS_MAX: Final = 60_000
"""A panel that took nothing for so long gives its place away; it may come back."""


class Panel:
    """One attached panel: a channel, a desk, and at most one scene on the way."""

    def __init__(self, channel: Channel, desk: Desk, label: str, *, is_owner: bool) -> None:
        self.channel = channel
        self.desk = desk
        self.label = label
        self.is_owner = is_owner
        self.has_greeted = False
        self.lines = Lines(REQUEST_BYTES_MAX)
        self.output = memoryview(b"")
        self.stalled_since_ms: int | None = None
        self.shown_ms: int | None = None
        self.shown_state = (-1, -1, -1)
        self.due_ms = 0
        self.gone: str | None = None
        self.answer: tuple[int, bytes] | None = None
        """What an order came to, and the LSN that must be durable before it is told."""
        self.has_ordered = False

    @property
    def is_ready(self) -> bool:
        """Whether it wants scenes, and has taken the one before."""
        return self.desk.look is not None and not self.output and self.gone is None


class Admin:
    """What `msgd.reactor.Face` asks for."""

    def __init__(
        self, *, network: LocalNetwork, office: Office, orders: Orders, user_id: int
    ) -> None:
        self._network = network
        self._office = office
        self._orders = orders
        self._user_id = user_id
        self._panels: dict[Channel, Panel] = {}
        self._callers_back_ms: int | None = None
        self._wants_stop = False

    def adopt(self, channel: Channel) -> None:
        """The panel that was started with the server: when it goes, the server ends."""
        desk = Desk(self._office, label="the server", is_owner=True)
        self._take(Panel(channel, desk, "", is_owner=True))

    # ----- what the loop calls ----------------------------------------------------------------

    def serve(self, ready: Ready, now: Now) -> bool:
        """Hear who is there. Gives whether the end of the server was asked for."""
        if self._callers_back_ms is not None and now.monotonic_ms >= self._callers_back_ms:
            self._callers_back_ms = None
            try:
                self._network.watch_callers(wanted=True)
            except AcceptError:
                self._pause_callers(now)
        if ready.callers:
            self._admit(now)
        if self._panels:
            for channel in ready.writable:
                panel = self._panels.get(channel)
                if panel is not None:
                    self._flush(panel, now)
            for channel in ready.readable:
                panel = self._panels.get(channel)
                if panel is not None:
                    self._hear(panel, now)
            self._part(now)
        wanted, self._wants_stop = self._wants_stop, False
        return wanted

    def work(self, now: Now) -> bool:
        """Jobs and scenes, for a bounded time. True while there is more that should not wait."""
        office = self._office
        office.monitor.tick(now.monotonic_ms)
        if not self._panels:
            return False
        self._answer(now)
        if not any(panel.desk.look for panel in self._panels.values()):
            return False
        until_us = office.monotonic_us() + WORK_US_PER_TURN_MAX
        # The first of them this time is the last the next time: each has its turn.
        first = next(iter(self._panels))
        self._panels[first] = self._panels.pop(first)
        for panel in self._panels.values():
            if panel.is_ready and self._is_due(panel, now):
                panel.desk.refresh()
            panel.desk.work(until_us)
        office.census.step(until_us)
        for panel in self._panels.values():
            if panel.is_ready and self._is_due(panel, now):
                self._show(panel, now)
            stalled_ms = panel.stalled_since_ms
            if stalled_ms is not None and now.monotonic_ms - stalled_ms >= STALL_MS_MAX:
                # Its owner may not come back, so the server would end: it may stall for ever.
                panel.gone = panel.gone or (None if panel.is_owner else "it took nothing for long")
        self._part(now)
        return any(panel.desk.has_job for panel in self._panels.values())

    def deadline_ms(self) -> int | None:
        """When `work` has something to do next."""
        if self._wants_stop:
            return 0
        if not self._panels:
            return self._callers_back_ms
        deadlines = [] if self._callers_back_ms is None else [self._callers_back_ms]
        for panel in self._panels.values():
            if panel.stalled_since_ms is not None and not panel.is_owner:
                deadlines.append(panel.stalled_since_ms + STALL_MS_MAX)
            if panel.is_ready:
                deadlines.append(self._due_ms(panel))
        if any(panel.desk.look for panel in self._panels.values()):
            deadlines.append(self._office.census.deadline_us() // 1_000 + 1)
        return min(deadlines, default=None)

    def end(self, now: Now) -> None:
        """The server ends: nobody else is admitted, and the panels are told."""
        self._office.ending = True
        self._network.hang_up()
        self._callers_back_ms = None
        for panel in self._panels.values():
            panel.desk.is_dirty = True
            panel.due_ms = now.monotonic_ms

    def close(self) -> None:
        """Let go of all of them."""
        for panel in self._panels.values():
            self._network.watch(panel.channel, reading=False, writing=False)
            panel.channel.close()
        self._panels.clear()

    # ----- coming and going -------------------------------------------------------------------

    def _admit(self, now: Now) -> None:
        for _ in range(CALLERS_PER_TURN_MAX):
            try:
                caller = self._network.accept_caller()
            except AcceptError:
                self._pause_callers(now)
                return
            if caller is None:
                return
            reason = self._refusal(caller)
            if reason is not None:
                _dismiss(caller.channel, reason)
                words = f"panel of process {caller.process_id}, user {caller.user_id}: {reason}"
                self._office.events.add(EventKind.REJECT, words, now.wall_ms)
                continue
            label = f"process {caller.process_id}"
            desk = Desk(self._office, label=label, is_owner=False)
            self._take(Panel(caller.channel, desk, label, is_owner=False))

    def _pause_callers(self, now: Now) -> None:
        """Left alone, a caller that waits would turn the loop for nothing."""
        self._network.watch_callers(wanted=False)
        self._callers_back_ms = now.monotonic_ms + CALLERS_PAUSE_MS

    def _refusal(self, caller: Caller) -> str | None:
        if caller.user_id != self._user_id:
            return "only the user who runs this server may attach a panel"
        if len(self._panels) >= PANELS_MAX:
            return f"{PANELS_MAX} panels are attached, and there is no place for more"
        return None

    def _take(self, panel: Panel) -> None:
        if not any(each.desk.look for each in self._panels.values()):
            self._office.census.begin()
        self._panels[panel.channel] = panel
        self._watch(panel)

    def _part(self, now: Now) -> None:
        """Let go of those that are gone."""
        for panel in [panel for panel in self._panels.values() if panel.gone is not None]:
            del self._panels[panel.channel]
            self._network.watch(panel.channel, reading=False, writing=False)
            panel.channel.close()
            if panel.is_owner:
                self._wants_stop = True
            elif not panel.has_ordered:
                words = f"panel detached, {panel.label}: {safe_log(panel.gone or '')}"
                self._office.events.add(EventKind.NOTICE, words, now.wall_ms)

    # ----- one panel --------------------------------------------------------------------------

    def _hear(self, panel: Panel, now: Now) -> None:
        try:
            data = panel.channel.receive(READ_BYTES_PER_TURN_MAX)
        except ChannelError as error:
            panel.gone = str(error)
            return
        if isinstance(data, Wait):
            return
        if not data:
            panel.gone = "closed"
            return
        try:
            for line in panel.lines.feed(data):
                order = None if panel.has_greeted else verbs.decode_order(line)
                if order is None:
                    self._obey(panel, decode_request(line), now)
                else:
                    self._order(panel, order, now)
        except (CodecError, verbs.VerbError) as error:
            _say_last(panel.channel, str(error))
            panel.gone = str(error)

    def _obey(self, panel: Panel, request: requests.Request, now: Now) -> None:
        if not panel.has_greeted:
            if not isinstance(request, requests.Hello):
                raise CodecError("a panel must say hello first")
            if request.version != requests.VERSION:
                raise CodecError(
                    f"this server speaks version {requests.VERSION} with its panels, not "
                    f"{request.version}: use the msgd of the same installation"
                )
            panel.has_greeted = True
            if not panel.is_owner:
                words = f"panel attached by {panel.label}"
                self._office.events.add(EventKind.NOTICE, words, now.wall_ms)
        panel.desk.obey(request, now)
        if panel.desk.wants_stop:
            panel.desk.wants_stop = False
            self._wants_stop = True

    def _order(self, panel: Panel, order: verbs.Order, now: Now) -> None:
        if panel.has_ordered:
            raise CodecError("one order at a time: connect again for the next")
        panel.has_ordered = True
        answer = self._orders.obey(order, panel.label, now)
        panel.answer = (self._office.store.pending_lsn, answer.encode())

    def _answer(self, now: Now) -> None:
        """Tell what orders came to, once it is durable."""
        for panel in self._panels.values():
            if panel.answer is not None and panel.answer[0] <= self._office.store.durable_lsn:
                panel.output = memoryview(panel.answer[1])
                panel.answer = None
                self._flush(panel, now)

    def _state(self) -> tuple[int, int, int]:
        """What changes whenever there may be something new to be seen."""
        office = self._office
        return (
            office.events.total,
            office.store.state.next_number,
            len(office.exchange.sessions),
        )

    def _due_ms(self, panel: Panel) -> int:
        if panel.shown_ms is None:
            return 0
        if panel.desk.is_dirty or self._state() != panel.shown_state:
            return min(panel.due_ms, panel.shown_ms + SCENE_MS_MIN)
        return panel.due_ms

    def _is_due(self, panel: Panel, now: Now) -> bool:
        return now.monotonic_ms >= self._due_ms(panel)

    def _show(self, panel: Panel, now: Now) -> None:
        panel.shown_state = self._state()
        panel.shown_ms = now.monotonic_ms
        # Each second is shown when it begins, so that the clock on the panel does not limp.
        panel.due_ms = now.monotonic_ms + 1_000 - now.wall_ms % 1_000
        panel.output = memoryview(encode_scene(panel.desk.scene(now)))
        self._flush(panel, now)

    def _flush(self, panel: Panel, now: Now) -> None:
        if not panel.output or panel.gone is not None:
            return
        try:
            taken = panel.channel.send(panel.output)
        except ChannelError as error:
            panel.gone = str(error)
            return
        if isinstance(taken, Wait):
            if panel.stalled_since_ms is None:
                panel.stalled_since_ms = now.monotonic_ms
        else:
            panel.output = panel.output[taken:]
            panel.stalled_since_ms = now.monotonic_ms if panel.output else None
        self._watch(panel)

    def _watch(self, panel: Panel) -> None:
        try:
            self._network.watch(panel.channel, reading=True, writing=bool(panel.output))
        except ChannelError as error:  # nobody would ever tell of it again
            panel.gone = str(error)


def _say_last(channel: Channel, reason: str) -> None:
    try:
        channel.send(encode_error(reason))
    except ChannelError:
        return  # it is gone already: then there is nobody to tell


def _dismiss(channel: Channel, reason: str) -> None:
    _say_last(channel, reason)
    channel.close()
