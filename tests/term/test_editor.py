import pytest
from hypothesis import given
from hypothesis import strategies as st

from term.editor import Editor, EditorLayout, Outcome
from term.keys import Paste
from term.limits import UNDO_CHARACTERS_MAX, UNDO_STEPS_MAX
from term.safe import Safe
from term.width import columns

KEYS = [
    *("a", "b", "Space", "é", "日", "\u0301", "Enter", "Backspace", "Delete", "Left", "Right"),
    *("Up", "Down", "Home", "End", "PageUp", "PageDown", "C-k", "C-u", "C-w", "C-y", "C-_"),
    *("M-b", "M-f", "M-d", "M-Backspace", "C-Home", "C-End", "M-y", "M-e", "C-a", "C-e"),
]
TEXTS = st.text(
    st.one_of(st.characters(), st.sampled_from("a b\n\t\0\x1b\u202e\u200d\u2028\u0301日")),
    max_size=40,
)


def press(editor: Editor, *keys: str) -> Editor:
    for key in keys:
        assert editor.handle(key) is Outcome.HANDLED
        editor.check_invariants()
    return editor


def marked(editor: Editor) -> str:
    """The text with a bar where the cursor is."""
    return editor.text[: editor.cursor] + "|" + editor.text[editor.cursor :]


def place(editor: Editor, text: str) -> Editor:
    editor.set_text(text.replace("|", ""))
    for _ in range(len(text) - 1 - text.index("|")):
        press(editor, "Left")
    return editor


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ("one| two", "x", "onex| two"),
        ("one| two", "Enter", "one\n| two"),
        ("one| two", "Left", "on|e two"),
        ("|one", "Left", "|one"),
        ("one| two", "C-f", "one |two"),
        ("one two|", "Right", "one two|"),
        ("a\nbc|d\ne", "C-a", "a\n|bcd\ne"),
        ("a\nbc|d\ne", "End", "a\nbcd|\ne"),
        ("a\nbc|d\ne", "C-Home", "|a\nbcd\ne"),
        ("a\nbc|d\ne", "M->", "a\nbcd\ne|"),
        ("one two-three|", "M-b", "one two-|three"),
        ("one |two-three", "M-f", "one two|-three"),
        ("one |two", "C-Left", "|one two"),
        ("日本|語", "Backspace", "日|語"),
        ("|日本", "C-d", "|本"),
        ("ab|", "Delete", "ab|"),
        ("|ab", "Backspace", "|ab"),
        ("a\n|b", "Backspace", "a|b"),
        ("one| two\nx", "C-k", "one|\nx"),
        ("one|\nx", "C-k", "one|x"),
        ("one|", "C-k", "one|"),
        ("a\none| two", "C-u", "a\n| two"),
        ("say a.b/c |d", "C-w", "say |d"),
        ("say a.b/c| d", "M-Backspace", "say a.b/| d"),
        ("say| hello d", "M-d", "say| d"),
    ],
)
def test_a_key_does_what_readline_does(before: str, key: str, after: str) -> None:
    assert marked(press(place(Editor(), before), key)) == after


def test_marks_go_with_their_letter() -> None:
    editor = Editor("ae\u0301")
    assert marked(press(editor, "Left")) == "a|e\u0301"
    assert marked(press(editor, "Right", "Backspace")) == "a|"


def test_a_newline_is_no_mark() -> None:
    assert marked(press(Editor("a\n\nb"), "Left", "Left", "Left")) == "a|\n\nb"


def test_what_is_killed_comes_back() -> None:
    editor = press(Editor("one two three"), "C-w", "C-w")
    assert marked(editor) == "one |"
    assert marked(press(editor, "C-y")) == "one two three|"


def test_kills_in_a_row_are_one_in_either_direction() -> None:
    editor = press(place(Editor(), "one |two three"), "M-d", "M-d", "C-a", "C-y")
    assert marked(editor) == "two three|one "
    editor = press(place(Editor(), "one\n|two\nthree"), "C-k", "C-k", "C-k", "C-y")
    assert editor.text == "one\ntwo\nthree"
    assert press(editor, "C-y").text == "one\ntwo\nthreetwo\nthree"


