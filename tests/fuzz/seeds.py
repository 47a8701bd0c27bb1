"""Well-formed inputs to begin with: `python -m tests.fuzz.seeds` writes them into the corpora.

They come from the encoders and from a scripted day of a store, so they follow the formats: after a
change of a format run this again. Files that it did not write it leaves alone.

Fails when an encoder does.
"""

import json
from collections.abc import Iterator
from random import Random
from typing import Final

from msgd.bans import Ban, Bans
from msgd.options import Kind
from msgd.panel import requests
from msgd.panel.codec import encode_request
from msgd.panel.values import Sort
from msgd.settings import OPTIONS
from msgd.verbs import Answer, Order
from store import account_codec
from store.account import Account
from store.inspect import records_of
from store.journal import Batch
from store.manifest import MANIFEST
from store.store import Store
from store.window import Window
from tests.fuzz.targets import CORPUS, TARGETS
from tests.fuzz.targets_forged import folder
from tests.fuzz.targets_wire import BINDING, FRAME_TYPES, SERVER_NONCE
from tests.sim.sim_disk import SimDisk
from tests.store.forged import files_of
from tests.store.support import LARGE, TickClock
from tests.store.workload import Day
from tests.wire.samples import SAMPLES
from tests.wire.test_certificate import CERTIFICATE, first_version, with_end
from wire import frames, scram, tlv
from wire.invite import invite_text
from wire.messages import Hello, LoginRequest, Message, Welcome

PAGE: Final = 4_096
SALT: Final = bytes(range(16))
SEED_BYTES_MAX: Final = 3_000
SEEDS_MAX: Final = 24


def seeds() -> dict[str, list[bytes]]:
    """All of them, by target."""
    disk, records = _day()
    files = {path: bytes(disk.contents(path)) for path in _paths(disk)}
    return {
        "tlv": [frames.encode(each)[6:] for each in SAMPLES[::4]],
        "frame": list(_frames()),
        "connection": list(_conversations()),
        "scram": list(_logins()),
        "invite": [invite_text(each).encode() for each in (bytes(16), b"\xff" * 16, SALT)],
        "certificate": [CERTIFICATE, first_version(), with_end(24, b"20500101000000Z")],
        "journal": list(_journals(records)),
        "mailbox": list(_mailboxes(files)),
        "manifest": [
            b"\x01" + files[MANIFEST][:PAGE].rstrip(b"\0"),
            b"\0" + files[MANIFEST][20:300],
        ],
        "accounts": list(_logs_of_accounts(files)),
        "account": list(_accounts()),
        "forged": list(_forgeries()),
        "text": [text.encode() for text in _TEXTS],
        "keys": list(_KEYS),
        "server_config": list(_server_configs()),
        "client_config": [text.encode() for text in _CLIENT_CONFIGS],
        "panel": list(_lines()),
        "bans": list(_bans()),
    }


def _frames() -> Iterator[bytes]:
    for sample in SAMPLES:
        encoded = frames.encode(sample)
        yield bytes([FRAME_TYPES.index(int.from_bytes(encoded[:2], "big"))]) + encoded[6:]


def _conversations() -> Iterator[bytes]:
    hello, welcome = Hello((1,), "x"), next(each for each in SAMPLES if type(each) is Welcome)
    login = LoginRequest(1, "alice", bytes(8), create_if_new=True, live=True)
    send = [frames.encode(each) for each in SAMPLES]
    openings: tuple[tuple[int, list[Message]], ...] = ((0, [hello, login]), (1, [welcome]))
    for role, opening in openings:
        for start in range(0, len(send), 6):
            parts = [*(frames.encode(each) for each in opening), *send[start : start + 6]]
            yield bytes([role]) + b"".join(_pieces(b"".join(parts)))
            yield bytes([role, 240 + start % 16]) + b"".join(_pieces(b"".join(parts)))


def _pieces(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), 100):
        piece = data[at : at + 100]
        yield bytes([len(piece)]) + piece


