"""The servers that this person has met, and how each is known again; like ssh's known_hosts.

    chat.example:7070 sha256//uGBnZ…4Q= 2026-11-22 password
    mail.example:7070 ca                2026-11-22

A line is the server, what vouches for it (the pin of its key, `ca` for a certificate authority,
`-` for none: it is on this computer), the day of the first meeting, and `password` if it has asked
for one. Comments and empty lines stay as they are.

Two msgc may learn of two servers in one moment: each change is made under a lock.

Must never forget by itself, nor pass over a line that it does not understand: a server that is
taken for a new one may be somebody else. Fails with KnownServersError, which says where to look.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from msgc.limits import KNOWN_SERVERS_BYTES_MAX
from msgc.os_files import FilesError, OsFiles

CA: Final = "ca"
NOTHING: Final = "-"
_PASSWORD: Final = "password"  # noqa: S105 - a word of the file
_FIELDS: Final = (3, 4)
_PIN: Final = re.compile(r"sha256//[A-Za-z0-9+/]{43}=")


class KnownServersError(Exception):
    """The file cannot be used."""


def is_pin(text: str) -> bool:
    """Whether it is written like a pin; see `wire.certificate`."""
    return _PIN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class KnownServer:
    """One line. `trust` is a pin, CA or NOTHING; `since` a day, as the file writes it."""

    name: str
    trust: str
    since: str
    password: bool = False

    @property
    def pin(self) -> str | None:
        """The pin of its key, if that is how it is known."""
        return self.trust if is_pin(self.trust) else None

    def line(self) -> str:
        """As the file has it."""
        words = (self.name, self.trust, self.since, *((_PASSWORD,) if self.password else ()))
        return " ".join(words)


class KnownServers:
    """The file, read anew each time: another msgc may have changed it."""

    def __init__(self, files: OsFiles, path: str, today: Callable[[], str]) -> None:
        self.path = path
        self._files = files
        self._read_text = files.read_text
        self._today = today

    def all(self) -> tuple[KnownServer, ...]:
        """All of them, in the order of the file. Raises KnownServersError."""
        found = (self._parse(number, line) for number, line in enumerate(self._lines(), 1))
        return tuple(one for one in found if one is not None)

    def find(self, name: str) -> KnownServer | None:
        """The server of this name. Raises KnownServersError."""
        return next((one for one in self.all() if one.name == name), None)

    def keep_trust(self, name: str, trust: str) -> None:
        """From now on it is known by this. Raises KnownServersError."""
        with self._alone():
            known = self.find(name) or KnownServer(name, trust, self._today())
            self._put(replace(known, trust=trust))

    def keep_password(self, name: str) -> None:
        """From now on it is one that asks for a password. Raises KnownServersError."""
        known = self.find(name)
        if known is not None and known.password:
            return
        with self._alone():
            known = self.find(name) or KnownServer(name, NOTHING, self._today())
            self._put(replace(known, password=True))

    def forget(self, name: str) -> KnownServer | None:
        """It is a stranger again; gives what was known. Raises KnownServersError."""
        if self.find(name) is None:
            return None
        with self._alone():
            known = self.find(name)
            self._write([line for line in self._lines() if not _is_of(line, name)])
        return known

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else changes the file between our reading and our writing of it."""
        folder, _, file = self.path.rpartition("/")
        try:
            self._files.make_folder_if_missing(folder)
            with self._files.alone(f"{folder}/.{file}.lock"):
                yield
        except FilesError as error:
            raise KnownServersError(str(error)) from None

    def _put(self, server: KnownServer) -> None:
        lines = self._lines()
        place = next((at for at, one in enumerate(lines) if _is_of(one, server.name)), None)
        if place is None:
            lines.append(server.line())
        else:
            lines[place] = server.line()
        self._write(lines)

    def _lines(self) -> list[str]:
        try:
            text = self._read_text(self.path, KNOWN_SERVERS_BYTES_MAX)
        except FilesError as error:
            raise KnownServersError(str(error)) from None
        return (text or "").splitlines()

    def _write(self, lines: list[str]) -> None:
        try:
            with self._files.replace(self.path) as write:
                write("".join(f"{line}\n" for line in lines))
        except FilesError as error:
            raise KnownServersError(str(error)) from None

    def _parse(self, number: int, line: str) -> KnownServer | None:
        words = line.split()
        if not words or words[0].startswith("#"):
            return None
        known = words[1:2] in ([CA], [NOTHING]) or (len(words) > 1 and is_pin(words[1]))
        if len(words) not in _FIELDS or not known or words[3:] not in ([], [_PASSWORD]):
            raise KnownServersError(
                f"{self.path}, line {number}, is not understood. Mend it, or remove the line: "
                "then that server is a stranger again."
            )
        return KnownServer(words[0], words[1], words[2], password=len(words) > 3)


def _is_of(line: str, name: str) -> bool:
    return line.split()[:1] == [name]
