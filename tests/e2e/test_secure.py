"""TLS and passwords between the real programs: first meetings, secrets on terminals, other keys."""

import signal
from pathlib import Path

import pytest

from tests.e2e.stage import CONNECTED, Stage
from tests.msgc.tls_peer import Identity, self_signed
from wire.certificate import read_pin

pytestmark = pytest.mark.e2e

GOOD = "correct horse battery"


def start_secure(stage: Stage, identity: Identity) -> None:
    Path(identity.key).chmod(0o600)
    stage.start_server(
        options=(
            *("--tls-cert", identity.certificate, "--tls-key", identity.key),
            *("--auth", "password", "--registration", "open"),
        )
    )


def make_alice(stage: Stage) -> None:
    secret = stage.folder / "secret"
    secret.write_text(f"{GOOD}\n")
    secret.chmod(0o600)
    words = ("create", "alice", "--tls", "--accept-new-pin", "--password-file", str(secret))
    made = stage.msgc("alice", *words)
    assert made.code == 0, made.err


def test_a_server_is_met_and_a_password_typed_that_nobody_sees(stage: Stage) -> None:
    identity = self_signed("e2e-one")
    start_secure(stage, identity)
    make_alice(stage)
    terminal = stage.open_client("elsewhere", "--tls", "alice")
    terminal.wait_for("met for the first time", read_pin(identity.der))
    terminal.type("y")
    terminal.wait_for("Password:")
    terminal.type(GOOD)
    terminal.send_keys("Enter")
    terminal.wait_for(CONNECTED.format("alice"))
    assert GOOD.encode() not in terminal.raw
    stage.server.restart()
    terminal.wait_for("Connected again.")
    terminal.type("q")
    assert terminal.wait_for_exit() == 0
    assert terminal.echoes


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize("words", [("-u", "alice", "check"), ("--plain", "alice")])
def test_a_signal_in_the_question_leaves_the_echo_on(
    stage: Stage, words: tuple[str, ...], number: signal.Signals, code: int
) -> None:
    start_secure(stage, self_signed("e2e-one"))
    make_alice(stage)
    terminal = stage.open_client("alice", *words)
    terminal.wait_for("Password")
    terminal.wait_until(lambda _: not terminal.echoes, "the echo is off")
    terminal.type("half a")
    assert terminal.kill(number) == code
    assert terminal.echoes
    assert b"half a" not in terminal.raw


def test_another_key_is_shouted_about_and_nothing_is_said(stage: Stage) -> None:
    start_secure(stage, self_signed("e2e-one"))
    make_alice(stage)
    server = stage.server
    server.stop()
    other = self_signed("e2e-two")
    Path(other.key).chmod(0o600)
    server.options = ("--tls-cert", other.certificate, "--tls-key", other.key, *server.options[4:])
    server.start()
    refused = stage.msgc("alice", "check")
    assert refused.code == 6
    assert "HAS CHANGED" in refused.err
    assert read_pin(other.der) in refused.err
    assert stage.msgc("alice", "pin", "forget", f"127.0.0.1:{server.port}").code == 0
    again = stage.msgc("alice", "check", "--tls")
    assert again.code == 6
    assert "--accept-new-pin" in again.err
