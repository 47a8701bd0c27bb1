"""TLS 1.3 over any channel: the only file of this package with `ssl`.

OpenSSL works on two buffers in memory here, and never sees a socket. So what it wants is always
known: bytes of the peer, or room for its own; and what carries the bytes is a channel like any
other, in tests one in memory.

Must never wait, never use a connection again that OpenSSL has given up, and never hold more of one
connection than a slice of output and what one receive brought.
Fails with ChannelError for one connection (ChannelViolation if its peer broke TLS), and with
SecurityError for a certificate or a key that cannot be used.
"""

import ssl
from contextlib import suppress
from typing import Final, Protocol

from msgd import os_files
from msgd.net import Channel, ChannelError, ChannelViolation, SecurityError, Wait
from wire import frames
from wire.certificate import read_binding, read_end_ms, read_pin
from wire.codes import Code, FrameType
from wire.errors import CertificateError
from wire.messages import Error

SLICE_BYTES_MAX: Final = 16 * 1024
"""What is encrypted at once: one record of TLS. It is offered again until all of it was taken."""
SEND_BYTES_MAX: Final = 4 * SLICE_BYTES_MAX
"""What one send encrypts, if the network takes one slice after the other."""
HANDSHAKE_BYTES_MAX: Final = 16 * 1024
"""What one step of a handshake reads."""
ANSWERS_BYTES_MAX: Final = 64 * 1024
"""With more of OpenSSL's own answers unsent (to new keys, asked for again and again), nothing is
read until the peer has taken some."""

_PLAIN_HELLO: Final = FrameType.HELLO.to_bytes(2, "big")
_PLAIN_ANSWER: Final = frames.encode(Error(Code.TLS_NEEDED, "this port speaks TLS", fatal=True))
"""A client of ours that was told nothing of TLS should not have to guess."""

_UNKNOWN: Final = "UNKNOWN_ERROR"
_WORDS: Final = {
    "HTTP_REQUEST": "it speaks plain HTTP to a port for TLS",
    "HTTPS_PROXY_REQUEST": "it takes a port for TLS for a web proxy",
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
    "UNSUPPORTED_PROTOCOL": "it offers no TLS 1.3",
    "NO_PROTOCOLS_AVAILABLE": "it offers no TLS 1.3",
    "NO_SHARED_CIPHER": "it offers none of our ciphers",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not know who made our certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not take our certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not take our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "our certificate is too old for it",
    "KEY_VALUES_MISMATCH": "the key is not the one of the certificate",
    "BAD_PASSWORD_READ": "the key is encrypted",
}


class Engine(Protocol):
    """What of ssl.SSLObject is used here."""

    def do_handshake(self) -> None: ...  # noqa: D102  as in ssl
    def read(self, len: int = 1024) -> bytes: ...  # noqa: A002, D102  as in ssl
    def write(self, data: memoryview) -> int: ...  # noqa: D102  as in ssl
    def unwrap(self) -> object: ...  # noqa: D102  as in ssl
    def pending(self) -> int: ...  # noqa: D102  as in ssl


