"""Which server is believed: whole commands over TLS, first meetings, and keys that change."""

import ssl
from pathlib import Path
from typing import Final

import pytest

from msgc import command_line
from msgc.command_end import CommandError, Exit, InterruptedTalkError
from msgc.door import ServerDoor, TrustChoice
from msgc.known_servers import CA
from msgc.net import Doubt, NetError, Signal, TrustError
from msgc.os_tls import TlsChannel
from msgc.server import Server
from tests.msgc.fake_server import FakeServer
from tests.msgc.fake_world import FakePrompter, FakeWorld
from tests.msgc.tls_peer import Identity, TlsLine, TlsPeer, self_signed
from wire.certificate import read_pin

HERE: Final = Server("here.example", 1)


class TlsWorld(FakeWorld):
    """A user of a server behind TLS, with the certificate `identity`."""

    def __init__(
        self, folder: Path, identity: Identity, choice: TrustChoice, server: Server = HERE
    ) -> None:
        super().__init__(folder, FakeServer("alice", "bob"))
        self.identity = identity
        self.lines: list[TlsLine] = []
        self.network.connect = self.open_line  # type: ignore[method-assign, assignment]  # another kind of channel
        self.network.channels = self.lines  # type: ignore[assignment]  # and so they are polled
        self.trust(choice, server)

    def trust(self, choice: TrustChoice, server: Server = HERE) -> None:
        door = ServerDoor(server, choice, self.known, self.network, TlsChannel)
        object.__setattr__(self.surroundings, "door", door)

    def open_line(self, server: Server) -> TlsLine:
        assert server.tls
        assert self.network.server is not None
        peer = TlsPeer(self.identity, self.network.server)
        self.lines.append(TlsLine(peer, fd=100 + len(self.lines), piece=400))
        return self.lines[-1]

    def run(self, *words: str) -> int:
        return command_line.run(self.surroundings, command_line.parse(words))

    def refused(self, *words: str) -> list[str]:
        with pytest.raises(CommandError) as raised:
            self.run(*words)
        assert raised.value.code is Exit.DISTRUSTED
        said = [line.peer.heard for line in self.lines]
        assert not any(said), "something was said to a server that is not trusted"
        return [str(raised.value), *raised.value.more]


def pin_of(name: str) -> str:
    return read_pin(self_signed(name).der)


def test_a_server_met_for_the_first_time_is_refused_with_its_pin(tmp_path: Path) -> None:
    world = TlsWorld(tmp_path, self_signed("one"), TrustChoice())
    lines = world.refused("check")
    assert "met for the first time" in lines[0]
    assert pin_of("one") in lines[1]
    assert "msgd cert --show" in lines[2]
    assert lines[-1] == f"Then say --tls-pin {pin_of('one')}, or --accept-new-pin."
    assert world.known.all() == ()


def test_the_pin_that_was_said_is_enough_and_is_not_remembered(tmp_path: Path) -> None:
    world = TlsWorld(tmp_path, self_signed("one"), TrustChoice(pin=pin_of("one")))
    assert world.run("check") == 0
    assert world.known.all() == ()
    world.trust(TrustChoice(pin=pin_of("two")))
    world.lines.clear()
    assert "HAS CHANGED" in world.refused("check")[0]


def test_a_new_pin_is_remembered_once(tmp_path: Path) -> None:
    world = TlsWorld(tmp_path, self_signed("one"), TrustChoice(accept_new=True))
    assert world.run("check") == 0
    known = world.known.find("here.example:1")
    assert known is not None
    assert known.pin == pin_of("one")
    world.trust(TrustChoice())
    assert world.run("list") == 0


def test_a_key_that_changes_is_shouted_about_until_it_is_forgotten(tmp_path: Path) -> None:
    world = TlsWorld(tmp_path, self_signed("one"), TrustChoice(accept_new=True))
    assert world.run("check") == 0
    world.lines.clear()
    world.identity = self_signed("two")
    lines = world.refused("check")
    assert lines[0] == "!!! THE KEY OF THE SERVER here.example:1 HAS CHANGED !!!"
    assert f"known: {pin_of('one')}" in lines
    assert f"now:   {pin_of('two')}" in lines
    assert "msgc pin forget here.example:1" in lines[-1]
    assert world.run("pin", "forget", "here.example:1") == 0
    assert "is forgotten" in world.said
    assert world.run("check") == 0


