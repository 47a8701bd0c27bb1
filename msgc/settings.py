"""The settings: defaults < configuration file < environment < command line.

    host = "chat.example"     MSGC_HOST     --host     the server
    port = 7070               MSGC_PORT     --port
    user = "alice"            MSGC_USER     -u         who to be, for the commands
    color = "auto"            MSGC_COLOR    --color    auto, always or never (NO_COLOR: never)
    bell = true               MSGC_BELL                ring when a message arrives

Must never pass over a key that it does not know.
Fails with SettingsError, whose text names the place, the key and what would be right.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from msgc.limits import CONFIG_BYTES_MAX
from msgc.os_files import FilesError

Value: TypeAlias = str | int | bool

_DEFAULTS: Final[dict[str, Value]] = {
    "host": "127.0.0.1",
    "port": 7070,
    "user": "",
    "color": "auto",
    "bell": True,
}
Color: TypeAlias = Literal["auto", "always", "never"]
COLORS: Final[dict[str, Color]] = {"auto": "auto", "always": "always", "never": "never"}
_TRUTHS: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class SettingsError(Exception):
    """A setting is wrong."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds. `user` is None when nobody was named."""

    host: str
    port: int
    user: str | None
    color: Color
    bell: bool


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
    values.update(_from_file(read_text, config, config_named=config_named))
    for key in _DEFAULTS:
        text = environment.get(f"MSGC_{key.upper()}", "")
        if text:
            values[key] = _parse(key, text, f"MSGC_{key.upper()}")
    if environment.get("NO_COLOR"):
        values["color"] = "never"
    for key, argument in arguments.items():
        if argument is not None:
            values[key] = _parse(key, argument, f"--{key}")
    return _checked(values)


def _from_file(
    read_text: Callable[[str, int], str | None], path: str, *, config_named: bool
) -> dict[str, Value]:
    try:
        text = read_text(path, CONFIG_BYTES_MAX)
    except FilesError as error:
        raise SettingsError(str(error)) from None
    if text is None:
        if config_named:
            raise SettingsError(f"There is no configuration file {path}.")
        return {}
    # Late, like difflib below: most people have no such file, and start sooner.
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from None
    for key, value in table.items():
        if key not in _DEFAULTS:
            import difflib

            near = difflib.get_close_matches(key, _DEFAULTS, 1)
            hint = f' Did you mean "{near[0]}"?' if near else f" Known: {', '.join(_DEFAULTS)}."
            raise SettingsError(f'{path}: unknown key "{key}".{hint}')
        wanted = type(_DEFAULTS[key])
        if type(value) is not wanted:
            raise SettingsError(f'{path}: "{key}" must be a {_type_name(wanted)}.')
    return dict(table)


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


def _checked(values: Mapping[str, Value]) -> Settings:
    port = int(values["port"])
    if not 1 <= port <= 65_535:
        raise SettingsError(f"The port must be from 1 to 65535, not {port}.")
    color = COLORS.get(str(values["color"]))
    if color is None:
        raise SettingsError(f"color must be one of {', '.join(COLORS)}.")
    if not values["host"]:
        raise SettingsError("The host must not be empty.")
    return Settings(
        host=str(values["host"]),
        port=port,
        user=str(values["user"]) or None,
        color=color,
        bell=bool(values["bell"]),
    )


def _type_name(wanted: type) -> str:
    return {str: "text", int: "number", bool: "true or false"}[wanted]