class TlsChannel:
    """One encrypted connection; see msgd.net.Channel."""

    __slots__ = (
        "_end",
        "_engine",
        "_in",
        "_is_finished",
        "_out",
        "_sealed",
        "_taken",
        "binding",
        "carrier",
        "has_pending",
        "needs_handshake",
    )

    def __init__(
        self,
        carrier: Channel,
        engine: Engine,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        binding: bytes,
    ) -> None:
        self.carrier = carrier
        """What the encrypted bytes go over."""
        self.binding: bytes | None = binding
        self.needs_handshake = True
        self.has_pending = False
        self._engine = engine
        self._in = incoming
        self._out = outgoing
        self._sealed = memoryview(b"")  # encrypted, and on its way
        self._taken = 0  # so many bytes of what is offered to `send` are in `_sealed` and `_out`
        self._end: bytes | ChannelError | None = None  # what the peer's stream ended with
        self._is_finished = False

    @property
    def peer(self) -> str:
        """See msgd.net.Channel."""
        return self.carrier.peer

    def shake(self) -> Wait | None:
        """See msgd.net.Channel."""
        assert self.needs_handshake
        got = self.carrier.receive(HANDSHAKE_BYTES_MAX)
        if isinstance(got, bytes):
            self._feed(got)
        try:
            self._engine.do_handshake()
        except ssl.SSLWantReadError:
            return self._drain() or Wait.READ
        except ssl.SSLWantWriteError:
            return self._drain() or Wait.WRITE
        except ssl.SSLError as error:
            broken = self._broken(error)
            if isinstance(got, bytes) and got.startswith(_PLAIN_HELLO):
                with suppress(ChannelError):
                    self.carrier.send(_PLAIN_ANSWER)
            raise broken from None
        self.needs_handshake = False
        # The peer's first frame may have come with its last step, and no poll will tell of it.
        self.has_pending = self._in.pending > 0
        self._drain()
        return None

    def receive(self, bytes_max: int) -> bytes | Wait:
        """See msgd.net.Channel."""
        assert not self.needs_handshake
        if self._has_ended():
            return self._tell_end()
        if self._is_finished:
            return self.carrier.receive(bytes_max)  # thrown away anyway: not worth decrypting
        if len(self._sealed) + self._out.pending > ANSWERS_BYTES_MAX:
            blocked = self._drain()
            if blocked is not None:
                return blocked
        if not self.has_pending:
            got = self.carrier.receive(bytes_max)
            if isinstance(got, Wait):
                return self._wait(got)
            self._feed(got)
        data = self._open(bytes_max)
        if data:
            self.has_pending |= self._has_ended()
            return data
        return self._tell_end() if self._has_ended() else self._wait(Wait.READ)

    def send(self, data: bytes | memoryview) -> int | Wait:
        """See msgd.net.Channel."""
        assert not self.needs_handshake
        assert not self._is_finished
        view, done = memoryview(data), 0
        assert self._taken <= len(view), "less is offered than the time before"
        while True:
            if not self._taken:
                try:
                    self._taken = self._engine.write(view[done : done + SLICE_BYTES_MAX])
                except ssl.SSLWantReadError:
                    return done or self._drain() or Wait.READ
                except ssl.SSLWantWriteError:
                    return done or self._drain() or Wait.WRITE
                except ssl.SSLError as error:
                    raise self._broken(error) from None
            blocked = self._drain()
            if blocked is not None:
                return done or blocked
            done += self._taken
            self._taken = 0
            if done == len(view) or done >= SEND_BYTES_MAX:
                return done

    def finish(self) -> None:
        """Say goodbye in TLS, once and without waiting for the peer's, then as the carrier does."""
        self._part()
        self.carrier.finish()

    def close(self) -> None:
        """See msgd.net.Channel."""
        self.carrier.close()

    # ----- below ------------------------------------------------------------------------------

    def _feed(self, got: bytes) -> None:
        if got:
            self._in.write(got)
        else:
            self._in.write_eof()

    def _open(self, bytes_max: int) -> bytes:
        """Decrypt what is here, at most so much; an end behind it is kept for the next time."""
        chunks: list[bytes] = []
        room = bytes_max
        self.has_pending = False
        try:
            while room > 0:
                data = self._engine.read(room)
                if not data:  # the peer said goodbye
                    self._end = b""
                    break
                chunks.append(data)
                room -= len(data)
            else:
                self.has_pending = self._engine.pending() > 0 or self._in.pending > 0
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass  # for room to write waits whoever has something to write
        except ssl.SSLZeroReturnError:
            self._end = b""
        except ssl.SSLError as error:
            self._end = self._broken(error)
        return b"".join(chunks)

    def _has_ended(self) -> bool:
        return self._end is not None

    def _tell_end(self) -> bytes:
        self.has_pending = False
        if isinstance(self._end, ChannelError):
            raise self._end
        self._part()
        return b""

    def _part(self) -> None:
        """Say goodbye in TLS, if it was not said; whether it was heard is not waited for."""
        if not (self.needs_handshake or self._is_finished):
            self._is_finished = True
            with suppress(ssl.SSLError):  # it would wait for the peer's, or there is nothing to end
                self._engine.unwrap()
            with suppress(ChannelError):  # then there is nobody to hear it
                self._drain()

    def _wait(self, wait: Wait) -> Wait:
        """What a receive waits for; room, if OpenSSL has an answer of its own to give."""
        if not (self._sealed or self._out.pending):
            return wait
        blocked = self._drain()
        # With output of ours on its way its sender waits for room, and hearing goes on meanwhile.
        return wait if blocked is None or self._taken else blocked

    def _drain(self) -> Wait | None:
        """Give the carrier what is encrypted; what to wait for, if it does not take all."""
        while self._sealed or self._out.pending:
            if not self._sealed:
                self._sealed = memoryview(self._out.read())
            taken = self.carrier.send(self._sealed)
            if isinstance(taken, Wait):
                return taken
            self._sealed = self._sealed[taken:]
        return None

    def _broken(self, error: ssl.SSLError) -> ChannelError:
        """OpenSSL has given up: the peer gets its last words, if there is room for them."""
        if isinstance(error, ssl.SSLEOFError):
            when = "during the handshake" if self.needs_handshake else "without a goodbye"
            return ChannelError(f"the connection was cut {when} of TLS")
        with suppress(ChannelError):  # then nobody is there to read them
            self._drain()
        words = f"TLS failed: {_words(error)}"
        return ChannelError(words) if "_ALERT_" in _reason(error) else ChannelViolation(words)