def test_a_person_is_asked_and_says_yes(tmp_path: Path) -> None:
    world = TlsWorld(tmp_path, self_signed("one"), TrustChoice())
    world.person = FakePrompter(world.network, "yes")
    assert world.run("check") == 0
    assert world.person.asked == [("Is it the right one, to be remembered? yes or no: ", False)]
    assert world.person.closed == 1
    assert pin_of("one") in world.said
    assert world.known.all()[0].pin == pin_of("one")


def test_a_person_is_asked_and_says_no(tmp_path: Path) -> None:
    world = TlsWorld(tmp_path, self_signed("one"), TrustChoice())
    world.person = FakePrompter(world.network, "no")
    world.refused("check")
    assert world.known.all() == ()


def test_a_signal_ends_the_question(tmp_path: Path) -> None:
    world = TlsWorld(tmp_path, self_signed("one"), TrustChoice())
    world.person = FakePrompter(world.network, Signal.INTERRUPT)
    with pytest.raises(InterruptedTalkError):
        world.run("check")
    assert world.person.closed == 1


def test_nobody_is_asked_about_a_key_that_changed(tmp_path: Path) -> None:
    world = TlsWorld(tmp_path, self_signed("two"), TrustChoice())
    world.known.keep_trust("here.example:1", pin_of("one"))
    world.person = FakePrompter(world.network, "yes")
    world.refused("check")
    assert world.person.asked == []


def test_authorities_that_were_named_decide_alone(tmp_path: Path) -> None:
    authorities = self_signed("one").certificate
    world = TlsWorld(tmp_path, self_signed("one"), TrustChoice(authorities=authorities))
    assert world.run("check") == 0
    assert world.known.all() == ()
    world.lines.clear()
    world.identity = self_signed("two")
    world.person = FakePrompter(world.network, "yes")
    assert "does not stand the check" in world.refused("check")[0]
    assert world.person.asked == []


def test_who_was_signed_once_must_stay_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", self_signed("one").certificate)
    assert ssl.get_default_verify_paths().cafile == self_signed("one").certificate
    world = TlsWorld(tmp_path, self_signed("one"), TrustChoice(accept_new=True))
    assert world.run("check") == 0
    assert world.known.all()[0].trust == CA
    world.lines.clear()
    world.identity = self_signed("two")
    assert "does not stand the check" in world.refused("check")[0]


def test_a_server_met_with_tls_is_not_talked_to_without(tmp_path: Path) -> None:
    world = TlsWorld(tmp_path, self_signed("one"), TrustChoice(unsafe_plaintext=True))
    world.known.keep_trust("here.example:1", pin_of("one"))
    assert "WAS MET WITH TLS" in world.refused("check")[0]
    assert world.lines == []


@pytest.mark.parametrize(
    ("server", "choice", "tls"),
    [
        (Server("127.0.0.1", 1), TrustChoice(), False),
        (Server("127.0.0.1", 1, tls=True), TrustChoice(), True),
        (Server("127.0.0.1", 1), TrustChoice(pin="p"), True),
        (Server("127.0.0.1", 1), TrustChoice(authorities="f"), True),
        (Server("10.0.0.1", 1), TrustChoice(), True),
        (Server("10.0.0.1", 1), TrustChoice(unsafe_plaintext=True), False),
        (Server("", 0, "/s"), TrustChoice(), False),
    ],
)
def test_where_there_is_tls(tmp_path: Path, server: Server, choice: TrustChoice, tls: bool) -> None:
    world = FakeWorld(tmp_path, None)
    door = ServerDoor(server, choice, world.known, world.network, TlsChannel)
    assert door.server.tls is tls
    assert door.name == server.name


def test_a_known_key_means_tls_on_this_computer_too(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, None)
    here = Server("127.0.0.1", 1)
    door = ServerDoor(here, TrustChoice(), world.known, world.network, TlsChannel)
    world.known.keep_password(here.name)
    assert not door.server.tls
    assert door.had_password
    world.known.keep_trust(here.name, pin_of("one"))
    assert door.server.tls


def test_a_certificate_that_cannot_be_read(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, None)
    door = ServerDoor(HERE, TrustChoice(), world.known, world.network, TlsChannel)
    with pytest.raises(NetError, match="cannot be read"):
        door.judge(b"\x30\x01", is_signed=False)


def test_the_doubts_are_told_apart(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, None)
    door = ServerDoor(HERE, TrustChoice(), world.known, world.network, TlsChannel)
    with pytest.raises(TrustError) as raised:
        door.judge(self_signed("one").der, is_signed=False)
    assert raised.value.doubt is Doubt.UNKNOWN
    assert door.authorities == ""
    assert door.looks_again
