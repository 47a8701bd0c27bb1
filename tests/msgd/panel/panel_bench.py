"""A server and a panel on a fake terminal: people type, clients come and go, both loops turn."""

from collections.abc import Callable

from msgd.admin import Admin
from msgd.orders import Orders
from msgd.panel.attached import Attached
from msgd.panel.desk import Office
from msgd.panel.screen import Role, Screen
from msgd.panel.values import Identity
from msgd.values import Now
from store.settings import Settings
from tests.msgd.fake_machine import SMALL, Bench
from tests.msgd.panel.fake_console import FakeConsole
from tests.msgd.panel.fake_line import USER_ID, PanelNetwork


class PanelBench(Bench):
    """`press` types and lets the loops turn; `screen` is what is to be seen then."""

    def __init__(
        self,
        rows: int = 24,
        columns: int = 80,
        settings: Settings = SMALL,
        role: Role = Role.OWNER,
        *,
        ascii_only: bool = True,
    ) -> None:
        self.attached: Attached | None = None
        self.saved_bans: list[bytes] = []
        self.save_bans: Callable[[bytes], None] = self.saved_bans.append
        super().__init__(face=self._make_admin, settings=settings)
        self.network.local_path = "/d/panel.sock"
        self.attach(rows, columns, role, ascii_only=ascii_only)
        self.settle()

    def _make_admin(self, bench: Bench) -> Admin:
        self.office = Office(
            exchange=bench.exchange,
            store=bench.store,
            events=bench.events,
            identity=Identity(
                version="0.1.0",
                address="127.0.0.1:7070",
                process_id=4121,
                connections_max=1_024,
            ),
            now_ms=bench.clock.now_ms,
            monotonic_us=bench.clock.monotonic_us,
        )

        def save_bans(data: bytes) -> None:
            self.save_bans(data)

        orders = Orders(
            exchange=bench.exchange,
            events=bench.events,
            save_bans=save_bans,
        )
        self.admin = Admin(
            network=bench.network, office=self.office, orders=orders, user_id=USER_ID
        )
        return self.admin

    def attach(self, rows: int, columns: int, role: Role, *, ascii_only: bool = True) -> Attached:
        """One more panel, which is the one that is typed into from now on."""
        self.console = FakeConsole(rows, columns)
        self.line = PanelNetwork(self.network, self.console)
        self.panel_screen = Screen(role, ascii_only=ascii_only)
        self.panel_screen.resize((rows, columns))
        end = None
        if role is Role.OWNER:
            channel, end = self.line.pair()
            self.admin.adopt(channel)
        self.attached = Attached(
            network=self.line,
            clock=self.clock,
            open_console=lambda: self.console,
            screen=self.panel_screen,
            path="/d/panel.sock",
            channel=end,
        )
        return self.attached

    def settle(self, turns_max: int = 200) -> None:
        """Turn both loops until both would wait."""
        for _ in range(turns_max):
            super().settle(turns_max)
            panel = self.attached
            if panel is None or panel.done:
                if panel is not None:
                    panel.close()
                    self.attached = None
                    continue
                return
            if self.line.has_news() or panel._timeout_ms() == 0:
                panel.turn()
            elif self.reactor.ended or not self.has_news():
                return
        raise AssertionError("the loops never come to rest")

    def pass_time(self, by_ms: int) -> None:
        """Let time pass; both loops wake as often as they wanted to be woken."""
        until_ms = self.clock.now_ms + by_ms
        while self.clock.now_ms < until_ms:
            steps = [until_ms - self.clock.now_ms]
            if not self.reactor.ended:
                steps.append(self.timeout_ms())
            if self.attached is not None:
                steps.append(self.attached._timeout_ms() or 1)
            self.clock.advance_to(self.clock.now_ms + max(1, min(steps)))
            if self.reactor.ended:
                self.settle_panel()
            else:
                self.settle()

    def settle_panel(self) -> None:
        """The panel alone: its server is no more."""
        while (
            self.attached is not None
            and not self.attached.done
            and (self.line.has_news() or self.attached._timeout_ms() == 0)
        ):
            self.attached.turn()

    def end_server(self) -> None:
        """The process is gone: the kernel closes what it held."""
        self.admin.close()
        self.network.hang_up()
        self.settle_panel()

    @property
    def now(self) -> Now:
        return Now(self.clock.monotonic_ms(), self.clock.wall_ms())

    def press(self, *keys: str) -> str:
        """Type, wait for the next picture, and give it."""
        for key in keys:
            self.console.typed += key.encode("utf-8", "surrogatepass")
            self.settle()
            if not self.reactor.ended:
                self.pass_time(100)
        return self.screen

    @property
    def screen(self) -> str:
        """What is to be seen now."""
        return self.console.text

    def look(self) -> str:
        """Let a second pass, so that everything is drawn; gives the screen."""
        self.pass_time(1_000)
        return self.screen

    def row(self, word: str) -> str:
        """The first row that contains a word."""
        return next(row for row in self.console.rows if word in row)
