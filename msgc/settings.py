"""The settings: defaults < configuration file < environment < command line.

    server = "tls://host"     MSGC_SERVER   --server   the server, as msgc.server reads it
    host = "chat.example"     MSGC_HOST     --host     the same in two parts
    port = 7070               MSGC_PORT     --port
    tls = false               MSGC_TLS      --tls      TLS also on this computer
    tls_ca = "ca.pem"         MSGC_TLS_CA   --tls-ca   who has to sign the server's certificate
    tls_pin = "sha256//..."   MSGC_TLS_PIN  --tls-pin  the server's key
    unsafe_plaintext = false                           no TLS to another computer either
    password_file = "..."     MSGC_PASSWORD_FILE       where the password stands; see
    password_command = "..."  MSGC_PASSWORD_COMMAND    msgc.passwords
    password_keyring = false  MSGC_PASSWORD_KEYRING
    user = "alice"            MSGC_USER     -u         who to be, for the commands
    color = "auto"            MSGC_COLOR    --color    auto, always or never (NO_COLOR: never)
    ascii = false             MSGC_ASCII    --ascii    send nothing but ASCII to the terminal
    bell = true               MSGC_BELL                ring when a message arrives
    notify = false            MSGC_NOTIFY              and have the terminal tell (OSC 9)
    quiet = "22:00-07:00"     MSGC_QUIET               but neither at these hours
    live = true               MSGC_LIVE                messages come by themselves
    ask_before_quitting = false                        also when nothing is unsent
    [keys.composer]           see docs/keys.md         other keys

Must never pass over a key that it does not know.
Fails with SettingsError, whose text names the place, the key and what would be right.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from msgc.door import TrustChoice
from msgc.known_servers import is_pin
from msgc.limits import CONFIG_BYTES_MAX
from msgc.os_files import FilesError
from msgc.passwords import PasswordChoice
from msgc.quiet_hours import QuietHours, QuietHoursError, parse_quiet_hours
from msgc.server import Server, ServerTextError, parse_server

Value: TypeAlias = str | int | bool
KeyChoices: TypeAlias = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Screen, command, and the names of the keys that it is to have."""

_DEFAULTS: Final[dict[str, Value]] = {
    "server": "",
    "tls": False,
    "tls_ca": "",
    "tls_pin": "",
    "unsafe_plaintext": False,
    "password_file": "",
    "password_command": "",
    "password_keyring": False,
    "host": "127.0.0.1",
    "port": 7070,
    "user": "",
    "color": "auto",
    "ascii": False,
    "bell": True,
    "notify": False,
    "quiet": "",
    "live": True,
    "ask_before_quitting": False,
}
_KEYS: Final = "keys"
Color: TypeAlias = Literal["auto", "always", "never"]
COLORS: Final[dict[str, Color]] = {"auto": "auto", "always": "always", "never": "never"}
_TRUTHS: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class SettingsError(Exception):
    """A setting is wrong."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds. `user` is None when nobody was named; `path` is that of a Unix socket.

    `fixed`: settings that the environment or the command line decides in this run, and which of
    the two, so that changing the file does not change them now.
    """

    host: str
    port: int
    user: str | None
    color: Color
    bell: bool
    ascii: bool = False
    notify: bool = False
    quiet: QuietHours | None = None
    live: bool = True
    ask_before_quitting: bool = False
    path: str = ""
    tls: bool = False
    trust: TrustChoice = field(default_factory=TrustChoice)
    password: PasswordChoice = field(default_factory=PasswordChoice)
    keys: KeyChoices = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def server(self) -> Server:
        """The one to connect to."""
        return Server(self.host, self.port, self.path, self.tls)


def gather(
    arguments: Mapping[str, str | None],
    environment: Mapping[str, str],
    read_text: Callable[[str, int], str | None],
    config: str,
    *,
    config_named: bool,
) -> Settings:
    """Put the settings together.

    `arguments` are those of the command line by the names above, None where not given; `config`
    is the path of the file, which must exist when the user has named it.
    """
    values = dict(_DEFAULTS)
    from_file, keys = _from_file(read_text, config, config_named=config_named)
    values.update(from_file)
    levels = dict.fromkeys(from_file, 1)
    fixed: dict[str, str] = {}
    for key in _DEFAULTS:
        place = f"MSGC_{key.upper()}"
        if environment.get(place):
            values[key] = _parse(key, environment[place], place)
            fixed[key] = place
            levels[key] = 2
    if environment.get("NO_COLOR"):
        values["color"] = "never"
        fixed["color"] = "NO_COLOR"
    for key, argument in arguments.items():
        if argument is not None:
            place = f"--{key.replace('_', '-')}"
            values[key] = _parse(key, argument, place)
            fixed[key] = place
            levels[key] = 3
    values["server"] = _server_text(values, levels)
    return _checked(values, keys, fixed)


