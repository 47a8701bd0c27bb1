"""The server put together: settings and a machine in, an exit code out.

The order of the steps is what an operator sees: what can be refused cheaply is refused first, the
terminal is taken last and given back first, and whoever connects is served at once, because the
store is recovered before the port is opened.

Must never reach for the machine itself: everything of it stands in `Machine`.
Fails with one sentence and the exit code of docs/operating.md; a bug of ours is raised.
"""

import errno
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from msgd import VERSION, bans, settings_auth
from msgd.admin import Admin
from msgd.certificates import Certificates, described
from msgd.events import EventKind, EventLog
from msgd.exchange import Exchange
from msgd.faces import join_faces
from msgd.gate import Gate
from msgd.limits import EVENTS_MAX, ExchangeLimits
from msgd.log import Log, LogError, LogOutput, NoLog
from msgd.metrics import Measures, Renderer
from msgd.metrics_page import MetricsPage
from msgd.net import (
    Address,
    BesideNetwork,
    Channel,
    Clock,
    ListenError,
    LocalNetwork,
    Security,
    SecurityError,
)
from msgd.options import SettingsError
from msgd.orders import Orders
from msgd.panel.desk import Office
from msgd.panel.values import Identity
from msgd.reactor import Face, Reactor
from msgd.reactor_limits import ReactorLimits
from msgd.settings import Settings
from msgd.settings_transport import check_pair
from msgd.supervisor import NoSupervisor, Supervisor, SupervisorLine
from msgd.values import Now
from store.disk import Disk, DiskError
from store.errors import EXIT_FAILED, EXIT_REFUSED, StoreError, StoreForbidden, StoreNoRoom
from store.settings import StoreClock
from store.store import Store
from term.safe import safe_log
from wire.codes import Registration

EXIT_OK: Final = 0
EXIT_ERROR: Final = 1
EXIT_USAGE: Final = 2
_OF_A_STORE: Final = ("MANIFEST", "MANIFEST.tmp", "LOCK", "reserve", "journal", "accounts")
_NOT_OURS: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
METRICS_HOST: Final = "127.0.0.1"
PANEL_SOCKET: Final = "panel.sock"
"""In the data folder: whoever holds the folder's lock owns it, and nobody else can reach it."""


class ServerNetwork(LocalNetwork, BesideNetwork, Protocol):
    """A network that can be asked to listen."""

    def resolve(self, host: str, port: int) -> Address:
        """The numeric address of a host. Raises ListenError."""

    def protect(self, security: Security) -> None:
        """From now on whoever comes over TCP must encrypt."""

    def listen_at(self, path: str, mode: int) -> None:
        """Listen on a local socket too, for clients. Raises ListenError."""

    def listen(self, address: Address) -> Address:
        """Begin to listen; gives the address with its real port. Raises ListenError."""

    def listen_locally(self, path: str) -> None:
        """Take callers at a local socket, in place of what stands there. Raises ListenError."""


class OwnPanel(Protocol):
    """The panel that was started with the server, on its terminal."""

    @property
    def channel(self) -> Channel:
        """The server's end of the connection to it."""

    def end(self) -> int:
        """Have it give the terminal back; its exit code. Again only gives the code."""


