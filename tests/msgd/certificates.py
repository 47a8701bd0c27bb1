"""Certificates for tests, made once with `msgd cert` for localhost, and clients that speak TLS.

The keys are for everybody to read, so they protect nothing.
"""

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.msgd.fake_net import FakeChannel

FIRST: Final = (
    """\
-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIUOa1pRB3q4mwdyiZCVENbRjgT7wowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjIxMDE1NVoYDzIwNTEwNzE0
MjEwMTU1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAS8d2kguHhaKmBf5Ec1g0JI3gbDBiRA+DgfEJnM1viiX15hj0XyMyMd
Uc9C6vrZv52EIk/0+wtaGy/pkqeRBnVeo0swSTAMBgNVHRMBAf8EAjAAMBoGA1Ud
EQQTMBGCCWxvY2FsaG9zdIcEfwAAATAdBgNVHQ4EFgQUUZY0aNTZywLqbMGcIasL
YUxFwdowCgYIKoZIzj0EAwIDSAAwRQIhAJe+bPlxb6TIGXTER6aDYlGN31PykJeT
U1I905STFiveAiAexl4M097PCOVUnO/KuJNu+xyYvUyB8GyeKeY2l6h69w==
-----END CERTIFICATE-----
""",
    """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiRHZl8Lb03fm3u/V
6jnH1rmd4m3zk/j44vGaxFixn6GhRANCAAS8d2kguHhaKmBf5Ec1g0JI3gbDBiRA
+DgfEJnM1viiX15hj0XyMyMdUc9C6vrZv52EIk/0+wtaGy/pkqeRBnVe
-----END PRIVATE KEY-----
""",
)
SECOND: Final = (
    """\
-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIUCFxIxSKCeNs0jj4SLaoq+g5RQSEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjIxMDE1NVoYDzIwNTEwNzE0
MjEwMTU1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARMC0k7PHH41DqZtGpSmgZQ7s0uCfuLqw98YslWmbuh7r2x7h3HSFgK
6lcdQVZkU06jFGbNGulMnbsmrp9HhcP7o0swSTAMBgNVHRMBAf8EAjAAMBoGA1Ud
EQQTMBGCCWxvY2FsaG9zdIcEfwAAATAdBgNVHQ4EFgQUfcw5f0pxk8QJx8rMHPms
/vjk3KkwCgYIKoZIzj0EAwIDSAAwRQIhANdakzknNOaEkS/nbmyKoZxkADL6/4Rs
FrNx8riTx1KAAiA7IBHavVmoJVbXT9TBZFgbMcZIF46l6R++KkYPt27w2A==
-----END CERTIFICATE-----
""",
    """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzDhtPoyxYN4MCCxR
KMBFxNRTvwKIqvVP3yL04WlI2/OhRANCAARMC0k7PHH41DqZtGpSmgZQ7s0uCfuL
qw98YslWmbuh7r2x7h3HSFgK6lcdQVZkU06jFGbNGulMnbsmrp9HhcP7
-----END PRIVATE KEY-----
""",
)


def put(folder: Path, pair: tuple[str, str] = FIRST) -> tuple[str, str]:
    """The pair as files, with the modes that they need; gives their paths."""
    paths = (folder / "cert.pem", folder / "key.pem")
    for path, text in zip(paths, pair, strict=True):
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o600)
    return str(paths[0]), str(paths[1])


def der(pair: tuple[str, str]) -> bytes:
    """The certificate's own bytes."""
    return ssl.PEM_cert_to_DER_cert(pair[0])


def client_context(pair: tuple[str, str] = FIRST) -> ssl.SSLContext:
    """A client that trusts this certificate and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pair[0])
    return context


class FakeTlsClient:
    """The other end of a FakeChannel: moves bytes only when a test says so."""

    def __init__(self, channel: FakeChannel, context: ssl.SSLContext | None = None) -> None:
        self.channel = channel
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.engine = (context or client_context()).wrap_bio(
            self._in, self._out, server_hostname="localhost"
        )

    def push(self) -> int:
        """Put on the way to the server what is encrypted; gives how much that is."""
        data = self._out.read()
        self.channel.to_server += data
        return len(data)

    def pull(self) -> None:
        """Take what the server has sent, so that it has room again."""
        self._in.write(bytes(self.channel.to_client))
        self.channel.to_client.clear()

    def shake(self) -> bool:
        """One step of the handshake; True when this end has done its part."""
        self.pull()
        try:
            self.engine.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self.push()
        return True

    def say(self, data: bytes) -> int:
        """Encrypt and push; gives how many bytes that made."""
        self.engine.write(data)
        return self.push()

    def hear(self) -> bytes:
        """Everything that came and can be decrypted."""
        self.pull()
        heard = b""
        try:
            while data := self.engine.read(1 << 20):
                heard += data
        except ssl.SSLWantReadError:
            pass
        return heard

    def part(self) -> None:
        """Say goodbye in TLS."""
        with suppress(ssl.SSLWantReadError):
            self.engine.unwrap()
        self.push()
