"""Whom a turn hears, and who waits for the next one.

One turn hears so many connections and no more, or five hundred that send would make it as long as
five hundred answers are. Who has said little lately comes before who says much, so a flood waits
and a person does not: each connection has a tab, to which its frames are put and from which time
takes them. Of both sorts there are some in a turn; the rest stand in one line, are not watched
meanwhile, and come first when their sort is heard again, in the order in which they came.

Must never let anybody stand in line while nobody else is heard: who says much is heard in every
second turn at least. Where everybody may be as fast as he likes, nobody stands in line.
Fails never.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from msgd.slack import HEARD_US, Slack
from msgd.transport import Transport

TAB_FRAME_US: Final = 20_000
"""Time takes a frame from a tab in so long: fifty a second..."""
TAB_US_MAX: Final = 200_000
"""...and with more than ten on it, a connection says much. So does whoever has just come, until it
has shown that it does not: else a flood would only have to come again."""


class Crowd:
    """All connections of a loop that have a session."""

    __slots__ = ("_dear", "_is_bounded", "_line", "_slack", "is_hurried")

    def __init__(self, slack: Slack, *, is_bounded: bool) -> None:
        self._slack = slack
        self._is_bounded = is_bounded
        self._line: dict[int, Transport] = {}
        self._dear: dict[int, Transport] = {}  # a line of those that have asked for what is dear
        self.is_hurried = False
        """Whether this turn is for those who have said little, and for nobody else."""

    def __len__(self) -> int:
        """How many stand in line."""
        return len(self._line) + len(self._dear)

    def begin_turn(self, coming: Iterable[Transport | None], now_ms: int) -> None:
        """Whoever has just come and says little does not wait for what can wait; but that does so
        for one turn only.
        """
        self.is_hurried = (
            not self.is_hurried
            and self._is_bounded
            and any(transport is not None and is_quiet(transport, now_ms) for transport in coming)
        )

    def join(self, transport: Transport, now_ms: int) -> None:
        """It has just come."""
        transport.tab_us = now_ms * 1_000 + TAB_US_MAX

    def hears(self, transport: Transport, now_ms: int) -> bool:
        """Whether this turn hears it; else it stands in line."""
        if not self._is_bounded:
            return True
        if transport.is_in_line:
            return False
        if self._has_time_for(transport, now_ms):
            return True
        transport.is_in_line = True
        self._line[transport.session.number] = transport
        return False

    def take(self, now_ms: int) -> list[Transport]:
        """Those in line whose turn it is."""
        taken = [each for each in self._line.values() if self._has_time_for(each, now_ms)]
        for transport in taken:
            transport.is_in_line = False
            del self._line[transport.session.number]
        return taken

    def wait_for_slack(self, transport: Transport) -> None:
        """Its next frame asks for what this turn had no time for any more: it has a line of its
        own, so that it is not heard in vain again and again.
        """
        transport.is_in_line = True
        self._dear[transport.session.number] = transport

    def take_dear(self) -> Iterator[Transport]:
        """Of those one, and as many more as there is slack for."""
        taken = 0
        while self._dear and (not taken or self._slack.left_us > 0):
            taken += 1
            transport = self._dear.pop(next(iter(self._dear)))
            transport.is_in_line = False
            yield transport

    def leave(self, transport: Transport) -> None:
        """It is gone."""
        self._line.pop(transport.session.number, None)
        self._dear.pop(transport.session.number, None)

    def _has_time_for(self, transport: Transport, now_ms: int) -> bool:
        slack = self._slack
        if is_quiet(transport, now_ms):
            if slack.quiet_us <= 0:
                return False
            slack.quiet_us -= HEARD_US
            return True
        if self.is_hurried or slack.crowd_us <= 0:
            return False
        slack.crowd_us -= HEARD_US
        return True


def is_quiet(transport: Transport, now_ms: int) -> bool:
    """Whether somebody is logged in there who has said little lately."""
    return transport.is_logged_in and transport.tab_us <= now_ms * 1_000 + TAB_US_MAX


def put_on_tab(transport: Transport, frames: int, now_ms: int) -> None:
    """It was heard, and said so many frames; part of one counts, too."""
    transport.tab_us = max(transport.tab_us, now_ms * 1_000) + max(frames, 1) * TAB_FRAME_US
