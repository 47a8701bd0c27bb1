"""The panel for scripts: one look at a running server, as text or as JSON.

It speaks as a panel that only reads, asks for all users a window at a time, and goes.

Must never ask for anything that acts. Fails with CallError when no server answers in time, and with
CodecError when it does not say what was asked.
"""

import json
from dataclasses import dataclass, replace
from typing import Final

from msgd.net import CallError, CallingNetwork, Channel, ChannelError, Clock, Wait
from msgd.panel import requests
from msgd.panel.codec import SCENE_BYTES_MAX, Lines, decode_scene, encode_request, plain_value
from msgd.panel.layout_user import sender_words, state_words, waiting_words
from msgd.panel.requests import ROWS_MAX, Look, Request
from msgd.panel.values import LogLine, Scene, Sort, UserDetails, UserRow
from msgd.panel.view import PRESENCE_WORDS, SORT_WORDS
from msgd.panel.words import (
    age_text,
    bytes_text,
    date_time_text,
    rate_text,
    sync_text,
    up_text,
)
from store.settings import Admission

PATIENCE_MS: Final = 10_000
"""For the first answer, and for all users to have been counted."""
LOG_LINES_MAX: Final = 100
RECEIVE_BYTES_MAX: Final = 1 << 16
_STORE_WORDS: Final = {
    Admission.OPEN: "OK",
    Admission.BUSY: "BUSY, new messages are put off",
    Admission.FULL: "FULL, new messages are refused",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look at."""

    sort: Sort = Sort.STATE
    filter: str = ""
    name: str | None = None
    """Of one user, to be told all about."""


class Caller:
    """One conversation with a server."""

    def __init__(self, network: CallingNetwork, clock: Clock, path: str) -> None:
        self._network = network
        self._clock = clock
        self._lines = Lines(SCENE_BYTES_MAX)
        self._unsent = b""
        self._channel: Channel = network.call(path)

    def look(self, wanted: Wanted) -> Scene:
        """One scene that holds all users. Raises CallError, CodecError."""
        try:
            self._say(
                requests.Hello(requests.VERSION, read_only=True),
                requests.Arrange(wanted.sort, inverted=False, filter=wanted.filter),
                requests.Inspect(wanted.name),
            )
            scene = self._window(0, is_first=True)
            rows = list(scene.users.rows)
            while len(rows) < scene.users.count:
                more = self._window(len(rows), is_first=False).users
                if not more.rows:
                    break  # there are fewer by now
                rows += more.rows
            return replace(scene, users=replace(scene.users, rows=tuple(rows)))
        finally:
            self._network.watch(self._channel, reading=False, writing=False)
            self._channel.close()

    def _window(self, start: int, *, is_first: bool) -> Scene:
        self._say(Look(ROWS_MAX, LOG_LINES_MAX, ROWS_MAX, tail=True, start=start))
        until_ms = self._clock.monotonic_ms() + PATIENCE_MS
        scene: Scene | None = None
        while True:
            left_ms = until_ms - self._clock.monotonic_ms()
            if left_ms <= 0:
                if scene is None or not is_first:
                    raise CallError("the server runs, but does not answer")
                return scene  # not all were counted: `counted` says so
            found = self._hear(left_ms)
            if found is None or found.users.first != min(start, found.users.count):
                continue
            scene = found
            reading = scene.user is not None and scene.user.reading
            if not is_first or (scene.counted and scene.users.ready and not reading):
                return scene

    def _say(self, *asked: Request) -> None:
        self._unsent += b"".join(map(encode_request, asked))

    def _hear(self, timeout_ms: int) -> Scene | None:
        channel = self._channel
        try:
            self._network.watch(channel, reading=True, writing=bool(self._unsent))
            ready = self._network.poll(timeout_ms)
            if self._unsent and channel in ready.writable:
                taken = channel.send(self._unsent)
                if not isinstance(taken, Wait):
                    self._unsent = self._unsent[taken:]
            data = channel.receive(RECEIVE_BYTES_MAX) if channel in ready.readable else Wait.READ
        except ChannelError as error:
            raise CallError(f"the server is gone: {error}") from None
        if isinstance(data, Wait):
            return None
        if not data:
            raise CallError("the server has ended")
        scenes = [decode_scene(line) for line in self._lines.feed(data)]
        return scenes[-1] if scenes else None


def json_text(scene: Scene) -> str:
    """One object, indented. docs/panel.md describes it."""
    return json.dumps(plain_value(scene), indent=2)


def plain_text(scene: Scene) -> str:
    """The same for people, pipes and screen readers: a line each, nothing cut."""
    lines = [*_meter_lines(scene), *(f"! {alarm}" for alarm in scene.alarms), ""]
    if scene.user is not None:
        lines += [*_user_lines(scene.user, scene.wall_ms), ""]
    lines.append(f"{scene.users.count} users, sorted by {SORT_WORDS[scene.users.sort]}:")
    lines += [_row_line(row, scene.wall_ms) for row in scene.users.rows]
    lines += ["", f"The latest {len(scene.log.lines)} events:"]
    lines += [_event_line(event) for event in scene.log.lines]
    return "\n".join(lines)


def _meter_lines(scene: Scene) -> list[str]:
    server, meters = scene.server, scene.meters
    totals, flow, status = meters.totals, meters.flow, meters.store
    name = f"msgd {server.version} on {server.address}, process {server.process_id}"
    users = f"{meters.known} known, {meters.connected} connected, {meters.silent} silent"
    used = f"{meters.sessions} of {server.connections_max} connections, {meters.logins} logins"
    queues = f"{totals.waiting} waiting for {totals.stuck} users, "
    queues += bytes_text(totals.waiting_bytes)
    if totals.oldest_ms is not None:
        queues += f", the oldest for {age_text(scene.wall_ms - totals.oldest_ms)}"
        queues += f" ({totals.oldest_name})"
    if not scene.counted:
        queues += " (not all users are counted yet)"
    store = f"{_STORE_WORDS[status.admission]}; last sync {sync_text(status.last_sync_us)}, "
    store += f"p99 {sync_text(status.p99_sync_us)}; journal {bytes_text(status.journal_bytes)}; "
    store += f"free {bytes_text(status.free_bytes)}; reserve "
    store += "kept" if status.reserve_intact else "USED"
    return [
        f"{name}, up {up_text(scene.up_ms)}, at {date_time_text(scene.wall_ms)}",
        f"Users: {users}; {used}",
        f"Queues: {queues}",
        f"Rates: in {rate_text(flow.in_per_second)}, out {rate_text(flow.out_per_second)}",
        f"Store: {store}",
    ]


def _row_line(row: UserRow, wall_ms: int) -> str:
    words = f"  {PRESENCE_WORDS[row.presence]:<5} {row.name:<32} {row.waiting:>7} waiting"
    if row.waiting:
        words += f", {bytes_text(row.waiting_bytes)}"
        if row.oldest_ms is not None:
            words += f", oldest {age_text(wall_ms - row.oldest_ms)}"
    if row.peer is not None:
        return f"{words}; from {row.peer}"
    if row.last_seen_ms is None:
        return f"{words}; never seen"
    return f"{words}; last seen {date_time_text(row.last_seen_ms)}"


def _user_lines(user: UserDetails, wall_ms: int) -> list[str]:
    return [
        f"User {user.row.name}: {state_words(user, wall_ms)}",
        f"  account since {date_time_text(user.created_at_ms)}",
        f"  waiting: {waiting_words(user, wall_ms)}",
        f"  from: {sender_words(user)}",
        *(
            f"  {date_time_text(row.received_at_ms)} {row.sender:<32} "
            f"{row.body_bytes:>6} bytes to {row.audience or 'all'}  {row.message_id}"
            for row in user.messages
        ),
    ]


def _event_line(event: LogLine) -> str:
    return f"  {date_time_text(event.at_ms)} {event.kind:<10} {event.text}"
