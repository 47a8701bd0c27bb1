from store.account import Account
from store.state import State


def test_what_waits_is_counted_up_to_the_deletion() -> None:
    state = State(11, 30)
    account = Account(1, "ann", 0)
    account.own_messages, account.own_bytes, account.own_outcomes = 2, 20, 1
    state.everyone.total, state.everyone.total_bytes = 5, 50
    account.everyone_seen, account.everyone_seen_bytes = 1, 10
    assert (account.messages_waiting(state), account.bytes_waiting(state)) == (6, 60)
    assert account.outcomes_waiting == 1
    account.closing_number, account.closing_total, account.closing_bytes = 9, 3, 30
    assert account.closing
    assert (account.messages_waiting(state), account.bytes_waiting(state)) == (4, 40)
