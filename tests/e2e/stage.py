"""One test's own world: a server, and people with clients, each with a home of their own.

Must never leave a process behind. Fails with AssertionError when something does not come up.
"""

from pathlib import Path
from typing import Any, Final

from tests.e2e import machine
from tests.e2e.machine import Finished, Running, environment, program
from tests.e2e.plain_client import PlainClient
from tests.e2e.server import Server
from tests.e2e.terminal import Terminal
from tests.msgc.schema import check_line

CONNECTED: Final = "You are connected as {}."


class Stage:
    """Makes what a test needs, and ends all of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._servers: list[Server] = []
        self._terminals: list[Terminal] = []
        self._running: list[Running] = []
        self._plain: list[PlainClient] = []

    # ----- servers ------------------------------------------------------------------------------

    @property
    def server(self) -> Server:
        """The first one."""
        return self._servers[0]

    def add_server(
        self, *, headless: bool = True, options: tuple[str, ...] = (), data: str = ""
    ) -> Server:
        """One more server, not started yet."""
        folder = self.folder / f"server-{len(self._servers)}"
        server = Server(folder, headless=headless, options=options, data=data)
        self._servers.append(server)
        return server

    def start_server(self, *, headless: bool = True, options: tuple[str, ...] = ()) -> Server:
        """A server that listens."""
        server = self.add_server(headless=headless, options=options)
        server.start()
        return server

    def msgd(self, *arguments: str) -> Finished:
        """Run the server program to its end, which it must find by itself."""
        home = self.folder / "operator"
        return machine.run(program("msgd", *arguments), environment(home), home)

    # ----- people -------------------------------------------------------------------------------

    def open_client(self, home: str, *arguments: str, rows: int = 24) -> Terminal:
        """msgc on a terminal, as the person with this home starts it; on no screen yet."""
        terminal = Terminal(program("msgc", *arguments), self.person(home), rows=rows)
        self._terminals.append(terminal)
        return terminal

    def client(self, name: str, *, rows: int = 24) -> Terminal:
        """msgc on a terminal, connected under this name, at its menu."""
        terminal = self.open_client(name, name, rows=rows)
        terminal.wait_for(CONNECTED.format(name), "Send message", "Check for messages")
        return terminal

    def msgc(self, name: str, *arguments: str, text: str | None = None) -> Finished:
        """Run a command of msgc as this user to its end."""
        words = program("msgc", "-u", name, *arguments)
        return machine.run(words, self.person(name), self._folder(name), text)

    def msgc_json(self, name: str, *arguments: str) -> list[dict[str, Any]]:
        """The JSON lines of a command that must end well, held against the documented schema."""
        done = self.msgc(name, *arguments, "--json")
        assert done.code == 0, done.err
        return [check_line(line) for line in done.out.splitlines()]

    def start_msgc(self, name: str, *arguments: str) -> Running:
        """Start a command of msgc that goes on."""
        words = program("msgc", "-u", name, *arguments)
        running = machine.start(words, self.person(name), self._folder(name))
        self._running.append(running)
        return running

    def person(self, home: str) -> dict[str, str]:
        """The environment of this person, who knows where the first server is."""
        return environment(self._folder(home)) | {"MSGC_PORT": str(self.server.port)}

    def _folder(self, home: str) -> Path:
        return self.folder / f"home-{home}"

    # ----- plain clients ------------------------------------------------------------------------

    def plain(self, installation: bytes = b"plainone") -> PlainClient:
        """A connection by the plain protocol, greeted and not logged in."""
        client = PlainClient(self.server.port, installation)
        self._plain.append(client)
        return client

    def plain_user(self, name: str, *, live: bool = False) -> PlainClient:
        """A plain client that is this user, from an installation of its own."""
        client = self.plain(name.encode().ljust(8, b".")[:8])
        client.log_in(name, live=live)
        return client

    def create(self, *names: str) -> None:
        """Accounts of people who are not there."""
        client = self.plain(b"creators")
        for name in names:
            client.create(name)
        client.log_out()

    def close(self) -> None:
        """End everything."""
        for client in self._plain:
            client.close()
        for terminal in self._terminals:
            terminal.close()
        for running in self._running:
            running.kill()
        for server in self._servers:
            server.close()


def send_one(client: Terminal, recipient: str, text: str) -> None:
    """From the menu: send a text to one user, and come back to the send screen."""
    client.send_keys("1")
    client.wait_for("1-to-1", "As the server said at", recipient)
    client.send_keys("1")
    client.wait_for("Send to one user")
    client.type(recipient)
    client.wait_for_match(rf"^> {recipient} ")
    client.send_keys("Enter")
    compose(client, f"To: {recipient}", text)


def compose(client: Terminal, to_line: str, text: str) -> None:
    """Write a text in the composer and send it; the send screen is there at the end."""
    client.wait_for("Write a message", to_line)
    client.type(text)
    client.wait_for(text)
    client.send_keys("C-d")
    client.wait_for("1-to-1", "Sent to")


def back_to_menu(client: Terminal) -> None:
    """Esc, from one level below the menu."""
    client.send_keys("Esc")
    client.wait_for("You are connected as", "Check for messages")
