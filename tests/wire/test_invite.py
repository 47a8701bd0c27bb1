import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.invite import InviteError, invite_text, read_invite

INVITE = bytes(range(16))


@given(st.binary(min_size=16, max_size=16))
def test_an_invite_comes_back_however_it_is_typed(invite: bytes) -> None:
    text = invite_text(invite)
    assert len(text) == 30
    for typed in (text, text.upper(), text.replace("-", ""), f" {text.replace('-', ' ')}\n"):
        assert read_invite(typed) == invite
    assert read_invite(text.replace("0", "O").replace("1", "l")) == invite


def test_invites_are_written_the_same_for_ever() -> None:
    assert invite_text(INVITE) == "000g4-0r40m-30e20-9185g-r38e1w"
    assert read_invite("000g4-0r40m-30e20-9185g-r38e1w") == INVITE
    assert invite_text(b"\xff" * 16) == "zzzzz-zzzzz-zzzzz-zzzzz-zzzzzw"


@pytest.mark.parametrize(
    "text", ["", "000g4", invite_text(INVITE) + "0", "u" * 26, "ä" * 26, "z" * 26]
)
def test_what_is_no_invite_is_refused(text: str) -> None:
    with pytest.raises(InviteError, match="invite"):
        read_invite(text)
