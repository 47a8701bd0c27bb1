"""Orders that also work where no server runs: they are carried out on the data folder itself.

The folder is locked and recovered as by a server, the order obeyed by the same code, and everything
closed again.

Must never make a new store where there was none.
Fails with StoreError and DiskError; StoreLocked when a server runs that did not answer.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from msgd.events import EventLog
from msgd.exchange import Exchange
from msgd.limits import ExchangeLimits
from msgd.orders import Orders
from msgd.values import Now
from msgd.verbs import Answer, Order
from store.disk import Disk
from store.manifest import MANIFEST
from store.settings import Settings, StoreClock
from store.store import Store
from wire.codes import Registration

VERBS: Final = ("passwd", "invite")
EVENTS_MAX: Final = 16


def obey(
    order: Order,
    limits: ExchangeLimits,
    open_disk: Callable[[], Disk],
    *,
    clock: StoreClock,
    entropy: Callable[[int], bytes],
    settings: Settings,
) -> Answer:
    """Carry it out; what it changed is on the disk when this returns."""
    disk = open_disk()
    if MANIFEST not in disk.list(""):
        return Answer(done=False, text="no server runs there, and it is no data folder of msgd")
    store = Store.open(disk, clock, entropy, settings)
    events = EventLog(EVENTS_MAX)
    limits = replace(limits, registration=Registration.INVITE)  # whether it asks is not known here
    orders = Orders(exchange=Exchange(store, limits, events), events=events, save_bans=_no_bans)
    now = Now(clock.monotonic_us() // 1_000, clock.wall_ms())
    answer = orders.obey(order, "the shell", now)
    store.close()
    return answer


def _no_bans(_: bytes) -> None:
    raise AssertionError("no order here changes a ban")
