"""The real server with a certificate, as its clients and those who would break it see it."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.msgd.certificates import FIRST, SECOND, client_context, der, put
from tests.msgd.test_server_process import Process, start
from wire.certificate import read_pin
from wire.connection import Connection
from wire.messages import Hello, LoginRequest, LoginSuccess, Message, Notice, Ping, Pong, Welcome
from wire.states import Role

pytestmark = pytest.mark.e2e
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
__all__ = ["start"]  # the fixture

Start = Callable[..., Process]
PATIENCE_S = 20


def begin(start: Start, folder: Path, *more: str) -> tuple[Process, int]:
    """A server with a certificate, and its port."""
    certificate, key = put(folder)
    options = ("--tls-cert", certificate, "--tls-key", key, *more)
    process = start("--headless", "--port", "0", *options)
    return process, process.port()


class TlsCaller:
    """A client over TLS, or over any other stream."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.stream.settimeout(PATIENCE_S)
        self.connection = Connection(Role.CLIENT)

    def say(self, message: Message) -> None:
        self.stream.sendall(self.connection.send(message))

    def hear(self) -> object:
        while (event := self.connection.next_event()) is None:
            data = self.stream.recv(65_536)
            if not data:
                return None
            self.connection.receive_data(data)
        return event

    def log_in(self, name: str) -> None:
        self.say(Hello((1,), "test"))
        assert isinstance(self.hear(), Welcome)
        self.say(LoginRequest(1, name, bytes(8), create_if_new=True, live=True))
        assert isinstance(self.hear(), LoginSuccess)


