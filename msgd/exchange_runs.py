"""The short way of what comes by the hundred thousand: messages of one sender in a row.

`Sending.send` is the rule and can judge every message; this does the same for the ones that pass
without question: from the sender's own installation, numbered one after the other, to one user
each, who has room. The first that is otherwise ends the run, and goes the long way. Tests hold the
two equal: the same records, the same state, the same answers.

Measured in plain Python 3.11, microseconds a message, from the frame's bytes to the answer's: 4.0
in a row, 15 one by one.

Must never take what `Sending.send` would refuse.
Fails never.
"""

from typing import Final

from msgd.events import EventKind
from msgd.exchange_core import Core
from msgd.exchange_sending import names_text
from msgd.session import Session
from msgd.values import Now
from store.settings import Admission
from store.state import Account, Sent
from wire.runs import ID_AT, SendToOne, write_pendings

OPEN: Final = Admission.OPEN


class Runs:
    """See the module's text."""

    __slots__ = ("_core", "_store")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._store = core.store

    def send(self, session: Session, sends: list[SendToOne], now: Now) -> int:
        """SEND_MESSAGEs in a row: how many of them were taken; the next is for `Sending.send`."""
        sender, installation = session.account, session.installation
        assert sender is not None
        window = None if installation is None else sender.windows.get(installation)
        # Admission is asked once for all: a run is one turn's, and what it adds is bounded.
        if window is None or sender.closing_number or self._store.admission is not OPEN:
            return 0
        run, ids = self._judge(sender.number, sends, installation, window.highest)
        if not run:
            return 0
        at_ms = self._store.accept_run(sender, window, run, now.wall_ms)
        self._core.say_bytes(session, write_pendings(ids, at_ms))
        self._tell(sender, run, now)
        return len(run)

    def _judge(
        self, sender: int, sends: list[SendToOne], installation: bytes | None, highest: int
    ) -> tuple[list[Sent], list[bytes]]:
        """Those that pass without question: what is to be kept, and what answers repeat."""
        core = self._core
        accounts = core.state.accounts
        hot = accounts.hot
        limits = core.limits
        body_bytes_max = limits.body_bytes_max
        # Nobody's mailbox may be filled by a run, even if all of it went to one user: then the
        # counts as they stand before it are enough to look at. No body is longer than the frames.
        messages_max = limits.mailbox_messages_max - len(sends)
        bytes_max = limits.mailbox_bytes_max - sends[-1][0]
        run: list[Sent] = []
        ids: list[bytes] = []
        judged: bytes | None = None  # the name of this account, which has room for all of them
        account: Account | None = None
        for _, request_and_id, whose, counter, name, body in sends:
            highest += 1
            if counter != highest or whose != installation or not 0 < len(body) <= body_bytes_max:
                break
            if name != judged:
                account = hot.get(name) or accounts.warm(name)
                judged = name
                if (
                    account is None
                    or account.closing_number
                    or account.own_messages >= messages_max
                    or account.own_bytes >= bytes_max
                    or (account.blocked and sender in account.blocked)
                ):
                    break
            assert account is not None
            ids.append(request_and_id)
            run.append((request_and_id[ID_AT:], account, body))
        return run, ids

    def _tell(self, sender: Account, run: list[Sent], now: Now) -> None:
        """Have those who are online handed what is theirs; one event for all."""
        core = self._core
        online = core.online
        count = len(run)
        if count == 1:
            recipients = [run[0][1]]
        else:
            recipients = list(dict.fromkeys([account for _, account, _ in run]))
        for account in recipients:
            told = online.get(account.name)
            if told is not None and not told.in_pump:
                core.mark(told)
        core.tally.accepted += count
        core.tally.accepted_bytes += sum([len(body) for _, _, body in run])
        aside = f" ({count} messages)" if count > 1 else ""
        core.note(EventKind.SEND, f"{sender.name} to {names_text(recipients)}{aside}", now)
