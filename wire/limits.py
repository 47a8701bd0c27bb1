"""How much is too much, on the wire. Each limit has its unit in its name.

docs/protocol.md repeats them, and a test keeps the two equal.

Must never be loosened by a peer: WELCOME tells what holds, it does not negotiate.
Fails at import when two limits contradict each other.
"""

from typing import Final

VERSION: Final = 1
"""The one version of MSGP that this code speaks."""

FRAME_BYTES_MAX_BEFORE_LOGIN: Final = 4 * 1024
FRAME_BYTES_MAX: Final = 256 * 1024
"""The value of a frame, its own six-byte header not counted."""

FIELDS_MAX: Final = 2_048
"""Fields in one frame, unknown ones counted too."""

BODY_BYTES_MAX: Final = 64 * 1024
RECIPIENTS_MAX: Final = 1_024
DELIVERIES_MAX: Final = 1_024
"""DELIVERY fields in one MESSAGE_RECEIPT."""

BLOCKED_MAX: Final = 256
"""Senders that one account blocks."""

ACCOUNTS_PER_PAGE_MAX: Final = 256
VERSIONS_MAX: Final = 16

NAME_CHARACTERS_MAX: Final = 32
NAME_BYTES_MAX: Final = 255
"""A longer USERNAME or RECIPIENT is no name at all but a broken frame."""

PATTERN_BYTES_MAX: Final = 255
AGENT_BYTES_MAX: Final = 64
CAPABILITY_BYTES_MAX: Final = 32
TEXT_BYTES_MAX: Final = 1_024

INSTALLATION_BYTES: Final = 8
MESSAGE_ID_BYTES: Final = 16
SERVER_ID_BYTES: Final = 16
INVITE_BYTES: Final = 16

SCRAM_BYTES_MAX: Final = 1_024
"""One message of a login with a password (RFC 5802)."""

SALT_BYTES_MIN: Final = 16
SALT_BYTES_MAX: Final = 64
KEY_BYTES: Final = 32
"""STORED_KEY and SERVER_KEY: what SHA-256 gives."""

ITERATIONS_MIN: Final = 600_000
ITERATIONS_MAX: Final = 5_000_000
"""Of PBKDF2. Below, a stolen verifier is guessed too fast; above, a server could keep its clients
busy for seconds. Both ends hold it."""

WINDOW_MESSAGES_MAX: Final = 256
WINDOW_BYTES_MAX: Final = 256 * 1024
"""What the server hands out to one session without having its receipt."""

# The largest message to the most recipients must fit into one frame.
assert BODY_BYTES_MAX + RECIPIENTS_MAX * (6 + NAME_CHARACTERS_MAX) + 256 <= FRAME_BYTES_MAX
assert RECIPIENTS_MAX + 16 <= FIELDS_MAX
assert DELIVERIES_MAX + 16 <= FIELDS_MAX
assert 2 * SCRAM_BYTES_MAX <= FRAME_BYTES_MAX_BEFORE_LOGIN
