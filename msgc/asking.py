"""The person at the terminal, as the commands see them: one question, one line.

The real one is `term.os_prompt.TerminalPrompt`; tests bring their own. Must never be waited for in
any other way than by the loop: signals must end it. Fails with ConsoleClosed.
"""

from typing import Protocol

from term.safe import Safe


class Prompter(Protocol):
    """A terminal that was opened for questions."""

    def fileno(self) -> int:
        """The descriptor to wait on for `read_line`."""

    def ask(self, words: Safe, *, secret: bool) -> None:
        """Write the question; a secret answer is not to be seen."""

    def read_line(self) -> str | None:
        """The answer; None while it is not whole. Raises ConsoleClosed."""

    def close(self) -> None:
        """Give the terminal back as it was found."""
