"""Who may become an account: names that stay reserved, invites, and the secret of the server.

A part of the durable state beside the accounts, changed by records only. A checkpoint saves it as
it is when the checkpoint begins, which is where the replay goes on: so it needs no stamp. In the
accounts log it is one TLV:

    type 4 REGISTRY   secret_bytes u8, reserved u32, invites u32, secret,
                      reserved * (until_ms u64, name_bytes u8, name),
                      invites * (until_ms u64, hash 32)

Must never hold an invite itself, only its hash, nor grow past its limits: where there is no room
for one more name, the reservation that is the oldest goes. Fails with ValueError.
"""

from collections.abc import Sequence
from struct import Struct
from struct import error as StructError  # noqa: N812  # it is a class
from typing import Final

from store.limits import (
    BLOCK_PAYLOAD_BYTES_MAX,
    INVITES_MAX,
    NAME_BYTES_MAX,
    NAMES_RESERVED_MAX,
    PAGE_BYTES,
)
from store.names import decode_name
from wire import tlv

REGISTRY: Final = 4

HEAD: Final = Struct(">BII")
RESERVED: Final = Struct(">QB")
INVITE: Final = Struct(">Q32s")

# All of it stands in one block of the accounts log.
assert (
    NAMES_RESERVED_MAX * (RESERVED.size + NAME_BYTES_MAX) + INVITES_MAX * INVITE.size
    < BLOCK_PAYLOAD_BYTES_MAX - PAGE_BYTES
)


class Registry:
    """See the module's text. Times are wall clock, as the records bring them."""

    __slots__ = ("invites", "is_dirty", "reserved", "secret")

    def __init__(self) -> None:
        self.secret = b""  # b"" until somebody needs one
        self.reserved: dict[str, int] = {}  # name: until when; the oldest first
        self.invites: dict[bytes, int] = {}  # SHA-256 of the invite: until when; the oldest first
        self.is_dirty = False  # whether a checkpoint has to save it

    def reserve(self, name: str, until_ms: int, at_ms: int) -> None:
        """Nobody takes this name before `until_ms`. What is over is forgotten on the way."""
        self.reserved.pop(name, None)
        for other in [each for each, end_ms in self.reserved.items() if end_ms <= at_ms]:
            del self.reserved[other]
        while len(self.reserved) >= NAMES_RESERVED_MAX:
            del self.reserved[next(iter(self.reserved))]
        self.reserved[name] = until_ms
        self.is_dirty = True

    def is_reserved(self, name: str, now_ms: int) -> bool:
        """Whether this name may not be taken now."""
        return self.reserved.get(name, 0) > now_ms

    def release(self, name: str) -> None:
        """The name was taken after all."""
        if self.reserved.pop(name, None) is not None:
            self.is_dirty = True

    def count_invites(self, now_ms: int) -> int:
        """How many are good now."""
        return sum(until_ms > now_ms for until_ms in self.invites.values())

    def invite(self, hashes: Sequence[bytes], until_ms: int, at_ms: int) -> None:
        """These are good until then, once each. What is over is forgotten on the way.

        So invites are taken back, too: they are good until now.
        """
        self.invites.update(dict.fromkeys(hashes, until_ms))
        self.invites = {each: end_ms for each, end_ms in self.invites.items() if end_ms > at_ms}
        assert len(self.invites) <= INVITES_MAX
        self.is_dirty = True

    def is_invited(self, invite_hash: bytes, now_ms: int) -> bool:
        """Whether this invite is good now."""
        return self.invites.get(invite_hash, 0) > now_ms

    def use(self, invite_hash: bytes) -> None:
        """It is used up."""
        if self.invites.pop(invite_hash, None) is not None:
            self.is_dirty = True


def encode_registry(registry: Registry) -> bytes:
    """The registry as it is now, a whole TLV."""
    head = HEAD.pack(len(registry.secret), len(registry.reserved), len(registry.invites))
    parts = [head, registry.secret]
    for name, until_ms in registry.reserved.items():
        encoded = name.encode()
        parts += [RESERVED.pack(until_ms, len(encoded)), encoded]
    parts += [INVITE.pack(until_ms, each) for each, until_ms in registry.invites.items()]
    return tlv.encode(REGISTRY, b"".join(parts))


def decode_registry(value: bytes) -> Registry:
    """The registry that was saved. Raises ValueError."""
    registry = Registry()
    try:
        secret_bytes, names, invites = HEAD.unpack_from(value)
        if names > NAMES_RESERVED_MAX or invites > INVITES_MAX:
            raise ValueError("a registry that is too large")
        start = HEAD.size + secret_bytes
        registry.secret = value[HEAD.size : start]
        for _ in range(names):
            until_ms, name_bytes = RESERVED.unpack_from(value, start)
            start += RESERVED.size + name_bytes
            registry.reserved[decode_name(value[start - name_bytes : start])] = until_ms
        if len(value) != start + invites * INVITE.size:
            raise ValueError("a registry of the wrong size")
    except StructError as error:
        raise ValueError(str(error)) from error
    for until_ms, invite_hash in INVITE.iter_unpack(value[start:]):
        registry.invites[invite_hash] = until_ms
    return registry
