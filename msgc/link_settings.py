"""How a link behaves, and how long it waits for what.

Must never hold what changes while it runs. Fails never.
"""

from dataclasses import dataclass
from typing import Final

from msgc import limits
from msgc.states import LinkState
from wire.codes import Code

ANSWER_EXPECTED_MS: Final = {
    LinkState.CONNECTING: limits.CONNECT_TIMEOUT_MS,
    LinkState.GREETING: limits.ANSWER_TIMEOUT_MS,
    LinkState.LOGGING_IN: limits.ANSWER_TIMEOUT_MS,
    LinkState.LEAVING: limits.LEAVE_TIMEOUT_MS,
}
TRY_AGAIN: Final = (Code.BUSY, Code.STORAGE_FULL)
"""Login failures that pass by themselves."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """How a link behaves.

    `agent` is the client's name for the server's log. `retry`: connect again by itself.
    `ask_outcomes`: fetch the fates of one's own messages at login. `poll_outbox`: send what
    other processes put into the outbox.
    """

    agent: str
    retry: bool = True
    ask_outcomes: bool = True
    poll_outbox: bool = True
