"""The units of share/systemd, judged by systemd itself and by what a real server asks of it.

Skipped where systemd-analyze (or strace) is missing.
"""

import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.machine import free_port
from tests.msgd.test_server_process import ROOT, Process, start
from tests.real.server import MSGD
from wire.connection import Connection
from wire.messages import Hello, LoginRequest, Message, SendMessage
from wire.states import Role

__all__ = ["start"]  # the fixture

UNITS: Final = ROOT / "share" / "systemd"
EXPOSURE_TENTHS_MAX: Final = 15

pytestmark = pytest.mark.e2e
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing"
)


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False
    )


@needs_systemd
def test_what_could_be_done_with_a_broken_server_is_little() -> None:
    done = analyze(
        "security",
        "--offline=true",
        f"--threshold={EXPOSURE_TENTHS_MAX}",
        str(UNITS / "msgd.service"),
    )
    assert done.returncode == 0, done.stdout
    found = re.search(r"Overall exposure level for msgd\.service: (\d+\.\d+)", done.stdout)
    assert found is not None
    assert float(found[1]) <= EXPOSURE_TENTHS_MAX / 10


@needs_systemd
def test_the_check_sees_a_weaker_unit(tmp_path: Path) -> None:
    text = (UNITS / "msgd.service").read_text(encoding="utf-8")
    weaker = text.replace("NoNewPrivileges=yes\n", "").replace("CapabilityBoundingSet=\n", "")
    (tmp_path / "msgd.service").write_text(weaker, encoding="utf-8")
    done = analyze(
        "security",
        "--offline=true",
        f"--threshold={EXPOSURE_TENTHS_MAX}",
        str(tmp_path / "msgd.service"),
    )
    assert done.returncode == 1


@needs_systemd
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    for name in ("msgd.service", "msgd.socket"):
        text = (UNITS / name).read_text(encoding="utf-8")
        # On this machine the program is elsewhere, and its manual page is not installed.
        text = text.replace("/opt/msgd/bin/msgd", sys.executable)
        text = text.replace("Documentation=man:msgd(1)\n", "")
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = analyze(
        "verify", "--man=no", str(tmp_path / "msgd.service"), str(tmp_path / "msgd.socket")
    )
    assert (done.returncode, done.stderr) == (0, "")


def allowed_calls() -> set[str]:
    """The system calls that the unit lets through: what it allows, without what it takes away."""
    sets: dict[str, set[str]] = {}
    current: set[str] = set()
    for line in analyze("syscall-filter").stdout.splitlines():
        word = line.strip()
        if line.startswith("@"):
            current = sets.setdefault(word, set())
        elif word and not word.startswith("#"):
            current.add(word)

    def members(names: list[str]) -> set[str]:
        found: set[str] = set()
        for name in names:
            if name.startswith("@"):
                found |= members(sorted(sets[name]))
            else:
                found.add(name)
        return found

    allowed: set[str] = set()
    for line in (UNITS / "msgd.service").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key != "SystemCallFilter":
            continue
        if value.startswith("~"):
            allowed -= members(value[1:].split())
        else:
            allowed |= members(value.split())
    return allowed | members(["@default"])


@needs_systemd
@pytest.mark.skipif(
    not (shutil.which("strace") and shutil.which("openssl")), reason="strace or openssl is missing"
)
def test_a_server_makes_no_other_system_calls(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    made = subprocess.run(
        [*MSGD, "cert", "--host", "localhost", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert made.returncode == 0
    trace, metrics_port = tmp_path / "trace", free_port()
    server = start(
        *("--headless", "--port", "0", "--log", str(tmp_path / "msgd.log")),
        *("--metrics-port", str(metrics_port), "--unix-socket", str(tmp_path / "socket")),
        *("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")),
        through=("strace", "-f", "-D", "-qq", "-o", str(trace)),
    )
    port = server.port()
    converse(tmp_path / "socket")
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        unchecked.wrap_socket(plain) as encrypted,
    ):
        encrypted.sendall(Connection(Role.CLIENT).send(Hello((1,), "test")))
        assert encrypted.recv(6)
    with socket.create_connection(("127.0.0.1", metrics_port), timeout=20) as visitor:
        visitor.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert visitor.recv(6) == b"HTTP/1"
    panel = subprocess.run(
        [*MSGD, "panel", "--once", "--data", str(tmp_path / "data")],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert panel.returncode == 0
    server.running.send_signal(signal.SIGHUP)
    server.running.send_signal(signal.SIGTERM)
    assert server.end()[0] == 0
    text = trace.read_text(encoding="utf-8", errors="replace")
    called = set(re.findall(r"^\d+ +(\w+)\(", text, re.MULTILINE))
    assert {"fdatasync", "accept4", "epoll_wait"} <= called
    assert called - allowed_calls() == set()


def converse(path: Path) -> None:
    """A login and a message, over the local socket."""
    connection = Connection(Role.CLIENT)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(path))

        def say(message: Message) -> None:
            client.sendall(connection.send(message))
            while connection.next_event() is None:
                connection.receive_data(client.recv(65_536))

        say(Hello((1,), "test"))
        say(LoginRequest(1, "alice", bytes(8), create_if_new=True, live=True))
        say(SendMessage(2, bytes(8) + (1).to_bytes(8, "big"), b"hello", ("alice",)))