def _logins() -> Iterator[bytes]:
    salt, nonce = SALT, SERVER_NONCE
    keys = scram.derive_keys("correct horse battery", salt, 4_096)
    for mark, binding in ((0, None), (64, BINDING)):
        client = scram.ClientLogin("alice", nonce, binding)
        first = scram.read_first(client.first)
        server = scram.ServerLogin(keys.verifier, first, nonce, binding)
        final = client.prove(server.challenge, keys)
        # 64 + 2 and 0 are 0 modulo 3, and so on: what counts is the remainder.
        for message, rest in ((client.first, 0), (server.challenge, 1), (final, 2)):
            kind = next(each for each in range(mark, mark + 3) if each % 3 == rest)
            yield bytes([kind]) + message
    yield b"\x01r=" + nonce.encode() + b",s=AAAAAAAAAAAAAAAAAAAAAA==,i=600000"


def _day() -> tuple[SimDisk, list[bytes]]:
    """A store's disk after a day, and every record that it wrote."""
    disk = SimDisk(Random(1))
    store = Store.open(disk, TickClock(), Random(2).randbytes, LARGE)
    written: list[bytes] = []
    plain = store.journal.append

    def append(record: bytes, numbers: int) -> None:
        written.append(record)
        plain(record, numbers)

    store.journal.append = append  # type: ignore[method-assign]  # to see what is written
    Day(store, lambda _: None).run()
    assert all(list(records_of(Batch(1, 1, record, "journal", 0))) for record in written)
    return disk, written


def _paths(disk: SimDisk) -> list[str]:
    return [
        f"{folder}/{name}" if folder else name
        for folder in sorted(disk.tree)
        for name in sorted(disk.tree[folder].cache)
    ]


def _journals(records: list[bytes]) -> Iterator[bytes]:
    by_code: dict[bytes, bytes] = {}
    for record in records:
        if len(record) < 400:
            by_code.setdefault(record[:2], record)
    kinds = list(by_code.values())
    for record in kinds:
        yield b"\x01" + record
    yield b"\x01" + b"".join(kinds)
    yield b"\x01" + b"\xff\0".join(kinds[:8])
    yield b"\x02\0\x40\x01\xff\xfe" + b"\xff\0".join(kinds[:4])
    yield b"\x02\x10\x04\x01\x10\x30\x02\xff\xfe" + b"\xff\0".join(kinds[:4])
    yield b"\0MSGJ" + bytes(60)


def _mailboxes(files: dict[str, bytes]) -> Iterator[bytes]:
    for path, data in files.items():
        if not path.endswith(".mailbox"):
            continue
        head = data[:PAGE].rstrip(b"\0")
        yield b"\0" + head
        yield b"\x04" + head[20:]
        for at in range(PAGE, len(data), PAGE):
            if data[at : at + 4] == b"MSGB":
                size = int.from_bytes(data[at + 24 : at + 28], "big")
                payload = data[at + 48 : at + 48 + size][:SEED_BYTES_MAX]
                count = int.from_bytes(data[at + 28 : at + 32], "big") % 8
                yield b"\x02" + bytes([count]) + payload
                yield b"\x03\x10\x20\x01\xff\xfe" + bytes([count]) + payload[:500]


def _logs_of_accounts(files: dict[str, bytes]) -> Iterator[bytes]:
    for path, data in files.items():
        if path.endswith(".accounts"):
            for at in range(PAGE, len(data), PAGE):
                if data[at : at + 4] == b"MSGC":
                    size = int.from_bytes(data[at + 24 : at + 28], "big")
                    yield b"\0\x01" + data[at + 48 : at + 48 + size]
    log = b"".join(account_codec.encode_account(each) for each in _some_accounts())
    yield b"\0\x03" + log + account_codec.encode_tombstone(9)
    yield b"\x01" + bytes(100)


def _some_accounts() -> Iterator[Account]:
    yield Account(7, "ann", 100)
    account = Account(8, "a-longer.name_0", 1 << 40)
    account.settled.add(10, 12)
    account.settled.add(20, 30)
    account.windows[b"12345678"] = Window(5, 1 << 1023, 77)
    account.closing_number, account.own_messages, account.queue.has_file = 5, 6, True
    yield account


def _accounts() -> Iterator[bytes]:
    for account in _some_accounts():
        encoded = account_codec.encode_account(account)
        ((_, start, end),) = tlv.spans(encoded, 0, len(encoded))
        yield encoded[start:end]


