"""The log: one line for each event, as text or as a JSON object, to standard error or a file.

Lines are gathered during a turn and written at its end, so that a line costs no system call of its
own. An output that takes nothing (a full pipe, a full disk) must not stop the server: what does not
fit into a bounded buffer is dropped, counted, and the gap is said in the log itself.

Must never block, and never write a character that a terminal would obey.
Fails never once it is open; opening fails with LogError.
"""

import json
from collections import deque
from datetime import UTC, datetime
from itertools import islice
from typing import Final, Protocol

from msgd.events import Event, EventKind
from term.safe import safe_log

BUFFER_BYTES_MAX: Final = 1 << 20
WRITE_BYTES_MAX: Final = 4_096
"""A pipe that says it is writable takes so many bytes without blocking (POSIX: PIPE_BUF)."""
LINE_CHARACTERS_MAX: Final = 512
LEVELS: Final = {EventKind.WARN: "warning", EventKind.ERROR: "error"}
"""What a collector of logs wants to know of a kind; of all others: info."""


class LogError(Exception):
    """The log cannot be opened; the text says which file, why, and what to do."""


class LogOutput(Protocol):
    """Where the lines go."""

    def write(self, data: bytes) -> bool:
        """Write all of `data`, at most WRITE_BYTES_MAX; or nothing, and answer False."""

    def reopen(self) -> str | None:
        """Begin a new file under the same name, if it is a file; or why that cannot be."""

    def close(self) -> None:
        """Let go of it."""


class Log:
    """Gathers events as lines. `write` is what an EventLog is to call."""

    def __init__(self, output: LogOutput, *, as_json: bool = False) -> None:
        self._output = output
        self._as_json = as_json
        self._last_ms = 0
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0
        self._time_ms = -1
        self._second = -1
        self._second_text = ""
        self._time = ""

    def write(self, event: Event) -> None:
        """Take one event; it is written at the next `flush`."""
        line = self._line(event)
        if self._bytes + len(line) > BUFFER_BYTES_MAX:
            self._dropped += 1
            return
        self._lines.append(line)
        self._bytes += len(line)

    def flush(self) -> None:
        """Write what was gathered, as far as the output takes it."""
        lines = self._lines
        while lines:
            chunk = [lines[0]]
            size = len(lines[0])
            for line in islice(lines, 1, None):
                size += len(line)
                if size > WRITE_BYTES_MAX:
                    break
                chunk.append(line)
            data = b"".join(chunk)
            if not self._output.write(data):
                return
            self._bytes -= len(data)
            for _ in chunk:
                lines.popleft()
        if self._dropped:
            words = f"the log took nothing for a while: {self._dropped} lines are missing here"
            if self._output.write(self._note(words)):
                self._dropped = 0

    def reopen(self) -> None:
        """For log rotation: the file was moved away, begin a new one under the old name."""
        self.flush()
        trouble = self._output.reopen()
        if trouble:
            self._output.write(self._note(trouble))

    def close(self) -> None:
        """Write the last lines and let go."""
        self.flush()
        self._output.close()

    def _line(self, event: Event) -> bytes:
        self._last_ms = event.at_ms
        if self._as_json:
            level = LEVELS.get(event.kind, "info")
            text = safe_log(event.text, LINE_CHARACTERS_MAX)
            return self._object(level, event.kind.value, text)
        text = safe_log(event.line, LINE_CHARACTERS_MAX)
        return f"{self._time_text(event.at_ms)} {text}\n".encode("utf-8", "backslashreplace")

    def _note(self, words: str) -> bytes:
        """A word of the log about itself, at the time of the event before it."""
        text = safe_log(words, LINE_CHARACTERS_MAX)
        if self._as_json:
            return self._object("warning", "LOG", text)
        return f"({text})\n".encode("utf-8", "backslashreplace")

    def _object(self, level: str, kind: str, text: str) -> bytes:
        time = self._time_text(self._last_ms)
        return (
            json.dumps({"time": time, "level": level, "kind": kind, "text": text}) + "\n"
        ).encode()

    def _time_text(self, at_ms: int) -> str:
        if at_ms != self._time_ms:  # all lines of a turn share one time
            self._time_ms = at_ms
            second, ms = divmod(at_ms, 1_000)
            if second != self._second:
                self._second = second
                at = datetime.fromtimestamp(second, UTC)
                self._second_text = at.strftime("%Y-%m-%dT%H:%M:%S")
            self._time = f"{self._second_text}.{ms:03d}Z"
        return self._time


class NoLog:
    """An output for a panel without a log file: the panel shows the events itself."""

    def write(self, data: bytes) -> bool:  # noqa: ARG002  forgetting it is the whole point
        """Forget it."""
        return True

    def reopen(self) -> None:
        """There is nothing to reopen."""

    def close(self) -> None:
        """There is nothing to close."""
