"""The panel in every state that looks different, each made by keys and news alone.

The golden texts in `golden/` are pictures of these. After a wanted change, record them anew and
read the difference:

    python -m tests.msgd.panel.states
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgd.events import EventKind
from msgd.panel.screen import Role
from store.settings import Admission
from term.picture import plain
from tests.msgd.fake_machine import LAZY, message
from tests.msgd.panel.panel_bench import PanelBench
from tests.sources_only import need_sources

SIZES: Final = ((16, 60), (24, 80), (43, 132))
GOLDEN: Final = Path(__file__).parent / "golden"
ESC: Final = "\x1b"

State = Callable[[int, int], PanelBench]


def picture_of(state: State) -> str:
    """The state at all sizes, with the place of the cursor."""
    parts = []
    for rows, columns in SIZES:
        picture = state(rows, columns).console.pictures[-1]
        cursor = "none"
        if picture.cursor is not None:
            cursor = f"row {picture.cursor[0]} column {picture.cursor[1]}"
        parts.append(f"===== {columns}x{rows}, cursor: {cursor}\n{plain(picture)}")
    return "".join(parts)


def empty(rows: int, columns: int) -> PanelBench:
    return PanelBench(rows, columns)


def one(rows: int, columns: int) -> PanelBench:
    bench = PanelBench(rows, columns)
    bench.user("alice")
    bench.look()
    return bench


def busy(
    rows: int, columns: int, role: Role = Role.OWNER, *, ascii_only: bool = True
) -> PanelBench:
    """Three users connected, two away, mail waiting."""
    bench = PanelBench(rows, columns, role=role, ascii_only=ascii_only)
    users = {name: bench.user(name) for name in ("alice", "bob", "carol.of-a-rather-long-name")}
    for name in ("dave", "erin"):
        user = bench.user(name)
        bench.pass_time(1)
        user.end()
    bench.settle()
    for counter in range(1, 4):
        users["alice"].say(message("alice", counter, "dave", b"x" * 500))
    users["alice"].say(message("alice", 4, "erin"))
    bench.settle()
    bench.pass_time(3_000)
    bench.look()
    return bench


def bars(rows: int, columns: int) -> PanelBench:
    """Messages for half a minute, drawn with block characters."""
    bench = busy(rows, columns, ascii_only=False)
    user = bench.user("frank")
    counter = 0
    for second in range(25):
        for _ in range(second % 9):
            counter += 1
            user.say(message("frank", counter, "dave", b"x"))
        bench.pass_time(1_000)
        if second % 10 == 0:
            bench.store.journal.sync_us.append(200 * second)
            bench.store.journal.commits += 1
    return bench


def attached(rows: int, columns: int) -> PanelBench:
    return busy(rows, columns, Role.ATTACHED)


def read_only(rows: int, columns: int) -> PanelBench:
    return busy(rows, columns, Role.READ_ONLY)


def nobody_connected(rows: int, columns: int) -> PanelBench:
    bench = PanelBench(rows, columns)
    for name in ("alice", "bob"):
        bench.user(name).end()
        bench.settle()
    bench.pass_time(4 * 86_400_000 // 1_000 * 2)
    bench.store.create_account("zoe", bench.clock.wall_ms())
    bench.look()
    return bench


def thousands(rows: int, columns: int) -> PanelBench:
    bench = PanelBench(rows, columns, settings=LAZY)
    for number in range(2_000):
        bench.store.create_account(f"user-{number:05d}", bench.clock.wall_ms())
    bench.user("user-01000")
    bench.look()
    bench.press("\x1b[6~", "\x1b[6~")
    return bench


def wide_characters(rows: int, columns: int) -> PanelBench:
    """Names that the rules refuse, as an older store might hold them."""
    bench = PanelBench(rows, columns)
    for name in ("中文名字中文名字", "böb\u202e\x1b[2J", "e\u0301\u0301\u0301\u0301", "👩‍👩‍👧‍👦"):
        bench.store.create_account(name, bench.clock.wall_ms())
    bench.events.add(EventKind.WARN, "中文 in an event, e\u0301, and 👩‍👩‍👧", bench.clock.wall_ms())
    bench.look()
    return bench


def full_disk(rows: int, columns: int) -> PanelBench:
    bench = busy(rows, columns)
    need_sources()
    bench.store.keeper.admission = lambda: Admission.FULL  # type: ignore[method-assign]  # as if
    bench.look()
    return bench


def catching_up(rows: int, columns: int) -> PanelBench:
    bench = busy(rows, columns)
    need_sources()
    bench.store.keeper.admission = lambda: Admission.BUSY  # type: ignore[method-assign]  # as if
    bench.look()
    return bench


def many_alarms(rows: int, columns: int) -> PanelBench:
    """The disk is full, slow, and damaged: three lines, and more than one ERROR."""
    bench = full_disk(rows, columns)
    for name in ("dave", "erin"):
        text = f"mailbox of {name}: mailboxes/04/7 is damaged at byte 4096: a wrong checksum"
        bench.events.add(EventKind.ERROR, text, bench.clock.wall_ms())
    bench.store.journal.sync_us.append(1_500_000)
    bench.store.journal.commits += 1
    bench.look()
    return bench


def silent(rows: int, columns: int) -> PanelBench:
    bench = one(rows, columns)
    bench.pass_time(31_000)
    bench.pass_time(2_500)
    bench.look()
    return bench


def pressed(*keys: str) -> State:
    """The busy state after some keys."""

    def make(rows: int, columns: int) -> PanelBench:
        bench = busy(rows, columns)
        bench.press(*keys)
        return bench

    return make


def user_page_of_a_long_name(rows: int, columns: int) -> PanelBench:
    bench = PanelBench(rows, columns)
    bench.user("n" * 32)
    bench.look()
    bench.press("\r")
    return bench


def log_paused(rows: int, columns: int) -> PanelBench:
    bench = busy(rows, columns)
    bench.press("Z")
    bench.user("frank")
    bench.look()
    bench.press("L")
    return bench


def server_gone(rows: int, columns: int) -> PanelBench:
    bench = busy(rows, columns, Role.ATTACHED)
    bench.end_server()
    bench.clock.advance_to(bench.clock.now_ms + 100)
    bench.settle_panel()
    return bench


def server_quiet(rows: int, columns: int) -> PanelBench:
    bench = busy(rows, columns, Role.ATTACHED)
    bench.clock.advance_to(bench.clock.now_ms + 4_000)
    assert bench.attached is not None
    bench.attached.turn()
    return bench


STATES: Final[dict[str, State]] = {
    "empty": empty,
    "one": one,
    "busy": busy,
    "bars": bars,
    "attached": attached,
    "read-only": read_only,
    "nobody-connected": nobody_connected,
    "thousands": thousands,
    "wide-characters": wide_characters,
    "full-disk": full_disk,
    "catching-up": catching_up,
    "many-alarms": many_alarms,
    "silent": silent,
    "help": pressed("?"),
    "filter-typed": pressed("/", "c", "a"),
    "filter-taken": pressed("/", "da", "\r"),
    "filter-nobody": pressed("/", "zz", "\r"),
    "inverted": pressed("I"),
    "stuck-mail": pressed("m"),
    "kick-question": pressed("j", "K"),
    "kick-nobody": pressed("G", "K"),
    "kicked": pressed("j", "K", "y"),
    "announcement-typed": pressed("a", "Down at noon."),
    "announcement-question": pressed("a", "Down at noon.", "\r"),
    "announced": pressed("a", "Down at noon.", "\r", "y"),
    "quit-question": pressed("q"),
    "ending": pressed("q", "y"),
    "user": pressed("G", "k", "\r"),
    "user-connected": pressed("\r"),
    "user-long-name": user_page_of_a_long_name,
    "log": pressed("L"),
    "log-scrolled": pressed("L", "k"),
    "log-paused": log_paused,
    "server-gone": server_gone,
    "server-quiet": server_quiet,
}


def record() -> None:
    """Write all golden texts anew, and remove those of states that are gone."""
    GOLDEN.mkdir(exist_ok=True)
    for path in GOLDEN.glob("*.txt"):
        if path.stem not in STATES:
            path.unlink()
    for name, state in STATES.items():
        (GOLDEN / f"{name}.txt").write_text(picture_of(state), encoding="utf-8")


if __name__ == "__main__":
    record()
