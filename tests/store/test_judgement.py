"""Records that no server can have written, under right checksums: damage with file and offset."""

from copy import deepcopy
from functools import cache
from random import Random

import pytest

from store import admitting_records, records
from store.account import Account
from store.account_codec import encode_account, encode_everyone
from store.admitting_records import Registered
from store.blocking import encode_blocked
from store.errors import StoreDamaged
from store.fsck import fsck
from store.inspect import load_saved, need_manifest, replay_of
from store.journal import Batch
from store.journal_segment import FIRST_BATCH, encode_batch
from store.judgement import apply_batch
from store.limits import (
    BLOCKED_MAX,
    BODY_BYTES_MAX,
    INVITES_MAX,
    NUMBER_MAX,
    RECALLED_KEPT_MAX,
    RECIPIENTS_MAX,
)
from store.records import Copy, RecordCode, Settlement
from store.registry import encode_registry
from store.state import State
from tests.examples import examples
from tests.sim.sim_disk import SimDisk
from tests.store.support import LARGE, journal_in_use, new_disk, open_store
from tests.store.workload import Day, every_record
from wire import tlv

FORGED = examples(1500)
STARTED = 40
TOO_HIGH = NUMBER_MAX + 1
EXTREME = (0, 1, 2, 255, 1 << 16, (1 << 32) - 1, 1 << 40, NUMBER_MAX, 1 << 63, (1 << 64) - 1)


@cache
def killed() -> tuple[SimDisk, tuple[Batch, ...]]:
    """A server killed after a day with every kind of record, and what its journal holds."""
    disk = new_disk()
    every_record(Day(open_store(disk, LARGE), lambda _: None))
    disk.kill()
    return disk, tuple(replay_of(disk, need_manifest(disk)).batches())


def split(payload: bytes) -> list[tuple[int, bytes]]:
    return [(code, payload[a:b]) for code, a, b in tlv.spans(payload, 0, len(payload))]


def forge(batches: tuple[Batch, ...], random: Random) -> list[Batch]:
    """One field of one record, or a few bytes of it, say something else."""
    kinds = {code for batch in batches for code, _ in split(batch.payload)}
    wanted = random.choice(sorted(kinds))
    places = [
        (index, place)
        for index, batch in enumerate(batches)
        for place, (code, _) in enumerate(split(batch.payload))
        if code == wanted
    ]
    index, place = random.choice(places)
    found = split(batches[index].payload)
    code, value = found[place]
    size = random.choice((1, 2, 4, 8))
    at = random.randrange(max(1, len(value) - size + 1))
    other = random.choice((*EXTREME, random.getrandbits(64))) % (1 << 8 * size)
    found[place] = code, value[:at] + other.to_bytes(size, "big") + value[at + size :]
    payload = b"".join(tlv.encode(*each) for each in found)
    return [*batches[:index], batches[index]._replace(payload=payload), *batches[index + 1 :]]


def loaded(disk: SimDisk) -> State:
    manifest = need_manifest(disk)
    saved = load_saved(disk, manifest)
    state = State(11, 30)
    state.use(saved.table)
    state.everyone, state.registry = saved.everyone, saved.registry
    state.next_number = manifest.next_number
    return state


def save(state: State) -> None:
    """What the checkpoint after a start encodes."""
    for account in state.dirty.values():
        if isinstance(account, Account):
            encode_account(account)
    encode_everyone(state.everyone)
    encode_registry(state.registry)


def test_whatever_is_forged_is_applied_or_is_damage() -> None:
    disk, batches = killed()
    assert {code for each in batches for code, _ in split(each.payload)} == set(RecordCode)
    random = Random(7)
    refused = 0
    for _ in range(FORGED):
        state = loaded(disk)
        place = None
        read = "", 0
        try:
            for batch in forge(batches, random):
                read = batch.file, batch.offset
                apply_batch(state, batch)
        except StoreDamaged as error:
            place = error.file, error.offset
        if place is None:
            save(state)
        else:
            refused += 1
            assert place == read
            assert read[1] >= FIRST_BATCH
    assert FORGED // 4 < refused < FORGED


def rewrite(disk: SimDisk, batches: list[Batch]) -> None:
    """The journal of these batches, under right checksums."""
    manifest = need_manifest(disk)
    path = journal_in_use(disk)
    crc, data = manifest.replay_crc, b""
    ((segment, nonce),) = (each for each in manifest.segments if f"{each[0]:016x}" in path)
    for batch in batches:
        written, crc = encode_batch(
            lsn=batch.lsn,
            first_number=batch.first_number,
            records=[batch.payload],
            prev_crc=crc,
            segment=segment,
            nonce=nonce,
            wall_ms=0,
        )
        data += written
    contents = disk.contents(path)
    contents[FIRST_BATCH : FIRST_BATCH + len(data)] = data


def test_a_start_and_fsck_say_the_same_of_it() -> None:
    disk, batches = killed()
    random = Random(8)
    refused = 0
    for _ in range(STARTED):
        forged = deepcopy(disk)
        rewrite(forged, forge(batches, random))
        named = [(each.file, each.offset) for each in fsck(forged) if not each.harmless]
        place = None
        try:
            open_store(forged, LARGE)
        except StoreDamaged as error:
            place = error.file, error.offset
        if place is not None:
            refused += 1
            assert named[0] == place
    assert 0 < refused < STARTED


