"""Where a user's things live, and who may use them now.

    $XDG_DATA_HOME/msgc/<host>_<port>/<name>.db      the archive
    $XDG_DATA_HOME/msgc/<host>_<port>/<name>.lock    held by the process that is that user now
    $XDG_CONFIG_HOME/msgc/config.toml                the settings (see msgc.settings)
    $XDG_CONFIG_HOME/msgc/known_servers              the servers met (see msgc.known_servers)

Must never let two processes talk to the server with one archive: the server would take the one
for a new connection of the other, and they would push each other out for ever.
Fails with ProfileHeldError when another process holds it, with ProfileError for a bad name or
place, and with ArchiveError; each text says what to do.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgc import words
from msgc.os_files import FilesError, HeldError, Lock, OsFiles
from msgc.server import Server

if TYPE_CHECKING:
    from msgc.archive import Archive

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?")
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


class ProfileError(Exception):
    """The profile cannot be used."""


class BadNameError(ProfileError):
    """That is no username. The text says what would be one."""


class ProfileHeldError(ProfileError):
    """Another process of this person is connected as that user."""

    def __init__(self, name: str, pid: int | None) -> None:
        super().__init__(words.held(name, pid))
        self.name = name
        self.pid = pid


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's archive, held by this process."""

    name: str
    archive: "Archive"
    lock: Lock

    def close(self) -> None:
        """Let go of it; another process may take it then."""
        self.archive.close()
        self.lock.close()


class Profiles:
    """All profiles at one server."""

    def __init__(
        self,
        files: OsFiles,
        folder: str,
        wall_ms: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """`folder` is that of the server, as `server_folder` gives it."""
        self._files = files
        self._folder = folder
        self._wall_ms = wall_ms
        self._random_bytes = random_bytes

    def open(self, name: str) -> Profile:
        """Take the profile of this user, made where missing.

        Raises ProfileHeldError, ProfileError, ArchiveError.
        """
        name = check_name(name)
        try:
            self._files.make_folder(self._folder.rpartition("/")[0])
            self._files.make_folder(self._folder)
            lock = self._files.lock(self._path(name, "lock"))
        except HeldError as error:
            raise ProfileHeldError(name, error.pid) from None
        except FilesError as error:
            raise ProfileError(str(error)) from None
        try:
            return Profile(name, self._archive(name), lock)
        except BaseException:
            lock.close()
            raise

    def visit(self, name: str) -> "Archive | None":
        """The archive of this user without being that user: to read, or to hand a message over.

        None when there is none. Raises ProfileError, ArchiveError.
        """
        name = check_name(name)
        return self._archive(name) if self._files.exists(self._path(name, "db")) else None

    def knows(self, name: str) -> bool:
        """Whether this user was here before."""
        return is_name(name) and self._files.exists(self._path(name.lower(), "db"))

    def stranger(self) -> "Archive":
        """An archive that is forgotten, of an installation that nobody knows.

        With it the server is asked without being taken for the process that holds the profile.
        """
        return self._open(None)

    def _archive(self, name: str) -> "Archive":
        path = self._path(name, "db")
        try:
            self._files.make_private(path)
        except FilesError as error:
            raise ProfileError(str(error)) from None
        return self._open(path)

    def _open(self, path: str | None) -> "Archive":
        # Late: nobody has a name yet at the first prompt, and SQLite takes its time to load.
        from msgc.archive import MEMORY, Archive

        return Archive(path or MEMORY, self._wall_ms, self._random_bytes)

    def _path(self, name: str, suffix: str) -> str:
        return f"{self._folder}/{name}.{suffix}"


def is_name(name: str) -> bool:
    """Whether a username may be written so, upper case or lower."""
    return _NAME.fullmatch(name.lower()) is not None


def check_name(name: str) -> str:
    """The name in lower case. Raises BadNameError when it is none: it becomes part of a path."""
    folded = name.lower()
    if not is_name(folded):
        raise BadNameError(words.name_rule())
    return folded


def server_folder(data_folder: str, server: Server) -> str:
    """The folder of one server; whatever is odd in a host's name is written as %XX."""
    host = f"unix:{server.path}" if server.path else server.host.lower()
    plain = "".join(
        chr(byte) if chr(byte) in _PLAIN else f"%{byte:02X}"
        for byte in host.encode("utf-8", "surrogateescape")
    )
    return f"{data_folder}/msgc/{plain}_{server.port}"


def data_folder(environment: Mapping[str, str]) -> str:
    """$XDG_DATA_HOME, or its default (XDG Base Directory Specification 0.8)."""
    return _xdg(environment, "XDG_DATA_HOME", ".local/share")


def config_path(environment: Mapping[str, str]) -> str:
    """The configuration file that is read when none is named."""
    return _xdg(environment, "XDG_CONFIG_HOME", ".config") + "/msgc/config.toml"


def known_servers_path(environment: Mapping[str, str]) -> str:
    """The file of `msgc.known_servers`."""
    return _xdg(environment, "XDG_CONFIG_HOME", ".config") + "/msgc/known_servers"


def _xdg(environment: Mapping[str, str], variable: str, default: str) -> str:
    # The specification says that a relative path is to be passed over.
    given = environment.get(variable, "")
    return given if given.startswith("/") else f"{environment.get('HOME', '/')}/{default}"
