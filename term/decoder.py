"""Bytes from a terminal become keys; no I/O, and the time is an argument.

    TEXT ──ESC──► ESCAPE ──[──► CSI ──final byte──► a key, or nothing
                         ──O──► SS3 ──any byte────► a key, or nothing
                         ──] P X ^ _──► STRING ──BEL, ST──► nothing
    CSI 200~ ──► PASTE ──CSI 201~──► one Paste

Terminals answer questions, and whoever makes a terminal ask one writes on our keyboard. Hence what
looks like a control sequence and is no key is dropped as a unit, to its end, also across reads; it
never becomes text. A paste is one event, so a newline in it never acts.

Must never raise for any bytes, and never hold more than PASTE_BYTES_MAX and a little. A lone Esc
is told from a sequence by silence alone: the owner calls `timeout` when `deadline_ms` is reached.

Sources: ECMA-48 section 5 (sequences), XTerm Control Sequences ("Bracketed Paste Mode").
"""

import enum
import re
from typing import Final

from term.keys import KeyEvent, Paste
from term.limits import (
    BARE_PASTE_GOES_ON_MS,
    ESCAPE_DELAY_MS,
    PASTE_BYTES_MAX,
    PASTE_SILENCE_MS,
    SEQUENCE_BYTES_MAX,
    SEQUENCE_SILENCE_MS,
)
from term.sequences import key_of_csi, key_of_linux, key_of_ss3

_ESC: Final = 0x1B
_BEL: Final = 0x07
_CANCELS: Final = frozenset({0x18, 0x1A})  # CAN and SUB end any sequence (ECMA-48 8.3)
_STRING_OPENERS: Final = frozenset(b"]PX^_")
_PASTE_END: Final = b"\x1b[201~"
_BARE_PASTE_ENTERS_MIN: Final = 2
_MOUSE_BYTES: Final = 3  # the coordinates that follow CSI M, which no final byte ends

_CONTROL_NAMES: Final = {
    0x00: "C-Space",
    0x08: "Backspace",
    0x09: "Tab",
    0x0A: "Enter",
    0x0D: "Enter",
    0x1C: "C-\\",
    0x1D: "C-]",
    0x1E: "C-^",
    0x1F: "C-_",
    0x20: "Space",
    0x7F: "Backspace",
}
_C1_OPENERS: Final = {0x8F: ord("O"), 0x9B: ord("[")} | dict.fromkeys(
    (0x90, 0x98, 0x9D, 0x9E, 0x9F), ord("]")
)
_PASTE_CONTROLS: Final = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]")


class _State(enum.Enum):
    TEXT = enum.auto()
    ESCAPE = enum.auto()
    CSI = enum.auto()
    LINUX = enum.auto()  # ESC [ [, a function key of the Linux console
    SS3 = enum.auto()
    MOUSE = enum.auto()
    STRING = enum.auto()
    STRING_ESCAPE = enum.auto()  # an ESC within a string: the end, if a backslash follows
    PASTE = enum.auto()


