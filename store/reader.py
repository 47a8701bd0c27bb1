"""Reads a queue in order: file, then tail, own entries and everyone's merged by number."""

from store.entry import Entry


class QueueReader:
    """Hands out the unsettled entries of one account, oldest first, a bounded piece at a time."""

    exhausted: bool

    def read(self, count_max: int, bytes_max: int, *, outcomes_only: bool = False) -> list[Entry]:
        """At most `count_max` entries and about `bytes_max` bytes of bodies (always one entry).

        [] with `exhausted` False means that this slice of the file held nothing wanted: read on.
        """
        raise NotImplementedError
