"""What the operator chooses: one table of options, and how their sources lie over each other.

Defaults < the configuration file < the environment (MSGD_*) < the command line. One table serves
all four and the help, so they cannot disagree.

Must never read a file or the environment itself, and never pass over an option that it does not
know: a misspelt limit would be no limit.
Fails with SettingsError, whose text names the source, the option, and what is allowed.
"""

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

from msgd import settings_auth, settings_host, settings_limits, settings_transport
from msgd.gate import GateLimits
from msgd.limits import ExchangeLimits
from msgd.options import ENVIRONMENT_PREFIX, Kind, Option, SettingsError, Value, flag, number
from msgd.reactor_limits import CONNECTIONS_MAX, DESCRIPTORS_RESERVED, ReactorLimits
from store.settings import Settings as StoreSettings
from wire import limits as wire_limits

_RULES: Final = ExchangeLimits()
_STORE: Final = StoreSettings()
_MIB: Final = 1 << 20

OPTIONS: Final = (
    Option("data", Kind.TEXT, "", "where the messages are kept", "DIR"),
    Option("host", Kind.TEXT, "127.0.0.1", "the address to listen on", "HOST"),
    Option("port", Kind.NUMBER, 7070, "the port to listen on; 0 takes any", "N", 0, 65_535),
    flag("headless", "no panel: run until a signal ends it"),
    Option("log", Kind.TEXT, "", "write events to this file (headless: stderr)", "FILE"),
    Option("config", Kind.TEXT, "", "read options from this TOML file", "FILE"),
    flag("unsafe_plaintext", "listen beyond this machine, where others can read"),
    Option(
        "color",
        Kind.TEXT,
        "auto",
        "colours in the panel (NO_COLOR counts)",
        "WHEN",
        choices=("auto", "always", "never"),
    ),
    flag("ascii", "no signs beyond ASCII in the panel"),
    number("connections_max", CONNECTIONS_MAX, 1, 100_000, "connections served at once"),
    number("login_timeout_ms", _RULES.login_timeout_ms, 100, 600_000, "to log in after connecting"),
    number("ping_idle_ms", _RULES.ping_idle_ms, 100, 3_600_000, "silence before a ping"),
    number("dead_after_ms", _RULES.dead_after_ms, 200, 7_200_000, "silence before it is closed"),
    number(
        "window_messages_max",
        _RULES.window_messages_max,
        1,
        wire_limits.WINDOW_MESSAGES_MAX,
        "messages a client may hold unconfirmed",
    ),
    number(
        "window_bytes_max",
        _RULES.window_bytes_max,
        1_024,
        wire_limits.WINDOW_BYTES_MAX,
        "bytes a client may hold unconfirmed",
    ),
    number(
        "body_bytes_max",
        _RULES.body_bytes_max,
        1,
        wire_limits.BODY_BYTES_MAX,
        "the longest message",
    ),
    number(
        "recipients_max",
        _RULES.recipients_max,
        1,
        wire_limits.RECIPIENTS_MAX,
        "recipients of one message",
    ),
    number(
        "mailbox_messages_max",
        _RULES.mailbox_messages_max,
        1,
        1 << 40,
        "messages waiting for one user",
    ),
    number(
        "mailbox_bytes_max",
        _RULES.mailbox_bytes_max,
        wire_limits.BODY_BYTES_MAX,
        1 << 50,
        "bytes waiting for one user",
    ),
    number("accounts_max", _RULES.accounts_max, 1, 10_000_000, "user names ever used"),
    number(
        "journal_segment_bytes",
        _STORE.journal_segment_bytes,
        _MIB // 2,
        64 * _MIB,
        "one file of the journal",
    ),
    number(
        "journal_bytes_max",
        _STORE.journal_bytes_max,
        2 * _MIB,
        1 << 40,
        "journal at which new messages wait",
    ),
    number(
        "checkpoint_journal_bytes",
        _STORE.checkpoint_journal_bytes,
        _MIB // 4,
        1 << 40,
        "journal that starts a checkpoint",
    ),
    number("reserve_bytes", _STORE.reserve_bytes, 0, 1 << 40, "disk kept for a full disk"),
    number("free_bytes_min", _STORE.free_bytes_min, 0, 1 << 50, "free disk for new messages"),
    *settings_host.OPTIONS,
    *settings_limits.OPTIONS,
    *settings_transport.OPTIONS,
    *settings_auth.OPTIONS,
)
BY_NAME: Final = {option.name: option for option in OPTIONS}


