import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from term.decoder import KeyDecoder
from term.keys import KeyEvent, Paste, is_key
from term.limits import (
    BARE_PASTE_GOES_ON_MS,
    ESCAPE_DELAY_MS,
    PASTE_BYTES_MAX,
    PASTE_SILENCE_MS,
    SEQUENCE_SILENCE_MS,
)

LONG_MS = 60_000

PIECES = st.sampled_from(
    [
        *(b"\x1b", b"[", b"]", b"O", b"P", b"M", b"A", b"~", b"1;5", b"200~", b"\x1b[200~", b";"),
        *(b"\x1b[201~", b"\x07", b"\x1b\\", b"\x9c", b"\xc2\x9b", b"\r", b"\n", b"text", b"\xe6"),
        *("é日".encode(), b"\x18", b"\x00", b"\xff"),
    ]
)
STREAMS = st.lists(st.one_of(PIECES, st.binary(max_size=3))).map(b"".join)


def decode(data: bytes) -> list[KeyEvent]:
    decoder = KeyDecoder()
    keys = decoder.feed(data, 0)
    decoder.check_invariants()
    return keys + decoder.timeout(LONG_MS)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"a", "a"),
        ("é".encode(), "é"),
        ("日".encode(), "日"),
        ("😀".encode(), "😀"),
        (b" ", "Space"),
        (b"\r", "Enter"),
        (b"\n", "Enter"),
        (b"\t", "Tab"),
        (b"\x7f", "Backspace"),
        (b"\x08", "Backspace"),
        (b"\x00", "C-Space"),
        (b"\x01", "C-a"),
        (b"\x1a", "C-z"),
        (b"\x1c", "C-\\"),
        (b"\x1f", "C-_"),
        (b"\x1b", "Esc"),
        (b"\x1bb", "M-b"),
        (b"\x1b\r", "M-Enter"),
        (b"\x1b\x7f", "M-Backspace"),
        (b"\x1b ", "M-Space"),
        (b"\x1b<", "M-<"),
        ("\x1bé".encode(), "M-é"),
        (b"\x1b[A", "Up"),
        (b"\x1bOA", "Up"),
        (b"\x1b[B", "Down"),
        (b"\x1b[C", "Right"),
        (b"\x1bOD", "Left"),
        (b"\x1b[1;5D", "C-Left"),
        (b"\x1b[1;3C", "M-Right"),
        (b"\x1b[1;2A", "Up"),
        (b"\x1b[1;7A", "C-Up"),
        (b"\x1bO5C", "C-Right"),
        (b"\x1bOc", "C-Right"),
        (b"\x1b[H", "Home"),
        (b"\x1bOH", "Home"),
        (b"\x1b[1~", "Home"),
        (b"\x1b[7~", "Home"),
        (b"\x1b[4~", "End"),
        (b"\x1b[8~", "End"),
        (b"\x1bOF", "End"),
        (b"\x1b[2~", "Insert"),
        (b"\x1b[3~", "Delete"),
        (b"\x1b[3;5~", "C-Delete"),
        (b"\x1b[5~", "PageUp"),
        (b"\x1b[6~", "PageDown"),
        (b"\x1b[Z", "BackTab"),
        (b"\x1b\t", "BackTab"),
        (b"\x1bOP", "F1"),
        (b"\x1b[P", "F1"),
        (b"\x1b[11~", "F1"),
        (b"\x1b[[A", "F1"),
        (b"\x1b[[E", "F5"),
        (b"\x1bOR", "F3"),
        (b"\x1b[15~", "F5"),
        (b"\x1b[24~", "F12"),
        (b"\x1bOM", "Enter"),
        (b"\x1bOw", "7"),
        (b"\x1bOk", "+"),
        (b"\x9bA", "Up"),
        (b"\xc2\x9bA", "Up"),
        (b"\x8fP", "F1"),
    ],
)
def test_a_key_is_known_whole_and_byte_by_byte(data: bytes, key: str) -> None:
    assert decode(data) == [key]
    assert is_key(key)
    decoder = KeyDecoder()
    found: list[KeyEvent] = []
    for byte in data:
        found += decoder.feed(bytes((byte,)), 0)
    assert found + decoder.timeout(LONG_MS) == [key]


