"""The journal as the rest of the store sees it: an ordered log of batches with LSNs.

Durability of a batch is what every promise of the server rests on. `store.journal_file` keeps it in
files; another journal may keep it elsewhere, and may become durable later than `commit` returns:
whoever gates answers by `durable_lsn` will not notice.

Must never renumber: an LSN that was once durable stands for the same batch for ever.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Batch(NamedTuple):
    """One durable batch."""

    lsn: int
    first_number: int  # of its first record
    payload: bytes  # the records, one TLV after the other
    file: str  # where it was read, for whoever has to name damage in it
    offset: int


class Journal(Protocol):
    """An ordered log with one writer."""

    @property
    def open_lsn(self) -> int:
        """The LSN of the batch that records go into now."""

    @property
    def durable_lsn(self) -> int:
        """The last LSN that is safe."""

    @property
    def bytes_used(self) -> int:
        """Bytes of batches that a checkpoint would set free."""

    @property
    def batch_is_empty(self) -> bool:
        """Whether nothing waits for a commit."""

    def append(self, record: bytes, numbers: int) -> None:
        """Put a record that occupies so many numbers into the open batch. No I/O."""

    def append_run(self, records: list[bytes]) -> None:
        """`append` for several records in a row, each of one number."""

    def commit(self) -> int:
        """Make what was appended durable; returns the last LSN. Raises StoreFailure."""

    def seal(self) -> bool:
        """Make damage to the last batch provable, if that is to be had; whether anything was done.
        Raises StoreFailure.
        """

    def replay(self) -> Iterator[Batch]:
        """The batches since the last checkpoint, in order. Raises StoreDamaged."""

    def rotate(self) -> int:
        """Begin a new stretch of log, so that all before it can be released; returns its LSN."""

    def release(self, upto_lsn: int) -> None:
        """Batches below `upto_lsn` are not needed any more."""
