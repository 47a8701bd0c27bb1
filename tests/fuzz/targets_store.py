"""What the disk can hold: segments of the journal, mailboxes, logs of accounts, MANIFEST.

The first byte of a target's input chooses: raw bytes where a file should be, or content under
right checksums, which gets through to the readers behind them. Fails like `targets_wire`.
"""

from random import Random
from typing import Final

from store import account_codec, accounts_log, mailbox, manifest
from store.accounts_log import AccountsLog, accounts_path
from store.errors import StoreDamaged, StoreError
from store.framing import encode_block, encode_header
from store.inspect import records_of
from store.journal_replay import JournalReplay
from store.journal_segment import encode_batch, encode_segment_header, segment_path
from store.limits import BLOCK_PAYLOAD_BYTES_MAX, PAGE_BYTES
from store.mailbox import Header, Mailbox, mailbox_path
from tests.sim.sim_disk import SimDisk
from wire import tlv

STORE_ID: Final = bytes(range(16))
NONCE: Final = 0x0123456789ABCDEF
OWNER: Final = 7
PATCHES_MAX: Final = 16


def disk_with(path: str, data: bytes) -> SimDisk:
    """A disk with one file."""
    disk = SimDisk(Random(0))
    folder = ""
    for part in path.split("/")[:-1]:
        folder = f"{folder}/{part}" if folder else part
        disk.make_folder(folder)
    handle = disk.create(path)
    disk.write_at(handle, 0, data)
    disk.close(handle)
    return disk


def patched(data: bytes, patches: bytes) -> bytes:
    """Some bytes of the file are others: each patch is a place in two bytes, and a byte."""
    image = bytearray(data)
    for at in range(0, min(len(patches), 3 * PATCHES_MAX) - 2, 3):
        if image:
            image[int.from_bytes(patches[at : at + 2], "big") % len(image)] = patches[at + 2]
    return bytes(image)


def read_journal(data: bytes) -> None:
    """A segment. Mode 0: raw bytes after a right header. 1: batches with right checksums, their
    payloads split at each byte 255 followed by 0. 2: the same, and patched afterwards. 3: all raw.
    """
    if not data:
        return
    mode, rest = data[0] % 4, data[1:]
    header = encode_segment_header(STORE_ID, 1, NONCE)
    if mode == 3:
        image = rest
    elif mode == 0:
        image = header + rest
    else:
        patches, _, rest = rest.partition(b"\xff\xfe") if mode == 2 else (b"", b"", rest)
        image, crc = header, 0
        for index, payload in enumerate(rest.split(b"\xff\0")[:8]):
            written, crc = encode_batch(
                lsn=index + 1,
                first_number=index + 1,
                records=[payload],
                prev_crc=crc,
                segment=1,
                nonce=NONCE,
                wall_ms=0,
            )
            image += written
        image = patched(image, patches)
    disk = disk_with(segment_path(1), image)
    try:
        replay = JournalReplay(disk, STORE_ID, ((1, NONCE),), 1, 0, read_only=True)
        for batch in replay.batches():
            try:
                for _, _, fields in records_of(batch):
                    assert fields is not None
            except StoreDamaged:
                continue
        assert sum(replay.used) <= len(image)
    except StoreError as error:
        assert str(error).isprintable()
    assert not disk.handles, "a file was left open"


def read_mailbox(data: bytes) -> None:
    """A mailbox. Mode 0: raw. 1: a right header and raw bytes. 2: blocks with right checksums,
    split as in a journal. 3: the same, patched. 4: a header of its own under a right checksum.
    """
    if not data:
        return
    mode, rest = data[0] % 5, data[1:]
    header = mailbox.encode_header(Header(STORE_ID, OWNER, 0, 1, "alice"))
    if mode == 0:
        image = rest
    elif mode == 1:
        image = header + rest
    elif mode == 4:
        image = encode_header(mailbox.MAGIC, rest[: PAGE_BYTES // 2])
    else:
        patches, _, rest = rest.partition(b"\xff\xfe") if mode == 3 else (b"", b"", rest)
        image = patched(header + _blocks(mailbox.BLOCK_MAGIC, OWNER, 0, rest), patches)
    disk = disk_with(mailbox_path(OWNER), image)
    try:
        box = Mailbox(disk, STORE_ID, OWNER)
        try:
            _read_blocks(box, len(image) - PAGE_BYTES)
        finally:
            box.close()
    except StoreError as error:
        assert str(error).isprintable()
    assert not disk.handles, "a file was left open"


def _blocks(magic: bytes, owner: int, offset: int, rest: bytes) -> bytes:
    blocks = b""
    for payload in rest.split(b"\xff\0")[:8]:
        count = payload[0] if payload else 0
        blocks += encode_block(
            magic,
            owner=owner,
            offset=offset + len(blocks),
            payload=payload[1 : BLOCK_PAYLOAD_BYTES_MAX + 1],
            count=count % 8,
            first=1,
            last=count,
        )
    return blocks


def _read_blocks(box: Mailbox, size: int) -> None:
    offset = box.header.base
    end = offset + size
    while offset < end:
        for at, block, _ in box.blocks(offset, end):
            assert block.total_bytes > 0
            for entry in box.entries(at, block):
                encoded = mailbox.encode_blocks(OWNER, 0, [entry])
                assert len(encoded) % PAGE_BYTES == 0
            offset = at + block.total_bytes


def read_manifest(data: bytes) -> None:
    """MANIFEST: raw, or a body under a right checksum; what is read can be written again."""
    if not data:
        return
    image = data[1:] if data[0] & 1 else encode_header(manifest.MAGIC, data[1:2_000])
    try:
        found = manifest.decode_manifest(image)
    except StoreError as error:
        assert str(error).isprintable()
        return
    assert manifest.decode_manifest(found.encode()) == found


def read_accounts(data: bytes) -> None:
    """A log of accounts: raw after its header, or a payload under a right checksum."""
    if not data:
        return
    header = encode_header(accounts_log.MAGIC, accounts_log.BODY.pack(STORE_ID, 1))
    if data[0] & 1:
        image = header + data[1:]
    else:
        image = header + _blocks(accounts_log.BLOCK_MAGIC, 1, PAGE_BYTES, data[1:])
    disk = disk_with(accounts_path(1), image)
    log = AccountsLog(disk, STORE_ID, 1, len(image), data[:1].count(0) + 1)
    try:
        saved = log.load()
        for account in tuple(saved.accounts.values()):
            assert account.number >= 0
    except StoreError as error:
        assert str(error).isprintable()
    assert not disk.handles, "a file was left open"


def read_account(data: bytes) -> None:
    """One account's state, as it stands in that log; what is read can be written again."""
    try:
        account = account_codec.decode_account(data)
    except ValueError:
        return
    ((_, start, end),) = tlv.spans(
        encoded := account_codec.encode_account(account), 0, len(encoded)
    )
    again = account_codec.decode_account(encoded[start:end])
    assert account_codec.encode_account(again) == encoded