@pytest.mark.parametrize(
    "answer",
    [
        b"\x1b[?1;2c",  # device attributes
        b"\x1b[24;80R",  # cursor position
        b"\x1b[1;5R",
        b"\x1b[0n",
        b"\x1b[I",  # focus
        b"\x1b[8;24;80t",  # window size
        b"\x1b[<0;10;10M",  # mouse
        b"\x1b[M !!",
        b"\x1b[27;5;13~",
        b"\x1b[99999999999999999999~",
        b"\x1b[" + b"1;" * 500 + b"A",
        b"\x1b[1;5;7A",
        b"\x1b[?A",
        b"\x1b[5A",
        b"\x1b[201~",
        b"\x1b[?2004;1$y",
        b"\x1bOz",
        b"\x1b[[z",
        b"\x1b]0;title\x07",
        b"\x1b]52;c;cm0gLXJmIH4K\x1b\\",
        b"\x1b]10;rgb:ffff/ffff/ffff\x9c",
        b"\x1b]l/bin/sh\r\x1b\\",
        b"\x1bP1$r0m\revil\r\x1b\\",
        b"\x1bP>|xterm(388)\x1b\\",
        b"\x1b_Gi=31;OK\x1b\\",
        b"\x1b^private\x1b\\",
        b"\x1bXstart\x1b\\",
        b"\x9d0;title\x9c",
        b"\xc2\x9d0;title\xc2\x9c",
        "\x1b]0;\u061c\u06dc\u2713\x07".encode(),  # 9C is also the tail of honest characters
    ],
)
def test_an_answer_of_the_terminal_never_becomes_text(answer: bytes) -> None:
    assert decode(answer + b"x") == ["x"]
    for cut in range(2, len(answer)):
        decoder = KeyDecoder()
        assert decoder.feed(answer[:cut], 0) == []
        assert decoder.feed(answer[cut:] + b"x", 30) == ["x"]


@pytest.mark.parametrize(
    "opening", [b"\x1b[", b"\x1b]52;", b"\x1bP", b"\x1bO", b"\x1b[[", b"\x1b[M "]
)
def test_an_unfinished_answer_is_given_up_after_silence(opening: bytes) -> None:
    decoder = KeyDecoder()
    assert decoder.feed(opening, 0) == []
    assert decoder.deadline_ms == SEQUENCE_SILENCE_MS
    assert decoder.timeout(SEQUENCE_SILENCE_MS - 1) == []
    assert decoder.timeout(SEQUENCE_SILENCE_MS) == []
    assert decoder.feed(b"x", SEQUENCE_SILENCE_MS) == ["x"]
    assert decoder.deadline_ms is None


def test_a_lone_escape_is_told_by_silence() -> None:
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b", 1_000) == []
    assert decoder.deadline_ms == 1_000 + ESCAPE_DELAY_MS
    assert decoder.timeout(1_000 + ESCAPE_DELAY_MS - 1) == []
    assert decoder.timeout(1_000 + ESCAPE_DELAY_MS) == ["Esc"]
    assert decoder.feed(b"[A", 2_000) == ["[", "A"]


