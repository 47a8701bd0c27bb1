"""TLS over a channel: the only file with ssl.

OpenSSL works in memory here, between the channel that carries its records and the one that the loop
sees, as in asyncio. So a descriptor is never ready while the bytes are elsewhere: `has_pending`
says what was read and not yet given out, `interest` what was sealed and has not yet gone. TLS 1.3
only (RFC 8446), without compression and without tickets of sessions.

Must never give out or take a byte before `Guard.judge` has said who is at the other end; never
block; never go on after an error of OpenSSL's. Fails with NetError, and with TrustError.
"""

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from msgc import limits
from msgc.net import Channel, Doubt, NetError, TrustError
from wire.certificate import read_binding

_FIRST_BYTES: Final = (0x15, 0x16)
"""An alert, or a handshake: what a server that speaks TLS begins with (RFC 8446 section 5.1)."""
_REASONS: Final = {
    "UNSUPPORTED_PROTOCOL": "it does not offer TLS 1.3",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it does not offer TLS 1.3",
}
_READ_BYTES: Final = 32 * 1024


class Guard(Protocol):
    """Who says whether a certificate will do; see msgc.door.Door."""

    @property
    def authorities(self) -> str | None:
        """Whose signature is asked for: a file of certificates, "" the system's; None nobody's."""

    @property
    def looks_again(self) -> bool:
        """Whether to look at the certificate of who has no such signature."""

    def judge(self, certificate: bytes, *, is_signed: bool) -> None:
        """Return if all is well with this certificate (DER). Raises TrustError."""


class TlsChannel:
    """See the module's text. `open_inner` begins the connection that carries it."""

    def __init__(self, open_inner: Callable[[], Channel], host: str, guard: Guard) -> None:
        self._open_inner = open_inner
        self._host = host
        self._guard = guard
        self._signed = guard.authorities is not None
        self.binding: bytes | None = None
        self.has_pending = False
        self._begin()

    def _begin(self) -> None:
        """A connection, and a new talk of OpenSSL's to be had over it."""
        context = _context(self._guard.authorities if self._signed else None)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=self._host)
        except (ValueError, UnicodeError):
            raise NetError("the host has no name that a certificate could have") from None
        self._sealed = b""
        self._was_heard = False
        self._is_carried = False
        self._is_established = False
        self._inner = self._open_inner()

    def fileno(self) -> int:
        """See msgc.net.Channel."""
        return self._inner.fileno()

    def interest(self, *, has_unsent: bool) -> tuple[bool, bool]:
        """See msgc.net.Channel."""
        waits = bool(self._sealed) or self._outgoing.pending > 0
        if not self._is_carried:
            return self._inner.interest(has_unsent=False)
        return self._inner.interest(has_unsent=waits or (self._is_established and has_unsent))

    def finish_connecting(self) -> bool:
        """See msgc.net.Channel. Afterwards the other end is who it should be."""
        if not self._is_carried:
            if not self._inner.finish_connecting():
                return False
            self._is_carried = True
        try:
            if not self._shake_hands():
                return False
        except ssl.SSLCertVerificationError as error:
            return self._reject(error.verify_message)
        except ssl.SSLError as error:
            raise NetError(_words(error)) from None
        certificate = self._tls.getpeercert(binary_form=True)
        if not certificate:
            raise NetError("it shows no certificate")
        self._guard.judge(certificate, is_signed=self._signed)
        self.binding = read_binding(certificate)
        self._is_established = True
        # The server's first words may have come with the end of the handshake.
        self.has_pending = True
        return True

    def receive(self, bytes_max: int) -> bytes | None:
        """See msgc.net.Channel. The end is one whether or not TLS has said goodbye: MSGP does."""
        self.has_pending = False
        for _ in range(limits.HANDSHAKE_STEPS_MAX):
            try:
                data = self._tls.read(bytes_max)
            except ssl.SSLWantReadError:
                if not self._pull():
                    self._flush()  # an answer to a KeyUpdate, say
                    return None
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            except ssl.SSLError as error:
                raise NetError(_words(error)) from None
            else:
                self.has_pending = bool(data)
                return data
        self.has_pending = True
        return None

    def send(self, data: bytes) -> int:
        """See msgc.net.Channel. Nothing is sealed while a sealed record still waits."""
        if not self._flush() or not data:
            return 0
        try:
            taken = self._tls.write(data[: limits.TLS_SLICE_BYTES_MAX])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except ssl.SSLError as error:
            raise NetError(_words(error)) from None
        self._flush()
        return taken

    def close(self) -> None:
        """See msgc.net.Channel. A goodbye is tried once and not waited for."""
        if self._is_established:
            with suppress(ssl.SSLError):  # that it waits for the other's goodbye
                self._tls.unwrap()
            with suppress(NetError):  # nobody is there any more
                self._flush()
        self._inner.close()

    # ----- inside -------------------------------------------------------------------------------

    def _shake_hands(self) -> bool:
        """As far as it goes now; whether it is done."""
        for _ in range(limits.HANDSHAKE_STEPS_MAX):
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                if not self._pull():
                    return False
            except ssl.SSLError:
                self._tell_why()
                raise
            else:
                self._flush()
                return True
        return False

    def _tell_why(self) -> None:
        """OpenSSL's last word, an alert, for the log of the server."""
        with suppress(NetError):  # it has gone already
            self._flush()

    def _pull(self) -> bool:
        """Sealed bytes from the inner channel; False when there are none now."""
        data = self._inner.receive(_READ_BYTES)
        if data is None:
            return False
        if data:
            if not self._was_heard and data[0] not in _FIRST_BYTES:
                raise NetError("it does not speak TLS")
            self._was_heard = True
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        return True

    def _flush(self) -> bool:
        """Sealed bytes to the inner channel; whether all are gone."""
        self._sealed += self._outgoing.read()
        while self._sealed:
            taken = self._inner.send(self._sealed)
            if not taken:
                return False
            self._sealed = self._sealed[taken:]
        return True

    def _reject(self, reason: str) -> bool:
        """Nobody vouches for it: look at its key at least, over a connection of its own."""
        if not self._guard.looks_again:
            raise TrustError(Doubt.REJECTED, "", reason=reason)
        self._inner.close()
        self._signed = False
        self._begin()
        return False


def _context(authorities: str | None) -> ssl.SSLContext:
    """TLS 1.3 only. None: any certificate, for it is judged by its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.options |= ssl.OP_NO_TICKET
    if authorities is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif authorities:
        try:
            context.load_verify_locations(cafile=authorities)
        except OSError as error:  # ssl.SSLError is one, too
            reason = (error.strerror or "error").lower()
            raise NetError(f"the certificates in {authorities} cannot be used: {reason}") from None
    else:
        context.load_default_certs()
    return context


def _words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLEOFError):
        return "the server closed the connection in the middle of TLS"
    known = _REASONS.get(error.reason or "")
    return known or f"TLS failed ({(error.reason or 'error').lower().replace('_', ' ')})"
