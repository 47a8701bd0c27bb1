from store.entry import Audience, Entry, EntryKind


def test_kinds_and_audiences_are_what_stands_on_the_disk() -> None:
    assert [(each.name, int(each)) for each in EntryKind] == [
        ("MESSAGE", 1),
        ("SUCCESS", 2),
        ("FAILURE", 3),
    ]
    assert [(each.name, int(each)) for each in Audience] == [
        ("ONE", 1),
        ("SEVERAL", 2),
        ("EVERYONE", 3),
    ]


def test_entries_are_equal_by_what_they_hold() -> None:
    one = Entry(9, 0, EntryKind.MESSAGE, bytes(16), 1, "ann", 5, Audience.ONE, 1, 0, b"")
    assert one == Entry(9, 0, EntryKind.MESSAGE, bytes(16), 1, "ann", 5, Audience.ONE, 1, 0, b"")
    assert one != Entry(9, 1, EntryKind.MESSAGE, bytes(16), 1, "ann", 5, Audience.ONE, 1, 0, b"")
