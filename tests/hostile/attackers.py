"""Five hundred hostile clients, in one process with one loop: `python -m tests.hostile.attackers`.

Each has a kind, does what its kind does until it is thrown out, and comes again from another
address of 127.0.0.0/8, as one of many machines would. All of them together make so many
connections a second and no more, so that it is the server that is tried, and not this machine.
Ends by itself, and prints how often each kind came.

Must never connect to another machine than this one.
Fails with a traceback when the system gives it no more sockets.
"""

import argparse
import json
import os
import resource
import selectors
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.hostile.honest import VICTIM, name_of
from tests.hostile.peers import Peer, client_context
from wire import frames
from wire.connection import Unsupported
from wire.messages import (
    Hello,
    ListAccounts,
    LoginRequest,
    LoginSuccess,
    Message,
    SendMessage,
    Welcome,
)

TICK_S: Final = 0.05
AHEAD_NICENESS: Final = -15
CONNECTS_PER_S: Final = 400
HOLD_S: Final = 20.0
"""Who is not thrown out comes anew after so long."""
# The first bytes of a TLS ClientHello: handshake record, TLS 1.0 on the outside, 512 bytes to come.
HALF_HELLO: Final = bytes.fromhex("16030102000100 01fc0303") + bytes(100)
GIANT: Final = b"\x00\x20" + (1 << 30).to_bytes(4, "big") + b"x" * 1_000
FLOODED: Final = name_of(VICTIM)


