"""A server with a panel on a fake terminal: people type, clients come and go, the loop turns."""

from msgd.panel.panel import Panel
from msgd.panel.values import Identity
from store.settings import Settings
from tests.msgd.fake_machine import SMALL, Bench
from tests.msgd.panel.fake_console import FakeConsole


class PanelBench(Bench):
    """`press` types and lets the loop turn; `screen` is what is to be seen then."""

    def __init__(self, rows: int = 24, columns: int = 80, settings: Settings = SMALL) -> None:
        self.console = FakeConsole(rows, columns)
        super().__init__(face=self._make_panel, settings=settings)
        self.settle()

    def _make_panel(self, bench: Bench) -> Panel:
        self.panel = Panel(
            console=self.console,
            clock=bench.clock,
            exchange=bench.exchange,
            store=bench.store,
            events=bench.events,
            identity=Identity(
                version="0.1.0",
                address="127.0.0.1:7070",
                process_id=4121,
                started_ms=bench.clock.now_ms,
                connections_max=1_024,
            ),
            ascii_only=True,
        )
        return self.panel

    def press(self, *keys: str) -> str:
        """Type, wait for the next picture, and give it."""
        for key in keys:
            self.console.typed += key.encode()
            self.network.console_ready = True
            self.reactor.turn()
            self.network.console_ready = False
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
