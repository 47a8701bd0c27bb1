"""What people write, and what files of theirs say: texts, settings, keys, the panel's lines.

Fails like `targets_wire`.
"""

import tomllib
from typing import Final

from msgc import settings as client_settings
from msgc.settings_text import SettingsTextError, set_value
from msgd import bans, settings, verbs
from msgd.options import SettingsError
from msgd.panel import codec
from term.decoder import KeyDecoder
from term.safe import safe_bytes, safe_line, safe_log, safe_text

LINE_BYTES_MAX: Final = 4_096
SHOWN_CONTROLS: Final = frozenset(map(chr, (*range(32), *range(127, 160))))
DIRECTIONS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def _is_clean(text: str) -> bool:
    return SHOWN_CONTROLS.isdisjoint(text) and DIRECTIONS.isdisjoint(text)


def show(data: bytes) -> None:
    """Foreign text: nothing that a terminal would obey is left; twice is as good as once."""
    text = data.decode("utf-8", "surrogatepass" if data[:1] == b"s" else "replace")
    columns = data[0] if data else 0
    for line in (safe_line(text), safe_line(text, columns), safe_bytes(data, columns)):
        assert _is_clean(line)
        assert safe_line(line) == line
    found = safe_text(text, columns_max=500, lines_max=20)
    assert len(found.lines) <= 20
    assert all(map(_is_clean, found.lines))
    logged = safe_log(text, 100)
    assert len(logged) <= 100
    assert logged.isprintable()


def show_raw(data: bytes) -> None:
    """The same for what is no UTF-8."""
    try:
        show(data)
    except UnicodeDecodeError:
        assert _is_clean(safe_bytes(data))


def press(data: bytes) -> None:
    """Keys of a terminal: never an error, never more held than is allowed, time or no time."""
    decoder = KeyDecoder()
    now_ms, at = 0, 0
    while at < len(data):
        length = 1 + data[at] % 16
        decoder.feed(data[at + 1 : at + 1 + length], now_ms)
        decoder.check_invariants()
        at += 1 + length
        now_ms += data[at - 1] if at <= len(data) else 1
        decoder.timeout(now_ms)
        decoder.check_invariants()


def configure_server(data: bytes) -> None:
    """msgd's configuration file."""
    try:
        merged = settings.merge([settings.read_toml(data, "FILE")])
        merged.exchange_limits()
        merged.store_settings()
        merged.reactor_limits(4_096)
    except SettingsError as error:
        assert str(error)


def configure_client(data: bytes) -> None:
    """msgc's configuration file; and one choice written into it changes nothing else."""
    text = data.decode("utf-8", "replace")
    try:
        client_settings.gather({}, {}, lambda _, __: text, "FILE", config_named=True)
    except client_settings.SettingsError as error:
        assert str(error)
        return
    try:
        changed = set_value(text, "color", "never")
    except SettingsTextError:
        return
    assert tomllib.loads(changed) == tomllib.loads(text) | {"color": "never"}


def attend(data: bytes) -> None:
    """The panel's lines, in pieces; what is understood can be said again."""
    lines = codec.Lines(LINE_BYTES_MAX)
    try:
        for at in range(0, len(data), 97):
            for line in lines.feed(data[at : at + 97]):
                _hear(line)
    except codec.CodecError as error:
        assert str(error)


def _hear(line: bytes) -> None:
    try:
        order = verbs.decode_order(line)
        assert order is None or isinstance(order.encode(), bytes)
        verbs.decode_answer(line)
    except verbs.VerbError:
        pass
    try:
        request = codec.decode_request(line)
        assert codec.decode_request(codec.encode_request(request).rstrip(b"\n")) == request
    except codec.CodecError:
        pass
    scene = codec.decode_scene(line)
    assert codec.decode_scene(codec.encode_scene(scene).rstrip(b"\n")) == scene


def read_bans(data: bytes) -> None:
    """The file with the bans; what is read can be written again."""
    try:
        found = bans.decode(data, 0)
    except bans.BanError:
        return
    assert bans.decode(found.encode(), 0).all() == found.all()
