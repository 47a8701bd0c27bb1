"""The server's side of one panel: obeys its requests, and makes its scenes.

Each panel has a desk of its own, with its own order, filter, cursor and place in the log. What
changes anything (kick, announce) goes through the exchange, as what a client orders does, and is
committed and released by the same turn.

Must never take long: what does is a job, done piece by piece by `work`.
Fails never; an order that cannot be carried out is answered with words.
"""

from collections.abc import Callable
from typing import Final, assert_never

from msgd.events import EventKind, EventLog
from msgd.exchange import Exchange
from msgd.panel import requests
from msgd.panel.model import LogTail, Monitor
from msgd.panel.queue import QueueLook
from msgd.panel.requests import ROWS_MAX, Part, Request
from msgd.panel.users import Census, UserTable
from msgd.panel.values import (
    SCHEMA,
    Answer,
    Identity,
    LogPart,
    Scene,
    UserDetails,
    Users,
)
from msgd.values import Now
from store.store import Store
from term.list_view import ScrollView
from term.safe import safe_line, safe_log

NAME_CHARACTERS_MAX: Final = 64


class Office:
    """What all desks of a server share."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        store: Store,
        events: EventLog,
        identity: Identity,
        now_ms: int,
        monotonic_us: Callable[[], int],
    ) -> None:
        self.exchange = exchange
        self.store = store
        self.events = events
        self.identity = identity
        self.started_ms = now_ms
        self.monotonic_us = monotonic_us
        self.monitor = Monitor(exchange, store, events, now_ms)
        self.census = Census(store, monotonic_us)
        self.ending = False


class Desk:
    """One panel's. `obey` what comes, `work` while there is something to do, `scene` to look."""

    def __init__(self, office: Office, *, label: str, is_owner: bool) -> None:
        self.wants_stop = False
        """Set by the owner's order to end the server; taken back by whoever obeys it."""
        self.look: requests.Look | None = None
        self.is_dirty = True
        """Whether something was asked since the last scene."""
        self._office = office
        self._label = label
        self._is_owner = is_owner
        self._is_read_only = False
        self._users = UserTable(office.exchange, office.store, office.monotonic_us)
        self._log = LogTail(office.events)
        self._scroll = ScrollView(follow=True)
        self._queue: QueueLook | None = None
        self._answer = Answer()

    # ----- requests ---------------------------------------------------------------------------

    def obey(self, request: Request, now: Now) -> None:
        """Do what is asked, or answer why not."""
        self.is_dirty = True
        if isinstance(request, requests.ACTING):
            if self._is_read_only:
                self._say("This panel only looks (--read-only).")
                return
            self._act(request, now)
            return
        match request:
            case requests.Hello():
                self._is_read_only = self._is_read_only or request.read_only
            case requests.Look():
                self.look = request
            case requests.Arrange():
                text = request.filter[: requests.FILTER_BYTES_MAX].lower()
                self._users.arrange(request.sort, request.inverted, text)
            case requests.Move():
                self._move(request)
            case requests.Hold():
                self._log.pause(wanted=request.paused)
            case requests.Follow():
                self._log.pause(wanted=False)
                self._scroll.follow = True
            case requests.Inspect():
                self._inspect(request.name)
            case _:
                assert_never(request)

    def _act(self, request: requests.Kick | requests.Announce | requests.Stop, now: Now) -> None:
        exchange = self._office.exchange
        match request:
            case requests.Kick(name):
                kicked = exchange.kick(name, now)
                shown = safe_line(name, NAME_CHARACTERS_MAX)
                self._say(f"{shown} was disconnected." if kicked else f"{shown} had left already.")
            case requests.Announce(text):
                if not text.strip() or len(text.encode()) > requests.ANNOUNCEMENT_BYTES_MAX:
                    self._say("An announcement has 1 to 512 bytes: nobody was told.")
                    return
                told = exchange.announce(text, now)
                self._say(f"Told {told} connected {'user' if told == 1 else 'users'}.")
            case requests.Stop(confirmed):
                if exchange.online and not confirmed:
                    self._say("Somebody has just connected, so the server goes on.")
                    return
                if not self._is_owner:
                    self._say("This panel cannot end the server: send it SIGTERM.")
                    return
                self.wants_stop = True
                return
            case _:
                assert_never(request)
        if not self._is_owner:
            words = f"{type(request).__name__.lower()} ordered by the panel of {self._label}"
            self._office.events.add(EventKind.NOTICE, safe_log(words), now.wall_ms)

    def _move(self, request: requests.Move) -> None:
        # What is no word of a list is passed over.
        if request.part is Part.USERS:
            self._users.view.handle(request.command)
        elif request.part is Part.LOG:
            self._scroll.handle(request.command)
        elif self._queue is not None:
            self._queue.scroll.handle(request.command)

    def _inspect(self, name: str | None) -> None:
        self._queue = None
        if name is None:
            return
        account = self._office.store.state.by_name.get(name)
        if account is None:
            self._say(f"There is no user {safe_line(name, NAME_CHARACTERS_MAX)}.")
            return
        self._queue = QueueLook(self._office.store, account)

    def _say(self, text: str) -> None:
        self._answer = Answer(self._answer.number + 1, safe_line(text))

    # ----- jobs -------------------------------------------------------------------------------

    @property
    def has_job(self) -> bool:
        """Whether `work` has something to do."""
        return self._users.has_job or (self._queue is not None and self._queue.has_job)

    def work(self, until_us: int) -> None:
        """Go on with what takes long, until that time."""
        had_job = self.has_job
        self._users.step(until_us)
        queue = self._queue
        while queue is not None and queue.has_job and self._office.monotonic_us() <= until_us:
            queue.step()
        if had_job and not self.has_job:
            self.is_dirty = True

    # ----- scenes -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Begin anew the jobs whose results may be out of date. Before `work`."""
        self._users.refresh()
        if self._queue is not None:
            self._queue.begin_again_if_changed()

    def scene(self, now: Now) -> Scene:
        """What is to be seen now; `look` was said before."""
        office, look = self._office, self.look
        assert look is not None
        self.is_dirty = False
        meters = office.monitor.meters(office.census.totals)
        return Scene(
            schema=SCHEMA,
            server=office.identity,
            up_ms=now.monotonic_ms - office.started_ms,
            wall_ms=now.wall_ms,
            ending=office.ending,
            counted=office.census.is_complete,
            meters=meters,
            alarms=office.monitor.alarms(meters, office.identity.connections_max, now.wall_ms),
            users=self._users_part(look),
            log=self._log_part(look),
            user=self._details(look),
            answer=self._answer,
        )

    def _users_part(self, look: requests.Look) -> Users:
        users, height = self._users, _bounded(look.users)
        selected: int | None = None
        if look.start is not None:
            start = min(max(0, look.start), users.count)
            shown = range(start, min(users.count, start + height))
        else:
            if look.users:  # on other screens it stays where it is
                users.view.set_height(height)
            shown = users.view.visible()
            selected = users.view.cursor - shown.start if shown else None
        return Users(
            sort=users.sort,
            inverted=users.inverted,
            filter=safe_line(users.filter),
            ready=users.is_ready,
            count=users.count,
            first=shown.start,
            selected=selected,
            rows=users.rows(shown) if look.users else (),
        )

    def _log_part(self, look: requests.Look) -> LogPart:
        log, height = self._log, _bounded(look.log)
        count = log.count
        if look.tail:
            shown = range(max(0, count - height), count)
        else:
            self._scroll.set_lines(count, height)
            shown = self._scroll.visible()
        return LogPart(
            count=count,
            first=shown.start,
            following=self._scroll.follow,
            paused=log.is_paused,
            missed=log.missed,
            lines=log.lines(shown.start, shown.stop) if look.log else (),
        )

    def _details(self, look: requests.Look) -> UserDetails | None:
        queue = self._queue
        state = self._office.store.state
        if queue is None or state.by_number.get(queue.account.number) is not queue.account:
            return None
        account = queue.account
        session = self._office.exchange.online.get(account.name)
        queue.scroll.set_lines(len(queue.rows), _bounded(look.queue))
        shown = queue.scroll.visible()
        return UserDetails(
            row=self._users.row(account),
            created_at_ms=account.created_at_ms,
            unconfirmed=0 if session is None else len(session.outstanding),
            outcomes=account.outcomes_waiting,
            senders=queue.senders(),
            read=len(queue.rows),
            reading=queue.has_job,
            damaged=queue.is_damaged,
            first=shown.start,
            messages=tuple(queue.rows[shown.start : shown.stop]) if look.queue else (),
        )


def _bounded(rows: int) -> int:
    return min(max(1, rows), ROWS_MAX)
