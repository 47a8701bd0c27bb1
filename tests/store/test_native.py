"""The mark for the compiler, where there is none."""

from store.native import mypyc_attr


class Plain:
    pass


def test_a_mark_changes_nothing() -> None:
    assert mypyc_attr("acyclic", allow_interpreted_subclasses=True)(Plain) is Plain
