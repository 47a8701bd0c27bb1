"""The program `msgd`: it takes the machine in hand, and does what the command line says.

The only place where the real network, clock, disk, terminal and randomness are chosen.

Must never decide anything else, and never run without its assertions.
Fails with the exit codes of docs/operating.md.
"""

import gc
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal, cast

from msgd import (
    bans,
    cert,
    command_line,
    inspection,
    offline,
    order_call,
    os_files,
    os_prompt,
    os_signals,
    passwd,
)
from msgd.certificates import day_of
from msgd.command_line import Action, Command, UsageError
from msgd.host import HostError, check_user
from msgd.log import LogOutput
from msgd.metrics import Renderer
from msgd.net import CallError, Channel, ListenError, SecurityError
from msgd.options import SettingsError
from msgd.os_clock import OsClock
from msgd.os_host import keep_private, take_descriptors
from msgd.os_net import OsNetwork
from msgd.os_openssl import OpensslError, run_openssl
from msgd.os_process import PanelProcess, start_panel
from msgd.os_systemd import find_supervisor, given_fds, open_given, place_of
from msgd.os_tls import OsSecurity, read_certificate
from msgd.panel.attached import Attached
from msgd.panel.codec import CodecError
from msgd.panel.once import Caller, json_text, plain_text
from msgd.panel.screen import Role, Screen
from msgd.reactor_limits import DESCRIPTORS_WANTED
from msgd.server import EXIT_ERROR, EXIT_OK, EXIT_USAGE, PANEL_SOCKET, Machine, serve
from msgd.settings import (
    Layer,
    Settings,
    merge,
    read_environment,
    read_toml,
)
from msgd.verbs import Answer, Order, VerbError
from store.disk import Disk, DiskError
from store.errors import EXIT_REFUSED, StoreError
from store.os_disk import OsDisk
from term.console import Console, ConsoleUnsuitable
from term.os_terminal import window_size
from term.safe import safe_line
from wire.certificate import read_pin
from wire.password import PasswordError

EXIT_PIPE: Final = 141
"""What a shell says of a program that SIGPIPE ended."""
EXIT_INTERRUPTED: Final = 130
"""What a shell says of a program that C-c ended."""
LEFT_BEHIND: Final = {
    Action.FSCK: "nothing was changed",
    Action.DUMP: "nothing was changed",
    Action.REPAIR: "if no server starts on the folder now, run it again: it goes on where it was",
    Action.BACKUP: "the copy is not whole, and no server starts on it: remove it",
}
SHOWN_COLUMNS: Final = 79


def main() -> int:
    """Run the program; gives its exit code."""
    if not __debug__:
        _complain("msgd: refuses to run under python -O: its assertions guard your messages")
        return EXIT_ERROR
    try:
        command = command_line.parse(sys.argv[1:])
        if command.action is Action.HELP:
            _say(command_line.help_text().rstrip("\n"))
            return EXIT_OK
        if command.action is Action.VERSION:
            _say(command_line.version())
            return EXIT_OK
        if command.action is Action.SERVE:
            return _serve(_settings(command, os.environ))
        if command.action is Action.ORDER:
            return _order(_settings(command, os.environ), command)
        if command.action is Action.CERT:
            return _cert(command)
        if command.action is Action.PANEL:
            return _panel(_settings(command, os.environ), command)
        try:
            return _inspect(command)
        except KeyboardInterrupt:
            _complain(f"msgd: interrupted; {LEFT_BEHIND[command.action]}")
            return EXIT_INTERRUPTED
    except (UsageError, SettingsError) as error:
        _complain(f"msgd: {error}")
        _complain("msgd --help tells all options")
        return EXIT_USAGE
    except ListenError as error:
        _complain(f"msgd: {error}")
        return EXIT_ERROR
    except HostError as error:
        _complain(f"msgd: {error}")
        return EXIT_REFUSED
    except _OutputError as error:
        # What could not be written is written again at the exit, which would fail with a trace.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error.reason, BrokenPipeError):
            return EXIT_PIPE  # whoever reads has seen enough (`| head`)
        _complain(f"msgd: standard output cannot be written: {error.reason.strerror}")
        return EXIT_ERROR


