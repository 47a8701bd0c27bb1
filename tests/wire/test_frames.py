"""The table, in both directions, against golden bytes that never change."""

from pathlib import Path

import pytest
from hypothesis import given

from tests.wire.samples import MESSAGES, SAMPLES
from wire import frames, limits
from wire.codes import Field, FrameType
from wire.errors import LocalProtocolError
from wire.fields import Rule
from wire.messages import Message, SendMessage
from wire.tlv import HEADER, HEADER_BYTES

GOLDEN = Path(__file__).with_name("golden_frames.txt")
"""One line a sample: its bytes in hexadecimal. Lines are added, never changed."""


def decode(data: bytes) -> Message:
    number, length = HEADER.unpack_from(data)
    assert length == len(data) - HEADER_BYTES
    return frames.decode(number, data, HEADER_BYTES, len(data))


def test_every_frame_has_exactly_one_row_and_a_sample() -> None:
    assert sorted(spec.number for spec in frames.FRAMES) == sorted(FrameType)
    assert {frames.frame_type(sample) for sample in SAMPLES} == set(FrameType)


def test_every_field_is_used_by_some_frame() -> None:
    used = {field.field for spec in frames.FRAMES for field in spec.fields}
    used |= {f.field for spec in frames.FRAMES if spec.group for f in spec.group.specs}
    assert used == set(Field)


def test_a_group_opens_with_a_required_field_and_repeats_none() -> None:
    for spec in frames.FRAMES:
        if spec.group is not None:
            assert spec.group.specs[0].rule is Rule.REQUIRED
            assert Rule.REPEATED not in {field.rule for field in spec.group.specs}
            outside = {field.field for field in spec.fields}
            assert not outside & {field.field for field in spec.group.specs}


def test_the_bytes_of_every_sample_are_the_golden_ones() -> None:
    golden = GOLDEN.read_text().split()
    assert [frames.encode(sample).hex() for sample in SAMPLES] == golden


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_samples_survive_the_way_there_and_back(sample: Message) -> None:
    assert decode(frames.encode(sample)) == sample


@given(MESSAGES)
def test_any_message_survives_the_way_there_and_back(message: Message) -> None:
    assert decode(frames.encode(message)) == message


def test_known_types_are_known() -> None:
    assert frames.is_known(FrameType.HELLO)
    assert not frames.is_known(0)
    assert not frames.is_known(0x7FFF)


def test_the_largest_message_to_the_most_recipients_fits() -> None:
    names = tuple("n" * limits.NAME_CHARACTERS_MAX for _ in range(limits.RECIPIENTS_MAX))
    frames.encode(SendMessage(1, bytes(16), b"x" * limits.BODY_BYTES_MAX, names))


def test_what_does_not_fit_in_a_frame_is_our_mistake() -> None:
    with pytest.raises(LocalProtocolError, match="SEND_MESSAGE"):
        frames.encode(SendMessage(1, bytes(16), b"x" * limits.FRAME_BYTES_MAX, ("bob",)))
