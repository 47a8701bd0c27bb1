"""msgd with a planted defect: a sync that failed is made again, and believed the second time.

The system marks the pages clean after the first failure, so the second one says nothing of them.
Run as `python -m tests.strace.stubborn_server`, with the arguments of msgd.
"""

import sys

from msgd import __main__ as program
from store.disk import DiskFailure
from store.os_disk import OsDisk


class StubbornDisk(OsDisk):
    """Tries again."""

    def sync_data(self, handle: int) -> None:
        try:
            super().sync_data(handle)
        except DiskFailure:
            super().sync_data(handle)


def main() -> int:
    """msgd, on the stubborn disk."""
    vars(program)["OsDisk"] = StubbornDisk
    return program.main()


if __name__ == "__main__":
    sys.exit(main())
