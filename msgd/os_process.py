"""The server's own panel as a process: the only file of this package that forks.

The panel draws on the terminal, and a terminal may take its time, or nothing at all. In a process
of its own it can wait for it, and the server does not.

Must never fork once anything was opened: the child would hold it too.
Fails with OSError when the system has no room for one more process.
"""

import os
import select
import signal
import sys
from typing import Final

from msgd.net import Channel
from msgd.os_net import OsChannel, make_pair

END_MS_MAX: Final = 2_000
"""A panel whose terminal takes nothing cannot give it back: it is not waited for longer."""


class PanelProcess:
    """A child that shows the panel. `channel` is the server's end of the connection to it."""

    def __init__(self, channel: OsChannel, process_id: int) -> None:
        self.channel: Channel = channel
        self._process_id = process_id
        self._code: int | None = None

    def end(self) -> int:
        """Let it give the terminal back, and gives its exit code; again only gives the code."""
        if self._code is None:
            self.channel.close()  # which tells it that the server is gone
            fd = os.pidfd_open(self._process_id)
            try:
                poll = select.poll()
                poll.register(fd, select.POLLIN)
                if not poll.poll(END_MS_MAX):
                    os.kill(self._process_id, signal.SIGKILL)
            finally:
                os.close(fd)
            _, status = os.waitpid(self._process_id, 0)
            self._code = os.waitstatus_to_exitcode(status)
        return self._code


def start_panel() -> PanelProcess | Channel:
    """Fork. The server gets the process; the child gets its end of the connection."""
    sys.stdout.flush()
    sys.stderr.flush()
    ours, its = make_pair()
    process_id = os.fork()
    if process_id:
        its.close()
        return PanelProcess(ours, process_id)
    ours.close()
    return its
