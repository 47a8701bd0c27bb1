"""The values themselves: small, and never changed once made."""

import dataclasses
from typing import get_args

import pytest

from tests.wire.samples import SAMPLES
from wire.frames import FRAMES, FrameSpec
from wire.messages import Message

CLASSES = get_args(Message)


def test_the_union_is_the_table() -> None:
    assert set(CLASSES) == {spec.made_from for spec in FRAMES}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_every_message_is_slotted(sample: Message) -> None:
    assert not hasattr(sample, "__dict__")


@pytest.mark.parametrize("row", FRAMES, ids=lambda row: row.number.name)
def test_the_table_names_exactly_the_attributes_of_the_class(row: FrameSpec) -> None:
    named = [field.attribute for field in row.fields]
    if row.group is not None:
        named.append(row.group.attribute)
        attributes = {field.name for field in dataclasses.fields(row.group.entry)}
        assert {field.attribute for field in row.group.specs} == attributes
    assert sorted(named) == sorted(field.name for field in dataclasses.fields(row.made_from))