def test_a_slow_line_may_ask_for_more_patience() -> None:
    decoder = KeyDecoder(escape_delay_ms=500)
    assert decoder.feed(b"\x1b", 0) == []
    assert decoder.timeout(499) == []
    assert decoder.feed(b"[A", 499) == ["Up"]


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"\x1b\x1b[A", ["Esc", "Up"]),
        (b"\x1b\x1b", ["Esc", "Esc"]),
        (b"\x1b\x01", ["Esc", "C-a"]),
        (b"\x1b\xff", ["M-\ufffd"]),
        (b"\x1b\x85", ["Esc"]),
        (b"\x1b[\x1b[A", ["Up"]),
        (b"\x1b[1\r", ["Enter"]),
        (b"\x1b[1\x18a", ["a"]),
        (b"\x1b]0;\x18a", ["a"]),
        (b"\x1b]0;\x1b[A", ["Up"]),
        (b"\x1b[\xc3\xa9", ["é"]),
    ],
)
def test_a_sequence_that_is_broken_off_does_not_hurt_the_next_key(
    data: bytes, keys: list[KeyEvent]
) -> None:
    assert decode(data) == keys


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"\xff", ["\ufffd"]),
        (b"\xe9a", ["\ufffd", "a"]),
        (b"\xe6\x97a", ["\ufffd", "a"]),
        (b"\xe6\x97\xc3\xa9", ["\ufffd", "é"]),
        (b"\xed\xa0\x80", ["\ufffd"]),
        (b"\xe0\x80\x80", ["\ufffd"]),
        (b"\xf5a", ["\ufffd", "a"]),
        (b"\x85\xc2\x85a", ["a"]),
        (b"\xe6\x97", ["\ufffd"]),
    ],
)
def test_bytes_that_are_not_utf8_are_seen_and_lose_nothing_after_them(
    data: bytes, keys: list[KeyEvent]
) -> None:
    assert decode(data) == keys


def test_a_paste_is_one_event() -> None:
    assert decode(b"\x1b[200~one\rtwo\r\nthree\n\x1b[201~x") == [Paste("one\ntwo\nthree\n"), "x"]
    assert decode(b"\x1b[200~\x1b[201~") == [Paste("")]


def test_a_paste_keeps_text_and_loses_controls() -> None:
    assert decode("\x1b[200~a\tb\x1b[2J\x03\x9b日\x1b[201~".encode()) == [Paste("a\tb[2J日")]


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_paste_may_come_in_pieces(first: int, second: int) -> None:
    data = b"\x1b[200~line 1\r\xe6\x97\xa5\x1b[20 line 2\r\x1b[201~q"
    decoder = KeyDecoder()
    keys = decoder.feed(data[:first], 0)
    keys += decoder.feed(data[first : first + second], 0)
    keys += decoder.feed(data[first + second :], 0)
    assert keys == [Paste("line 1\n日[20 line 2\n"), "q"]


def test_a_paste_byte_by_byte() -> None:
    decoder = KeyDecoder()
    keys: list[KeyEvent] = []
    for byte in b"\x1b[200~a\rb\x1b[201~\x1b[200~c\x1b[201~":
        keys += decoder.feed(bytes((byte,)), 0)
    assert keys == [Paste("a\nb"), Paste("c")]


@pytest.mark.parametrize("piece", [PASTE_BYTES_MAX * 2, 1_000, 7])
def test_a_paste_is_bounded_and_says_what_it_lost(piece: int) -> None:
    size = PASTE_BYTES_MAX + 5_000
    data = b"\x1b[200~" + b"a" * size + b"\x1b[201~z"
    decoder = KeyDecoder()
    keys: list[KeyEvent] = []
    for start in range(0, len(data), piece):
        keys += decoder.feed(data[start : start + piece], 0)
        decoder.check_invariants()
    assert keys == [Paste("a" * PASTE_BYTES_MAX, 5_000), "z"]


