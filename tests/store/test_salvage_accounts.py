import pytest

from store.account_codec import encode_account, encode_everyone, encode_tombstone
from store.errors import StoreDamaged
from store.manifest import MANIFEST, read_present_manifest
from store.repair_report import Report
from store.salvage_accounts import (
    SalvagedAccounts,
    find_segments,
    find_store_id,
    mailboxes_of,
    salvage_accounts,
    salvage_manifest,
)
from store.state import Account, Everyone
from tests.store.support import ACCOUNTS, crashed_store, journal_in_use, new_disk
from wire import tlv


def account(stamp: int) -> bytes:
    made = Account(7, "ann", 1)
    made.stamp = stamp
    return encode_account(made)


def everyone(stamp: int) -> bytes:
    made = Everyone()
    made.stamp = stamp
    return encode_everyone(made)


def test_the_newest_state_counts_and_a_tombstone_for_ever() -> None:
    found = SalvagedAccounts()
    found.take(account(9) + everyone(9))
    found.take(account(8) + everyone(8))
    assert found.stamps == {7: 9, 0: 9}
    assert found.everyone.stamp == 9
    found.take(encode_tombstone(7) + account(10))
    assert found.values == {}
    assert found.sure == {0, 7}
    found.doubt_all()
    assert found.sure == set()


def test_a_state_that_nobody_knows_costs_no_other() -> None:
    found = SalvagedAccounts()
    assert found.take(tlv.encode(9, b"x") + account(9)) == ["nothing has the code 9"]
    assert found.damaged
    assert found.sure == {7}


def test_a_guess_finds_store_segments_and_log() -> None:
    disk = crashed_store()
    known, is_known = salvage_manifest(disk, Report())
    assert is_known
    path = journal_in_use(disk)
    disk.remove(MANIFEST)
    report = Report()
    guess, is_known = salvage_manifest(disk, report)
    assert not is_known
    assert report.lines == [f"damage: {MANIFEST}, byte 0: it is missing"]
    assert guess.store_id == known.store_id
    assert guess.accounts_file == known.accounts_file
    assert set(known.segments) <= set(guess.segments)
    disk.damage(path, 0, 1)
    assert set(guess.segments) == set(find_segments(disk)), "the first batch knows the nonce"
    disk.damage(path, 4096, 1)
    assert len(find_segments(disk)) == len(guess.segments) - 1


def test_any_header_says_which_store_it_is() -> None:
    disk = crashed_store()
    manifest = read_present_manifest(disk)
    assert manifest is not None
    disk.remove(ACCOUNTS)
    for path in [each for each in disk.files() if each.startswith("journal/")]:
        disk.damage(path, 20, 1)
    assert find_store_id(disk) == manifest.store_id
    for _, path in mailboxes_of(disk):
        disk.remove(path)
    with pytest.raises(StoreDamaged, match="which store"):
        find_store_id(disk)
    assert mailboxes_of(new_disk()) == []


def test_a_log_that_is_missing_leaves_every_account_in_doubt() -> None:
    disk = crashed_store()
    manifest = read_present_manifest(disk)
    assert manifest is not None
    disk.remove(ACCOUNTS)
    found = salvage_accounts(disk, manifest, Report(), known=True)
    assert found.damaged
    assert salvage_accounts(disk, manifest, Report(), known=False).values == {}
