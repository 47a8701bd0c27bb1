"""The server's side of the operator's orders: a table from verbs to what they do.

An order comes over the local socket (`msgd.admin`, which has looked whose it is), changes the state
like a client's request does, and is answered once what it changed is durable.

Must never take long: it is done within one turn of the loop.
Fails never; an order that cannot be carried out is answered with words.
"""

import ipaddress
from collections.abc import Callable
from typing import Final

from msgd import names
from msgd.bans import REASON_CHARACTERS_MAX, Ban, BanError, Bans, read_whom
from msgd.events import EventKind, EventLog
from msgd.exchange import Exchange
from msgd.orders_admission import change_password, manage_invites
from msgd.session import Session
from msgd.values import Now
from msgd.verbs import Answer, Arguments, Order
from term.safe import safe_log

MINUTE_MS: Final = 60_000
MINUTES_MAX: Final = 5_256_000
"""Ten years."""
Obey = Callable[[Arguments, Now], Answer]


class Orders:
    """All verbs. `obey` does one, and says what came of it."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        events: EventLog,
        save_bans: Callable[[bytes], None],
    ) -> None:
        """`save_bans` writes the file of bans whole; it raises OSError."""
        self._exchange = exchange
        self._events = events
        self._save_bans = save_bans
        self._verbs: dict[str, Obey] = {
            "kick": self._kick,
            "ban": self._ban,
            "unban": self._unban,
            "bans": self._list_bans,
            "passwd": lambda arguments, now: change_password(exchange, arguments, now),
            "invite": lambda arguments, now: manage_invites(exchange, arguments, now),
        }

    def obey(self, order: Order, label: str, now: Now) -> Answer:
        """Do it. `label` says who ordered it, and is safe to show."""
        obey = self._verbs.get(order.verb)
        if obey is None:
            return Answer(done=False, text=f"this server has no order {order.verb[:32]!r}")
        answer = obey(order.arguments, now)
        words = f"{order.verb} ordered by {label}: {answer.text}"
        self._events.add(EventKind.NOTICE, safe_log(words), now.wall_ms)
        return answer

    # ----- sessions ---------------------------------------------------------------------------

    def _kick(self, arguments: Arguments, now: Now) -> Answer:
        name = names.fold(_text(arguments, "name"))
        if self._exchange.kick(name, now, _text(arguments, "reason")):
            return Answer(done=True, text=f"{name} was disconnected")
        if names.is_valid(name) and self._exchange.knows(name):
            return Answer(done=False, text=f"{name} is not connected")
        return Answer(done=False, text=f"there is no user {name}")

    # ----- bans -------------------------------------------------------------------------------

    @property
    def _bans(self) -> Bans:
        return self._exchange.bans

    def _ban(self, arguments: Arguments, now: Now) -> Answer:
        minutes = arguments.get("minutes", 0)
        minutes = max(0, min(minutes, MINUTES_MAX)) if isinstance(minutes, int) else 0
        reason = _text(arguments, "reason")
        try:
            whom = read_whom(_text(arguments, "whom"), is_name=bool(arguments.get("name")))
            until_ms = now.wall_ms + minutes * MINUTE_MS if minutes else None
            self._bans.add(Ban(whom, now.wall_ms, until_ms, reason), now.wall_ms)
        except BanError as error:
            return Answer(done=False, text=str(error))
        ended = sum(self._end(session, reason, now) for session in self._of(whom))
        for_long = f"for {minutes} minutes" if minutes else "until it is taken back"
        text = f"{whom} is banned {for_long}"
        if ended:
            text += f"; {ended} session{'s' * (ended != 1)} ended"
        return self._saved(text)

    def _unban(self, arguments: Arguments, now: Now) -> Answer:
        self._bans.forget_old(now.wall_ms)
        try:
            whom = read_whom(_text(arguments, "whom"), is_name=bool(arguments.get("name")))
        except BanError as error:
            return Answer(done=False, text=str(error))
        if not self._bans.remove(whom):
            return Answer(done=False, text=f"there is no ban of {whom}; msgd bans lists all")
        return self._saved(f"{whom} is not banned any more")

    def _list_bans(self, _: Arguments, now: Now) -> Answer:
        self._bans.forget_old(now.wall_ms)
        rows = tuple(
            {
                "whom": ban.whom,
                "since_ms": ban.since_ms,
                "until_ms": ban.until_ms,
                "reason": ban.reason,
            }
            for ban in self._bans.all()
        )
        text = "nobody is banned" if not rows else f"{len(rows)} ban{'s' * (len(rows) != 1)}"
        return Answer(done=True, text=text, rows=rows)

    def _of(self, whom: str) -> list[Session]:
        """The sessions that a ban ends."""
        if "/" not in whom:
            session = self._exchange.online.get(whom)
            return [] if session is None else [session]
        net = ipaddress.ip_network(whom)
        return [
            session
            for session in self._exchange.sessions.values()
            if session.address is not None and session.address in net
        ]

    def _end(self, session: Session, reason: str, now: Now) -> bool:
        return self._exchange.end_session(session, "banned by the operator", reason, now)

    def _saved(self, text: str) -> Answer:
        try:
            self._save_bans(self._bans.encode())
        except OSError as error:
            reason = error.strerror or "it cannot be written"
            return Answer(
                done=False, text=f"{text}, but only until the server ends: the file: {reason}"
            )
        return Answer(done=True, text=text)


def _text(arguments: Arguments, name: str) -> str:
    """An argument that is a text; one line of it."""
    value = arguments.get(name, "")
    if not isinstance(value, str):
        return ""
    return " ".join(value.split())[:REASON_CHARACTERS_MAX]
