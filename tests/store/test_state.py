from store.awake import AwakeAccount
from store.state import State


def test_paging_by_name() -> None:
    state = State(11, 30)
    for number, name in enumerate(["bob", "ann", "cat"], start=1):
        state.accounts.add(AwakeAccount(number, name, 0))
    assert state.names == ["ann", "bob", "cat"]
    assert [state.names_after(name) for name in ("", "ann", "b", "bob", "zoe")] == [0, 1, 1, 2, 3]
