import pytest

from msgd.session import Session
from wire.messages import Ping, Pong
from wire.states import Role, State


def session() -> Session:
    return Session(7, "127.0.0.1:40118", 1_000, 2_000)


def test_a_new_session_is_nobodys() -> None:
    new = session()
    assert (new.number, new.peer, new.opened_ms, new.since_ms) == (
        7,
        "127.0.0.1:40118",
        1_000,
        2_000,
    )
    assert new.account is None
    assert new.closing is None
    assert new.connection.role is Role.SERVER
    assert new.connection.state is State.NEW


def test_messages_stand_in_the_outbox_in_order_with_what_they_wait_for() -> None:
    new = session()
    new.put(Ping(1), 3)
    new.put(Ping(2), 3)
    new.put(Pong(3), 5)
    assert list(new.outbox) == [(3, Ping(1)), (3, Ping(2)), (5, Pong(3))]


def test_no_message_may_overtake_the_durability_of_one_before_it() -> None:
    new = session()
    new.put(Ping(1), 3)
    new.outbox.clear()
    with pytest.raises(AssertionError):
        new.put(Ping(2), 2)


def test_its_label_names_the_user_once_there_is_one() -> None:
    new = session()
    assert new.label == "127.0.0.1:40118"
    new.name = "bob"
    assert new.label == "bob from 127.0.0.1:40118"