def _forgeries() -> Iterator[bytes]:
    """In every file and part one number that is too high, and some that are only wrong."""
    for path in range(len(files_of(folder()))):
        for part, place in ((0, 24), (1, 0), (1, 40), (2, 90), (3, 56)):
            yield bytes([path, part, 0, place, 7]) + (1 << 61 >> place % 60).to_bytes(8, "big")


def _server_configs() -> Iterator[bytes]:
    values = {
        option.name: json.dumps(option.default)
        for option in OPTIONS
        if option.name != "config" and option.kind is not Kind.TEXT
    }
    yield "\n".join(f"{name} = {value}" for name, value in values.items()).encode()
    yield b'data = "/var/lib/msgd"\nport = 7_070\nheadless = true\nlog_format = "json"\n'
    yield b"body_bytes_max = '32K'\nwindow_bytes_max = 0x8000\n# words\n"
    yield b"[table]\nx = 1\n"
    yield b"a = " + b"[" * 300 + b"]" * 300
    yield b'port = 1e3\ndata = """\\u0041"""\n'


def _lines() -> Iterator[bytes]:
    for request in (
        requests.Hello(requests.VERSION, read_only=True),
        requests.Arrange(Sort.STATE, inverted=False, filter="a"),
        requests.Inspect("alice"),
        requests.Kick("bob"),
        requests.Announce("tonight"),
    ):
        yield encode_request(request)
    yield Order("ban", {"whom": "bob", "minutes": 5, "now": True}).encode()
    yield Answer(done=True, text="done", rows=({"whom": "bob"},)).encode()
    yield b'{"error":"no"}\n{"do":"kick","name":"\\ud800"}\n'
    yield b"[" * 500 + b"\n"
    yield b'{"schema":"msgd.panel/1","server":{"version":"1"},"up_ms":1e999}\n'


def _bans() -> Iterator[bytes]:
    bans = Bans()
    yield bans.encode()
    bans.add(Ban("bob", 1, None, "spam"), 0)
    bans.add(Ban("10.0.0.0/8", 1, 5, ""), 0)
    bans.add(Ban("2001:db8::/64", 1, 5, "\x1b[2J"), 0)
    yield bans.encode()


_TEXTS: Final = (
    "plain words\nand another line\ttab",
    "\x1b[2J\x1b]0;title\x07\x9b31m\x7f\0\b\r",
    "\u202eesrever\u202c \u2066isolated\u2069 \u200f\u061c",
    "e\u0301" * 3 + "o" + "\u0308" * 30,
    "\u4f60\u597d \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \ufe0f",
    "\u200b\u2060\ufeff\u00ad\U000e0041 \u2028\u2029\u0085",
    "\ue000\ufdd0\uffff\U0010ffff",
)
_KEYS: Final = (
    b"\x0fhello world\r\x1b",
    b"\x05\x1b[A\x1b[1;5C\x1bOP\x1b[3~",
    b"\x0f\x1b[200~pasted\r\n\x1b[201~",
    b"\x08\x1b]0;title\x07\x1bP1$r\x1b\\",
    b"\x04\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
    b"\x07\x1b[M abc\x18\x1a\x9b5n",
)
_CLIENT_CONFIGS: Final = (
    'host = "127.0.0.1"\nport = 7070\ncolor = "auto"\n',
    '# words\nuser = "alice"\n\n[keys.composer]\nsend = ["^D", "F2"]\n',
    "[keys]\n[keys.menu]\nquit = 'q'\n",
    'color = """never"""\n"port" = 1\n',
    "a = " + "[" * 300 + "]" * 300,
    "x",
)


def main() -> None:
    """Write them."""
    for name, data in seeds().items():
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("seed-*"):
            path.unlink()
        chosen = [each for each in dict.fromkeys(data) if len(each) <= SEED_BYTES_MAX]
        step = max(1, -(-len(chosen) // SEEDS_MAX))
        for index, each in enumerate(chosen[::step]):
            (folder / f"seed-{index:02}").write_bytes(each)
    assert set(seeds()) == set(TARGETS)


if __name__ == "__main__":
    main()
