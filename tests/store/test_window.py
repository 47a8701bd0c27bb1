from hypothesis import given
from hypothesis import strategies as st

from store import window
from store.limits import INSTALLATION_KEEP_MS, INSTALLATIONS_MAX, WINDOW_BITS
from store.window import Window, WindowVerdict


@given(st.lists(st.integers(0, 3 * WINDOW_BITS), max_size=60))
def test_a_window_never_says_new_twice(counters: list[int]) -> None:
    windows: dict[bytes, Window] = {}
    taken: set[int] = set()
    for counter in counters:
        verdict = window.check(windows, b"a" * 8, counter, 0)
        if counter in taken:
            assert verdict in (WindowVerdict.DUPLICATE, WindowVerdict.TOO_OLD)
        elif verdict is WindowVerdict.TOO_OLD:
            assert counter < max(taken) - WINDOW_BITS
        else:
            assert verdict is WindowVerdict.NEW
            window.take(windows, b"a" * 8 + counter.to_bytes(8, "big"), 0)
            taken.add(counter)


def test_the_windows_edges() -> None:
    one = Window(5000, 0, 0)
    assert one.verdict(5000) is WindowVerdict.DUPLICATE
    assert one.verdict(5000 - WINDOW_BITS) is WindowVerdict.NEW
    assert one.verdict(5000 - WINDOW_BITS - 1) is WindowVerdict.TOO_OLD
    one.take(5000 - WINDOW_BITS, 1)
    assert one.verdict(5000 - WINDOW_BITS) is WindowVerdict.DUPLICATE
    one.take(5000 + WINDOW_BITS, 2)
    assert one.verdict(5000) is WindowVerdict.DUPLICATE
    one.take(5000 + 3 * WINDOW_BITS, 2)
    assert one.bitmap == 0


def test_a_known_installation_is_judged_by_its_own_window() -> None:
    windows: dict[bytes, Window] = {}
    window.take(windows, b"a" * 8 + (7).to_bytes(8, "big"), 1)
    assert window.check(windows, b"a" * 8, 7, 1) is WindowVerdict.DUPLICATE
    assert window.check(windows, b"a" * 8, 8, 1) is WindowVerdict.NEW
    assert window.check(windows, b"b" * 8, 7, 1) is WindowVerdict.NEW


def test_too_many_installations_until_one_was_silent_for_long() -> None:
    windows: dict[bytes, Window] = {}
    for index in range(INSTALLATIONS_MAX):
        window.take(windows, index.to_bytes(8, "big") + bytes(8), 1000 + index)
    newcomer = b"newcomer"
    early = window.check(windows, newcomer, 1, 1000 + INSTALLATION_KEEP_MS - 1)
    assert early is WindowVerdict.TOO_MANY_INSTALLATIONS
    late = window.check(windows, newcomer, 1, 1000 + INSTALLATION_KEEP_MS)
    assert late is WindowVerdict.NEW
    window.take(windows, newcomer + bytes(8), 9999)
    assert bytes(8) not in windows
    assert len(windows) == INSTALLATIONS_MAX
