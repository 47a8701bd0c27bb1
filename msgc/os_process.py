"""Other programs through the operating system: the only file that imports subprocess.

Must never run a shell: the command is split into words once, and a message never becomes part of
it; the message goes to the program's standard input, or to a file that the editor is given.
Fails with ProcessError when the program cannot be started, with EditorError for an editor.
"""

import shlex
import subprocess
import tempfile
from pathlib import Path

from msgc.limits import DRAFT_BYTES_MAX
from msgc.outside_editor import EditorError


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
                raise ProcessError(f"Cannot run {command[0]}: {_reason(error)}.") from None

    def exit_code(self) -> int | None:
        """How it ended, or None while it runs. Negative: by that signal."""
        return self._process.poll()


def output_of(command: str, bytes_max: int, timeout_ms: int, *, may_ask: bool = True) -> str:
    """What this program prints; the command is split into words, and no shell runs it.

    If it may not ask, it reads nothing and what it says to people is not seen.
    Raises ProcessError, also when it ends with another code than 0 or takes too long.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ProcessError(f"The command cannot be understood: {str(error).lower()}.") from None
    if not words:
        raise ProcessError("The command is empty.")
    name = words[0]
    try:
        done = subprocess.run(  # noqa: S603 the user's own
            words,
            stdin=None if may_ask else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if may_ask else subprocess.DEVNULL,
            timeout=timeout_ms / 1_000,
            check=False,
        )
    except OSError as error:
        raise ProcessError(f"Cannot run {name}: {_reason(error)}.") from None
    except subprocess.TimeoutExpired:
        raise ProcessError(f"{name} did not end within {timeout_ms // 1_000} s.") from None
    if done.returncode:
        raise ProcessError(f"{name} ended with {done.returncode}.")
    try:
        return done.stdout[: bytes_max + 1].decode("utf-8")
    except UnicodeDecodeError:
        raise ProcessError(f"What {name} printed is not UTF-8 text.") from None


class OsEditor:
    """See msgc.outside_editor.OutsideEditor. `command` is what VISUAL or EDITOR says, or empty."""

    def __init__(self, command: str) -> None:
        self._command = command

    def start(self, text: str) -> "OsRunningEditor":
        """See OutsideEditor. The text is in a file of its own, in a folder for this user only."""
        try:
            words = shlex.split(self._command)
        except ValueError as error:
            reason = str(error).lower()
            raise EditorError(f"VISUAL or EDITOR cannot be used: {reason}.") from None
        if not words:
            raise EditorError(
                "No editor is chosen. Before msgc, run for example: export EDITOR=nano"
            )
        return OsRunningEditor(tuple(words), text)


class OsRunningEditor:
    """See msgc.outside_editor.RunningEditor."""

    def __init__(self, command: tuple[str, ...], text: str) -> None:
        """It has our terminal and our process group: C-z stops both, and fg continues both."""
        # A folder, for what an editor puts beside the file: backups, and the file written anew.
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="msgc-")
        except OSError as error:
            raise EditorError(f"No file for the editor can be made: {_reason(error)}.") from None
        try:
            with tempfile.NamedTemporaryFile(  # mode 0600
                "wb", prefix="message-", suffix=".txt", dir=self._folder.name, delete=False
            ) as file:
                file.write(text.encode("utf-8", "replace") + (b"\n" if text else b""))
            self._path = Path(file.name)
            self._process = subprocess.Popen((*command, file.name))  # noqa: S603 the user's own
        except OSError as error:
            self._folder.cleanup()
            name = command[0]
            raise EditorError(f"Cannot run the editor {name}: {_reason(error)}.") from None

    def exit_code(self) -> int | None:
        """See RunningEditor."""
        return self._process.poll()

    def text(self) -> str:
        """See RunningEditor. The newline that editors put at the end of a file is not text."""
        try:
            with self._path.open("rb") as file:
                data = file.read(DRAFT_BYTES_MAX + 2)
        except OSError as error:
            raise EditorError(f"The editor's file cannot be read: {_reason(error)}.") from None
        if len(data) > DRAFT_BYTES_MAX + 1:
            raise EditorError(f"The editor's file is longer than {DRAFT_BYTES_MAX:,} bytes.")
        try:
            return data.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise EditorError("The editor's file is not UTF-8 text.") from None

    def end(self) -> None:
        """See RunningEditor."""
        self._process.terminate()

    def close(self) -> None:
        """See RunningEditor."""
        self._folder.cleanup()


def _reason(error: OSError) -> str:
    return (error.strerror or "error").lower()
