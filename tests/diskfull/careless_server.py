"""msgd with a planted defect: what finds no room on the disk is taken for written.

Run as `python -m tests.diskfull.careless_server`, with the arguments of msgd.
"""

import sys
from contextlib import suppress

from msgd import __main__ as program
from store.disk import DiskFull
from store.os_disk import OsDisk


class CarelessDisk(OsDisk):
    """Does not look at whether a write has failed."""

    def write_at(self, handle: int, offset: int, data: bytes) -> None:
        with suppress(DiskFull):
            super().write_at(handle, offset, data)


def main() -> int:
    """msgd, on the careless disk."""
    vars(program)["OsDisk"] = CarelessDisk
    return program.main()


if __name__ == "__main__":
    sys.exit(main())
