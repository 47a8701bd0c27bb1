from dataclasses import replace

from store.journal import Batch
from store.journal_segment import BATCH, FIRST_BATCH, segment_path
from store.limits import PAGE_BYTES
from store.manifest import read_manifest
from store.records import encode_created, encode_message, encode_touched
from store.repair_report import Report
from store.salvage_journal import JournalSalvage, batches_of, readable
from store.state import State
from tests.sim.sim_disk import SimDisk
from tests.store.forgery import change_block
from tests.store.support import crashed_store, journal_in_use, message_id


def salvage(disk: SimDisk, replay_lsn: int = 0) -> JournalSalvage:
    manifest = read_manifest(disk)
    assert manifest is not None
    if replay_lsn:
        manifest = replace(manifest, replay_lsn=replay_lsn)
    found = JournalSalvage(disk, manifest, State(11, 30), Report())
    found.run()
    return found


def test_a_sound_journal_has_nothing_to_tell() -> None:
    found = salvage(crashed_store())
    assert found.report.lines == []
    assert found.gaps == 0


def test_a_manifest_that_begins_too_late_is_not_believed() -> None:
    sound = salvage(crashed_store())
    found = salvage(crashed_store(), replay_lsn=sound.last_lsn + 1)
    assert found.state.next_number == sound.state.next_number
    assert found.report.lines == []


def test_a_segment_under_another_name_is_told() -> None:
    disk = crashed_store()
    path = journal_in_use(disk)
    change_header(disk, path)
    assert f"damage: {path}, byte 0: it is not the segment that MANIFEST names" in (
        salvage(disk).report.lines
    )


def change_header(disk: SimDisk, path: str) -> None:
    change_block(disk, path, 20, bytes(16), start=0)


def test_a_record_that_makes_no_sense_is_a_gap() -> None:
    disk = crashed_store()
    path = journal_in_use(disk)
    change_block(disk, path, BATCH.size, b"\x00\x77", start=FIRST_BATCH)
    found = salvage(disk)
    assert found.gaps == 1
    assert "no record has the code 119" in "\n".join(found.report.lines)


def test_what_an_earlier_use_left_is_not_ours() -> None:
    disk = crashed_store()
    path = journal_in_use(disk)
    end = FIRST_BATCH + 3 * PAGE_BYTES
    disk.contents(path)[end : end + 200] = b"x" * 200
    assert salvage(disk).report.lines == []


def batch(*records: bytes, first: int) -> Batch:
    return Batch(1, first, b"".join(records), "journal", 0)


def empty() -> JournalSalvage:
    manifest = read_manifest(disk := crashed_store())
    assert manifest is not None
    return JournalSalvage(disk, manifest, State(11, 30), Report())


def test_an_account_is_made_once_and_its_name_belongs_to_the_newest() -> None:
    found = empty()
    found.apply(batch(encode_created(1, 0, 0, 0, "ann"), first=5))
    found.apply(batch(encode_created(1, 0, 0, 0, "ann"), first=5))
    assert found.report.lines == []
    found.apply(batch(encode_created(1, 0, 0, 0, "ann"), first=9))
    assert found.report.lines == [
        "in doubt: account 'ann' (5): it was deleted: the name was taken again"
    ]
    assert list(found.state.by_number) == [9]
    found.apply(batch(encode_created(1, 0, 0, 0, "ann"), first=5))
    assert list(found.state.by_number) == [9], "numbers are never used again"


def test_a_window_that_contradicts_a_record_begins_anew() -> None:
    found = empty()
    found.apply(batch(encode_created(1, 0, 0, 0, "ann"), first=5))
    for first, counter in ((6, 5000), (7, 1), (8, 2)):
        numbers = (5).to_bytes(8, "big")
        record = encode_message(1, 5, b"ann", message_id(counter), numbers, b"x")
        found.apply(batch(record, first=first))
    window = found.state.by_number[5].windows[b"install1"]
    assert window.highest == 2
    assert found.state.by_number[5].own_messages == 3


def test_what_can_still_be_made_out() -> None:
    good = encode_touched(1, 2)
    assert len(list(readable(good))) == 1
    assert len(list(readable(good + b"\x00\x02\x00\x00\x00\x01x" + good + b"rubbish"))) == 2


def test_a_batch_that_is_read_twice_counts_once() -> None:
    disk = crashed_store()
    found = salvage(disk)
    before = found.state.next_number
    path = journal_in_use(disk)
    ((number, nonce),) = (each for each in found.manifest.segments if segment_path(each[0]) == path)
    for offset, each in batches_of(disk, number, nonce):
        found.take(each, path, offset)
    assert found.state.next_number == before
    assert found.report.lines == []
