"""Whose messages an account does not take: in bytes, in the journal, in checkpoints, in dumps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.account_codec import decode_account, encode_account, identify
from store.awake import AwakeAccount
from store.blocking import Blocked, decode_blocked, decode_list, encode_blocked, encode_list
from store.credential import Credential
from store.dump import dump
from store.fsck import fsck
from store.limits import BLOCKED_MAX
from store.records import RecordCode, RecordError, decode
from store.repair import repair
from tests.store.support import U64, new_disk, open_store
from tests.store.test_credential import CREDENTIALS
from wire import tlv

LISTS = st.lists(U64, max_size=BLOCKED_MAX, unique=True)


@given(U64, U64, LISTS)
def test_a_record_comes_back(at_ms: int, account: int, blocked: list[int]) -> None:
    value = encode_blocked(at_ms, account, blocked)[6:]
    fields = decode(RecordCode.SENDERS_BLOCKED, value)
    assert fields == Blocked(at_ms, account, tuple(blocked)) == decode_blocked(value)


@given(LISTS)
def test_a_list_says_where_it_ends(blocked: list[int]) -> None:
    assert decode_list(b"xx" + encode_list(blocked) + b"y", 2) == (
        tuple(blocked),
        4 + 8 * len(blocked),
    )


@pytest.mark.parametrize("rest", [b"", b"\0", b"\0\1", bytes(3), b"\0\2" + bytes(16)])
def test_rubbish_is_no_record(rest: bytes) -> None:
    with pytest.raises(RecordError):
        decode(RecordCode.SENDERS_BLOCKED, bytes(16) + rest)


@given(LISTS, st.none() | CREDENTIALS, st.booleans(), st.booleans())
def test_an_account_comes_back(
    blocked: list[int], credential: Credential | None, has_file: bool, is_marked: bool
) -> None:
    account = AwakeAccount(7, "ann", 1)
    account.blocked, account.credential = tuple(blocked), credential
    account.queue.has_file = has_file
    account.session_number = 9 if is_marked else 0
    value = encode_account(account)[6:]
    again = decode_account(value)
    assert (again.blocked, again.credential) == (account.blocked, credential)
    assert (again.queue.has_file, again.session_number) == (has_file, account.session_number)
    assert identify(value) == (7, "ann", False, is_marked)


def test_an_account_with_half_a_list_is_none() -> None:
    account = AwakeAccount(7, "ann", 1)
    account.blocked = (1, 2)
    value = encode_account(account)[6:]
    for cut in (1, 8, 17, 18):
        with pytest.raises(ValueError, match=r"."):
            decode_account(value[:-cut])
        with pytest.raises(ValueError, match=r"."):
            identify(value[:-cut])


def test_it_survives_the_journal_checkpoints_rest_and_repair() -> None:
    disk = new_disk()
    store = open_store(disk)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 2)
    store.block(ann, [bob.number], 3)
    store.block(bob, [ann.number, 77], 4)
    store.block(bob, [], 5)
    for way in ("journal", "checkpoint", "journal again", "repair"):
        if way == "checkpoint":
            store.checkpoint_now()
        store.commit()
        disk.crash()
        if way == "repair":
            disk.remove("MANIFEST")
            repair(disk)
        assert [each for each in fsck(disk) if not each.harmless] == []
        store = open_store(disk)
        assert store.state.by_name["ann"].blocked == (bob.number,)
        assert store.state.by_name["bob"].blocked == ()


def test_dumps_show_it() -> None:
    disk = new_disk()
    store = open_store(disk)
    ann = store.create_account("ann", 1)
    store.block(ann, [5, 6], 2)
    store.block(ann, [], 3)
    store.block(ann, [8, 9], 4)
    store.commit()
    text = "\n".join(dump(disk))
    assert f"SENDERS_BLOCKED at_ms=2 account={ann.number} blocked=5,6" in text
    assert f"SENDERS_BLOCKED at_ms=3 account={ann.number} blocked=nobody" in text
    store.checkpoint_now()
    assert " blocked=8,9" in "\n".join(dump(disk))


def test_a_record_of_an_account_that_is_gone_or_newer_is_skipped() -> None:
    store = open_store(new_disk())
    state = store.state
    ann = store.create_account("ann", 1)
    state.apply_blocked(ann.stamp, Blocked(2, ann.number, (5,)))
    assert not ann.blocked
    state.apply_blocked(state.next_number, Blocked(2, 99, (5,)))
    state.apply(RecordCode.SENDERS_BLOCKED, Blocked(3, ann.number, (6,)), ann.stamp + 1)
    assert ann.blocked == (6,)
    assert state.next_number == ann.stamp + 1


@pytest.mark.parametrize("blocked", [[1, 1], list(range(BLOCKED_MAX + 1))])
def test_what_is_no_list_is_our_own_mistake(blocked: list[int]) -> None:
    store = open_store(new_disk())
    ann = store.create_account("ann", 1)
    with pytest.raises(AssertionError):
        store.block(ann, blocked, 2)
    store.block(ann, list(range(BLOCKED_MAX)), 2)


def test_the_record_has_its_number_for_ever() -> None:
    assert tlv.HEADER.unpack_from(encode_blocked(1, 2, []))[0] == 17
