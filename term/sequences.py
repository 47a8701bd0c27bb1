"""Which control sequences of terminals are which keys: a table and nothing else.

Covers what xterm, screen, tmux, rxvt, the Linux console and vt100 send, in CSI and in SS3 form.
Whatever is not here is not a key, and the decoder drops it as a unit.

Sources: ECMA-48 (form), XTerm Control Sequences (modifiers, F-keys), terminfo entries of ncurses.
"""

from typing import Final

_BY_FINAL: Final = {
    ord("A"): "Up",
    ord("B"): "Down",
    ord("C"): "Right",
    ord("D"): "Left",
    ord("H"): "Home",
    ord("F"): "End",
    ord("P"): "F1",
    ord("Q"): "F2",
    ord("S"): "F4",
}

_BY_NUMBER: Final = {
    1: "Home",
    2: "Insert",
    3: "Delete",
    4: "End",
    5: "PageUp",
    6: "PageDown",
    7: "Home",
    8: "End",
    11: "F1",
    12: "F2",
    13: "F3",
    14: "F4",
    15: "F5",
    17: "F6",
    18: "F7",
    19: "F8",
    20: "F9",
    21: "F10",
    23: "F11",
    24: "F12",
}

_BY_SS3: Final = {
    **_BY_FINAL,
    ord("R"): "F3",
    ord("M"): "Enter",
    ord("X"): "=",
    ord("I"): "Tab",
    ord(" "): "Space",
    **{code: chr(code - 0x40) for code in range(ord("j"), ord("z"))},  # the keypad's * to 9
    # rxvt: control and an arrow
    ord("a"): "C-Up",
    ord("b"): "C-Down",
    ord("c"): "C-Right",
    ord("d"): "C-Left",
}

_LINUX_FUNCTION_KEYS: Final = {ord("A") + index: f"F{index + 1}" for index in range(5)}


def key_of_ss3(final: int) -> str | None:
    """The key of ESC O and this byte."""
    return _BY_SS3.get(final)


def key_of_linux(final: int) -> str | None:
    """The key of ESC [ [ and this byte."""
    return _LINUX_FUNCTION_KEYS.get(final)


def key_of_csi(parameters: bytes, final: int) -> str | None:
    """The key of ESC [, these parameter and intermediate bytes, and this final byte."""
    if final == ord("Z") and not parameters:
        return "BackTab"
    numbers = _numbers(parameters)
    if numbers is None:
        return None
    number, modifier = numbers
    name = _BY_NUMBER.get(number) if final == ord("~") else _BY_FINAL.get(final)
    if name is None or (final != ord("~") and number != 1):
        return None
    return _prefix(modifier) + name


def _numbers(parameters: bytes) -> tuple[int, int] | None:
    """First number and modifier, both 1 if left out; None for anything that no key sends."""
    parts = parameters.split(b";")
    if len(parts) > 2 or not all(len(part) <= 3 for part in parts):
        return None
    if not all(part == b"" or (part.isdigit() and part.isascii()) for part in parts):
        return None
    values = [int(part or b"1") for part in parts]
    return (values[0], values[1]) if len(values) > 1 else (values[0], 1)


def _prefix(modifier: int) -> str:
    """Modifiers are a sum plus one: 1 shift, 2 alt, 4 control, 8 meta. Shift is not told apart."""
    bits = modifier - 1
    if bits & 4:
        return "C-"
    return "M-" if bits & (2 | 8) else ""