def test_a_paste_is_not_cut_within_a_character() -> None:
    text = "日" * (PASTE_BYTES_MAX // 3 + 1)
    (paste,) = decode(b"\x1b[200~" + text.encode() + b"\x1b[201~")
    assert isinstance(paste, Paste)
    assert paste.text == "日" * (PASTE_BYTES_MAX // 3)
    assert paste.cut_bytes == 3


def test_a_paste_whose_end_is_lost_is_handed_over_after_silence() -> None:
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b[200~a\rb", 0) == []
    assert decoder.timeout(PASTE_SILENCE_MS - 1) == []
    assert decoder.timeout(PASTE_SILENCE_MS) == [Paste("a\nb")]
    assert decoder.feed(b"x", PASTE_SILENCE_MS) == ["x"]


def test_several_enters_in_one_read_are_a_paste() -> None:
    assert decode(b"rm -rf x\ryes\r") == [Paste("rm -rf x\nyes\n")]
    assert decode("é\r日\r\n".encode()) == [Paste("é\n日\n")]


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"ok\r", ["o", "k", "Enter"]),
        (b"\r\r\r", ["Enter"] * 3),  # a key that is held down
        (b"a\r\x1b[A\r", ["a", "Enter", "Up", "Enter"]),
        (b"a\r\x01\r", ["a", "Enter", "C-a", "Enter"]),
        (b"\xc2\x9b5nevil\rx\r", ["e", "v", "i", "l", "Enter", "x", "Enter"]),
        (b"\x9b5na\r\r", ["a", "Enter", "Enter"]),
    ],
)
def test_what_is_not_a_bare_paste(data: bytes, keys: list[KeyEvent]) -> None:
    assert decode(data) == keys


def test_a_bare_paste_may_end_within_a_character() -> None:
    decoder = KeyDecoder()
    assert decoder.feed(b"a\rb\r\xe6\x97", 0) == [Paste("a\nb\n")]
    assert decoder.feed(b"\xa5", 1) == [Paste("日")]


@given(STREAMS, st.lists(st.integers(0, 60), max_size=4))
def test_any_bytes_in_any_pieces_give_only_keys(data: bytes, cuts: list[int]) -> None:
    decoder = KeyDecoder()
    places = [0, *sorted(cuts), len(data)]
    keys: list[KeyEvent] = []
    for start, end in itertools.pairwise(places):
        keys += decoder.feed(data[start:end], 0)
        decoder.check_invariants()
    keys += decoder.timeout(LONG_MS)
    assert decoder.deadline_ms is None
    for key in keys:
        if isinstance(key, Paste):
            assert not set(key.text) & set(map(chr, (*range(9), *range(11, 32), *range(127, 160))))
        else:
            assert key[:1] >= " "
            assert not "\x7f" <= key[0] < "\xa0"


@given(STREAMS)
def test_after_silence_everything_is_forgotten(data: bytes) -> None:
    decoder = KeyDecoder()
    decoder.feed(data, 0)
    decoder.timeout(LONG_MS)
    assert decoder.feed(b"a\x1b[Ab", LONG_MS) == ["a", "Up", "b"]


def test_nothing_read_is_nothing_pressed() -> None:
    decoder = KeyDecoder()
    assert decoder.feed(b"", 0) == []
    assert decoder.deadline_ms is None
    assert decoder.timeout(0) == []


def test_a_bare_paste_goes_on_in_the_next_reads() -> None:
    decoder = KeyDecoder()
    assert decoder.feed(b"one\rtwo\rth", 0) == [Paste("one\ntwo\nth")]
    assert decoder.feed("ree\rfour \N{EURO SIGN}".encode()[:-1], 10) == [Paste("ree\nfour ")]
    assert decoder.feed(b"\xac\r", 20) == [Paste("\N{EURO SIGN}\n")]
    assert decoder.feed(b"y\r", 20 + BARE_PASTE_GOES_ON_MS + 1) == ["y", "Enter"]


def test_a_key_ends_a_bare_paste() -> None:
    decoder = KeyDecoder()
    assert decoder.feed(b"one\rtwo\r", 0) == [Paste("one\ntwo\n")]
    assert decoder.feed(b"\x04", 10) == ["C-d"]
    assert decoder.feed(b"y\r", 12) == ["y", "Enter"]


def test_a_lone_enter_after_a_bare_paste_is_a_key() -> None:
    decoder = KeyDecoder()
    decoder.feed(b"one\rtwo\r", 0)
    assert decoder.feed(b"\r", 10) == ["Enter"]


def test_an_enter_right_after_a_bracketed_paste_is_a_key() -> None:
    """The paste ends at its bracket, not at the end of the read."""
    decoder = KeyDecoder()
    keys = decoder.feed(b"\x1b[200~one\rtwo\x1b[201~\r", 0)
    assert keys == [Paste("one\ntwo"), "Enter"]