ID = b"install1" + bytes(8)


def settled(
    pred: int = 0, number: int = 3, kind: int = 1, everyone: int = 0, body_bytes: int = 0
) -> bytes:
    discarded = False
    entry = Settlement(pred, number, kind, everyone, body_bytes, 1, ID)
    return records.encode_settled(1, 2, b"bob", discarded, [entry])


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (records.encode_touched(TOO_HIGH, 1), "the time"),
        (records.encode_touched(1, 0), "it names the account 0"),
        (records.encode_touched(1, 4), "it names the account 4"),
        (records.encode_created(1, 1, 0, 0, "carol"), "1 messages of 0 bytes"),
        (records.encode_created(1, 0, 1, 0, "carol"), "0 messages of 1 bytes"),
        (records.encode_created(1, 0, 0, TOO_HIGH, "carol"), "the place"),
        (records.encode_created(1, 0, 0, 0, "bob"), "there is an account of this name"),
        (
            admitting_records.encode_registered(Registered(1, 0, 0, 0, "bob", b"", None)),
            "there is an account of this name",
        ),
        (records.encode_begun(1, 1, 1, 0), "1 messages"),
        (records.encode_session_ended(1, 1, TOO_HIGH, 1), "was handed out"),
        (records.encode_message(1, 0, b"ann", ID, bytes(8), b""), "the account 0"),
        (records.encode_message(1, 1, b"ann", ID, bytes(8), b""), "the account 0"),
        (
            records.encode_message(1, 1, b"ann", ID, tlv.U64.pack(1) * (RECIPIENTS_MAX + 1), b""),
            "65537 recipients",
        ),
        (
            records.encode_message(1, 1, b"ann", ID, b"", bytes(BODY_BYTES_MAX + 1)),
            "a body of",
        ),
        (records.encode_message(1, 1, b"ann", ID, tlv.U64.pack(2), b""), "that is duplicate"),
        (settled(pred=3), "the entry 3 after 3"),
        (settled(number=4), "the entry 4 after 0"),
        (settled(kind=4), "of the kind 4"),
        (settled(everyone=2), "of the kind 1, 2"),
        (settled(body_bytes=9), "less than nothing"),
        (records.encode_recalled(1, 1, ID, [Copy(4, 3, 0, "bob")]), "the account 4"),
        (records.encode_recalled(1, 1, ID, [Copy(2, 0, 0, "bob")]), "the entry 0"),
        (records.encode_recalled(1, 1, ID, [Copy(2, 3, 9, "bob")]), "less than nothing"),
        (records.encode_recalled_from_all(1, 1, ID, 4, 0, []), "entry 4 is recalled"),
        (
            records.encode_recalled_from_all(1, 1, ID, 3, 0, [1] * (RECALLED_KEPT_MAX + 1)),
            "keep it",
        ),
        (admitting_records.encode_invites(1, TOO_HIGH, []), "the time"),
        (
            admitting_records.encode_invites(
                1, 2, [each.to_bytes(32, "big") for each in range(INVITES_MAX + 1)]
            ),
            "5001 invites",
        ),
        (admitting_records.encode_secret(1, bytes(256)), "a secret of 256 bytes"),
        (encode_blocked(1, 1, range(BLOCKED_MAX + 1)), "are blocked"),
    ],
)
def test_what_cannot_be_is_named(record: bytes, words: str) -> None:
    state = State(11, 30)
    before = (
        records.encode_created(1, 0, 0, 0, "ann")
        + records.encode_created(1, 0, 0, 0, "bob")
        + records.encode_message(1, 1, b"ann", ID, tlv.U64.pack(2), b"")
    )
    apply_batch(state, Batch(1, 1, before, "a file", 4096))
    with pytest.raises(StoreDamaged, match=words) as caught:
        apply_batch(state, Batch(2, 4, record, "a file", 8192))
    assert (caught.value.file, caught.value.offset) == ("a file", 8192)


def test_records_of_who_is_gone_are_passed_over() -> None:
    state, discarded = State(11, 30), False
    apply_batch(state, Batch(1, 1, records.encode_created(1, 0, 0, 0, "ann"), "a file", 4096))
    state.next_number = 9
    gone = [
        records.encode_settled(1, 7, b"bob", discarded, []),
        records.encode_recalled(1, 7, ID, [Copy(6, 3, 0, "bob")]),
        records.encode_message(1, 7, b"bob", ID, tlv.U64.pack(6), b""),
        records.encode_message(1, 1, b"ann", ID, tlv.U64.pack(6), b""),
    ]
    apply_batch(state, Batch(2, 9, b"".join(gone), "a file", 8192))
    assert state.next_number == 13
    with pytest.raises(StoreDamaged, match="batch 3: number 9 where 13 should be"):
        apply_batch(state, Batch(3, 9, b"", "a file", 12288))
