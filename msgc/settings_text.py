"""One value changed in the text of a TOML file, and all else left as the person wrote it.

Must never change what any other key means: the new text is read again and compared, and what does
not come out right is not written. Fails with SettingsTextError, which says what to write by hand.
"""

import re
from typing import Final

Value = str | int | bool

_TABLE: Final = re.compile(r"\s*\[")
_COMMENT: Final = re.compile(r"\s*(#.*)?")
_VALUE: Final = re.compile(
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s#"']+)(?P<rest>\s*(?:#.*)?)"""
)


class SettingsTextError(Exception):
    """The file is written in a way that cannot be changed safely."""


def set_value(text: str, key: str, value: Value) -> str:
    """The text with this key of the top level set to `value`. Raises SettingsTextError.

    A key that is not there comes after the last one of the top level, with comments left alone.
    """
    # Late: only who changes a setting needs it.
    import tomllib

    wanted = {**_read(text), key: value}
    line = f"{key} = {_literal(value)}"
    lines = text.splitlines(keepends=True)
    top = next((at for at, one in enumerate(lines) if _TABLE.match(one)), len(lines))
    place = next((at for at in range(top) if _key_of(lines[at]) == key), None)
    if place is not None:
        ending = "\r\n" if lines[place].endswith("\r\n") else "\n"
        head, _, old = lines[place].rstrip("\r\n").partition("=")
        match = _VALUE.fullmatch(old.lstrip())
        kept = match["rest"] if match is not None else ""
        lines[place] = f"{head.rstrip()} = {_literal(value)}{kept}{ending}"
    else:
        last = max(
            (at for at in range(top) if not _COMMENT.fullmatch(lines[at].strip())), default=-1
        )
        at = last + 1 if last >= 0 else top
        if lines and at > 0 and not lines[at - 1].endswith("\n"):
            lines[at - 1] += "\n"
        blank = "\n" if at == top < len(lines) else ""
        lines.insert(at, f"{line}\n{blank}")
    changed = "".join(lines)
    try:
        came_out_right = tomllib.loads(changed) == wanted
    except tomllib.TOMLDecodeError:
        came_out_right = False
    if not came_out_right:
        raise SettingsTextError(
            f"It is written in a way that msgc cannot change. Write there: {line}"
        )
    return changed


def _read(text: str) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsTextError(f"It is not TOML: {error}.") from None
    except RecursionError:
        raise SettingsTextError("It is not TOML: too many brackets in each other.") from None


def _key_of(line: str) -> str | None:
    head, equals, _ = line.partition("=")
    return head.strip().strip("\"'") if equals else None


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
