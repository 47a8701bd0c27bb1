"""The server's real network, of which any call on a socket may be made to fail.

The sockets are real and so is the selector; before each call that the server makes on one of them
stands a hook that may raise, or say that the call does its work only in part. Nobody waits: a poll
tells what is so now, and keeps how long the server would have waited.

Must never let a fault leak what the kernel would have let go: a close that fails has closed.
"""

import selectors
import socket
from collections.abc import Callable
from errno import EINTR
from typing import TYPE_CHECKING, Final

from msgd.os_net import OsNetwork
from msgd.os_signals import WISHES

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike, ReadableBuffer

SEND_BYTES: Final = 4_096
"""What a socket of the server's takes at once: little, so that large answers wait for room."""

Meet = Callable[[str], bool]
"""Is told of each call by its kind; may raise OSError. True: the call is to do a part only."""


def all_is_well(kind: str) -> bool:
    """A hook that lets every call do its work."""
    return False


class FaultySocket(socket.socket):
    """A socket of the server's."""

    meet: Meet
    of_the_server: list["FaultySocket"]

    def accept(self) -> tuple["FaultySocket", object]:
        self.meet("accept")
        made, numbers = super().accept()
        taken = FaultySocket(made.family, made.type, made.proto, fileno=made.detach())
        taken.meet = self.meet
        taken.of_the_server = self.of_the_server
        super(FaultySocket, taken).setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        self.of_the_server.append(taken)
        return taken, numbers

    def recv(self, size: int, flags: int = 0) -> bytes:
        return super().recv(1 if self.meet("recv") else size, flags)

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:
        taken = memoryview(data)
        if self.meet("send"):
            taken = taken[: max(1, len(taken) // 2)]
        return super().send(taken, flags)

    def shutdown(self, how: int) -> None:
        self.meet("shutdown")
        super().shutdown(how)

    def setsockopt(self, level: int, name: int, value: int) -> None:  # type: ignore[override]  # only what the server calls
        self.meet("setsockopt")
        super().setsockopt(level, name, value)

    def close(self) -> None:
        was_open = self.fileno() >= 0
        super().close()
        if was_open:
            self.meet("close")


class FaultySelector(selectors.DefaultSelector):
    """The server's selector, which never waits."""

    def __init__(self, meet: Meet) -> None:
        super().__init__()
        self.meet = meet
        self.wanted_s: float | None = 0.0
        self.found = 0

    def register(
        self, fileobj: "FileDescriptorLike", events: int, data: object = None
    ) -> selectors.SelectorKey:
        if isinstance(fileobj, FaultySocket):
            self.meet("register")
        return super().register(fileobj, events, data)

    def modify(
        self, fileobj: "FileDescriptorLike", events: int, data: object = None
    ) -> selectors.SelectorKey:
        try:
            self.meet("modify")
        except OSError:
            super().unregister(fileobj)  # as the real one does before it passes the error on
            raise
        return super().modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.wanted_s = timeout
        self.found = 0
        try:
            self.meet("select")
        except OSError as error:
            if error.errno == EINTR:
                return []  # as the real one does
            raise
        ready = super().select(0)
        self.found = len(ready)
        return ready


class FaultyNetwork(OsNetwork):
    """`kill` is what the end of the process does to its sockets."""

    def __init__(self, meet: Meet) -> None:
        self.meet = meet
        self.sockets: list[FaultySocket] = []
        super().__init__(WISHES)

    def make_selector(self) -> selectors.BaseSelector:
        self.selector = FaultySelector(self.meet)
        return self.selector

    def make_socket(self, family: int) -> FaultySocket:
        made = FaultySocket(family, socket.SOCK_STREAM)
        made.meet = self.meet
        made.of_the_server = self.sockets
        self.sockets.append(made)
        return made

    @property
    def wanted_ms(self) -> int:
        """How long the last poll wanted to wait."""
        wanted_s = self.selector.wanted_s
        return 1_000 if wanted_s is None else int(wanted_s * 1_000)

    def kill(self) -> None:
        """Close everything, and let nothing fail any more."""
        self.meet = self.selector.meet = all_is_well
        for each in self.sockets:
            each.meet = all_is_well
        self.close()
        for each in self.sockets:
            each.close()
        self.sockets.clear()
