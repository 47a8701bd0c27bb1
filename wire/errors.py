"""What can go wrong with bytes and frames that came from the other side.

    WireError
    ├── TlvError               the bytes are not TLV: a length runs past its end
    ├── CertificateError       bytes that should be a certificate are not one
    ├── RemoteProtocolError    the peer broke the protocol; the connection must be closed
    └── LocalProtocolError     we were about to break it: a bug of ours, never the peer's

Must never hold bytes from the peer in its text beyond a number: texts end up in logs.
"""


class WireError(Exception):
    """The base of all errors of this package."""


class TlvError(WireError):
    """Bytes that should be TLV are not."""


class CertificateError(WireError):
    """Bytes that should be a certificate are not, or lack what is looked for."""


class RemoteProtocolError(WireError):
    """The peer broke the protocol: say so with `code` (a `wire.codes.ErrorCode`) and close."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class LocalProtocolError(WireError):
    """Our own side tried to send what is not legal now."""