class ServerClock(Clock, StoreClock, Protocol):
    """The machine's clocks, for the loop and for the store."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything of the machine that a server needs. All are made by `__main__` or by a test."""

    network: ServerNetwork
    clock: ServerClock
    entropy: Callable[[int], bytes]
    descriptors_max: int
    process_id: int
    user_id: int
    own_panel: OwnPanel | None
    """None if there is no terminal, or none is wanted."""
    given: tuple[Address | str, ...]
    """Where sockets listen that were opened for us; a text is a local one. With any of them msgd
    opens none of its own for clients."""
    take_given: Callable[[], None]
    """From now on clients come through these. Raises ListenError."""
    open_disk: Callable[[str], Disk]
    """The data folder; made if it is missing. Raises StoreError."""
    open_security: Callable[[str, str], Security]
    """A certificate and its key, from their files. Raises SecurityError."""
    open_log: Callable[[str], LogOutput]
    """The log file, or standard error for "". Raises LogError."""
    resident_bytes: Callable[[], int]
    """How much memory the process has in use."""
    read_private: Callable[[str], bytes]
    """A small file of the server's own; b"" if there is none. Raises OSError."""
    write_private: Callable[[str, bytes], None]
    """Put a small file in place of what may be there. Raises OSError."""
    supervisor: SupervisorLine
    load_metrics: Callable[[], Renderer]
    """What writes metrics down. Raises SettingsError where its library is missing."""
    settle: Callable[[], None]
    """What is in memory now is there to stay: nobody need look whether it is garbage."""
    take_signals: Callable[[], None]
    """From now on signals reach the network's poll."""
    say: Callable[[str], None]
    """A line for people and scripts, on standard output."""
    complain: Callable[[str], None]
    """A line on standard error."""


def serve(settings: Settings, machine: Machine) -> int:
    """Serve until asked to end; gives the exit code."""
    try:
        try:
            code = _serve(settings, machine)
        finally:
            # Before anything is said: words on a screen that is about to vanish are lost.
            panel_code = 0 if machine.own_panel is None else machine.own_panel.end()
        # What a signal ended was ended by somebody; a panel that failed has said why.
        return EXIT_ERROR if panel_code > 0 else code
    except SettingsError as error:
        machine.complain(f"msgd: {error}")
        return EXIT_USAGE
    except SecurityError as error:
        machine.complain(f"msgd: {safe_log(str(error), 1_024)}")
        return EXIT_REFUSED
    except (ListenError, LogError) as error:
        machine.complain(f"msgd: {error}")
        return EXIT_ERROR
    except StoreNoRoom as error:
        machine.complain(f"msgd: {safe_log(str(error), 1_024)}; nothing is lost, make room")
        return error.exit_code
    except StoreError as error:
        machine.complain(f"msgd: {safe_log(str(error), 1_024)}")
        return error.exit_code
    except DiskError as error:
        words = safe_log(error.strerror or str(error), 1_024)
        if error.errno in _NOT_OURS:
            machine.complain(
                f"msgd: {settings.data}: {words}; msgd must be able to write to its data folder, "
                "see --data"
            )
            return EXIT_REFUSED
        machine.complain(f"msgd: {settings.data}: the disk failed: {words}")
        return EXIT_FAILED


def _serve(settings: Settings, machine: Machine) -> int:
    store_settings = settings.store_settings()
    limits = settings.reactor_limits(machine.descriptors_max)
    if not settings.headless and machine.own_panel is None:
        raise SettingsError(
            "standard output is not a terminal, so there can be no panel; use --headless"
        )
    render = machine.load_metrics() if settings.metrics_port else None
    places = machine.given or (machine.network.resolve(settings.host, settings.port),)
    for place in places:
        if isinstance(place, Address):
            check_exposure(place, settings)
    security = _open_security(settings, machine)
    rules = _rules(settings, places)
    # Before anything is opened: from here on a signal is a wish that the loop will read.
    machine.take_signals()
    log = Log(_log_output(settings, machine), as_json=settings.log_format == "json")
    events = EventLog(EVENTS_MAX)
    events.subscribe(log.write)
    try:
        disk = machine.open_disk(settings.data)
        check_folder(disk, settings)
        store = Store.open(disk, machine.clock, machine.entropy, store_settings)
        try:
            exchange = Exchange(store, rules, events)
            _read_bans(settings, machine, exchange)
            address = _listen(machine, places)
            if settings.metrics_port:
                machine.network.listen_beside(Address(METRICS_HOST, settings.metrics_port))
            if settings.unix_socket:
                mode = int(settings.unix_socket_mode, 8)
                machine.network.listen_at(settings.unix_socket, mode)
            _say_hello(settings, machine, store, events, address)
            _say_ways(settings, machine, events, security)
            if rules.password_needed or rules.registration != Registration.OPEN:
                _event(events, EventKind.NOTICE, settings_auth.words(rules), machine)
            warning = settings_auth.warning(rules, is_local=_is_local(places))
            unheeded = settings_auth.unheeded(rules, settings.name_reserved_days)
            for words in filter(None, (warning, unheeded)):
                _event(events, EventKind.WARN, words, machine)
            _run(
                settings=settings,
                machine=machine,
                limits=limits,
                store=store,
                exchange=exchange,
                events=events,
                log=log,
                address=address,
                render=render,
                security=security,
            )
        except (ListenError, SettingsError):
            store.close()
            raise
        # Not in a `finally`: after a StoreFailure the store must not be touched again.
        _event(events, EventKind.STOP, f"msgd {VERSION} on {address}", machine)
        store.close()
    finally:
        log.close()
        machine.network.close()
    return EXIT_OK