class KeyDecoder:
    """Feed it what was read; it gives the keys that are complete."""

    def __init__(self, escape_delay_ms: int = ESCAPE_DELAY_MS) -> None:
        self._escape_delay_ms = escape_delay_ms
        self._state = _State.TEXT
        self._held = bytearray()  # an unfinished UTF-8 character, CSI parameters, or a paste
        self._meta = False  # the unfinished character came after an ESC
        self._mouse_left = 0
        self._cut_bytes = 0
        self._fed_ms = 0
        self._bare_paste_ms: int | None = None  # when text came last that was such a paste
        self._keys: list[KeyEvent] = []

    @property
    def deadline_ms(self) -> int | None:
        """When to call `timeout`, in the clock of `feed`; None if nothing is unfinished."""
        if self._state is _State.TEXT and not self._held:
            return None
        if self._state is _State.ESCAPE:
            return self._fed_ms + self._escape_delay_ms
        if self._state is _State.PASTE:
            return self._fed_ms + PASTE_SILENCE_MS
        return self._fed_ms + SEQUENCE_SILENCE_MS

    def feed(self, data: bytes, now_ms: int) -> list[KeyEvent]:
        """The keys that these bytes complete.

        Text with several Enters in one read, without brackets around it, is a paste too: no person
        types that fast, and terminals without bracketed paste send it so. What follows it at once
        belongs to it: a long paste comes in many reads, and the last may hold one Enter.

        Read before you call `timeout`: what waits in the kernel was not silence.
        """
        if not data:
            return []
        self._fed_ms = now_ms
        position = 0
        if self._state is _State.TEXT and not self._meta:
            data = bytes(self._held) + data
            self._held.clear()
            position = self._take_bare_paste(data, now_ms)
        while position < len(data):
            position = self._take(data, position)
        keys, self._keys = self._keys, []
        return keys

    def timeout(self, now_ms: int) -> list[KeyEvent]:
        """What silence decides: a lone Esc is a key; an unfinished sequence is given up."""
        deadline_ms = self.deadline_ms
        if deadline_ms is None or now_ms < deadline_ms:
            return []
        if self._state is _State.ESCAPE:
            self._keys.append("Esc")
        elif self._state is _State.PASTE:
            self._end_paste()
        elif self._state is _State.TEXT:
            self._end_character()
        self._reset()
        keys, self._keys = self._keys, []
        return keys

    def check_invariants(self) -> None:
        """What is held is bounded, and fits the state."""
        assert len(self._held) <= PASTE_BYTES_MAX + len(_PASTE_END)
        assert self._state is not _State.CSI or len(self._held) <= SEQUENCE_BYTES_MAX
        assert self._state is not _State.TEXT or len(self._held) < 4

    def _take_bare_paste(self, data: bytes, now_ms: int) -> int:
        """How many bytes were a paste without brackets: all but an unfinished character, or 0."""
        whole = len(data) - _unfinished_length(data)
        since_ms = None if self._bare_paste_ms is None else now_ms - self._bare_paste_ms
        goes_on = since_ms is not None and since_ms <= BARE_PASTE_GOES_ON_MS
        if not _is_bare_paste(data[:whole], enters_min=0 if goes_on else _BARE_PASTE_ENTERS_MIN):
            self._bare_paste_ms = None
            return 0
        self._bare_paste_ms = now_ms
        self._keys.append(Paste(*_paste_text(data[:whole])))
        return whole

    # Each step takes bytes from `position` and returns where the next one begins.

    def _take(self, data: bytes, position: int) -> int:
        if self._state is _State.PASTE:
            return self._take_paste(data, position)
        byte = data[position]
        if self._state is _State.TEXT:
            return position + self._take_text(byte)
        if self._state is _State.ESCAPE:
            return position + self._take_escape(byte)
        if self._state is _State.STRING:
            return self._take_string(data, position)
        if self._state is _State.STRING_ESCAPE:
            return position + self._take_string_escape(byte)
        return position + self._take_sequence(byte)

    def _take_text(self, byte: int) -> int:
        """A character; 0 if the byte must be looked at again."""
        if self._held:
            if not 0x80 <= byte < 0xC0:
                self._end_character()
                return 0
            self._held.append(byte)
            if len(self._held) == _character_length(self._held[0]):
                self._end_character()
            return 1
        if byte == _ESC:
            self._state = _State.ESCAPE
        elif byte < 0x80:
            self._keys.append(_name_of(byte))
        elif byte < 0xA0:
            self._take_c1(byte)
        else:
            self._held.append(byte)
            if _character_length(byte) == 1:
                self._end_character()
        return 1

    def _take_c1(self, byte: int) -> None:
        """A control of the upper half: some begin a sequence, as ESC and a letter do."""
        opener = _C1_OPENERS.get(byte)
        if opener is not None:
            self._take_escape(opener)

    def _take_escape(self, byte: int) -> int:
        if byte == ord("["):
            self._state = _State.CSI
        elif byte == ord("O"):
            self._state = _State.SS3
        elif byte in _STRING_OPENERS:
            self._state = _State.STRING
        else:
            self._state = _State.TEXT
            return self._take_meta(byte)
        return 1

    def _take_meta(self, byte: int) -> int:
        """A key with Meta, or an Esc that only happened to come just before another key."""
        if byte in {0x08, 0x0A, 0x0D, 0x7F} or 0x20 <= byte < 0x7F:
            self._keys.append("M-" + _name_of(byte))
            return 1
        if byte == ord("\t"):
            self._keys.append("BackTab")  # so says the Linux console
            return 1
        if byte >= 0xC0:
            self._meta = True
            return 0
        self._keys.append("Esc")
        return 0

    def _take_sequence(self, byte: int) -> int:
        if self._state is _State.MOUSE:
            self._mouse_left -= 1
            if not self._mouse_left:
                self._reset()
            return 1
        if byte < 0x20 or byte >= 0x7F:
            self._reset()
            return 1 if byte in _CANCELS else 0
        if self._state is _State.SS3:
            self._take_ss3(byte)
        elif self._state is _State.LINUX:
            self._end_sequence(key_of_linux(byte))
        elif byte == ord("[") and not self._held:
            self._state = _State.LINUX
        elif byte < 0x40:
            if len(self._held) < SEQUENCE_BYTES_MAX:
                self._held.append(byte)
        else:
            self._end_csi(byte)
        return 1

    def _take_ss3(self, byte: int) -> None:
        """ESC O and a letter; some terminals put the number of a modifier between them."""
        if not 0x30 <= byte < 0x3A:
            key = key_of_csi(b"1;" + self._held, byte) if self._held else key_of_ss3(byte)
            self._end_sequence(key)
        elif len(self._held) < SEQUENCE_BYTES_MAX:
            self._held.append(byte)

    def _end_csi(self, final: int) -> None:
        parameters = bytes(self._held)
        if final == ord("~") and parameters == b"200":
            self._reset()
            self._state = _State.PASTE
        elif final == ord("M") and not parameters:
            self._state = _State.MOUSE
            self._mouse_left = _MOUSE_BYTES
        elif len(parameters) >= SEQUENCE_BYTES_MAX:
            self._end_sequence(None)
        else:
            self._end_sequence(key_of_csi(parameters, final))

    def _end_sequence(self, key: str | None) -> None:
        if key is not None:
            self._keys.append(key)
        self._reset()

    def _take_string(self, data: bytes, position: int) -> int:
        """Skip to the end of an OSC, DCS, PM, APC or SOS string; nothing of it is kept."""
        for index in range(position, len(data)):
            byte = data[index]
            if byte == _BEL or byte in _CANCELS or self._is_string_end(byte):
                self._reset()
                return index + 1
            if byte == _ESC:
                self._state = _State.STRING_ESCAPE
                return index + 1
            self._held[:] = bytes((byte,))
        return len(data)

    def _is_string_end(self, byte: int) -> bool:
        """ST in one byte: 9C as itself or as UTF-8, but not as the tail of another character."""
        return byte == 0x9C and (not self._held or self._held[-1] < 0x80 or self._held[-1] == 0xC2)

    def _take_string_escape(self, byte: int) -> int:
        if byte == ord("\\"):
            self._reset()
            return 1
        # Not the end of the string but the beginning of the next sequence.
        self._reset()
        self._state = _State.ESCAPE
        return 0

    def _take_paste(self, data: bytes, position: int) -> int:
        # The closing bracket may have begun in the read before.
        tail = bytes(self._held[-len(_PASTE_END) :])
        split = (tail + data[position : position + len(_PASTE_END) - 1]).find(_PASTE_END)
        if split >= 0:
            overlap = len(tail) - split
            del self._held[len(self._held) - overlap :]
            position += len(_PASTE_END) - overlap
            self._end_paste()
            self._reset()
            return position
        end = data.find(_PASTE_END, position)
        stop = len(data) if end < 0 else end
        self._hold_paste(data[position:stop])
        if end < 0:
            return len(data)
        self._end_paste()
        self._reset()
        return end + len(_PASTE_END)

    def _hold_paste(self, data: bytes) -> None:
        """Keep the beginning, and the very end, which may be a part of the closing bracket."""
        self._held += data
        excess = len(self._held) - PASTE_BYTES_MAX - len(_PASTE_END)
        if excess > 0:
            del self._held[PASTE_BYTES_MAX : PASTE_BYTES_MAX + excess]
            self._cut_bytes += excess

    def _end_paste(self) -> None:
        text, cut_bytes = _paste_text(bytes(self._held))
        self._keys.append(Paste(text, cut_bytes + self._cut_bytes))

    def _end_character(self) -> None:
        character = self._held.decode("utf-8", "replace")[:1]
        self._held.clear()
        meta, self._meta = self._meta, False
        code = ord(character)
        if 0x80 <= code < 0xA0:
            if not meta:
                self._take_c1(code)
            return
        self._keys.append("M-" + character if meta else character)

    def _reset(self) -> None:
        self._state = _State.TEXT
        self._held.clear()
        self._meta = False
        self._mouse_left = 0
        self._cut_bytes = 0


