"""The values of every message's life: made in order or by name, equal by what they hold."""

from dataclasses import MISSING, fields

import pytest

from wire import hot_messages
from wire.messages import (
    DistributeMessage,
    MessagePending,
    MessageReceipt,
    MessageSuccess,
    ReceiptSettled,
    SendMessage,
)

WHOLE = (
    SendMessage(1, bytes(16), b"body", ("ann", "bob"), everyone=True),
    MessagePending(1, bytes(16), 2, 3, duplicate=True),
    MessageSuccess(1, bytes(16), "ann", 2),
    DistributeMessage(1, bytes(16), "ann", 2, 3, 4, b"body", 5),
    MessageReceipt((1, 2), 3),
    ReceiptSettled(1, 2),
)


@pytest.mark.parametrize("message", WHOLE, ids=lambda message: type(message).__name__)
def test_the_written_constructor_is_the_one_that_would_be_generated(message: object) -> None:
    kind = type(message)
    assert kind.__module__ == hot_messages.__name__
    by_name = {field.name: getattr(message, field.name) for field in fields(kind)}  # type: ignore[arg-type]  # each is one
    assert len({repr(value) for value in by_name.values()}) == len(by_name), "no two alike"
    assert kind(*by_name.values()) == message
    assert kind(**by_name) == message
    needed = {field.name for field in fields(kind) if field.default is MISSING}  # type: ignore[arg-type]  # each is one
    short = kind(**{name: by_name[name] for name in needed})
    for field in fields(kind):  # type: ignore[arg-type]  # each is one
        wanted = by_name[field.name] if field.name in needed else field.default
        assert getattr(short, field.name) == wanted
    assert (short == message) is (needed == set(by_name))
