"""Where msgc starts: puts the surroundings together, and turns failures into words and exit codes.

Must never print a traceback for what a user can cause or mend.
Fails with exit code 1 and one sentence for a broken archive, folder or setting.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from io import TextIOWrapper
from typing import Final

from msgc import command_line
from msgc.archive_error import ArchiveError
from msgc.asking import Prompter
from msgc.command_end import CommandError, Exit, InterruptedTalkError, OutputError, flush
from msgc.command_guess import question
from msgc.command_line import Request
from msgc.command_options import UsageError, help_text
from msgc.door import ServerDoor
from msgc.known_servers import KnownServers, KnownServersError
from msgc.net import Channel
from msgc.os_clock import OsClock
from msgc.os_files import OsFiles, jitter, open_nowhere, random_bytes, silence
from msgc.os_net import OsNetwork
from msgc.os_secrets import OsSecrets
from msgc.outside_editor import LateEditor, OutsideEditor
from msgc.passwords import PasswordSource, PasswordSourceError
from msgc.profile import (
    BadNameError,
    ProfileError,
    Profiles,
    config_path,
    data_folder,
    known_servers_path,
    server_folder,
)
from msgc.settings import KeyChoices, SettingsError, gather
from msgc.settings_file import SettingsFile
from msgc.surroundings import Surroundings
from term.safe import safe_line

VERSION: Final = "0.1.0"
_VALUES: Final = (
    "server",
    "host",
    "port",
    "user",
    "color",
    "tls_ca",
    "tls_pin",
    "password_file",
    "password_command",
)
_SWITCHES: Final = ("ascii", "tls", "unsafe_plaintext", "password_keyring")
_INTERRUPTED: Final = 130
_NO_READER: Final = 141


def main() -> int:
    """Run msgc with the arguments of the process. The exit code."""
    if not __debug__:
        return _say(Exit.ERROR, "msgc does not run under python -O: its checks must stay on.")
    if sys.stderr is None:
        sys.stderr = open_nowhere()
    if sys.stdout is None:
        return _say(Exit.ERROR, "Standard output is closed. Nothing was done.")
    if sys.stdin is None:
        sys.stdin = open_nowhere()
    if isinstance(sys.stdout, TextIOWrapper):
        # What the person's locale has no character for becomes a question mark, and no error.
        sys.stdout.reconfigure(errors="replace")
    try:
        code = _run(sys.argv[1:])
        flush(sys.stdout)
        return code
    except OutputError as error:
        silence(sys.stdout.fileno())
        return _say(Exit.ERROR, str(error))
    except BrokenPipeError:
        silence(sys.stdout.fileno())
        return _NO_READER
    except KeyboardInterrupt:
        return _INTERRUPTED
    except InterruptedTalkError as error:
        return error.exit_code
    except (UsageError, SettingsError, BadNameError) as error:
        return _say(Exit.USAGE, str(error))
    except CommandError as error:
        return _say(error.code, str(error), *error.more)
    except (ProfileError, ArchiveError, KnownServersError, PasswordSourceError) as error:
        return _say(Exit.ERROR, str(error))


def _run(words: list[str]) -> int:
    request = command_line.parse(words)
    options = request.options
    if request.command is None and options.help:
        sys.stdout.write(help_text())
        return Exit.DONE
    if request.command is None and options.version:
        sys.stdout.write(f"msgc {VERSION}\n")
        return Exit.DONE
    world = _surroundings(request)
    if request.command is None:
        # A command typed wrong would become an account.
        in_doubt = request.meant is not None and not world.profiles.knows(options.name)
        if in_doubt and _wants_command(options.name, request.meant or ""):
            at = words.index(options.name)
            return _run([*words[:at], request.meant or "", *words[at + 1 :]])
        name = options.name if options.name is not None else options.user
        _read_password_ahead(world)
        return _run_lines(world, name) if options.plain else _run_screens(world, name)
    return command_line.run(world, request)


def _wants_command(name: str, command: str) -> bool:
    """Ask, if there is somebody to ask. Raises UsageError."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(question(name, command))
    shown = safe_line(name)
    sys.stderr.write(f'Did you mean "msgc {command}"? y: yes, n: no, connect as {shown}: ')
    sys.stderr.flush()
    answer = sys.stdin.readline().strip().lower()
    if answer not in {"y", "yes", "n", "no"}:
        raise UsageError(question(name, command))
    return answer.startswith("y")


