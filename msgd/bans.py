"""Whom the operator has shut out: usernames and networks, for a time or until taken back.

Bans are few and rare, so they are one small file (JSON) that is written whole. Times are wall
clock, because they outlive the process.

Must never hold more than BANS_MAX, or look at more than the lengths of prefix that are in use for
one connection.
Fails with BanError for what can be no ban, and for a file that is not one of bans.
"""

import ipaddress
import json
from dataclasses import dataclass
from typing import Final

from msgd import names

BANS_MAX: Final = 4_096
REASON_CHARACTERS_MAX: Final = 200
FILE_NAME: Final = "bans.json"
"""In the data folder."""
_FORMAT: Final = "msgd.bans/1"

Net = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class BanError(Exception):
    """This cannot be banned, or is no file of bans; the text says why."""


@dataclass(frozen=True, slots=True)
class Ban:
    """One ban. `whom` is a username, or a network as ADDRESS/PREFIX."""

    whom: str
    since_ms: int
    until_ms: int | None
    """Wall clock; None: until it is taken back."""
    reason: str

    def holds(self, wall_ms: int) -> bool:
        """Whether it is not over."""
        return self.until_ms is None or wall_ms < self.until_ms


class Bans:
    """All of them."""

    __slots__ = ("_nets", "_users")

    def __init__(self) -> None:
        self._users: dict[str, Ban] = {}
        # By (version, length of the prefix), then by the network's number: so a connection costs
        # one look for each length that is in use, however many networks there are.
        self._nets: dict[tuple[int, int], dict[int, tuple[Net, Ban]]] = {}

    def __len__(self) -> int:
        return len(self._users) + sum(map(len, self._nets.values()))

    def all(self) -> tuple[Ban, ...]:
        """Users first, each kind in its order."""
        nets = [pair for table in self._nets.values() for pair in table.values()]
        nets.sort(key=lambda pair: (pair[0].version, int(pair[0].network_address)))
        return (*(self._users[name] for name in sorted(self._users)), *(ban for _, ban in nets))

    def of_user(self, name: str, wall_ms: int) -> Ban | None:
        """The ban that holds for this username."""
        ban = self._users.get(name)
        return ban if ban is not None and ban.holds(wall_ms) else None

    def of_address(self, address: Address, wall_ms: int) -> Ban | None:
        """The ban that holds for this address."""
        number = int(address)
        for (version, length), table in self._nets.items():
            if version == address.version:
                spare = address.max_prefixlen - length
                pair = table.get(number >> spare << spare)
                if pair is not None and pair[1].holds(wall_ms):
                    return pair[1]
        return None

    def add(self, ban: Ban, wall_ms: int) -> None:
        """Put a ban in place of the one that there may be. Raises BanError when there are many."""
        self.forget_old(wall_ms)
        self.remove(ban.whom)
        if len(self) >= BANS_MAX:
            raise BanError(f"there are {BANS_MAX} bans, the most there can be; take some back")
        net = as_net(ban.whom) if "/" in ban.whom else None
        if net is None:
            self._users[ban.whom] = ban
        else:
            table = self._nets.setdefault((net.version, net.prefixlen), {})
            table[int(net.network_address)] = (net, ban)

    def remove(self, whom: str) -> bool:
        """Take a ban back; False when there is none."""
        net = as_net(whom) if "/" in whom else None
        if net is None:
            return self._users.pop(whom, None) is not None
        key = (net.version, net.prefixlen)
        found = self._nets.get(key, {}).pop(int(net.network_address), None)
        if not self._nets.get(key, True):
            del self._nets[key]
        return found is not None

    def forget_old(self, wall_ms: int) -> None:
        """Let go of those that are over."""
        for ban in self.all():
            if not ban.holds(wall_ms):
                self.remove(ban.whom)

    def encode(self) -> bytes:
        """The file."""
        rows = [
            {"whom": ban.whom, "since_ms": ban.since_ms, "until_ms": ban.until_ms}
            | {"reason": ban.reason}
            for ban in self.all()
        ]
        return json.dumps({"format": _FORMAT, "bans": rows}, indent=1).encode() + b"\n"


def decode(data: bytes, wall_ms: int) -> Bans:
    """What a file says; an empty one says nothing. Raises BanError."""
    bans = Bans()
    if not data:
        return bans
    try:
        found = json.loads(data)
        if found["format"] != _FORMAT:
            raise BanError(f"it is not of the format {_FORMAT}")
        for row in found["bans"]:
            whom, since_ms, until_ms = str(row["whom"]), int(row["since_ms"]), row["until_ms"]
            until_ms = None if until_ms is None else int(until_ms)
            ban = Ban(read_whom(whom), since_ms, until_ms, str(row["reason"]))
            if ban.holds(wall_ms):
                bans.add(ban, wall_ms)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise BanError("it holds no list of bans") from None
    return bans


def read_whom(text: str, *, is_name: bool = False) -> str:
    """A username or a network, in the one way in which it is kept. Raises BanError.

    What reads as an address is one, unless `is_name` says otherwise: 10.0.0.1 may be a name too.
    """
    net = None if is_name else as_net(text)
    if net is not None:
        return str(net)
    name = names.fold(text)
    if "/" in text:
        raise BanError("this is no network; write ADDRESS/PREFIX, such as 192.0.2.0/24")
    if not names.is_valid(name):
        raise BanError(f"this is neither an address nor a username: {names.RULE}")
    return name


def as_net(text: str) -> Net | None:
    """The network that the text names, bits beyond its prefix left out; None if it names none."""
    try:
        net = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if isinstance(net, ipaddress.IPv6Network) and net.prefixlen >= 96:
        # A socket for both kinds tells IPv4 addresses in this form; they are meant themselves.
        mapped = net.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.ip_network((mapped, net.prefixlen - 96))
    return net