class Client:
    """One hostile client: its connection of the moment, and what it does with it."""

    def __init__(self, kind: str, number: int) -> None:
        self.kind = kind
        self.number = number
        self.peer: Peer | None = None
        self.begun_s = 0.0
        self.sent = 0
        self.is_in = False

    @property
    def name(self) -> str:
        return f"mallory-{self.kind}-{self.number}"

    @property
    def installation(self) -> bytes:
        return self.number.to_bytes(8, "big")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a hostile client does. `tick` is called some times a second while it is connected."""

    talks: bool
    """Whether it finishes the handshake, and speaks the protocol up to its login."""
    tick: Callable[[Client, Peer], None]


def one_byte_a_second(client: Client, peer: Peer) -> None:
    """The slow loris."""
    if time.monotonic() - client.begun_s >= client.sent:
        data = HALF_HELLO + bytes(1_000)
        peer.say_bytes(data[client.sent : client.sent + 1])
        client.sent += 1


def half_a_handshake(client: Client, peer: Peer) -> None:
    """Begins, and never goes on."""
    if not client.sent:
        client.sent = 1
        peer.say_bytes(HALF_HELLO)


def never_reads(client: Client, peer: Peer) -> None:
    """Asks for the longest answers, again and again, and takes none."""
    if client.is_in and not peer.unsent:
        peer.reads = False
        peer.say_bytes(b"".join(frames.encode(ListAccounts(n + 1)) for n in range(20)))


def oversized(client: Client, peer: Peer) -> None:
    """A frame of a gigabyte."""
    if client.is_in and not client.sent:
        client.sent = 1
        peer.say_bytes(GIANT)


def replays(client: Client, peer: Peer) -> None:
    """The bytes of one and the same conversation, each time and many times."""
    if client.is_in and not peer.unsent and client.sent < 100:
        client.sent += 1
        message_id = client.installation + (7).to_bytes(8, "big")
        peer.say_bytes(frames.encode(SendMessage(9, message_id, b"again", (FLOODED,))) * 5)


def resets(client: Client, peer: Peer) -> None:
    """Says something, and is gone with an RST."""
    if peer.is_ready:
        peer.say_bytes(b"\x00\x01\x00\x00\x00\x05hel")
        peer.pump()
        peer.close(reset=True)


def floods(client: Client, peer: Peer) -> None:
    """Connects, and goes as soon as it is there; one in four stays, to use up descriptors."""
    if peer.is_ready and client.number % 4:
        peer.close()


def floods_messages(client: Client, peer: Peer) -> None:
    """Sends as fast as it goes."""
    if client.is_in and not peer.unsent:
        sends: list[bytes] = []
        for _ in range(50):
            client.sent += 1
            message_id = client.installation + int(time.time_ns()).to_bytes(8, "big")
            sends.append(frames.encode(SendMessage(9, message_id, b"x" * 200, (FLOODED,))))
        peer.say_bytes(b"".join(sends))


def rubbish(client: Client, peer: Peer) -> None:
    """What a browser would say."""
    if not client.sent:
        client.sent = 1
        peer.say_bytes(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")


KINDS: Final = {
    "slow": Kind(talks=False, tick=one_byte_a_second),
    "half": Kind(talks=False, tick=half_a_handshake),
    "deaf": Kind(talks=True, tick=never_reads),
    "giant": Kind(talks=True, tick=oversized),
    "replay": Kind(talks=True, tick=replays),
    "reset": Kind(talks=False, tick=resets),
    "flood": Kind(talks=False, tick=floods),
    "hasty": Kind(talks=True, tick=floods_messages),
    "http": Kind(talks=False, tick=rubbish),
}


class Attack:
    """All of them."""

    def __init__(
        self, port: int, clients: int, *, context: ssl.SSLContext | None, kinds: list[str]
    ) -> None:
        self._port = port
        self._context = context
        self._selector = selectors.DefaultSelector()
        self._random = Random(clients)
        self._clients = [Client(kinds[each % len(kinds)], each) for each in range(clients)]
        self._by_peer: dict[Peer, Client] = {}
        self._may_connect = 0.0
        self.came: Counter[str] = Counter()
        self.logged_in: Counter[str] = Counter()

    def run(self, seconds: float) -> None:
        """Attack for so long, then let go of everything."""
        until_s = time.monotonic() + seconds
        place = 0
        while (now_s := time.monotonic()) < until_s:
            self._may_connect = min(CONNECTS_PER_S, self._may_connect + CONNECTS_PER_S * TICK_S)
            for _ in range(len(self._clients)):
                client = self._clients[place]
                place = (place + 1) % len(self._clients)
                self._tick(client, now_s)
            end_s = now_s + TICK_S
            while (left_s := end_s - time.monotonic()) > 0:
                for key, _ in self._selector.select(left_s):
                    self._hear(key.data)
        for client in self._clients:
            if client.peer is not None:
                client.peer.close()

    def _tick(self, client: Client, now_s: float) -> None:
        peer = client.peer
        if peer is not None and not peer.ended and now_s - client.begun_s > HOLD_S:
            peer.close(reset=client.number % 2 == 0)
        if peer is None or peer.ended:
            if peer is not None:
                self._by_peer.pop(peer, None)
            client.peer = None
            if self._may_connect >= 1:
                self._may_connect -= 1
                self._connect(client, now_s)
            return
        KINDS[client.kind].tick(client, peer)

    def _connect(self, client: Client, now_s: float) -> None:
        talks = KINDS[client.kind].talks
        r = self._random.randrange
        source = f"127.{r(1, 255)}.{r(256)}.{r(1, 255)}"
        context = self._context if talks else None
        client.peer = Peer(self._selector, self._port, context=context, source=source)
        client.begun_s, client.sent, client.is_in = now_s, 0, False
        self._by_peer[client.peer] = client
        self.came[client.kind] += 1
        if talks:
            client.peer.say(Hello((1,), "mallory"))

    def _hear(self, peer: Peer) -> None:
        client = self._by_peer.get(peer)
        messages = peer.pump()
        if client is not None:
            for message in messages:
                self._answer(client, peer, message)

    def _answer(self, client: Client, peer: Peer, message: Message | Unsupported) -> None:
        if isinstance(message, Welcome):
            peer.say(LoginRequest(1, client.name, client.installation, create_if_new=True))
        elif isinstance(message, LoginSuccess):
            client.is_in = True
            self.logged_in[client.kind] += 1


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--kinds", default=",".join(KINDS), help="only these")
    parser.add_argument("--plain", action="store_true", help="without TLS")
    parser.add_argument(
        "--ahead", action="store_true", help="of all but those who are timed, who are ahead, too"
    )
    parser.add_argument(
        "--idle", action="store_true", help="only when nobody else wants the processor"
    )
    given = parser.parse_args()
    # Who is timed beside us gets the processor at once, when they want it.
    if given.ahead:
        os.setpriority(os.PRIO_PROCESS, 0, AHEAD_NICENESS)
    elif given.idle:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, hard), hard))
    attack = Attack(
        given.port,
        given.clients,
        context=None if given.plain else client_context(),
        kinds=given.kinds.split(","),
    )
    attack.run(given.seconds)
    print(json.dumps({"came": attack.came, "logged_in": attack.logged_in}), flush=True)


if __name__ == "__main__":
    main()
