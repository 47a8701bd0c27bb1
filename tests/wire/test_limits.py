from wire import limits
from wire.tlv import HEADER_BYTES


def test_a_receipt_for_a_whole_window_fits_before_and_after_login() -> None:
    assert limits.WINDOW_MESSAGES_MAX <= limits.DELIVERIES_MAX
    assert limits.DELIVERIES_MAX * (HEADER_BYTES + 8) < limits.FRAME_BYTES_MAX


def test_a_page_of_accounts_fits_in_a_frame() -> None:
    entry = 3 * HEADER_BYTES + limits.NAME_CHARACTERS_MAX + 1 + 8
    assert limits.ACCOUNTS_PER_PAGE_MAX * entry < limits.FRAME_BYTES_MAX
    assert limits.ACCOUNTS_PER_PAGE_MAX * 3 < limits.FIELDS_MAX


def test_every_step_of_a_login_fits_in_a_small_frame() -> None:
    login = 6 * HEADER_BYTES + 4 + limits.NAME_BYTES_MAX + limits.INSTALLATION_BYTES + 2
    assert login + limits.SCRAM_BYTES_MAX <= limits.FRAME_BYTES_MAX_BEFORE_LOGIN
    keys = limits.SALT_BYTES_MAX + 4 + 2 * limits.KEY_BYTES + limits.INVITE_BYTES
    create = 7 * HEADER_BYTES + 4 + limits.NAME_BYTES_MAX + keys
    assert create <= limits.FRAME_BYTES_MAX_BEFORE_LOGIN


def test_one_message_of_the_largest_size_fits_in_the_window() -> None:
    assert limits.BODY_BYTES_MAX <= limits.WINDOW_BYTES_MAX
