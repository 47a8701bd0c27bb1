from store.entry import Audience, Entry, EntryKind, with_pred


def test_an_entry_shared_by_several_is_copied() -> None:
    one = Entry(9, 0, EntryKind.MESSAGE, bytes(16), 1, "ann", 5, Audience.ONE, 1, 0, b"")
    assert with_pred(one, 0) is one
    assert with_pred(one, 3) is one
    assert with_pred(one, 4) is not one
    shared = Entry(9, 0, EntryKind.MESSAGE, bytes(16), 1, "ann", 5, Audience.SEVERAL, 2, 0, b"")
    assert with_pred(shared, 3).pred == 3
    assert shared.pred == 0