def _listen(machine: Machine, places: tuple[Address | str, ...]) -> str:
    """Let clients come; gives where. Raises ListenError."""
    if machine.given:
        machine.take_given()
    elif isinstance(places[0], Address):
        places = (machine.network.listen(places[0]),)
    return " and ".join(safe_log(str(place)) for place in places)


def _rules(settings: Settings, places: tuple[Address | str, ...]) -> ExchangeLimits:
    """What the rules go by; who may log in depends on who can connect. Raises SettingsError."""
    return settings_auth.with_auth(
        settings.exchange_limits(),
        auth=settings.auth,
        registration=settings.registration,
        name_reserved_days=settings.name_reserved_days,
        is_local=_is_local(places),
    )


def _is_local(places: tuple[Address | str, ...]) -> bool:
    """Whether nobody can connect from another machine."""
    hosts = [place.host for place in places if isinstance(place, Address)]
    return all(ipaddress.ip_address(host).is_loopback for host in hosts)


def _read_bans(settings: Settings, machine: Machine, exchange: Exchange) -> None:
    """Raises SettingsError: to forget whom the operator has shut out would be worse."""
    path = f"{settings.data}/{bans.FILE_NAME}"
    try:
        found = bans.decode(machine.read_private(path), machine.clock.wall_ms())
    except (OSError, bans.BanError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(f"{path}: {reason}; mend it, or move it away") from None
    for ban in found.all():
        exchange.bans.add(ban, machine.clock.wall_ms())


def check_exposure(address: Address, settings: Settings) -> None:
    """Without encryption only this machine may connect, unless the operator insists."""
    if settings.tls_cert or settings.unsafe_plaintext:
        return
    if not ipaddress.ip_address(address.host).is_loopback:
        raise SettingsError(
            f"{address.host} can be reached from other machines, and everything would pass in "
            "plain text for anybody to read or forge; give it a certificate (msgd cert makes one: "
            "--tls-cert, --tls-key), use a tunnel to 127.0.0.1, or add --unsafe-plaintext"
        )


def _open_security(settings: Settings, machine: Machine) -> Security | None:
    check_pair(settings.tls_cert, settings.tls_key)
    if not settings.tls_cert:
        return None
    security = machine.open_security(settings.tls_cert, settings.tls_key)
    machine.network.protect(security)
    return security


def check_folder(disk: Disk, settings: Settings) -> None:
    """A new store is begun in an empty folder, not among somebody's files. Raises StoreForbidden.

    A folder that holds anything with a name of the store's own is left for the store to judge: what
    an unfinished beginning leaves is no stranger, nor are our own log and configuration.
    """
    ours = {"lost+found", *(path.rpartition("/")[2] for path in (settings.log, settings.config))}
    names = [name for name in disk.list("") if name not in ours]
    if names and not any(name in _OF_A_STORE for name in names):
        disk.unlock()
        raise StoreForbidden(
            f"{settings.data}: is not empty and no data folder of msgd (there is {names[0]!r} in "
            "it); give --data a folder of its own"
        )


def _run(
    *,
    settings: Settings,
    machine: Machine,
    limits: ReactorLimits,
    store: Store,
    exchange: Exchange,
    events: EventLog,
    log: Log,
    address: str,
    render: Renderer | None,
    security: Security | None,
) -> None:
    office = Office(
        exchange=exchange,
        store=store,
        events=events,
        identity=Identity(
            version=VERSION,
            address=address,
            process_id=machine.process_id,
            connections_max=limits.connections_max,
        ),
        now_ms=machine.clock.monotonic_ms(),
        monotonic_us=machine.clock.monotonic_us,
    )
    orders = Orders(
        exchange=exchange,
        events=events,
        save_bans=lambda data: machine.write_private(f"{settings.data}/{bans.FILE_NAME}", data),
    )
    admin = Admin(network=machine.network, office=office, orders=orders, user_id=machine.user_id)
    try:
        machine.network.listen_locally(f"{settings.data}/{PANEL_SOCKET}")
    except ListenError as error:
        # The messages are what a server is for: without panels it serves as well.
        _event(events, EventKind.WARN, f"no panel can be attached: {error}", machine)
    if machine.own_panel is not None:
        admin.adopt(machine.own_panel.channel)
    faces: list[Face] = [admin]
    if security is not None:
        faces.append(Certificates(security=security, events=events))
    if not isinstance(machine.supervisor, NoSupervisor):
        supervisor = Supervisor(machine.supervisor)
        faces.append(supervisor)
        supervisor.ready(address)
    if render is not None:
        faces.append(_show_metrics(machine, office, render))
    machine.settle()
    try:
        Reactor(
            network=machine.network,
            clock=machine.clock,
            store=store,
            exchange=exchange,
            events=events,
            log=log,
            limits=limits,
            gate=Gate(
                settings.gate_limits(),
                bans=exchange.bans,
                entropy=machine.entropy,
                resident_bytes=machine.resident_bytes,
            ),
            face=join_faces(*faces),
        ).run()
    finally:
        admin.close()


def _show_metrics(machine: Machine, office: Office, render: Renderer) -> MetricsPage:
    measures = Measures(
        exchange=office.exchange,
        store=office.store,
        events=office.events,
        connections_max=office.identity.connections_max,
        started_wall_ms=machine.clock.wall_ms(),
        monotonic_us=machine.clock.monotonic_us,
    )
    return MetricsPage(machine.network, measures, render)


def _log_output(settings: Settings, machine: Machine) -> LogOutput:
    if settings.log or settings.headless:
        return machine.open_log(settings.log)
    return NoLog()


def _say_hello(
    settings: Settings, machine: Machine, store: Store, events: EventLog, address: str
) -> None:
    users = len(store.state.by_name)
    text = f"msgd {VERSION} on {address}, data in {settings.data}, {users} users"
    _event(events, EventKind.START, text, machine)
    for finding in store.findings:
        _event(events, EventKind.WARN, finding, machine)
    if settings.headless:
        machine.say(f"msgd: listening on {address}")


def _say_ways(
    settings: Settings, machine: Machine, events: EventLog, security: Security | None
) -> None:
    """What else there is to know for who wants to connect."""
    ways = []
    if settings.unix_socket:
        ways.append(f"listening on {safe_log(settings.unix_socket)} too")
    if security is not None:
        ways.append(f"TLS with the certificate {described(security)}")
    for way in ways:
        _event(events, EventKind.NOTICE, way, machine)
        if settings.headless:
            machine.say(f"msgd: {way}")


def _event(events: EventLog, kind: EventKind, text: str, machine: Machine) -> None:
    now = Now(machine.clock.monotonic_ms(), machine.clock.wall_ms())
    events.add(kind, safe_log(text), now.wall_ms)
