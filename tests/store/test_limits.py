from store import account_codec, limits
from store.framing import BLOCK
from tests.store.support import new_disk, open_store


def test_an_account_at_all_its_limits_fits_a_block() -> None:
    windows = limits.INSTALLATIONS_MAX * account_codec.WINDOW.size
    ranges = 2 * limits.SETTLED_RANGES_MAX * account_codec.RANGE.size
    largest = account_codec.FIXED.size + limits.NAME_BYTES_MAX + ranges + windows
    assert limits.CHECKPOINT_SLICE_BYTES + largest + BLOCK.size < limits.BLOCK_PAYLOAD_BYTES_MAX


def test_a_slice_holds_an_ordinary_block() -> None:
    assert limits.BLOCK_PAYLOAD_BYTES + BLOCK.size + limits.PAGE_BYTES < limits.READ_SLICE_BYTES
    assert limits.PAGE_BYTES % limits.SECTOR_BYTES == 0
    assert open_store(new_disk()).state.names == []
