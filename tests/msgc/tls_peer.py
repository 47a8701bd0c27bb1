"""Certificates that the openssl command makes, and a server's end of TLS in memory.

What goes between the two ends can be cut into any pieces, held back, and ended at any byte.
"""

import ssl
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from msgc.net import NetError
from tests.msgc.fake_server import FakeServer, FakeSession

ONE_PIECE = 1 << 20


@dataclass(frozen=True)
class Identity:
    """Files of a certificate and its key, and the certificate's DER."""

    certificate: str
    key: str

    @property
    def der(self) -> bytes:
        return ssl.PEM_cert_to_DER_cert(Path(self.certificate).read_text())


@cache
def _folder() -> Path:
    return Path(mkdtemp(prefix="msgc-tls-"))


def _openssl(*words: str) -> None:
    subprocess.run(("openssl", *words), check=True, capture_output=True, cwd=_folder())


@cache
def self_signed(name: str) -> Identity:
    """Another key for each name; the certificate is for here.example."""
    _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-days", "36500", "-subj", "/CN=here.example", "-keyout", f"{name}.key"),
        *("-out", f"{name}.pem", "-addext", "subjectAltName=DNS:here.example,IP:127.0.0.1"),
    )
    return Identity(str(_folder() / f"{name}.pem"), str(_folder() / f"{name}.key"))


def pin_by_openssl(identity: Identity) -> str:
    """As the openssl command computes it, for a second opinion."""
    script = (
        f"openssl x509 -in {identity.certificate} -noout -pubkey | openssl pkey -pubin -outform der"
        " | openssl dgst -sha256 -binary | openssl base64"
    )
    done = subprocess.run(("sh", "-c", script), check=True, capture_output=True, text=True)
    return f"sha256//{done.stdout.strip()}"


class TlsPeer:
    """The server's end: what TLS carries goes to a FakeSession of `server`, or is kept."""

    def __init__(
        self,
        identity: Identity,
        server: FakeServer | None = None,
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = version
        context.load_cert_chain(identity.certificate, identity.key)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.session: FakeSession | None = None if server is None else server.open()
        self.heard = b""
        self.is_established = False

    def receive(self, data: bytes) -> None:
        self.incoming.write(data)
        self.go_on()

    def go_on(self) -> None:
        try:
            if not self.is_established:
                self.tls.do_handshake()
                self.is_established = True
            while True:
                data = self.tls.read(65_536)
                if not data:
                    break
                self.heard += data
                if self.session is not None:
                    self.session.receive(data)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            return
        if self.session is not None and self.is_established:
            answer = self.session.take()
            if answer:
                self.tls.write(answer)

    def say(self, data: bytes) -> None:
        self.tls.write(data)


class TlsLine:
    """A channel whose other end is a TlsPeer; `piece` bytes at most go at once, each way."""

    binding = None
    has_pending = False

    def __init__(self, peer: TlsPeer, fd: int = 50, piece: int = ONE_PIECE) -> None:
        self.peer = peer
        self.fd = fd
        self.piece = piece
        self.room = ONE_PIECE
        self.connected = False
        self.ended = False
        self.closed = False
        self.broken: str | None = None

    def interest(self, *, has_unsent: bool) -> tuple[bool, bool]:
        return self.connected, has_unsent or not self.connected

    def fileno(self) -> int:
        return self.fd

    def finish_connecting(self) -> bool:
        self.connected = True
        return True

    def receive(self, bytes_max: int) -> bytes | None:
        self.peer.go_on()
        data = self.peer.outgoing.read(min(bytes_max, self.piece))
        return data or (b"" if self.ended else None)

    def send(self, data: bytes) -> int:
        if self.broken is not None:
            raise NetError(self.broken)
        taken = data[: min(self.piece, self.room)]
        self.room -= len(taken)
        if taken:
            self.peer.receive(taken)
        return len(taken)

    def close(self) -> None:
        self.closed = True

    @property
    def is_readable(self) -> bool:
        self.peer.go_on()
        return self.peer.outgoing.pending > 0 or self.ended
