"""Reserved names, invites and the secret: at their limits, over time, and through every restart."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.backup import backup
from store.credential import Credential
from store.disk import DiskFull
from store.dump import dump
from store.fsck import fsck
from store.limits import INVITES_AT_ONCE_MAX, INVITES_MAX, NAME_BYTES_MAX, NAMES_RESERVED_MAX
from store.registry import HEAD, Registry, decode_registry, encode_registry
from store.repair import repair
from store.store import Store
from tests.store.support import NAMES, U64, new_disk, open_store, split

CREDENTIAL = Credential(bytes(range(16)), 600_000, b"K" * 32, b"S" * 32)
HASHES = tuple(sha256(bytes([number])).digest() for number in range(4))


def is_dirty(registry: Registry) -> bool:
    """Asked anew each time; a type checker would remember the last answer."""
    return registry.is_dirty


def is_saving(store: Store) -> bool:
    """Whether a checkpoint is under way; asked anew, too."""
    return store.keeper.checkpoint is not None


def same(one: Registry, other: Registry) -> bool:
    return encode_registry(one) == encode_registry(other)


@given(
    secret=st.binary(max_size=32),
    reserved=st.dictionaries(NAMES, U64, max_size=5),
    invites=st.dictionaries(st.binary(min_size=32, max_size=32), U64, max_size=5),
)
def test_a_registry_comes_back(
    secret: bytes, reserved: dict[str, int], invites: dict[bytes, int]
) -> None:
    registry = Registry()
    registry.secret, registry.reserved, registry.invites = secret, reserved, invites
    again = decode_registry(split(encode_registry(registry))[1])
    assert (again.secret, again.reserved, again.invites) == (secret, reserved, invites)
    assert list(again.reserved) == list(reserved)
    assert not again.is_dirty


@pytest.mark.parametrize("value", [b"", bytes(8), bytes(10), b"\0" + bytes(3) + b"\1" + bytes(4)])
def test_rubbish_is_no_registry(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_registry(value)


@pytest.mark.parametrize("head", [(0, NAMES_RESERVED_MAX + 1, 0), (0, 0, INVITES_MAX + 1)])
def test_a_registry_that_is_too_large(head: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="too large"):
        decode_registry(HEAD.pack(*head))


def test_a_name_is_reserved_until_its_time() -> None:
    registry = Registry()
    registry.reserve("ann", 100, 1)
    assert is_dirty(registry)
    assert registry.is_reserved("ann", 99)
    assert not registry.is_reserved("ann", 100)
    assert not registry.is_reserved("bob", 1)
    registry.reserve("ann", 300, 2)
    registry.reserve("bob", 200, 100)
    assert registry.reserved == {"ann": 300, "bob": 200}
    registry.reserve("cat", 400, 200)
    assert registry.reserved == {"ann": 300, "cat": 400}
    registry.is_dirty = False
    registry.release("bob")
    assert not is_dirty(registry)
    registry.release("ann")
    assert is_dirty(registry)
    assert registry.reserved == {"cat": 400}


def test_the_oldest_reservation_goes_when_there_is_no_room() -> None:
    registry = Registry()
    for number in range(NAMES_RESERVED_MAX - 2):
        registry.reserved[f"{number:0{NAME_BYTES_MAX}}"] = 1 << 60
    for number in range(NAMES_RESERVED_MAX - 2, NAMES_RESERVED_MAX):
        registry.reserve(f"{number:0{NAME_BYTES_MAX}}", 1 << 60, number)
    assert len(registry.reserved) == NAMES_RESERVED_MAX
    oldest = next(iter(registry.reserved))
    registry.reserve("one-more", 1 << 60, 0)
    assert len(registry.reserved) == NAMES_RESERVED_MAX
    assert oldest not in registry.reserved


def test_invites_are_good_once_and_for_a_time() -> None:
    registry = Registry()
    registry.invite(HASHES[:2], 100, 1)
    registry.invite(HASHES[2:3], 200, 2)
    assert registry.is_invited(HASHES[0], 99)
    assert not registry.is_invited(HASHES[0], 100)
    assert not registry.is_invited(HASHES[3], 1)
    assert registry.count_invites(99) == 3
    assert registry.count_invites(100) == 1
    registry.is_dirty = False
    registry.use(HASHES[3])
    assert not is_dirty(registry)
    registry.use(HASHES[0])
    assert is_dirty(registry)
    assert not registry.is_invited(HASHES[0], 1)
    registry.invite(HASHES[3:], 300, 100)
    assert registry.invites == {HASHES[2]: 200, HASHES[3]: 300}


def test_invites_have_a_limit_and_what_is_over_makes_room() -> None:
    store = open_store(new_disk())
    assert not store.can_invite(0, 1)
    assert store.can_invite(INVITES_AT_ONCE_MAX, 1)
    assert not store.can_invite(INVITES_AT_ONCE_MAX + 1, 1)
    for part in range(INVITES_MAX // INVITES_AT_ONCE_MAX):
        hashes = [
            sha256(b"%d" % (part * INVITES_AT_ONCE_MAX + each)).digest()
            for each in range(INVITES_AT_ONCE_MAX)
        ]
        store.make_invites(hashes, 100, 1)
        store.commit()
    assert not store.can_invite(1, 99)
    assert store.can_invite(1, 100)


def test_a_full_registry_stands_in_one_block_and_comes_back() -> None:
    disk = new_disk()
    store = open_store(disk)
    registry = store.state.registry
    store.need_secret(1)
    for number in range(NAMES_RESERVED_MAX):
        registry.reserved[f"{number:0{NAME_BYTES_MAX}}"] = number
    for number in range(INVITES_MAX):
        registry.invites[number.to_bytes(32, "big")] = number
    registry.is_dirty = True
    store.checkpoint_now()
    disk.crash()
    assert same(open_store(disk).state.registry, registry)


def test_everything_survives_the_journal_and_a_checkpoint() -> None:
    disk = new_disk()
    store = open_store(disk)
    store.need_secret(1)
    secret = store.state.registry.secret
    store.need_secret(2)
    assert store.state.registry.secret == secret
    assert len(secret) == 32
    store.make_invites(HASHES[:3], 1_000, 3)
    ann = store.create_account("ann", 4, CREDENTIAL, HASHES[0])
    bob = store.create_account("bob", 5, None, HASHES[1])
    cat = store.create_account("cat", 6)
    store.set_credential(cat, CREDENTIAL, 7)
    store.set_credential(ann, None, 8)
    store.begin_deletion(bob, 9)
    store.delete_account(bob, 10, 500)
    for way in ("journal", "checkpoint", "journal again"):
        if way == "checkpoint":
            store.checkpoint_now()
        store.commit()
        disk.crash()
        assert [each for each in fsck(disk) if not each.harmless] == []
        store = open_store(disk)
        registry = store.state.registry
        assert registry.secret == secret
        assert registry.invites == {HASHES[2]: 1_000}
        assert registry.reserved == {"bob": 500}
        assert store.state.by_name["ann"].credential is None
        assert store.state.by_name["cat"].credential == CREDENTIAL
        assert not store.state.accounts.marked
    store.create_account("bob", 600)
    assert not store.state.registry.reserved


def test_a_password_does_not_keep_the_marks_of_sessions_from_being_told() -> None:
    disk = new_disk()
    store = open_store(disk)
    ann = store.create_account("ann", 1, CREDENTIAL)
    store.begin_session(ann, 2)
    store.checkpoint_now()
    disk.kill()
    again = open_store(disk)
    assert again.state.accounts.marked == {ann.number: None}
    account = again.state.by_name["ann"]
    assert (account.session_number, account.credential) == (2, CREDENTIAL)


def test_a_checkpoint_that_is_given_up_leaves_the_registry_to_be_saved() -> None:
    disk = new_disk()
    store = open_store(disk)
    store.checkpoint_now()
    store.make_invites(HASHES, 1_000, 1)
    store.commit()
    store.core.reserve_intact = False
    disk.fail_only, disk.fail_at, disk.fail_error = "write accounts", 1, DiskFull
    store.checkpoint_now()
    assert is_dirty(store.state.registry)
    disk.fail_at = -1
    store.checkpoint_now()
    assert not is_dirty(store.state.registry)
    disk.crash()
    assert tuple(open_store(disk).state.registry.invites) == HASHES


@pytest.mark.parametrize("checkpoints", [False, True])
def test_invites_that_were_taken_back_stay_so(checkpoints: bool) -> None:
    disk = new_disk()
    store = open_store(disk)
    store.make_invites(HASHES, 1_000, 1)
    if checkpoints:
        store.checkpoint_now()
    store.revoke_invites(HASHES[:2], 5)
    store.commit()
    assert tuple(store.state.registry.invites) == HASHES[2:]
    assert not store.state.registry.is_invited(HASHES[0], 5)
    if checkpoints:
        store.checkpoint_now()
    disk.crash()
    assert tuple(open_store(disk).state.registry.invites) == HASHES[2:]


def test_of_as_many_invites_as_there_can_be_some_are_taken_back() -> None:
    disk = new_disk()
    store = open_store(disk)
    many = [number.to_bytes(32, "big") for number in range(INVITES_MAX)]
    for start in range(0, INVITES_MAX, INVITES_AT_ONCE_MAX):
        store.make_invites(many[start : start + INVITES_AT_ONCE_MAX], 1_000, 1)
    store.revoke_invites(many[:1], 2)
    store.commit()
    disk.crash()
    assert open_store(disk).state.registry.count_invites(2) == INVITES_MAX - 1


def test_a_new_accounts_log_holds_the_registry_too() -> None:
    disk = new_disk()
    store = open_store(disk)
    ann = store.create_account("ann", 1)
    store.make_invites(HASHES, 1_000, 1)
    for at_ms in range(40):
        store.touch(ann, at_ms)
        store.checkpoint_now()
    assert store.core.accounts_log.number > 1
    disk.crash()
    assert tuple(open_store(disk).state.registry.invites) == HASHES


def test_what_is_secret_is_not_dumped() -> None:
    disk = new_disk()
    store = open_store(disk)
    lines: list[str] = []
    for part in range(2):
        hashes = [sha256(bytes([part, number])).digest() for number in range(3)]
        store.need_secret(1)
        store.make_invites(hashes, 1_000, 2)
        ann = store.create_account(f"ann{part}", 3, CREDENTIAL, hashes[0])
        store.create_account(f"bob{part}", 4, None, hashes[1])
        store.set_credential(ann, None, 5)
        store.set_credential(ann, CREDENTIAL, 6)
        gone = store.create_account(f"gone{part}", 7, CREDENTIAL)
        store.delete_account(gone, 8, 900)
        store.commit()
        if part == 0:
            lines = list(dump(disk))
            store.checkpoint_now()
    text = "\n".join(lines + list(dump(disk)))
    for wanted in (
        "SECRET_MADE at_ms=1",
        "INVITES_MADE at_ms=2 until_ms=1000",
        "ACCOUNT_REGISTERED at_ms=3 name='ann0' password=yes invite=",
        "ACCOUNT_REGISTERED at_ms=4 name='bob0' password=no invite=",
        "password=yes invite=none",
        "CREDENTIAL_SET at_ms=5 account=",
        "password=no",
        "ACCOUNT_RETIRED at_ms=8 account=",
        "reserved name='gone0' until_ms=900",
        "invite ",
    ):
        assert wanted in text, wanted
    for secret in (CREDENTIAL.stored_key, CREDENTIAL.server_key, store.state.registry.secret):
        assert secret.hex() not in text
        assert repr(secret)[2:-1] not in text
    assert all(each.hex() not in text for each in store.state.registry.invites)


def test_a_repair_keeps_passwords_and_the_registry() -> None:
    disk = new_disk()
    store = open_store(disk)
    store.make_invites(HASHES, 1_000, 1)
    store.create_account("ann", 2, CREDENTIAL, HASHES[0])
    store.checkpoint_now()
    bob = store.create_account("bob", 3, CREDENTIAL, HASHES[1])
    store.commit()
    store.delete_account(bob, 4, 900)
    store.commit()
    before = encode_registry(store.state.registry)
    disk.kill()
    disk.remove("MANIFEST")
    repair(disk)
    again = open_store(disk)
    assert encode_registry(again.state.registry) == before
    assert again.state.by_name["ann"].credential == CREDENTIAL


def test_a_backup_has_passwords_and_the_registry() -> None:
    disk, copy = new_disk(), new_disk(2)
    store = open_store(disk)
    store.need_secret(1)
    store.make_invites(HASHES, 1_000, 1)
    store.create_account("ann", 2, CREDENTIAL, HASHES[0])
    store.checkpoint_now()
    bob = store.create_account("bob", 3, CREDENTIAL, HASHES[1])
    store.delete_account(bob, 4, 900)
    store.create_account("cat", 5, CREDENTIAL)
    store.commit()
    backup(disk, copy, copy.rng.randbytes)
    again = open_store(copy)
    assert same(again.state.registry, store.state.registry)
    for name in ("ann", "cat"):
        assert again.state.by_name[name].credential == CREDENTIAL
