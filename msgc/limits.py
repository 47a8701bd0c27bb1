"""How much is too much, in the client. Each limit has its unit in its name.

Must never be wider than the server's own limits (`wire.limits`).
Fails never.
"""

from typing import Final

SENDS_IN_FLIGHT_MAX: Final = 64
"""Messages put on the wire and not yet answered."""
SEND_BUFFER_BYTES_MAX: Final = 256 * 1024
"""Above this no further message is taken from the outbox until bytes have gone."""
REQUESTS_MAX: Final = 64
"""Requests of the user's that are not yet answered."""
READ_BYTES_MAX: Final = 64 * 1024
"""What is read from the socket at once; one commit of the archive follows."""
EVENTS_MAX: Final = 100_000
"""Events that nobody has fetched: more is a bug of the caller's."""

RETRY_FIRST_MS: Final = 500
RETRY_MAX_MS: Final = 30_000
STABLE_MS: Final = 10_000
"""A session that lasted so long lets the next retry begin at RETRY_FIRST_MS again."""
CONNECT_TIMEOUT_MS: Final = 10_000
ANSWER_TIMEOUT_MS: Final = 10_000
"""For the greeting and the login, each."""
PROOF_DELAY_MS: Final = 30
"""Between saying that keys are made of a password, and doing it."""
LEAVE_TIMEOUT_MS: Final = 3_000
PING_IDLE_MS: Final = 30_000
PING_WAITING_MS: Final = 5_000
"""The same while a request is unanswered: a dead line is found sooner when it matters."""
DEAD_MS: Final = 15_000
"""No byte for so long after a ping: the server is not there."""
RETRY_SOON_MS: Final = 250
"""At most so long before the attempt after a sleep."""
SLEEP_JUMP_MS: Final = 5_000
"""A sleep of the machine, or a step of the clock that the timers do not explain."""
AWAKE_TIMEOUT_MS: Final = 2_000
"""How long the server has for the ping after a sleep."""
OUTBOX_POLL_MS: Final = 1_000
"""How often the outbox is looked at for messages of another process."""

RECALLS_IN_FLIGHT_MAX: Final = 4

ACCOUNTS_KEPT_MAX: Final = 100_000
"""Names of one list; a longer list ends there and says so."""
STDIN_BYTES_MAX: Final = 64 * 1024
CONFIG_BYTES_MAX: Final = 64 * 1024
KNOWN_SERVERS_BYTES_MAX: Final = 1024 * 1024
SOCKET_PATH_BYTES_MAX: Final = 107
"""What the system's address of a Unix socket holds, less the zero at its end."""
SECRET_BYTES_MAX: Final = 4 * 1024
"""Of a password's file, or of what a program prints; the password is its first line."""
PASSWORD_COMMAND_TIMEOUT_MS: Final = 60_000
"""A person may have to unlock something first."""
PASSWORD_ATTEMPTS_MAX: Final = 3
"""How often the command line asks for a password."""
HANDSHAKE_STEPS_MAX: Final = 8
"""Steps of a TLS handshake in one turn, and reads of the socket for one read of the channel."""
TLS_SLICE_BYTES_MAX: Final = 16 * 1024
"""One record (RFC 8446 section 5.1): so much is sealed at once, and only when the last is gone."""
HISTORY_ROWS_MAX: Final = 10_000
DRAFT_BYTES_MAX: Final = 256 * 1024
SEARCH_CHARACTERS_MAX: Final = 256
