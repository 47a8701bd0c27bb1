"""Numbers are for ever: this test is the place where that is kept."""

from enum import IntEnum

import pytest

from wire.codes import (
    MUST_UNDERSTAND,
    Audience,
    Authentication,
    Code,
    Field,
    FrameType,
    NoticeKind,
    Presence,
    Registration,
)

LISTS: tuple[type[IntEnum], ...] = (
    FrameType,
    Field,
    Code,
    Presence,
    Audience,
    NoticeKind,
    Authentication,
    Registration,
)


@pytest.mark.parametrize("codes", LISTS)
def test_zero_is_reserved(codes: type[IntEnum]) -> None:
    assert 0 not in list(codes)


def test_no_field_of_version_one_must_be_understood() -> None:
    assert all(not field & MUST_UNDERSTAND for field in Field)


def test_numbers_that_other_programs_rely_on() -> None:
    assert (FrameType.HELLO, FrameType.SEND_MESSAGE, FrameType.DELETION_FAILURE) == (1, 32, 50)
    assert (Field.REQUEST, Field.USERNAME, Field.BODY, Field.DISCARDED) == (1, 32, 67, 97)
    assert (FrameType.LOGIN_CHALLENGE, FrameType.PASSWORD_FAILURE) == (24, 28)
    assert (Field.REGISTRATION, Field.SCRAM, Field.INVITE) == (14, 49, 54)
    assert (Code.WRONG_PASSWORD, Code.TOO_MANY_ATTEMPTS) == (32, 38)
    assert (Authentication.NAME_ONLY, Authentication.SCRAM_SHA_256) == (1, 2)
    assert (Code.RECIPIENT_DELETED, Code.IN_USE, Code.UNDELIVERED_MESSAGES) == (11, 14, 26)
