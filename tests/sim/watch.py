"""What must hold after every turn of the server: one session for each name (P4), bounds (P5).

One watch for each server process. It looks at tables that the rules fill, and counts by itself what
the rules only keep; what it says is a violation like any other.

Must never change anything, nor look at a clock of its own.
"""

from typing import Final

from msgd.exchange import Exchange
from msgd.limits import EVENTS_MAX
from msgd.session import Session
from store.limits import (
    BLOCKED_MAX,
    INSTALLATIONS_MAX,
    RECALL_RANGES_MAX,
    RECALLED_FROM_ALL_MAX,
    SEGMENTS_SPARE_MAX,
    SETTLED_RANGES_MAX,
    SYNC_SAMPLES_MAX,
    TORN_FILES_MAX,
)
from store.store import Store
from tests.sim.sim_disk import SimDisk

LOCKED_OUT_MS_MAX: Final = 2_000
"""For no longer does a session that may be dead keep its owner from coming back."""
TURNS_BETWEEN_FILES: Final = 64


class Watch:
    """See the module's text."""

    def __init__(self, exchange: Exchange, store: Store, disk: SimDisk) -> None:
        self._core = exchange._core
        self._events = exchange._core.events
        self._store = store
        self._disk = disk
        self._waiting_since_ms: dict[int, int] = {}
        self._turns = 0

    def look(self, now_ms: int) -> str:
        """What is wrong after a turn; "" when nothing is."""
        self._turns += 1
        problem = self._one_session_each() or self._locked_out(now_ms)
        for session in () if problem else self._core.sessions.values():
            if session.outstanding or session.outstanding_bytes or session.checks:
                problem = problem or self._session(session)
        if not problem and self._turns % TURNS_BETWEEN_FILES == 0:
            problem = self._accounts() or self._files()
        return problem

    # ----- P4 ---------------------------------------------------------------------------------

    def _one_session_each(self) -> str:
        """Of all connections no two are logged in under one name, nor for one account."""
        names: set[str] = set()
        accounts: set[int] = set()
        for session in self._core.sessions.values():
            if session.account is None or session.closing is not None:
                continue
            name = session.name or ""
            if name in names or session.account.number in accounts:
                return f"two sessions are logged in as {name}"
            names.add(name)
            accounts.add(session.account.number)
            if self._core.online.get(name) is not session:
                return f"{name} is logged in, and the server does not know it"
        return ""

    def _locked_out(self, now_ms: int) -> str:
        """Who waits until an older session of the name is known to be dead does not wait long."""
        waiting = {
            number: session
            for number, session in self._core.sessions.items()
            if session.waiting_for is not None and session.closing is None
        }
        since_ms = self._waiting_since_ms
        if not waiting and not since_ms:
            return ""
        self._waiting_since_ms = {number: since_ms.get(number, now_ms) for number in waiting}
        for number, at_ms in self._waiting_since_ms.items():
            if now_ms - at_ms > LOCKED_OUT_MS_MAX:
                name = waiting[number].waiting_for
                return f"{name} was locked out for {now_ms - at_ms} ms"
        return ""

    # ----- P5 ---------------------------------------------------------------------------------

    def _session(self, session: Session) -> str:
        """What is kept for one connection."""
        limits = self._core.limits
        out = session.outstanding
        out_bytes = sum([size for _, _, kind, _, size, _, _ in out.values() if kind == 1])
        if session.outstanding_bytes != out_bytes:
            return "the bytes that are out to a client are counted wrong"
        sizes = (
            ("messages out", len(out), limits.window_messages_max),
            ("bytes out", out_bytes, limits.window_bytes_max),
            ("checks", len(session.checks), limits.checks_max),
        )
        return _too_many(sizes, session.name or session.peer)

    def _accounts(self) -> str:
        """What is kept for each account that is awake, and for all of them together."""
        state = self._store.state
        ranges_max = SETTLED_RANGES_MAX + RECALL_RANGES_MAX
        for account in tuple(state.accounts.awake.values()):
            sizes = (
                ("gaps", len(account.settled), ranges_max),
                ("windows", len(account.windows), INSTALLATIONS_MAX),
                ("blocked senders", len(account.blocked), BLOCKED_MAX),
            )
            problem = _too_many(sizes, account.name)
            if problem:
                return problem
        sizes = (
            ("recalled from all", len(state.everyone.recalled), RECALLED_FROM_ALL_MAX),
            ("samples of syncs", len(self._store.journal.sync_us), SYNC_SAMPLES_MAX),
            ("events", len(self._events.latest(2 * EVENTS_MAX)), EVENTS_MAX),
        )
        return _too_many(sizes, "the server")

    def _files(self) -> str:
        """The journal, and what recoveries have put aside."""
        store = self._store
        journal = store.journal
        known = len(journal.live()) + len(journal.spares)
        left_alone = sum("left alone" in finding for finding in store.findings)
        spares = 0 if store.status().checkpoint_running else len(journal.spares)  # it drops them
        strangers = len(self._disk.list("journal")) - known
        sizes = (
            ("bytes of journal", journal.bytes_used, store.core.settings.journal_bytes_max),
            ("spare segments", spares, SEGMENTS_SPARE_MAX),
            ("other files in journal/", strangers, left_alone + 1),  # one is being made
            ("torn batches", len(self._disk.list("torn")), TORN_FILES_MAX),
        )
        return _too_many(sizes, "the folder")


def _too_many(sizes: tuple[tuple[str, int, int], ...], whose: str) -> str:
    for what, count, most in sizes:
        if count > most:
            return f"unbounded: {whose} has {count} {what}, {most} is the limit"
    return ""
