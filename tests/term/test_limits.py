from term import limits


def test_a_screen_that_is_large_enough_fits_the_largest() -> None:
    assert limits.SCREEN_ROWS_MIN < limits.SCREEN_ROWS_MAX
    assert limits.SCREEN_COLUMNS_MIN < limits.SCREEN_COLUMNS_MAX


def test_the_waits_of_the_decoder_grow() -> None:
    assert limits.ESCAPE_DELAY_MS < limits.SEQUENCE_SILENCE_MS < limits.PASTE_SILENCE_MS


def test_a_paste_may_be_longer_than_a_text_so_that_the_editor_can_refuse_it_whole() -> None:
    assert limits.PASTE_BYTES_MAX > limits.EDIT_BYTES_MAX
