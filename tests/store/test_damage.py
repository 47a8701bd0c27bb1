"""Every byte of a small store is flipped once: seen, or harmless; never a silent loss."""

import pytest

from store.fsck import fsck
from tests.examples import some
from tests.store.support import crashed_store, journal_in_use, last_batch, sound, verdict


def interesting(path: str) -> list[int]:
    """The bytes of a file that are not zero, and some that are."""
    data = crashed_store().contents(path)
    return [place for place in range(len(data)) if data[place] or place % 997 == 0]


@pytest.mark.parametrize(
    "path",
    [each for each in crashed_store().files() if each not in {"reserve", "LOCK"}],
)
def test_a_flipped_bit_is_seen_or_harmless(path: str) -> None:
    expected = sound()
    disk = crashed_store()
    original = bytes(disk.contents(path))
    is_live = path == journal_in_use(disk)
    for place in some(interesting(path), 8):
        copy = crashed_store()
        assert bytes(copy.contents(path)) == original, "the same seed gives the same bytes"
        copy.damage(path, place, 1 << place % 8)
        harmful = [each for each in fsck(copy) if not each.harmless]
        found = verdict(copy)
        if is_live and place in last_batch(copy):
            assert found != "StoreFromTheFuture"
            continue
        assert found in (expected, "StoreDamaged", "StoreFromTheFuture"), place
        if found != expected:
            assert harmful, place