@dataclass(frozen=True, slots=True)
class Settings:
    """All options, each with a value that is allowed. The attributes are the rows of OPTIONS."""

    data: str
    host: str
    port: int
    headless: bool
    log: str
    config: str
    unsafe_plaintext: bool
    color: str
    ascii: bool
    connections_max: int
    login_timeout_ms: int
    ping_idle_ms: int
    dead_after_ms: int
    window_messages_max: int
    window_bytes_max: int
    body_bytes_max: int
    recipients_max: int
    mailbox_messages_max: int
    mailbox_bytes_max: int
    accounts_max: int
    journal_segment_bytes: int
    journal_bytes_max: int
    checkpoint_journal_bytes: int
    reserve_bytes: int
    free_bytes_min: int
    allow_root: bool
    log_format: str
    metrics_port: int
    early_drop: str
    source_new_max: int
    source_connections_max: int
    penalty_ms_max: int
    count_this_machine: bool
    memory_bytes_max: int
    sends_per_second_max: int
    sends_burst_max: int
    receive_bytes_per_second_max: int
    tls_cert: str
    tls_key: str
    unix_socket: str
    unix_socket_mode: str
    handshakes_per_s_max: int
    auth: str
    registration: str
    name_reserved_days: int

    def gate_limits(self) -> GateLimits:
        """Who may connect. Raises SettingsError when the rule of chance cannot be."""
        return settings_limits.gate_limits(
            early_drop=self.early_drop,
            source_new_max=self.source_new_max,
            source_connections_max=self.source_connections_max,
            penalty_ms_max=self.penalty_ms_max,
            counts_this_machine=self.count_this_machine,
            memory_bytes_max=self.memory_bytes_max,
        )

    def exchange_limits(self) -> ExchangeLimits:
        """What the rules go by. Raises SettingsError when two contradict each other."""
        try:
            return ExchangeLimits(
                login_timeout_ms=self.login_timeout_ms,
                ping_idle_ms=self.ping_idle_ms,
                dead_after_ms=self.dead_after_ms,
                window_messages_max=self.window_messages_max,
                window_bytes_max=self.window_bytes_max,
                body_bytes_max=self.body_bytes_max,
                recipients_max=self.recipients_max,
                mailbox_messages_max=self.mailbox_messages_max,
                mailbox_bytes_max=self.mailbox_bytes_max,
                accounts_max=self.accounts_max,
            )
        except ValueError as error:
            raise SettingsError(f"these options contradict each other: {error}") from None

    def store_settings(self) -> StoreSettings:
        """What the store goes by. Raises SettingsError when two contradict each other."""
        if self.checkpoint_journal_bytes * 2 > self.journal_bytes_max:
            raise SettingsError(
                "these options contradict each other: checkpoint_journal_bytes must be at most "
                "half of journal_bytes_max, or new messages would wait for no reason"
            )
        return StoreSettings(
            journal_segment_bytes=self.journal_segment_bytes,
            # A batch must fit into a segment; half of the smallest still takes any one record.
            batch_bytes_max=min(_STORE.batch_bytes_max, self.journal_segment_bytes // 2),
            journal_bytes_max=self.journal_bytes_max,
            checkpoint_journal_bytes=self.checkpoint_journal_bytes,
            reserve_bytes=self.reserve_bytes,
            free_bytes_min=self.free_bytes_min,
        )

    def reactor_limits(self, descriptors_max: int) -> ReactorLimits:
        """What the loop goes by: no more connections than there can be file descriptors.

        Raises SettingsError when there is no room for any.
        """
        room = descriptors_max - DESCRIPTORS_RESERVED
        if room < 1:
            raise SettingsError(
                f"only {descriptors_max} files may be open at once, and msgd needs more than "
                f"{DESCRIPTORS_RESERVED}; raise the limit with ulimit -n"
            )
        return ReactorLimits(
            connections_max=min(self.connections_max, room),
            sends_per_second_max=self.sends_per_second_max,
            sends_burst_max=self.sends_burst_max,
            receive_bytes_per_second_max=self.receive_bytes_per_second_max,
            handshakes_per_s_max=self.handshakes_per_s_max,
        )


@dataclass(frozen=True, slots=True)
class Layer:
    """The options that one source gives. `label` turns a name into words for an error."""

    source: str
    values: Mapping[str, Value]


def merge(layers: Sequence[Layer]) -> Settings:
    """The settings; a later layer counts more. Raises SettingsError."""
    values: dict[str, Value] = {option.name: option.default for option in OPTIONS}
    for layer in layers:
        for name, value in layer.values.items():
            option = BY_NAME.get(name)
            if option is None:
                raise SettingsError(f"{layer.source}: there is no option {name!r}{nearest(name)}")
            values[name] = check(option, value, layer.source)
    return Settings(**values)  # type: ignore[arg-type]  # `check` gave each its option's type


def check(option: Option, value: Value, source: str) -> Value:
    """The value as the option's type. Raises SettingsError for one that is not allowed."""
    where = f"{source}: {option.name}"
    if option.kind is Kind.FLAG:
        return _check_flag(value, where)
    if option.kind is Kind.TEXT:
        if not isinstance(value, str) or "\0" in value:
            raise SettingsError(f"{where} takes a text, not {value!r}")
        if option.choices and value not in option.choices:
            raise SettingsError(f"{where} is one of {', '.join(option.choices)}, not {value!r}")
        return value
    number = _parse_number(value, with_units=option.kind is Kind.BYTES)
    if number is None or not option.minimum <= number <= option.maximum:
        raise SettingsError(
            f"{where} takes a number from {option.minimum} to {option.maximum}, not {value!r}"
        )
    return number


def read_toml(data: bytes, source: str) -> Layer:
    """The options of a configuration file. Raises SettingsError."""
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise SettingsError(f"{source}: not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{source}: not TOML: {error}") from None
    except RecursionError:
        raise SettingsError(f"{source}: not TOML: too many brackets in each other") from None
    values: dict[str, Value] = {}
    for name, value in table.items():
        if name == "config":
            raise SettingsError(f"{source}: a configuration file cannot name another one")
        if not isinstance(value, str | int | bool):
            raise SettingsError(f"{source}: {name} takes a text, a number, true or false")
        values[name] = value
    return Layer(source, values)


def read_environment(environment: Mapping[str, str]) -> Layer:
    """The options of the environment: MSGD_PORT for port. An empty one counts as absent."""
    values: dict[str, Value] = {}
    for variable in sorted(environment):
        if variable.startswith(ENVIRONMENT_PREFIX) and environment[variable]:
            values[variable.removeprefix(ENVIRONMENT_PREFIX).lower()] = environment[variable]
    return Layer("environment (MSGD_…)", values)


def nearest(name: str, known: Iterable[str] = BY_NAME) -> str:
    """`; did you mean "port"?`, or nothing."""
    close = difflib.get_close_matches(name, tuple(known), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


def _check_flag(value: Value, where: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"1", "true", "yes", "on"}:
        return True
    if isinstance(value, str) and value.lower() in {"0", "false", "no", "off"}:
        return False
    raise SettingsError(f"{where} takes true or false, not {value!r}")


def _parse_number(value: Value, *, with_units: bool) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    text, factor = value.strip(), 1
    if with_units and text[-1:].upper() in {"K", "M", "G"}:
        factor = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[text[-1].upper()]
        text = text[:-1]
    # `isdecimal` lets other scripts' digits through, and int() reads underscores: neither is meant.
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        return None
    return int(text) * factor


assert tuple(field.name for field in fields(Settings)) == tuple(BY_NAME), "one row, one attribute"
