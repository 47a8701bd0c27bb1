"""What the outside world gives to a run of msgc: settings, profiles, network, clock, streams.

Made once in `msgc.__main__`, handed to the commands and to the screens (`msgc.app.run`).

Must never be made anywhere else but in tests.
Fails never.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from msgc.asking import Prompter
from msgc.command_options import UsageError
from msgc.door import ServerDoor
from msgc.known_servers import KnownServers
from msgc.net import Clock, Network
from msgc.os_files import OsFiles
from msgc.outside_editor import OutsideEditor
from msgc.passwords import PasswordSource
from msgc.profile import Profiles, check_name
from msgc.settings import Settings
from msgc.settings_file import SettingsKeeper


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`jitter` gives numbers from 0 to 1; `agent` is our name and version, for the server.

    `terminal` opens the person's for a question, or gives None where there is nobody to ask;
    `door` leads to the server, `keeper` is where changed settings go; `editor` is the person's own.
    """

    settings: Settings
    keeper: SettingsKeeper
    editor: OutsideEditor
    profiles: Profiles
    files: OsFiles
    network: Network
    door: ServerDoor
    known_servers: KnownServers
    passwords: PasswordSource
    random_bytes: Callable[[int], bytes]
    clock: Clock
    jitter: Callable[[], float]
    terminal: Callable[[], Prompter | None]
    agent: str
    stdin: TextIO
    stdout: TextIO
    stderr: TextIO


def user_of(world: Surroundings) -> str:
    """Who to be. Raises UsageError when nobody was named, BadNameError for what is no name."""
    if world.settings.user is None:
        raise UsageError("who are you? Say -u NAME, or set MSGC_USER")
    return check_name(world.settings.user)
