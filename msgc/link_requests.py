"""What the link has asked and not yet heard of: numbers of requests, and what each was about.

Must never give one number to two open requests.
Fails with RemoteProtocolError when the server answers what was not asked.
"""

from dataclasses import dataclass
from enum import Enum, unique

from msgc.limits import REQUESTS_MAX, SENDS_IN_FLIGHT_MAX
from wire.codes import Code
from wire.errors import RemoteProtocolError

_NUMBER_MAX = 2**32 - 1


@unique
class Kind(Enum):
    """What a request asks for."""

    LOGIN = "login"
    LOGOUT = "logout"
    LIST = "list"
    CREATE = "create"
    DELETE = "delete"
    CHECK = "check"
    SEND = "send"
    RECALL = "recall"
    BLOCK = "block"
    PASSWORD = "password"  # noqa: S105 - a kind of request


@dataclass(slots=True)
class Asked:
    """One open request. Which of the attributes mean something depends on the kind.

    LIST: the pattern is `name`, `first` the number of the first page, `cursor` and `count` where it
    stands. CHECK: `flag` is outcomes only, `count` how many came that are not told of. SEND: `flag`
    says that it is put on the wire for the first time. BLOCK: `flag` says that nobody asked for it
    but the link.
    """

    kind: Kind
    name: str | None = None
    message_id: bytes = b""
    flag: bool = False
    first: int = 0
    cursor: str | None = None
    count: int = 0


class Requests:
    """The open requests of one connection. Numbers go on from one connection to the next."""

    def __init__(self) -> None:
        self._open: dict[int, Asked] = {}
        self._number = 0

    @property
    def waiting(self) -> bool:
        """Whether an answer is missing."""
        return bool(self._open)

    def next_number(self) -> int:
        """A number that no open request has."""
        while True:
            self._number = self._number % _NUMBER_MAX + 1
            if self._number not in self._open:
                return self._number

    def add(self, asked: Asked) -> int | None:
        """Note a request; its number, or None when too many are open."""
        if len(self._open) >= REQUESTS_MAX + SENDS_IN_FLIGHT_MAX:
            return None
        number = self.next_number()
        self._open[number] = asked
        return number

    def check(self, number: int, kind: Kind) -> None:
        """Raises RemoteProtocolError when there is no such request; it stays open."""
        self._open[number] = self.take(number, kind)

    def find(self, number: int) -> Asked | None:
        """The request of this number, if it is open; it stays so."""
        return self._open.get(number)

    def take(self, number: int, kind: Kind) -> Asked:
        """The request that is answered now. Raises RemoteProtocolError when there is none."""
        asked = self._open.get(number)
        if asked is None or asked.kind is not kind:
            raise RemoteProtocolError(Code.ILLEGAL_NOW, f"it answered a {kind.value} not asked for")
        del self._open[number]
        return asked

    def drop(self, number: int) -> Asked | None:
        """The request that an error is about, if it is still open."""
        return self._open.pop(number, None)

    def clear(self) -> None:
        """The connection is gone."""
        self._open.clear()