def test_undo_takes_back_words_kills_and_pastes() -> None:
    editor = press(Editor(), *"one", "Space", *"two")
    assert press(editor, "C-_").text == "one"
    assert press(editor, "M-u").text == ""
    assert press(editor, "C-_").text == ""
    editor = press(Editor("one two"), "C-u")
    assert marked(press(editor, "C-_")) == "one two|"
    editor.handle(Paste(" three\nfour"))
    assert press(editor, "C-_").text == "one two"


def test_what_was_taken_back_can_be_done_again() -> None:
    editor = press(Editor(), *"one", "Space", *"two", "C-w")
    editor.handle(Paste("a\nb"))
    for text in ("one ", "one two", "one", ""):
        assert press(editor, "C-_").text == text
    for text in ("one", "one two", "one ", "one a\nb", "one a\nb"):
        assert press(editor, "M-e").text == text
    assert editor.cursor == len(editor.text)


def test_a_new_change_ends_what_could_be_done_again() -> None:
    editor = press(Editor(), *"one", "Space", *"two", "C-_", "x")
    assert press(editor, "M-e").text == "onex"
    assert press(editor, "C-_", "C-_").text == ""


def test_older_kills_come_round() -> None:
    editor = press(Editor("a b"), "C-w", "Left", "C-w", "C-y")
    assert editor.text.strip() == "a"
    assert press(editor, "M-y").text.strip() == "b"
    assert press(editor, "M-y").text.strip() == "a"


def test_an_older_kill_needs_one_put_back_just_before() -> None:
    editor = press(Editor("one two"), "C-w", "C-y", "Left", "M-y")
    assert editor.text == "one two"
    assert press(Editor("one"), "M-y", "C-y").text == "one"


def test_a_whole_text_is_replaced_in_one_step() -> None:
    editor = Editor("one", bytes_max=8)
    assert editor.replace_text("two\r\nthr")
    assert marked(editor) == "two\nthr|"
    assert not editor.replace_text("nine bytes")
    assert press(editor, "C-_").text == "one"
    assert editor.replace_text("one")
    assert press(editor, "M-e").text == "two\nthr"


