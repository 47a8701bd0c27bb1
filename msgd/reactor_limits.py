"""How much one connection and one turn of the loop may take. Each limit has its unit in its name.

The rules' own limits (time-outs of a login, pings, windows) are in `msgd.limits`.

Must never be changed by a peer. Fails never.
"""

from dataclasses import dataclass
from typing import Final

CONNECTIONS_MAX: Final = 1_024
HANDSHAKES_PER_S_MAX: Final = 50
DESCRIPTORS_RESERVED: Final = 384
"""Kept free: the store holds up to 256 folders of mailboxes open, and a few files; then there are
the listener, the terminal, the log, and connections that are being refused or read to their end."""
DESCRIPTORS_WANTED: Final = 4_096
"""The process asks the system for so many, if it has fewer and is allowed more."""


@dataclass(frozen=True, slots=True)
class ReactorLimits:
    """What holds in the loop; docs/operating.md repeats the numbers."""

    connections_max: int = CONNECTIONS_MAX
    accepts_per_turn_max: int = 8
    sends_per_second_max: int = 20
    """Messages of one account on the long run; who is faster waits. 0: as fast as it likes."""
    sends_burst_max: int = 100
    """Messages of one account at once, after a pause."""
    receive_bytes_per_second_max: int = 2 << 20
    """From one connection; who is faster waits. 0: as fast as it likes."""
    frame_ms: int = 10_000
    """A frame that was begun must come to its end in so long…"""
    frame_ms_per_kib: int = 1_000
    """…and so much more for each KiB of it…"""
    frame_ms_max: int = 60_000
    """…but in no more than this."""
    read_bytes_per_turn_max: int = 64 * 1024
    frames_per_turn_max: int = 128
    """Of one connection."""
    sure_frames_per_turn: int = 2
    """Of each connection that is heard, whatever the others want; more only out of the slack,
    unless everybody may send as fast as he likes."""
    slack_us_per_turn_max: int = 300
    """For what can wait for the next turn; see `msgd.slack`."""
    quiet_us_per_turn_max: int = 1_000
    """To hear connections that have said little lately, each as if it took 100; the rest of them is
    heard in the next turn."""
    crowd_us_per_turn_max: int = 400
    """The same for all others. Neither holds where everybody may send as fast as he likes."""
    output_bytes_pause: int = 256 * 1024
    """With more than this unsent, a connection is not read from."""
    output_bytes_max: int = 4 * 1024 * 1024
    """With more than this unsent, it is closed. Only a rule gone wrong gets there."""
    write_stall_ms: int = 30_000
    """A peer that takes no byte for so long, while there are some for it, is closed."""
    linger_ms: int = 2_000
    """How long a peer that we closed may take to read to the end."""
    lingering_max: int = 32
    accept_pause_ms: int = 100
    accept_pause_ms_max: int = 1_000
    handshake_ms: int = 5_000
    """For the handshake of an encrypted connection, from its first moment."""
    handshakes_max: int = 250
    """At work at once: what would stand further behind would wait longer than it has time."""
    handshakes_per_s_max: int = HANDSHAKES_PER_S_MAX
    """Begun in a second; the rest stand in line."""
    handshake_steps_per_turn_max: int = 2
    shutdown_ms: int = 5_000
    """How long clients may take to read that the server ends."""
    store_slice_ms: int = 4
    """What one slice of the store's background work may take."""
    quiet_ms: int = 10
    """When nobody has come for so long, background work of the store goes on slice after slice."""
    idle_turn_ms: int = 1_000
    """The loop turns at least so often, for the store's background work."""

    def __post_init__(self) -> None:
        if self.output_bytes_max <= self.output_bytes_pause:
            raise ValueError("a connection must be paused before it is closed")
        if self.sure_frames_per_turn < 1:
            raise ValueError("somebody would never be heard")
        if self.quiet_us_per_turn_max < 1 or self.crowd_us_per_turn_max < 1:
            raise ValueError("whoever waits would wait for ever")
        if self.handshakes_per_s_max < 1:
            raise ValueError("nobody could connect")
        if self.connections_max < 1:
            raise ValueError("there must be room for one connection")
