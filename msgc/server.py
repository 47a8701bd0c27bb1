"""Which server: its address as people write it, and as they read it.

    127.0.0.1          chat.example:7070      [2001:db8::1]:7070
    tls://chat.example                        unix:/run/msgd/msgd.socket

Must never look a name up: that a host is this computer is judged by how it is written.
Fails with ServerTextError, whose text says what would be right.
"""

from dataclasses import dataclass
from typing import Final

from msgc.limits import SOCKET_PATH_BYTES_MAX

_TLS: Final = "tls://"
_UNIX: Final = "unix:"
_FORM: Final = "A server is written host:port, tls://host:port or unix:/path"


class ServerTextError(Exception):
    """That is no address of a server."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server. `path` is that of a Unix socket, and then host and port mean nothing."""

    host: str
    port: int
    path: str = ""
    tls: bool = False

    @property
    def name(self) -> str:
        """For people, and for the file of known servers: `chat.example:7070`, `unix:/path`."""
        if self.path:
            return f"{_UNIX}{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_here(self) -> bool:
        """Whether what goes to it never leaves this computer."""
        return bool(self.path) or _is_loopback(self.host)


def parse_server(text: str, port_default: int) -> Server:
    """The server of these words; with tls:// it has `tls`. Raises ServerTextError."""
    if text.startswith(_UNIX):
        path = text.removeprefix(_UNIX)
        if not path.startswith("/") or len(path.encode("utf-8", "replace")) > SOCKET_PATH_BYTES_MAX:
            raise ServerTextError(
                f"{_FORM}; the path of a socket is whole and has at most "
                f"{SOCKET_PATH_BYTES_MAX} bytes."
            )
        return Server("", 0, path)
    tls = text.startswith(_TLS)
    host, port = _split(text.removeprefix(_TLS))
    if not host or any(character in host for character in "/ @?#"):
        raise ServerTextError(f"{_FORM}.")
    if not port:
        return Server(host, port_default, tls=tls)
    if not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65_535):
        raise ServerTextError(f"{_FORM}; a port is a number from 1 to 65535.")
    return Server(host, int(port), tls=tls)


def _split(text: str) -> tuple[str, str]:
    """Host and port; the port may be missing."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ServerTextError(f"{_FORM}.")
        return host, rest[1:]
    if text.count(":") > 1:  # a bare address of IPv6
        return text, ""
    host, colon, port = text.partition(":")
    if colon and not port:
        raise ServerTextError(f"{_FORM}.")
    return host, port


def _is_loopback(host: str) -> bool:
    if host.lower() in {"localhost", "127.0.0.1", "::1"}:
        return True
    # Late: most servers are here, and it takes 3 ms of the start.
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
