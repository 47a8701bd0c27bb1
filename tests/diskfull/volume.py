"""A small real filesystem, mounted for a while, and a ballast file that takes its room.

Must never leave anything mounted. Fails with CannotMount, whose text says why.
"""

import os
import subprocess
from pathlib import Path
from typing import Final, Self

KINDS: Final = ("tmpfs", "ext4")
VOLUME_BYTES: Final = 16 << 20
BLOCK_BYTES: Final = 1_024


class CannotMount(Exception):  # noqa: N818  named by what is so
    """This machine does not let us mount such a filesystem."""


class Volume:
    """16 MiB of tmpfs, or of ext4 in a file. Use as a context manager; `path` is where it is."""

    def __init__(self, kind: str, work: Path) -> None:
        self.kind = kind
        self.path = work / f"mount-{kind}"
        self._image = work / f"{kind}.image"
        self._ballast = self.path / "ballast"

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise CannotMount("mounting needs root")
        self.path.mkdir()
        options = f"size={VOLUME_BYTES},mode=700"
        mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.path)]
        if self.kind == "ext4":
            with self._image.open("wb") as image:
                image.truncate(VOLUME_BYTES)
            self._run(["mkfs.ext4", "-q", "-F", "-m", "0", str(self._image)])
            mount = ["mount", "-o", "loop", str(self._image), str(self.path)]
        self._run(mount)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", str(self.path)], check=True)
        self.path.rmdir()
        self._image.unlink(missing_ok=True)

    def _run(self, command: list[str]) -> None:
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True)
        except FileNotFoundError:
            self.path.rmdir()
            raise CannotMount(f"there is no {command[0]}") from None
        if done.returncode != 0:
            self.path.rmdir()
            self._image.unlink(missing_ok=True)
            raise CannotMount(f"{command[0]}: {done.stderr.strip()}")

    # ----- room

    def free_bytes(self) -> int:
        """Room for anybody."""
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize

    def leave(self, wanted_bytes: int) -> None:
        """Let the ballast grow until only so much is free, as nearly as the filesystem can."""
        fd = os.open(self._ballast, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            step_bytes = self.free_bytes() - wanted_bytes
            while step_bytes >= BLOCK_BYTES:
                try:
                    os.posix_fallocate(fd, os.fstat(fd).st_size, step_bytes)
                except OSError:  # it needs some room for itself
                    step_bytes //= 2
                else:
                    step_bytes = min(step_bytes, self.free_bytes() - wanted_bytes)
        finally:
            os.close(fd)

    def drop(self) -> None:
        """Give all of it back."""
        self._ballast.unlink(missing_ok=True)
