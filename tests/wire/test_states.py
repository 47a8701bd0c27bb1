"""Every state with every frame from either end: the table, tried exhaustively."""

from itertools import product

import pytest

from wire.codes import FrameType
from wire.states import (
    FROM_CLIENT,
    FROM_SERVER,
    TRANSITIONS,
    IllegalFrameError,
    Role,
    State,
    advance,
    diagram,
    flowing,
    table,
)


@pytest.mark.parametrize(("state", "sender", "frame"), list(product(State, Role, FrameType)))
def test_what_is_in_the_table_is_legal_and_nothing_else(
    state: State, sender: Role, frame: FrameType
) -> None:
    may_send = frame in (FROM_CLIENT if sender is Role.CLIENT else FROM_SERVER)
    after = TRANSITIONS[state].get(frame)
    if may_send and after is not None:
        assert advance(state, sender, frame) is after
    else:
        with pytest.raises(IllegalFrameError):
            advance(state, sender, frame)


@pytest.mark.parametrize("state", [state for state in State if state is not State.CLOSED])
def test_a_fatal_error_ends_any_state(state: State) -> None:
    assert advance(state, Role.SERVER, FrameType.ERROR, fatal=True) is State.CLOSED
    with pytest.raises(IllegalFrameError):
        advance(state, Role.CLIENT, FrameType.ERROR, fatal=True)


def test_nothing_is_legal_once_closed() -> None:
    with pytest.raises(IllegalFrameError):
        advance(State.CLOSED, Role.SERVER, FrameType.ERROR, fatal=True)


def test_every_frame_has_a_sender_and_only_pings_have_two() -> None:
    assert set(FrameType) == FROM_CLIENT | FROM_SERVER
    assert {FrameType.PING, FrameType.PONG} == FROM_CLIENT & FROM_SERVER


def test_every_frame_is_legal_somewhere() -> None:
    assert {frame for row in TRANSITIONS.values() for frame in row} == set(FrameType)


def test_every_state_can_be_reached_and_left() -> None:
    reached, todo = {State.NEW}, [State.NEW]
    while todo:
        for after in TRANSITIONS[todo.pop()].values():
            if after not in reached:
                reached.add(after)
                todo.append(after)
    assert reached == set(State)


def test_nothing_of_a_user_is_said_before_login() -> None:
    for state in set(State) - {State.ONLINE, State.LEAVING}:
        for frame in (FrameType.DISTRIBUTE_MESSAGE, FrameType.ACCOUNT_LIST, FrameType.SEND_MESSAGE):
            assert frame not in TRANSITIONS[state]


LOGIN_STEPS = {
    FrameType.LOGIN_REQUEST: {State.READY},
    FrameType.LOGIN_CHALLENGE: {State.LOGGING_IN, State.LEAVING},
    FrameType.LOGIN_PROOF: {State.CHALLENGED},
    FrameType.LOGIN_SUCCESS: {State.LOGGING_IN, State.PROVING, State.LEAVING},
    FrameType.LOGIN_FAILURE: {State.LOGGING_IN, State.PROVING, State.LEAVING},
}


@pytest.mark.parametrize("frame", LOGIN_STEPS)
def test_a_login_goes_in_order_and_one_at_a_time(frame: FrameType) -> None:
    legal = {state for state, row in TRANSITIONS.items() if frame in row}
    assert legal == LOGIN_STEPS[frame]


def test_a_login_can_be_given_up_at_every_step() -> None:
    for state in (State.LOGGING_IN, State.CHALLENGED, State.PROVING):
        assert TRANSITIONS[state][FrameType.LOGOUT] is State.LEAVING


def test_the_two_ends_are_each_others_peer() -> None:
    assert Role.CLIENT.peer is Role.SERVER
    assert Role.SERVER.peer is Role.CLIENT


def test_the_diagram_and_the_table_name_every_state() -> None:
    for state in State:
        assert state.value in diagram()
        assert state.value in table()


@pytest.mark.parametrize("sender", list(Role))
def test_what_flows_changes_nothing(sender: Role) -> None:
    assert FrameType.ERROR not in flowing(sender)
    for frame in FrameType:
        try:
            stays = advance(State.ONLINE, sender, frame) is State.ONLINE
        except IllegalFrameError:
            stays = False
        if frame is not FrameType.ERROR:
            assert (frame in flowing(sender)) is stays
