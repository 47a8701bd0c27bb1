"""msgd with a planted defect: each batch of the journal reaches the file one batch too late.

Run as `python -m tests.kill.forgetful_server`, with the arguments of msgd. Only kill -9 shows what
is wrong with it: ended in order, it writes everything.
"""

import sys

from msgd import __main__ as program
from store.os_disk import OsDisk


class ForgetfulDisk(OsDisk):
    """Says that it has written a batch, and has only remembered it."""

    late: tuple[int, int, bytes] | None = None

    def write_at(self, handle: int, offset: int, data: bytes) -> None:
        path = self.paths[handle]
        if not path.endswith(".journal") or offset == 0:
            super().write_at(handle, offset, data)
            return
        self.write_late()
        self.late = (handle, offset, data)

    def close(self, handle: int) -> None:
        self.write_late()
        super().close(handle)

    def write_late(self) -> None:
        if self.late is not None:
            late, self.late = self.late, None
            super().write_at(*late)


def main() -> int:
    """msgd, on the forgetful disk."""
    vars(program)["OsDisk"] = ForgetfulDisk
    return program.main()


if __name__ == "__main__":
    sys.exit(main())
