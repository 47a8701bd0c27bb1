import pytest

from wire.password import PasswordError, check_new_password, prepare_password


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("plain text", b"plain text"),
        ("no\u00a0break\u3000wide", b"no break wide"),
        ("e\u0301", "é".encode()),
        ("Å\u212b", "ÅÅ".encode()),
        ("Straße ΔΙ", "Straße ΔΙ".encode()),
        ("x" * 1_024, b"x" * 1_024),
    ],
)
def test_a_password_is_the_same_on_every_keyboard(text: str, prepared: bytes) -> None:
    assert prepare_password(text) == prepared


@pytest.mark.parametrize(
    "text", ["", "tab\t", "nul\0", "\u200bunseen", "\ud800", "\ue000", "\u0378", "x" * 1_025]
)
def test_some_texts_are_no_password(text: str) -> None:
    with pytest.raises(PasswordError):
        prepare_password(text)


def test_a_new_password_has_a_length() -> None:
    check_new_password("x" * 15)
    check_new_password("é" * 15)
    with pytest.raises(PasswordError, match="14 characters"):
        check_new_password("x" * 14)
    with pytest.raises(PasswordError, match="14 characters"):
        check_new_password("e\u0301" * 14)