def _name_of(byte: int) -> str:
    name = _CONTROL_NAMES.get(byte)
    if name is not None:
        return name
    return chr(byte) if byte >= 0x20 else "C-" + chr(byte + 0x60)


def _character_length(lead: int) -> int:
    """How many bytes a UTF-8 character has that begins so; 1 for a byte that begins none."""
    if 0xC2 <= lead < 0xE0:
        return 2
    if 0xE0 <= lead < 0xF0:
        return 3
    return 4 if 0xF0 <= lead < 0xF5 else 1


def _unfinished_length(data: bytes) -> int:
    """How many bytes at the end are the beginning of a character whose rest is still to come."""
    for length in range(1, min(3, len(data)) + 1):
        byte = data[-length]
        if byte >= 0xC0:
            return length if _character_length(byte) > length else 0
        if byte < 0x80:
            return 0
    return 0


def _is_bare_paste(data: bytes, *, enters_min: int) -> bool:
    """Whether this is text with so many Enters and nothing that a terminal would answer with."""
    enters = data.count(b"\r") + data.count(b"\n") - data.count(b"\r\n")
    if enters < enters_min or not data.strip():
        return False
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _PASTE_CONTROLS.search(text.replace("\r", "\n")) is None


def _paste_text(data: bytes) -> tuple[str, int]:
    """The text of a paste, and how many bytes were more than we keep."""
    kept = data[:PASTE_BYTES_MAX]
    kept = kept[: len(kept) - _unfinished_length(kept)] if len(kept) < len(data) else kept
    text = kept.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return _PASTE_CONTROLS.sub("", text), len(data) - len(kept)