def connect(port: int, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    return (context or client_context()).wrap_socket(plain, server_hostname="localhost")


def test_a_client_is_served_over_tls_and_told_of_the_end(start: Start, tmp_path: Path) -> None:
    process, port = begin(start, tmp_path)
    assert process.running.stdout is not None
    assert read_pin(der(FIRST)) in process.running.stdout.readline()
    with connect(port) as stream:
        assert stream.version() == "TLSv1.3"
        assert stream.compression() is None
        caller = TlsCaller(stream)
        caller.log_in("alice")
        process.running.send_signal(signal.SIGTERM)
        assert isinstance(caller.hear(), Notice)
        # suppress_ragged_eofs would hide a missing goodbye as b""; unwrap does not.
        assert stream.recv(1) == b""
        stream.unwrap()
    code, log = process.end()
    assert code == 0, log
    assert "NOTICE TLS with the certificate sha256//" in log


def test_sighup_changes_the_certificate_of_new_connections_only(
    start: Start, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    process, port = begin(start, tmp_path, "--log", str(log))
    with connect(port) as old:
        caller = TlsCaller(old)
        caller.log_in("alice")
        put(tmp_path, SECOND)
        process.running.send_signal(signal.SIGHUP)
        # Signals and connections are heard in one order: who connects now is behind it.
        while True:
            with connect(port, either()) as new:
                if new.getpeercert(binary_form=True) == der(SECOND):
                    break
        (tmp_path / "key.pem").write_text("nonsense")
        process.running.send_signal(signal.SIGHUP)
        caller.say(Ping(2))
        assert caller.hear() == Pong(2), "the old connection goes on"
        while "WARN the old certificate stays: " not in log.read_text():
            with connect(port, client_context(SECOND)) as still:
                assert still.getpeercert(binary_form=True) == der(SECOND)
    process.running.send_signal(signal.SIGTERM)
    assert process.end()[0] == 0
    assert f"new connections get a new certificate: {read_pin(der(SECOND))}" in log.read_text()


def either() -> ssl.SSLContext:
    """A client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def test_a_local_socket_needs_no_tls(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "msgd.sock"
    process, _ = begin(start, tmp_path, "--unix-socket", str(path))
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(str(path))
        TlsCaller(stream).log_in("alice")
    process.running.kill()
    process.end()
    assert path.exists(), "left behind"
    again, _ = begin(start, tmp_path, "--unix-socket", str(path))
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(str(path))
        TlsCaller(stream).log_in("alice")
    again.running.send_signal(signal.SIGTERM)
    code, log = again.end()
    assert code == 0, log
    assert f"CONNECT alice from local uid {os.getuid()}" in log
    assert not path.exists()


@pytest.mark.parametrize(
    ("mode", "words"), [(0o640, "chmod 600"), (0o600, "the key is not the one of the certificate")]
)
def test_a_key_that_cannot_be_trusted_or_used_is_a_refusal(
    start: Start, tmp_path: Path, mode: int, words: str
) -> None:
    certificate, key = put(tmp_path, (FIRST[0], SECOND[1]))
    Path(key).chmod(mode)
    process = start("--headless", "--port", "0", "--tls-cert", certificate, "--tls-key", key)
    code, said = process.end()
    assert code == 78
    assert words in said
    assert len(said.strip().splitlines()) == 1


# ----- what is offered, as testssl.sh would ask ---------------------------------------------------


def ask(port: int, *options: str, given: str = "") -> str:
    """What `openssl s_client` says."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options],
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.stdout + done.stderr


@needs_openssl
def test_what_is_offered_and_what_is_not(start: Start, tmp_path: Path) -> None:
    process, port = begin(start, tmp_path, "--log", str(tmp_path / "log"))
    weak = ("-cipher", "ALL:@SECLEVEL=0")
    for version in ("-tls1", "-tls1_1", "-tls1_2"):
        said = ask(port, version, *weak)
        assert "alert protocol version" in said, version
        assert "Cipher is (NONE)" in said
    suites = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
    for suite in suites:
        said = ask(port, "-tls1_3", "-ciphersuites", suite, "-CAfile", str(tmp_path / "cert.pem"))
        assert f"New, TLSv1.3, Cipher is {suite}" in said
        assert "Compression: NONE" in said
        assert "Verify return code: 0 (ok)" in said
        assert "Early data was not sent" in said
        assert "Peer signature type: ECDSA" in said
        assert "Server public key is 256 bit" in said
    for suite in ("TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"):
        assert "handshake failure" in ask(port, "-tls1_3", "-ciphersuites", suite)
    for group, good in (("X25519", True), ("P-256", True), ("sect571r1", False)):
        said = ask(port, "-tls1_3", "-groups", group)
        assert ("New, TLSv1.3" in said) == good, (group, said)
    process.running.send_signal(signal.SIGTERM)
    assert process.end()[0] == 0


@needs_openssl
def test_no_ticket_no_renegotiation_and_new_keys_as_often_as_one_likes(
    start: Start, tmp_path: Path
) -> None:
    process, port = begin(start, tmp_path)
    said = ask(port, "-CAfile", str(tmp_path / "cert.pem"))
    assert "Post-Handshake New Session Ticket" not in said
    # On a line of its own R asks for a new handshake, K and k for new keys of both ends and of one.
    assert "wrong ssl version" in ask(port, given="R\n")
    assert "KEYUPDATE" in ask(port, given="K\nk\nK\n")
    process.running.send_signal(signal.SIGTERM)
    code, log = process.end()
    assert code == 0
    assert "TLS failed" not in log


def test_other_protocols_are_turned_away_and_honest_ones_do_not_wait(
    start: Start, tmp_path: Path
) -> None:
    process, port = begin(start, tmp_path, "--log", str(tmp_path / "log"))
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    for words in (b"GET / HTTP/1.0\r\n\r\n", bytes(64), b"SSH-2.0-x\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as other:
            other.sendall(words)
            while other.recv(1_000):
                continue
    with connect(port) as stream:
        TlsCaller(stream).log_in("alice")
    for each in silent:
        each.close()
    process.running.send_signal(signal.SIGTERM)
    assert process.end()[0] == 0
    assert "no handshake: TLS failed: it speaks plain HTTP" in (tmp_path / "log").read_text()
