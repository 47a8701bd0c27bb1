"""Other programs through the operating system: the only file that imports subprocess.

Must never run a shell: the command is split into words once, and a message never becomes part of
it; the message goes to the program's standard input.
Fails with ProcessError when the program cannot be started.
"""

import subprocess
import tempfile


class ProcessError(Exception):
    """The program cannot be started."""


class Process:
    """One running program."""

    def __init__(self, command: tuple[str, ...], data: bytes) -> None:
        """Start it with `data` as its standard input, whole and from the beginning."""
        # A file, not a pipe: a program that reads slowly, or not at all, never blocks us.
        with tempfile.TemporaryFile() as given:
            given.write(data)
            given.seek(0)
            try:
                self._process = subprocess.Popen(command, stdin=given)  # noqa: S603 the user's own
            except OSError as error:
                reason = (error.strerror or "error").lower()
                raise ProcessError(f"Cannot run {command[0]}: {reason}.") from None

    def exit_code(self) -> int | None:
        """How it ended, or None while it runs. Negative: by that signal."""
        return self._process.poll()
