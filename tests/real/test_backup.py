"""Backups of a real server under load, each restored elsewhere: every message is accounted for."""

import subprocess
from pathlib import Path
from random import Random

import pytest

from tests.real.crowd import Crowd
from tests.real.person import Person
from tests.real.server import MSGD, ROOT, Server
from tests.sim.oracle import received

OPTIONS = (
    *("--journal-segment-bytes", "512K", "--journal-bytes-max", "4M"),
    *("--checkpoint-journal-bytes", "256K", "--reserve-bytes", "1M", "--free-bytes-min", "1M"),
)
BACKUPS = 4
NAMES = ("ann", "bob", "cat", "dan")
IN_FLIGHT_MAX = 20


class Load:
    """ann and cat write all the time; bob reads; dan is away."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.persons = {name: crowd.add(name, live=name == "bob") for name in NAMES}
        self.random = Random(1)
        self.is_on = False
        crowd.on_turn = self.press

    def accepted(self) -> set[bytes]:
        """Messages that their writers know to be safe."""
        messages = self.crowd.oracle.messages
        return {key for key, message in messages.items() if message.accepted_at is not None}

    def wait_for_more(self, count: int) -> None:
        wanted = len(self.accepted()) + count
        self.crowd.must(lambda: len(self.accepted()) >= wanted, "messages go", 60_000)

    def press(self) -> None:
        if not self.is_on:
            return
        waiting = len(self.crowd.oracle.messages) - len(self.accepted())
        for writer in ("ann", "cat"):
            if waiting < IN_FLIGHT_MAX and self.persons[writer].is_online:
                names = self.random.choice([("dan",), ("bob", "dan"), ("bob",), ()])
                body = str(len(self.crowd.oracle.messages)) * self.random.choice([1, 100, 4000])
                self.persons[writer].compose(names, body)
        self.persons["bob"].check(20)


def back_up(crowd: Crowd, to: Path) -> None:
    command = [*MSGD, "backup", str(crowd.server.data), str(to)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        crowd.must(lambda: process.poll() is not None, "the backup ends", 60_000)
        assert process.stdout is not None
        assert process.returncode == 0, process.stdout.read()


def is_for(load: Load, key: bytes, name: str) -> bool:
    message = load.crowd.oracle.messages[key]
    return message.sender != name and (message.everyone or name in message.recipients)


def fetch_all(crowd: Crowd, name: str) -> set[bytes]:
    person: Person = crowd.add(name, live=False)
    crowd.must(lambda: person.is_online, f"{name} logs in")
    person.calm = True
    crowd.must(person.is_done, f"{name} has everything", 60_000)
    return {row.message_id for row in received(person.archive)}


@pytest.mark.slow
def test_every_message_acknowledged_before_a_backup_is_in_it(tmp_path: Path) -> None:
    crowd = Crowd(Server(tmp_path / "first", OPTIONS), tmp_path / "archives", Random(1))
    load = Load(crowd)
    known: list[tuple[Path, set[bytes]]] = []
    try:
        crowd.start()
        crowd.must(lambda: all(each.is_online for each in load.persons.values()), "all log in")
        load.persons["dan"].leave()
        load.is_on = True
        for number in range(BACKUPS):
            load.wait_for_more(150)
            to = tmp_path / f"backup{number}"
            before = load.accepted()
            back_up(crowd, to)
            known.append((to, before))
            assert len(load.accepted()) > len(before), "there was load meanwhile"
        bob_has = {row.message_id for row in received(load.persons["bob"].archive)}
    finally:
        crowd.close()
    assert bob_has
    for to, before in known:
        restored = Crowd(
            Server(to.with_suffix(".work"), OPTIONS, data=to),
            to.with_suffix(".archives"),
            Random(2),
        )
        try:
            restored.start()
            dan, bob = fetch_all(restored, "dan"), fetch_all(restored, "bob")
            restored.stop()
        finally:
            restored.close()
        assert {key for key in before if is_for(load, key, "dan")} <= dan
        assert {key for key in before if is_for(load, key, "bob")} <= bob | bob_has