class _OutputError(Exception):
    """Standard output takes no more."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _settings(command: Command, environment: Mapping[str, str]) -> Settings:
    """All sources laid over each other; the file comes first, but others say which it is."""
    from_environment = read_environment(environment)
    above = (from_environment, command.options)
    place = Layer("default", {"data": _default_data(environment)})
    path = merge((place, *above)).config
    layers = [place, *above]
    if path:
        try:
            data = os_files.read_config(path, os.getuid())
        except OSError as error:
            raise SettingsError(f"--config {path}: {error.strerror}") from None
        except os_files.UnsafeFileError as error:
            raise SettingsError(f"--config: {error}") from None
        layers.insert(1, read_toml(data, path))
    settings = merge(layers)
    if not settings.data and any("data" in layer.values for layer in layers[1:]):
        raise SettingsError("--data needs the name of a folder, and was given an empty one")
    if not settings.data:
        raise SettingsError("HOME is not set, so there is no default data folder; give --data DIR")
    return settings


def _default_data(environment: Mapping[str, str]) -> str:
    base = environment.get("XDG_STATE_HOME", "")
    if base.startswith("/"):
        return base + "/msgd"
    home = environment.get("HOME", "")
    return home + "/.local/state/msgd" if home else ""


def _serve(settings: Settings) -> int:
    check_user(os.geteuid(), allow_root=settings.allow_root)
    keep_private()
    own_panel: PanelProcess | None = None
    if not settings.headless and os.isatty(0) and os.isatty(1):
        # Before anything is opened, so that the panel holds nothing of the server's.
        begun = start_panel()
        if not isinstance(begun, PanelProcess):
            return _be_panel(settings, Role.OWNER, "", begun)
        own_panel = begun
    network = OsNetwork(os_signals.WISHES)
    given = open_given(given_fds(os.environ, os.getpid()))
    machine = Machine(
        network=network,
        clock=OsClock(),
        entropy=os.urandom,
        descriptors_max=take_descriptors(DESCRIPTORS_WANTED),
        process_id=os.getpid(),
        user_id=os.getuid(),
        given=tuple(map(place_of, given)),
        take_given=lambda: network.take_given(given),
        own_panel=own_panel,
        open_disk=_open_disk,
        open_security=lambda certificate, key: OsSecurity(certificate, key, os.getuid()),
        open_log=_open_log,
        resident_bytes=os_files.resident_bytes,
        read_private=os_files.read_private,
        write_private=os_files.write_private,
        load_metrics=_load_metrics,
        supervisor=find_supervisor(os.environ, os.getpid()),
        settle=gc.freeze,
        take_signals=lambda: os_signals.install(network.signals_fd),
        say=_say,
        complain=_complain,
    )
    try:
        return serve(settings, machine)
    finally:
        os_signals.ignore()


def _order(settings: Settings, command: Command) -> int:
    """Have a running server do something; some of it is done without one."""
    assert command.order is not None
    order, made = command.order, ""
    network = OsNetwork({})
    try:
        if order.verb == "passwd":
            twice = os_prompt.is_terminal()
            order, made = passwd.prepare(order, os_prompt.ask_secret, os.urandom, twice=twice)
        path = f"{settings.data}/{PANEL_SOCKET}"
        answer = order_call.ask(network, OsClock(), path, order)
    except CallError as error:
        if order.verb in offline.VERBS:
            return _order_offline(settings, command, order, made)
        _complain(f"msgd: no server answers on {safe_line(settings.data)}: {error}; --data DIR")
        _complain("means the server of another folder, msgd --headless starts one")
        return EXIT_ERROR
    except (VerbError, PasswordError) as error:
        _complain(f"msgd: {error}")
        return EXIT_ERROR
    except (EOFError, KeyboardInterrupt):
        _complain("msgd: no password was given; nothing was changed")
        return EXIT_ERROR
    finally:
        network.close()
    return _tell(command, answer, made)


def _order_offline(settings: Settings, command: Command, order: Order, made: str) -> int:
    keep_private()
    try:
        answer = offline.obey(
            order,
            settings.exchange_limits(),
            lambda: OsDisk(settings.data, create=False),
            clock=OsClock(),
            entropy=os.urandom,
            settings=settings.store_settings(),
        )
    except StoreError as error:
        _complain(f"msgd: {safe_line(str(error), 1_000)}")
        return error.exit_code
    except DiskError as error:
        _complain(f"msgd: {safe_line(settings.data)}: {safe_line(error.strerror or str(error))}")
        return EXIT_ERROR
    return _tell(command, answer, made)


def _tell(command: Command, answer: Answer, made: str) -> int:
    """Say what came of an order. A password that was made is told this once."""
    if made and answer.done:
        row = {"password": made}
        answer = Answer(done=True, text=answer.text, rows=(*answer.rows, row))
    if command.as_json:
        _say(order_call.json_text(answer))
    elif answer.done:
        _say(order_call.plain_text(answer))
    else:
        _complain(f"msgd: {safe_line(answer.text, 1_000)}")
    return EXIT_OK if answer.done else EXIT_ERROR


class _CertFiles:
    """See msgd.cert.CertFiles."""

    exists = staticmethod(os_files.exists)
    write_new = staticmethod(os_files.write_new)
    replace = staticmethod(os_files.write_private)


def _cert(command: Command) -> int:
    """Make a certificate, or show the pin of the one that there is."""
    wanted = command.certificate
    try:
        if wanted is None:
            path = _settings(command, os.environ).tls_cert
            if not path:
                raise UsageError("there is no certificate to show; give --tls-cert or --config")
            _say(read_pin(read_certificate(path)))
            return EXIT_OK
        keep_private()
        folder = os_files.made_folder(wanted.folder)
        cert.make(replace(wanted, folder=folder), _CertFiles(), run_openssl)
        paths = f"{folder}/{cert.CERTIFICATE_FILE}", f"{folder}/{cert.KEY_FILE}"
        made = OsSecurity(*paths, os.getuid())
    except (cert.CertError, OpensslError, SecurityError) as error:
        _complain(f"msgd: {safe_line(str(error))}")
        return EXIT_ERROR
    except OSError as error:
        _complain(f"msgd: {safe_line(str(error.filename or '--out'))}: {error.strerror}")
        return EXIT_ERROR
    _say(f"made for {', '.join(wanted.hosts)}, good until {day_of(made.end_ms)}; use it with")
    _say(f"  msgd --tls-cert {safe_line(paths[0])} --tls-key {safe_line(paths[1])}")
    _say("and tell people its pin, so that they can compare what msgc shows them:")
    _say(f"  {made.pin}")
    return EXIT_OK


def _panel(settings: Settings, command: Command) -> int:
    """Attach to a running server, or look at it once."""
    path = f"{settings.data}/{PANEL_SOCKET}"
    try:
        if command.once is not None:
            scene = Caller(OsNetwork({}), OsClock(), path).look(command.once)
            _say(json_text(scene) if command.as_json else plain_text(scene))
            return EXIT_OK
        if not (os.isatty(0) and os.isatty(1)):
            raise UsageError("standard output is not a terminal; use --once, or --once --json")
        role = Role.READ_ONLY if command.read_only else Role.ATTACHED
        return _be_panel(settings, role, path, None)
    except CallError as error:
        folder = safe_line(settings.data)
        _complain(f"msgd: no server answers on {folder}: {error}; msgd panel --data DIR looks")
        _complain("at the server of another folder, msgd --headless starts one")
        return EXIT_ERROR
    except CodecError as error:
        _complain(f"msgd: {error}")
        return EXIT_ERROR


def _be_panel(settings: Settings, role: Role, path: str, channel: Channel | None) -> int:
    """Be a panel. Raises CallError, CodecError."""
    network = OsNetwork(os_signals.PANEL_WISHES)
    os_signals.install(network.signals_fd)
    screen = Screen(role, ascii_only=settings.ascii)
    screen.resize(window_size(1) or (24, 80))
    try:
        Attached(
            network=network,
            clock=OsClock(),
            open_console=lambda: _open_console(settings, role),
            screen=screen,
            path=path,
            channel=channel,
        ).run()
    except ConsoleUnsuitable as error:
        _complain(f"msgd: {error}")
        return EXIT_ERROR
    finally:
        network.close()
    return EXIT_OK


def _open_disk(folder: str) -> Disk:
    disk = OsDisk(folder, create=True)
    if disk.remark:
        _complain(f"msgd: {disk.remark}")
    return disk


def _open_log(path: str) -> LogOutput:
    return os_files.FileOutput(path) if path else os_files.StandardErrorOutput()


def _load_metrics() -> Renderer:
    # Here, because the library is an extra, and takes its time to load.
    try:
        from msgd.metrics_text import render
    except ImportError:
        raise SettingsError(
            "metrics_port needs the package prometheus-client, which is not installed here: "
            f"{sys.executable} -m pip install prometheus-client"
        ) from None
    return render


def _open_console(settings: Settings, role: Role) -> Console:
    # Here, because a headless server needs no curses, and some machines have none.
    from term.curses_console import CursesConsole

    color = cast("Literal['auto', 'always', 'never']", settings.color)
    instead = "--headless" if role is Role.OWNER else "--once"
    return CursesConsole(os.environ, color, instead=instead)


def _inspect(command: Command) -> int:
    """fsck, dump and backup."""

    def open_disk(folder: str) -> Disk:
        return OsDisk(folder, create=False)

    folder, *names = command.arguments
    if command.action is Action.FSCK:
        return inspection.verify(folder, open_disk, _say, _complain, _show)
    if command.action is Action.REPAIR:
        keep_private()
        return inspection.mend(folder, open_disk, _say, _complain)
    if command.action is Action.BACKUP:
        keep_private()
        return inspection.copy(
            folder,
            names[0],
            open_disk,
            _open_disk,
            entropy=os.urandom,
            copy_bans=_copy_bans,
            say=_say,
            complain=_complain,
            show=_show,
        )
    return inspection.show(folder, names[0] if names else None, open_disk, _say, _complain)


def _copy_bans(folder: str, to: str) -> None:
    """Who is shut out stays so after a restore. Raises OSError."""
    data = os_files.read_private(f"{folder}/{bans.FILE_NAME}")
    if data:
        os_files.write_private(f"{to}/{bans.FILE_NAME}", data)


def _say(text: str) -> None:
    try:
        print(text, flush=True)  # noqa: T201  this is the program's standard output
    except OSError as error:
        raise _OutputError(error) from None


def _show(text: str) -> None:
    """A line that the next one replaces; only for somebody who looks."""
    if os.isatty(2):
        sys.stderr.write(f"\r{text[:SHOWN_COLUMNS]:{SHOWN_COLUMNS}}\r")
        sys.stderr.flush()


def _complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201  these are words for people


if __name__ == "__main__":
    sys.exit(main())
