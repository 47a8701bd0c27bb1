from term.sequences import key_of_csi, key_of_linux, key_of_ss3


def test_the_table_answers_none_for_what_is_no_key() -> None:
    assert key_of_csi(b"", ord("A")) == "Up"
    assert key_of_csi(b"", ord("Z")) == "BackTab"
    assert key_of_csi(b"5", ord("Z")) is None
    assert key_of_csi(b"1;1;1", ord("A")) is None
    assert key_of_csi(b"2004", ord("~")) is None
    assert key_of_csi(b"\xb2", ord("~")) is None
    assert key_of_ss3(ord("z")) is None
    assert key_of_linux(ord("F")) is None
