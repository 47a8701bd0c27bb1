"""Fifty honest clients, in one loop: each sends to the next one, reads, confirms, and is timed.

What is timed is what a person waits for: from SEND_MESSAGE to MESSAGE_PENDING, the commit included,
by the kernel's stamps: `tests.hostile.stamped` says why. How long the clients themselves took to
notice, who share their processor with all attackers, is told beside it and judges nothing.

As a program, it is one more of them: the one whom the attack floods with messages. It has a process
of its own, which gives way to the others, so that what it has to do delays nobody who is timed; it
begins with a line, goes on until its standard input ends, and then says how long it waited itself.

Must never send faster than a person may (two a second each).
Fails with ServerError when one of them is thrown out: nobody may throw out the honest ones.
"""

import argparse
import json
import os
import select
import selectors
import ssl
import sys
import time
from collections.abc import Iterable
from typing import Final

from tests.hostile.peers import client_context
from tests.hostile.stamped import StampedPeer
from tests.real.server import ServerError
from wire.connection import Unsupported
from wire.messages import (
    DistributeMessage,
    Error,
    Hello,
    LoginRequest,
    LoginSuccess,
    Message,
    MessageFailure,
    MessagePending,
    MessageReceipt,
    MessageSuccess,
    Ping,
    Pong,
    SendMessage,
    Welcome,
)

HONEST: Final = 50
VICTIM: Final = HONEST
"""The number of the one who is flooded."""
NICENESS: Final = 10
EACH_S: Final = 0.5
LOGIN_S: Final = 20.0


class Person:
    """One of them."""

    def __init__(self, number: int, peer: StampedPeer) -> None:
        self.number = number
        self.name = name_of(number)
        self.peer = peer
        self.counter = 0
        self.next_s = 0.0
        self.waits: dict[int, tuple[int, float]] = {}
        """When what has no answer was sent, by request: for the kernel, and for the client."""
        self.received = 0
        self.is_in = False


def name_of(number: int) -> str:
    """Of an honest one."""
    return f"honest-{number:02}"


class Crowd:
    """Some of them."""

    def __init__(
        self, port: int, numbers: Iterable[int], *, context: ssl.SSLContext | None
    ) -> None:
        self._port = port
        self._context = context
        self._selector = selectors.DefaultSelector()
        self.people: list[Person] = []
        self.samples_ms: list[float] = []
        self.felt_ms: list[float] = []
        """The same answers until the clients had read them."""
        self.failures = 0
        for number in numbers:  # one after the other, as people come
            self._add(number)

    @property
    def received(self) -> int:
        """Messages that reached them."""
        return sum(person.received for person in self.people)

    @property
    def sent(self) -> int:
        """Messages that they sent."""
        return sum(person.counter for person in self.people)

    def run(self, seconds: float) -> list[float]:
        """Talk for so long; gives the milliseconds of each answer, sorted."""
        self.samples_ms, self.felt_ms = [], []
        now_s = time.monotonic()
        until_s = now_s + seconds
        for place, person in enumerate(self.people):
            person.next_s = now_s + EACH_S * place / len(self.people)
        while now_s < until_s:
            for person in self.people:
                if now_s >= person.next_s:
                    person.next_s += EACH_S
                    self._send(person)
            due_s = min(person.next_s for person in self.people)
            self._turn(max(0.0, due_s - time.monotonic()))
            now_s = time.monotonic()
        # Who has no answer yet has waited so long at least.
        for person in self.people:
            waits_ms = [(now_s - at_s) * 1e3 for _, at_s in person.waits.values()]
            self.samples_ms += waits_ms
            self.felt_ms += waits_ms
        self.felt_ms.sort()
        return sorted(self.samples_ms)

    def close(self) -> None:
        """Let go of them."""
        for person in self.people:
            person.peer.close()
        self._selector.close()

    def _add(self, number: int) -> None:
        peer = StampedPeer(self._selector, self._port, context=self._context)
        person = Person(number, peer)
        self.people.append(person)
        peer.say(Hello((1,), "honest"))
        until_s = time.monotonic() + LOGIN_S
        while not person.is_in:
            if time.monotonic() > until_s:
                raise ServerError(f"{person.name} could not log in within {LOGIN_S:.0f} s")
            self._turn(0.1)

    def _send(self, person: Person) -> None:
        person.counter += 1
        # The one who is flooded is there before the others, and writes to himself.
        to = name_of(VICTIM if person.number == VICTIM else (person.number + 1) % HONEST)
        message_id = person.number.to_bytes(8, "big") + person.counter.to_bytes(8, "big")
        at_s = time.monotonic()
        person.peer.say(SendMessage(person.counter, message_id, b"are you there? " * 7, (to,)))
        person.peer.flush()
        person.waits[person.counter] = person.peer.sent_ns, at_s
        self._pump(person)

    def _turn(self, timeout_s: float) -> None:
        for key, _ in self._selector.select(timeout_s):
            self._pump(next(each for each in self.people if each.peer is key.data))

    def _pump(self, person: Person) -> None:
        for message in person.peer.pump():
            self._answer(person, message)
        if person.peer.ended:
            raise ServerError(f"{person.name} was thrown out")

    def _answer(self, person: Person, message: Message | Unsupported) -> None:
        peer = person.peer
        if isinstance(message, MessagePending):
            sent = person.waits.pop(message.request, None)
            if sent is not None:
                self.samples_ms.append((peer.came_ns - sent[0]) / 1e6)
                self.felt_ms.append((time.monotonic() - sent[1]) * 1e3)
        elif isinstance(message, DistributeMessage | MessageSuccess):
            person.received += isinstance(message, DistributeMessage)
            peer.say(MessageReceipt((message.delivery,)))
        elif isinstance(message, MessageFailure):
            self.failures += 1
        elif isinstance(message, Ping):
            peer.say(Pong(message.request))
        elif isinstance(message, Welcome):
            installation = person.number.to_bytes(8, "big")
            login = LoginRequest(1, person.name, installation, create_if_new=True, live=True)
            peer.say(login)
        elif isinstance(message, LoginSuccess):
            person.is_in = True
        elif isinstance(message, Error):
            raise ServerError(f"{person.name} was told: {message.text}")


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--plain", action="store_true", help="without TLS")
    given = parser.parse_args()
    os.nice(NICENESS)
    context = None if given.plain else client_context()
    crowd = Crowd(given.port, [VICTIM], context=context)
    print(json.dumps({"name": crowd.people[0].name}), flush=True)
    samples_ms: list[float] = []
    while not select.select([sys.stdin], [], [], 0)[0]:
        samples_ms += crowd.run(EACH_S)
    print(json.dumps({"received": crowd.received, "samples_ms": samples_ms}), flush=True)
    crowd.close()


if __name__ == "__main__":
    main()
