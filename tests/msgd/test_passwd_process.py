"""`msgd passwd` and `msgd invite` as processes, and logins with what they made over a socket."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import as_root
from tests.msgd.test_server_process import ROOT, Process
from wire import limits
from wire.connection import Connection, Unsupported
from wire.invite import read_invite
from wire.messages import (
    CreateAccount,
    CreateSuccess,
    Hello,
    LoginChallenge,
    LoginProof,
    LoginRequest,
    LoginSuccess,
    Message,
    Welcome,
)
from wire.scram import ClientLogin, derive_keys
from wire.states import Role

GIVEN = "a password from a pipe"

pytestmark = pytest.mark.e2e


def order(folder: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "msgd", *words, "--data", str(folder)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(folder.parent), **as_root.ENVIRONMENT},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


class Caller:
    """A client on a real socket."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.connection = Connection(Role.CLIENT)

    def say(self, message: Message) -> Message | Unsupported:
        """Send it; the answer."""
        self.socket.sendall(self.connection.send(message))
        while (event := self.connection.next_event()) is None:
            data = self.socket.recv(65_536)
            assert data, "the server hung up"
            self.connection.receive_data(data)
        return event

    def log_in(self, name: str, password: str) -> Message | Unsupported:
        scram = ClientLogin(name, "n" * 32, None)
        challenge = self.say(LoginRequest(1, name, bytes(8), scram=scram.first))
        assert isinstance(challenge, LoginChallenge)
        keys = derive_keys(password, *scram.judge(challenge.scram))
        answer = self.say(LoginProof(1, scram.prove(challenge.scram, keys)))
        if isinstance(answer, LoginSuccess):
            assert answer.scram is not None
            scram.check(answer.scram)
        return answer


def test_passwords_and_invites_that_the_operator_makes_are_good(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    process = Process(folder, "--headless", "--port", "0", "--auth", "password")
    try:
        port = process.port()
        done = order(folder, "passwd", "bob", "--create", typed=GIVEN + "\n")
        assert (done.returncode, done.stdout) == (0, "bob has an account now\n")
        done = order(folder, "passwd", "carol", "--create", "--generate")
        made = re.fullmatch(r"carol has an account now\n  ([0-9a-z-]{29})\n", done.stdout)
        assert made is not None, done
        invite = re.search(
            r"^  ([0-9a-z-]{30})  until ", order(folder, "invite").stdout, re.MULTILINE
        )
        assert invite is not None
        for name, password in (("bob", GIVEN), ("carol", made[1])):
            caller = Caller(port)
            welcome = caller.say(Hello((limits.VERSION,), "test"))
            assert isinstance(welcome, Welcome)
            assert isinstance(caller.log_in(name, password), LoginSuccess)
            caller.socket.close()
        caller = Caller(port)
        caller.say(Hello((limits.VERSION,), "test"))
        keys = derive_keys("dave's own password", bytes(16), limits.ITERATIONS_MIN).verifier
        create = CreateAccount(
            1,
            "dave",
            keys.salt,
            keys.iterations,
            keys.stored_key,
            keys.server_key,
            read_invite(invite[1]),
        )
        assert isinstance(caller.say(create), CreateSuccess)
        caller.socket.close()
    finally:
        process.running.terminate()
        code, said = process.end()
    assert code == 0
    for secret in (GIVEN, made[1], invite[1], keys.stored_key.hex()):
        assert secret not in said


def test_both_work_where_no_server_runs(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    done = order(folder, "passwd", "bob", "--generate")
    assert done.returncode != 0
    assert not folder.exists()
    process = Process(folder, "--headless", "--port", "0")
    process.port()
    process.running.terminate()
    assert process.end()[0] == 0
    done = order(folder, "passwd", "bob", "--create", typed=GIVEN)
    assert (done.returncode, done.stdout) == (0, "bob has an account now\n")
    done = order(folder, "invite", "--count", "2")
    assert done.stdout.startswith("2 invites, each for one account, for 7 days\n")


@pytest.mark.parametrize(
    ("typed", "words"),
    [("too short\n", "9 characters are too few"), ("", "no password was given")],
)
def test_what_is_no_password_changes_nothing(tmp_path: Path, typed: str, words: str) -> None:
    done = order(tmp_path, "passwd", "bob", typed=typed)
    assert done.returncode == 1
    assert words in done.stderr