def _from_file(
    read_text: Callable[[str, int], str | None], path: str, *, config_named: bool
) -> tuple[dict[str, Value], KeyChoices]:
    try:
        text = read_text(path, CONFIG_BYTES_MAX)
    except FilesError as error:
        raise SettingsError(str(error)) from None
    if text is None:
        if config_named:
            raise SettingsError(f"There is no configuration file {path}.")
        return {}, {}
    # Late, like difflib below: most people have no such file, and start sooner.
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from None
    except RecursionError:
        raise SettingsError(f"{path} is not TOML: too many brackets in each other.") from None
    keys = _key_choices(table.pop(_KEYS, {}), path)
    for key, value in table.items():
        if key not in _DEFAULTS:
            import difflib

            near = difflib.get_close_matches(key, _DEFAULTS, 1)
            hint = f' Did you mean "{near[0]}"?' if near else f" Known: {', '.join(_DEFAULTS)}."
            raise SettingsError(f'{path}: unknown key "{key}".{hint}')
        wanted = type(_DEFAULTS[key])
        if type(value) is not wanted:
            raise SettingsError(f'{path}: "{key}" must be a {_type_name(wanted)}.')
    return dict(table), keys


def _key_choices(table: object, path: str) -> KeyChoices:
    """`[keys.screen]` with `command = "key"` or a list of them; the names are judged later."""
    form = f'{path}: keys are chosen as [keys.composer] and send = ["^D", "F2"].'
    if not isinstance(table, dict):
        raise SettingsError(form)
    choices: dict[str, dict[str, tuple[str, ...]]] = {}
    for section, commands in table.items():
        if not isinstance(commands, dict):
            raise SettingsError(form)
        choices[section] = {}
        for command, names in commands.items():
            chosen = [names] if isinstance(names, str) else names
            if not isinstance(chosen, list) or not all(isinstance(one, str) for one in chosen):
                raise SettingsError(form)
            choices[section][command] = tuple(chosen)
    return choices


def _parse(key: str, text: str, place: str) -> Value:
    default = _DEFAULTS[key]
    if isinstance(default, bool):
        if text.lower() not in _TRUTHS:
            raise SettingsError(f"{place} must be yes or no.")
        return _TRUTHS[text.lower()]
    if isinstance(default, int):
        if not (text.isascii() and text.isdigit()):
            raise SettingsError(f"{place} must be a number.")
        return int(text)
    return text


def _server_text(values: Mapping[str, Value], levels: Mapping[str, int]) -> str:
    """What `server` comes to beside `host` and `port`: who says it last is right."""
    said, parts = levels.get("server", 0), max(levels.get("host", 0), levels.get("port", 0))
    if said == parts == 3:
        raise SettingsError("--server says host and port in one; leave out --host and --port.")
    return str(values["server"]) if said >= parts else ""


def _server(values: Mapping[str, Value]) -> Server:
    port = int(values["port"])
    if not 1 <= port <= 65_535:
        raise SettingsError(f"The port must be from 1 to 65535, not {port}.")
    if not values["host"]:
        raise SettingsError("The host must not be empty.")
    server = Server(str(values["host"]), port)
    if values["server"]:
        try:
            server = parse_server(str(values["server"]), port)
        except ServerTextError as error:
            raise SettingsError(str(error)) from None
    tls = server.tls or bool(values["tls"])
    pin = str(values["tls_pin"])
    if pin and not is_pin(pin):
        raise SettingsError(f"A pin is written sha256// and 44 characters, not {pin}.")
    if pin and values["tls_ca"]:
        raise SettingsError("A pin and authorities cannot both decide: tls_pin, or tls_ca.")
    wants_tls = tls or pin or values["tls_ca"]
    if wants_tls and (values["unsafe_plaintext"] or server.path):
        other = "a Unix socket" if server.path else "unsafe_plaintext"
        raise SettingsError(f"TLS and {other} were both asked for.")
    return replace(server, tls=tls)


def _password(values: Mapping[str, Value]) -> PasswordChoice:
    keys = ("password_file", "password_command", "password_keyring")
    if sum(bool(values[key]) for key in keys) > 1:
        raise SettingsError(f"A password has one source: {keys[0]}, {keys[1]} or {keys[2]}.")
    return PasswordChoice(
        str(values[keys[0]]), str(values[keys[1]]), bool(values["password_keyring"])
    )


def _checked(values: Mapping[str, Value], keys: KeyChoices, fixed: Mapping[str, str]) -> Settings:
    server = _server(values)
    color = COLORS.get(str(values["color"]))
    if color is None:
        raise SettingsError(f"color must be one of {', '.join(COLORS)}.")
    try:
        quiet = parse_quiet_hours(str(values["quiet"]))
    except QuietHoursError as error:
        raise SettingsError(f"quiet: {error}") from None
    return Settings(
        host=server.host,
        port=server.port,
        path=server.path,
        tls=server.tls,
        trust=TrustChoice(
            pin=str(values["tls_pin"]),
            authorities=str(values["tls_ca"]),
            unsafe_plaintext=bool(values["unsafe_plaintext"]),
        ),
        password=_password(values),
        user=str(values["user"]) or None,
        color=color,
        bell=bool(values["bell"]),
        ascii=bool(values["ascii"]),
        notify=bool(values["notify"]),
        quiet=quiet,
        live=bool(values["live"]),
        ask_before_quitting=bool(values["ask_before_quitting"]),
        keys=keys,
        fixed=fixed,
    )


def _type_name(wanted: type) -> str:
    return {str: "text", int: "number", bool: "true or false"}[wanted]
