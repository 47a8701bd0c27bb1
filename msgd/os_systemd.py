"""The service manager's side of the process: where it listens, and the sockets that it opened.

Its protocols are small and stable (sd_notify(3), sd_listen_fds(3)), so nothing is needed for them.

Must never block: a manager that takes nothing is not waited for.
Fails with ListenError when the manager hands over what is no listening socket.
"""

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgd.net import Address, ListenError
from msgd.supervisor import NoSupervisor, SupervisorLine

FIRST_GIVEN_FD: Final = 3
GIVEN_MAX: Final = 16
_FAMILIES: Final = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


class NotifySocket:
    """Says things to the manager: one datagram each."""

    def __init__(self, address: str, watchdog_ms: int | None) -> None:
        self.watchdog_ms = watchdog_ms
        # "@" stands for the zero byte of a name without a file: unix(7), abstract.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(0)

    def say(self, words: str) -> None:
        """See msgd.supervisor.SupervisorLine."""
        with suppress(OSError):  # it is gone, or full: then it is not to be helped from here
            self._socket.sendto(words.encode(), self._address)

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


def find_supervisor(environment: Mapping[str, str], process_id: int) -> SupervisorLine:
    """Whoever NOTIFY_SOCKET names."""
    address = environment.get("NOTIFY_SOCKET", "")
    if address[:1] not in {"/", "@"}:
        return NoSupervisor()
    return NotifySocket(address, _watchdog_ms(environment, process_id))


def _watchdog_ms(environment: Mapping[str, str], process_id: int) -> int | None:
    """WATCHDOG_USEC in milliseconds, if it is meant for this process."""
    of = environment.get("WATCHDOG_PID", "")
    time_us = environment.get("WATCHDOG_USEC", "")
    if not _is_number(time_us) or (of and of != str(process_id)):
        return None
    return max(1, int(time_us) // 1_000) if int(time_us) else None


def given_fds(environment: Mapping[str, str], process_id: int) -> tuple[int, ...]:
    """The descriptors that were opened for this process (LISTEN_FDS), not to be inherited further.

    Nothing, if they are meant for another one (LISTEN_PID).
    """
    count = environment.get("LISTEN_FDS", "")
    if environment.get("LISTEN_PID") != str(process_id) or not _is_number(count):
        return ()
    fds = tuple(range(FIRST_GIVEN_FD, FIRST_GIVEN_FD + min(int(count), GIVEN_MAX)))
    for fd in fds:
        with suppress(OSError):  # one that is closed is found out when it is used
            os.set_inheritable(fd, False)  # noqa: FBT003  # the system's own call
    return fds


def open_given(fds: Sequence[int]) -> tuple[socket.socket, ...]:
    """The listening sockets behind these descriptors, TCP or local. Raises ListenError."""
    found = []
    for fd in fds:
        try:
            given = socket.socket(fileno=fd)
            listens = given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            raise ListenError(f"descriptor {fd} of LISTEN_FDS is no socket: {reason}") from None
        if not listens or given.type != socket.SOCK_STREAM or given.family not in _FAMILIES:
            given.close()
            raise ListenError(
                f"descriptor {fd} of LISTEN_FDS does not listen for streams (of TCP, or local "
                "ones): the socket unit needs ListenStream="
            )
        given.settimeout(0)
        found.append(given)
    return tuple(found)


def place_of(given: socket.socket) -> Address | str:
    """Where it listens: an address, or a path."""
    name = given.getsockname()
    if given.family == socket.AF_UNIX:
        return os.fsdecode(name).replace("\0", "@") or "a local socket"
    return Address(str(name[0]), int(name[1]))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 18
