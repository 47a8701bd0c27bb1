from typing import Any

import pytest

from msgd.limits import ExchangeLimits
from wire import limits as wire_limits


def test_the_defaults_are_those_of_the_protocol() -> None:
    limits = ExchangeLimits()
    assert limits.window_messages_max == 256
    assert limits.window_bytes_max == 256 * 1024
    assert limits.body_bytes_max == 64 * 1024
    assert limits.recipients_max == 1_024
    assert (limits.mailbox_messages_max, limits.mailbox_bytes_max) == (10_000, 64 << 20)
    assert (limits.login_timeout_ms, limits.ping_idle_ms, limits.dead_after_ms) == (
        10_000,
        30_000,
        45_000,
    )
    assert limits.challenge_ms == 2_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"window_bytes_max": wire_limits.BODY_BYTES_MAX - 1},
        {"ping_idle_ms": 45_000},
        {"body_bytes_max": wire_limits.BODY_BYTES_MAX + 1, "window_bytes_max": 1 << 20},
        {"mailbox_bytes_max": wire_limits.BODY_BYTES_MAX - 1},
        {"accounts_per_page_max": wire_limits.ACCOUNTS_PER_PAGE_MAX + 1},
    ],
)
def test_limits_that_contradict_each_other_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|carries"):
        ExchangeLimits(**wrong)
