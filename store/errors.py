"""What can go wrong with a store.

    StoreError
    ├── StoreDamaged          bytes that were once durable are not what they were       exit 78
    ├── StoreFromTheFuture    a newer version of the program wrote this folder          exit 78
    ├── StoreLocked           another server holds this folder                          exit 78
    ├── StoreNoRoom           no room to finish: nothing is lost, make room               exit 70
    ├── StoreForbidden        the folder's owner or permissions are not ours            exit 78
    ├── StoreBusy             a folder changed too fast to be copied: try again           exit 1
    └── StoreFailure          a write or a sync failed: nothing more may be promised    exit 70

Must never be caught to go on as if nothing had been: after a StoreFailure the only right step is
to end the process. A StoreDamaged that a queue reader raises concerns that one queue.
"""

from typing import ClassVar, Final

EXIT_BUSY: Final = 1
EXIT_REFUSED: Final = 78
EXIT_FAILED: Final = 70


class StoreError(Exception):
    """The base of all errors of this package; `exit_code` is what the process should end with."""

    exit_code: ClassVar[int] = EXIT_REFUSED


class StoreDamaged(StoreError):  # noqa: N818  # named by what is so
    """Bytes on the disk are not what was written there."""

    def __init__(self, file: str, offset: int, reason: str) -> None:
        super().__init__(
            f"{file} is damaged at byte {offset}: {reason}; "
            "run `msgd fsck` on the folder and restore it from a backup"
        )
        self.file = file
        self.offset = offset
        self.reason = reason


class StoreFromTheFuture(StoreError):  # noqa: N818  # named by what is so
    """The folder needs a newer program than this one."""

    def __init__(self, file: str, needed: int, known: int) -> None:
        super().__init__(
            f"{file} needs format {needed}, this program reads up to {known}; use a newer msgd"
        )
        self.file = file


class StoreLocked(StoreError):  # noqa: N818  # named by what is so
    """Another process serves this folder."""


class StoreForbidden(StoreError):  # noqa: N818  # named by what is so
    """Folder or file has an owner or permissions that the store does not accept."""


class StoreNoRoom(StoreError):  # noqa: N818  # named by what is so
    """The disk is too full to start, to repair, to copy. Nothing is lost; make room, try again.

    Room is all that it needs and may come by itself, so a supervisor may try again too.
    """

    exit_code: ClassVar[int] = EXIT_FAILED


class StoreBusy(StoreError):  # noqa: N818  # named by what is so
    """A server changed the folder all the time while it was to be copied."""

    exit_code: ClassVar[int] = EXIT_BUSY


class StoreFailure(StoreError):  # noqa: N818  # named by what is so
    """A write or a sync failed. Nothing is retried; end the process."""

    exit_code: ClassVar[int] = EXIT_FAILED