class OsSecurity:
    """A certificate and its key from two files, read when it is made and at `renew`."""

    def __init__(self, certificate_path: str, key_path: str, user_id: int) -> None:
        """Raises SecurityError. `user_id` is who may own the key."""
        self._certificate_path = certificate_path
        self._key_path = key_path
        self._user_id = user_id
        self._load()

    def renew(self) -> bool:
        """See msgd.net.Security."""
        before = self.binding
        self._load()
        return self.binding != before

    def protect(self, carrier: Channel) -> Channel:
        """See msgd.net.Security."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        engine = self._context.wrap_bio(incoming, outgoing, server_side=True)
        return TlsChannel(carrier, engine, incoming, outgoing, self.binding)

    def _load(self) -> None:
        context = make_context()
        try:
            with (
                os_files.opened(self._certificate_path) as certificate,
                os_files.opened_secret(self._key_path, self._user_id) as key,
            ):
                context.load_cert_chain(certificate, key, password=_refuse_to_ask)
            certificate_bytes = _try_out(context)
            end_ms = read_end_ms(certificate_bytes)
        except os_files.UnsafeFileError as error:
            raise SecurityError(str(error)) from None
        except ssl.SSLError as error:
            # Of a file that is no PEM at all OpenSSL gives no reason.
            words = "one is no PEM file" if _reason(error) == _UNKNOWN else _words(error)
            raise SecurityError(
                f"{self._certificate_path} and {self._key_path} cannot be used: {words}; both must "
                "be PEM files and belong together, and the key must not be encrypted"
            ) from None
        except CertificateError as error:
            raise SecurityError(f"{self._certificate_path} cannot be used: {error}") from None
        self.pin = read_pin(certificate_bytes)
        self.binding = read_binding(certificate_bytes)
        self.end_ms = end_ms
        self._context = context


def read_certificate(path: str) -> bytes:
    """The first certificate of a file (DER): the one that is shown. Raises SecurityError."""
    try:
        with os_files.opened(path) as way:
            text = os_files.read_text_file(way).decode("ascii", "replace")
        end = text.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
        return ssl.PEM_cert_to_DER_cert(text[text.index(ssl.PEM_HEADER) : end])
    except os_files.UnsafeFileError as error:
        raise SecurityError(str(error)) from None
    except ValueError:
        raise SecurityError(f"{path} holds no certificate (PEM)") from None


def make_context() -> ssl.SSLContext:
    """How a server speaks: TLS 1.3 and nothing else, no resumption, no compression."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    # A connection lives for days: resuming one saves little, and its tickets would be one more
    # secret to keep and one more thing to send when nobody asked.
    context.num_tickets = 0
    return context


def _try_out(context: ssl.SSLContext) -> bytes:
    """Shake hands with ourselves; gives the certificate that is really shown. Raises SSLError."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_mode = ssl.CERT_NONE  # what it holds is for the clients to judge
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server)
    for end in (client, server, client, server):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    certificate = client.getpeercert(binary_form=True)
    assert certificate is not None
    return certificate


def _refuse_to_ask() -> str:
    """OpenSSL would ask on the terminal otherwise."""
    return ""


def _words(error: ssl.SSLError) -> str:
    """What went wrong, in our words or OpenSSL's: never the peer's."""
    reason = _reason(error)
    return _WORDS.get(reason, reason.lower().replace("_", " "))


def _reason(error: ssl.SSLError) -> str:
    """OpenSSL's name for it; errors that Python makes itself have none."""
    return getattr(error, "reason", None) or _UNKNOWN