def _read_password_ahead(world: Surroundings) -> None:
    """A program that gives the password may ask for something itself: now it has the terminal."""
    source = world.passwords
    if source.is_program and world.door.had_password:
        _say(Exit.DONE, source.waiting)
        source.read_ahead()


def _run_lines(world: Surroundings, name: str | None) -> int:
    # Late, like the screens; and without curses, so that it runs where curses cannot.
    from msgc import plain_app
    from term.plain_console import PlainConsole

    console = PlainConsole(sys.stdin.fileno(), sys.stdout.fileno(), sys.stdout.encoding)
    return plain_app.run_plain(world, console, name)


def _run_screens(world: Surroundings, name: str | None) -> int:
    # Late, so that the commands start without curses and the screens.
    from msgc import app
    from term.console import ConsoleUnsuitable
    from term.curses_console import CursesConsole

    settings = world.settings
    if settings.keys:
        _bind(settings.keys)
    try:
        console = CursesConsole(os.environ, settings.color, ascii_only=settings.ascii)
    except ConsoleUnsuitable as error:
        _say(Exit.DONE, f"{error}. This run goes on in lines.")
        return _run_lines(world, name)
    return app.run(world, console, name)


def _bind(choices: KeyChoices) -> None:
    # Late: it loads all screens for their tables, and most people keep the keys as they are.
    from msgc.screens import keys

    try:
        keys.bind(choices)
    except keys.KeyChoiceError as error:
        raise SettingsError(str(error)) from None


def _surroundings(request: Request) -> Surroundings:
    options = request.options
    files = OsFiles()
    clock = OsClock()
    named = options.config is not None
    config = options.config if named else config_path(os.environ)
    arguments = {key: getattr(options, key) for key in _VALUES}
    for key in _SWITCHES:  # the commands have no screens, and so no --ascii
        if getattr(options, key, False):
            arguments[key] = "yes"
    settings = gather(
        arguments,
        os.environ,
        files.read_text,
        config,
        config_named=named,
    )
    network = OsNetwork()
    known = KnownServers(
        files, known_servers_path(os.environ), lambda: clock.local_text(clock.wall_ms(), "%Y-%m-%d")
    )
    trust = replace(settings.trust, accept_new=bool(getattr(options, "accept_new_pin", False)))
    folder = server_folder(data_folder(os.environ), settings.server)
    return Surroundings(
        settings=settings,
        keeper=SettingsFile(config, files.read_text, files.write_text),
        editor=LateEditor(_editor),
        profiles=Profiles(files, folder, clock.wall_ms, random_bytes),
        files=files,
        network=network,
        door=ServerDoor(settings.server, trust, known, network, _tls),
        known_servers=known,
        passwords=PasswordSource(settings.password, OsSecrets(files), settings.server.name),
        random_bytes=random_bytes,
        clock=clock,
        jitter=jitter,
        terminal=_terminal,
        agent=f"msgc/{VERSION}",
        stdin=sys.stdin,
        stdout=sys.stdout,
        stderr=sys.stderr,
    )


def _tls(open_inner: Callable[[], Channel], host: str, door: ServerDoor) -> Channel:
    # Late: most connections are to this computer, and start sooner without OpenSSL.
    from msgc.os_tls import TlsChannel

    return TlsChannel(open_inner, host, door)


def _terminal() -> Prompter | None:
    # Late: few commands have to ask.
    from term.os_prompt import TerminalPrompt

    return TerminalPrompt.open()


def _editor() -> OutsideEditor:
    from msgc.os_process import OsEditor

    return OsEditor(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")


def _say(code: int, *lines: str) -> int:
    for line in lines:
        sys.stderr.write(f"msgc: {safe_line(line)}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
