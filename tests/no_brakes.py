"""What tells msgd to slow nobody down, for tests and benches that send faster than people do.

Must never be used where the limits themselves are what is tried. Fails never.
"""

from typing import Final

ENVIRONMENT: Final = {
    "MSGD_SENDS_PER_SECOND_MAX": "0",
    "MSGD_RECEIVE_BYTES_PER_SECOND_MAX": "0",
    "MSGD_MEMORY_BYTES_MAX": "0",
}
ARGUMENTS: Final = (
    *("--sends-per-second-max", "0"),
    *("--receive-bytes-per-second-max", "0"),
    *("--memory-bytes-max", "0"),
)