def test_what_undo_holds_is_bounded_in_characters() -> None:
    editor = Editor(bytes_max=UNDO_CHARACTERS_MAX)
    half = "x" * (UNDO_CHARACTERS_MAX // 2 - 10)
    for text in (half, half + "y", half + "z"):
        assert editor.replace_text(text)
        editor.check_invariants()
    assert press(editor, "C-_", "C-_").text == half + "y"


def test_moving_ends_a_word_of_undo() -> None:
    editor = press(Editor(), "a", "b", "Left", "c")
    assert press(editor, "C-_").text == "ab"


def test_undo_is_bounded() -> None:
    editor = Editor()
    for _ in range(UNDO_STEPS_MAX + 50):
        press(editor, "Space")
    for _ in range(UNDO_STEPS_MAX + 50):
        press(editor, "C-_")
    assert editor.text == " " * 50


def test_more_than_the_limit_is_refused_whole() -> None:
    editor = Editor("日", bytes_max=6)
    assert editor.handle("é") is Outcome.HANDLED
    assert editor.bytes_used == 5
    assert editor.handle("é") is Outcome.FULL
    assert editor.handle(Paste("xy")) is Outcome.FULL
    assert not editor.insert("xy")
    assert editor.insert("x")
    assert editor.text == "日éx"
    assert Editor("日日日", bytes_max=7).text == "日日"


def test_control_characters_are_dropped_and_line_ends_made_one() -> None:
    assert Editor("a\x1b[2J\x07\r\nb\rc\u2028d\x9b\te").text == "a[2J\nb\nc\nd\te"


def test_a_single_line_has_no_lines() -> None:
    editor = Editor("one\ntwo\n", multiline=False)
    assert editor.text == "one two"
    editor.handle(Paste("\nthree\r\n\r\nfour\tfive\n"))
    assert editor.text == "one twothree four five"
    for key in ("Enter", "Up", "Down", "PageUp", "C-p"):
        assert editor.handle(key) is Outcome.IGNORED


def test_keys_of_others_are_ignored() -> None:
    for key in ("Esc", "Tab", "F1", "C-c", "C-z", "M-Enter"):
        assert Editor("a").handle(key) is Outcome.IGNORED


def test_rows_are_wrapped_and_the_cursor_is_found() -> None:
    editor = Editor("hello brave world\n\n日本語")
    assert editor.layout(10, 10) == EditorLayout(
        (Safe("hello "), Safe("brave "), Safe("world"), Safe(""), Safe("日本語")), (4, 6), 0, 5
    )
    press(editor, "C-Home", *["Right"] * 8)
    assert editor.layout(10, 10).cursor == (1, 2)


def test_a_long_text_scrolls_with_the_cursor() -> None:
    editor = Editor("\n".join("abcdefghij"))
    shown = editor.layout(10, 3)
    assert (shown.rows, shown.cursor, shown.first_row) == (("h", "i", "j"), (2, 1), 7)
    press(editor, "Up")
    assert editor.layout(10, 3).first_row == 7
    press(editor, "PageUp", "PageUp")
    shown = editor.layout(10, 3)
    assert (shown.rows, shown.cursor) == (("e", "f", "g"), (0, 1))
    press(editor, "PageDown")
    assert marked(editor).split("|")[0].endswith("g")


def test_up_and_down_keep_their_column_past_short_rows() -> None:
    editor = place(Editor(), "abcdef\nx\nabcde|f")
    editor.layout(80, 10)
    assert marked(press(editor, "Up")) == "abcdef\nx|\nabcdef"
    assert marked(press(editor, "Up")) == "abcde|f\nx\nabcdef"
    assert marked(press(editor, "Up")) == "|abcdef\nx\nabcdef"
    assert marked(press(editor, "C-End", "Down")) == "abcdef\nx\nabcdef|"


def test_up_and_down_go_by_drawn_rows() -> None:
    editor = Editor("aaaa bbbb cccc")
    editor.layout(6, 10)
    assert marked(press(editor, "Up")) == "aaaa bbbb| cccc"
    assert editor.layout(6, 10).cursor == (1, 4)


def test_a_single_line_scrolls_sideways() -> None:
    editor = Editor("abcdefghij", multiline=False)
    assert editor.layout(6, 1) == EditorLayout((Safe("fghij"),), (0, 5), 0, 1)
    press(editor, "Home")
    assert editor.layout(6, 1) == EditorLayout((Safe("abcdef"),), (0, 0), 0, 1)
    press(editor, "Right", "Right")
    assert editor.layout(6, 1).cursor == (0, 2)


def test_what_is_typed_is_drawn_safely_and_kept_as_it_is() -> None:
    editor = Editor("a\u202eb\tc\u200d", multiline=False)
    editor = Editor("a\u202eb\tc\u200d")
    shown = editor.layout(40, 1)
    assert shown.rows == ("a<RLO>b    c",)
    assert shown.cursor == (0, 12)
    assert editor.text == "a\u202eb\tc\u200d"


@given(
    TEXTS,
    st.lists(st.one_of(st.sampled_from(KEYS), TEXTS.map(Paste))),
    st.booleans(),
    st.integers(1, 12),
    st.integers(1, 5),
)
def test_no_key_and_no_text_breaks_it(
    text: str, keys: list[str | Paste], multiline: bool, width: int, rows: int
) -> None:
    editor = Editor(text, multiline=multiline, bytes_max=200)
    for key in keys:
        editor.handle(key)
        editor.check_invariants()
        shown = editor.layout(width, rows)
        row, column = shown.cursor
        assert 0 <= row < len(shown.rows) <= rows
        assert 0 <= column < max(2, width)
        assert all(columns(line) <= max(2, width) for line in shown.rows)
        assert shown.first_row + len(shown.rows) <= shown.row_count


@given(TEXTS, st.lists(st.sampled_from(KEYS), max_size=20))
def test_undo_comes_back_to_the_beginning(text: str, keys: list[str]) -> None:
    editor = Editor(text)
    before = editor.text
    for key in keys:
        if key != "C-_":
            editor.handle(key)
    for _ in keys:
        editor.handle("C-_")
    assert editor.text == before
