"""The way to one server: with TLS or without, and what makes sure that it is the right one.

In this order, and the first that is there decides:

    a pin that was said (--tls-pin)       the server's key must be that one
    a pin that is known                   the same
    authorities that were named           one of them must have signed the certificate
    authorities of the system             one of them signs; remembered, so it must stay so
    nothing of these                      TrustError(UNKNOWN): somebody has to say yes to the pin

Must never talk without TLS to another computer unless that was asked for, never again to a server
without TLS that was met with it, and never accept a key that nobody said yes to.
Fails with NetError and TrustError; KnownServersError goes through.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from msgc.known_servers import CA, NOTHING, KnownServer, KnownServers
from msgc.net import Channel, Doubt, NetError, Network, TrustError
from msgc.server import Server
from wire.errors import CertificateError

TlsMaker: TypeAlias = Callable[[Callable[[], Channel], str, "ServerDoor"], Channel]
"""msgc.os_tls.TlsChannel, which is there late: a plain connection needs no ssl."""


@dataclass(frozen=True, slots=True)
class TrustChoice:
    """What was said about trust. `pin` and `authorities` (a file) are empty where nothing was.

    `accept_new`: a server that is met for the first time is accepted without a question.
    """

    pin: str = ""
    authorities: str = ""
    accept_new: bool = False
    unsafe_plaintext: bool = False


class ServerDoor:
    """See msgc.net.Door, and msgc.os_tls.Guard."""

    def __init__(
        self,
        server: Server,
        choice: TrustChoice,
        known: KnownServers,
        network: Network,
        make_tls: TlsMaker,
    ) -> None:
        self._choice = choice
        self._known_servers = known
        self._network = network
        self._make_tls = make_tls
        self._given = server

    @property
    def server(self) -> Server:
        """Where it leads; with `tls` as it is going to be."""
        choice, given = self._choice, self._given
        chosen = given.tls or bool(choice.pin or choice.authorities) or bool(self._trust)
        must = not given.is_here and not choice.unsafe_plaintext
        return replace(given, tls=not given.path and (chosen or must))

    @property
    def name(self) -> str:
        """The server's, for people."""
        return self._given.name

    def open(self) -> Channel:
        """See msgc.net.Door."""
        server = self.server
        if not server.tls:
            return self._network.connect(server)
        if self._choice.unsafe_plaintext:
            raise TrustError(Doubt.PLAINTEXT, "")
        return self._make_tls(lambda: self._network.connect(server), server.host, self)

    # ----- the guard of TLS ---------------------------------------------------------------------

    @property
    def authorities(self) -> str | None:
        """See msgc.os_tls.Guard."""
        if self._expected:
            return None
        return self._choice.authorities

    @property
    def looks_again(self) -> bool:
        """See msgc.os_tls.Guard. Who had a signature once must have one."""
        return not self._choice.authorities and not self._trust

    def judge(self, certificate: bytes, *, is_signed: bool) -> None:
        """See msgc.os_tls.Guard."""
        # Late, like TLS itself.
        from wire.certificate import read_pin

        try:
            pin = read_pin(certificate)
        except CertificateError as error:
            raise NetError(f"its certificate cannot be read: {error}") from None
        expected = self._expected
        if expected:
            if pin != expected:
                raise TrustError(Doubt.CHANGED, pin, expected)
        elif is_signed:
            if not self._trust and not self._choice.authorities:
                self._known_servers.keep_trust(self.name, CA)
        elif self._choice.accept_new:
            self.accept(pin)
        else:
            raise TrustError(Doubt.UNKNOWN, pin)

    def accept(self, pin: str) -> None:
        """Somebody said yes: from now on the server is who has this key. KnownServersError."""
        self._known_servers.keep_trust(self.name, pin)

    # ----- passwords ----------------------------------------------------------------------------

    @property
    def had_password(self) -> bool:
        """Whether this server has asked for a password before."""
        return self._known is not None and self._known.password

    def note_password(self) -> None:
        """It asks for one: from now on it must. Raises KnownServersError."""
        self._known_servers.keep_password(self.name)

    @property
    def _known(self) -> KnownServer | None:
        return self._known_servers.find(self.name)

    @property
    def _trust(self) -> str:
        """How it is known when met with TLS, or empty."""
        known = self._known
        return "" if known is None or known.trust == NOTHING else known.trust

    @property
    def _expected(self) -> str:
        """The pin that its key must have, or empty."""
        known = self._known
        return self._choice.pin or (known.pin if known is not None else None) or ""
