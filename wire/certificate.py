"""What both ends make of a certificate: the pin of its key, and what binds a password to it.

A pin is what people compare and clients remember: `sha256//` and the SHA-256, in base64, of the
certificate's public key (SubjectPublicKeyInfo), as of RFC 7469 section 2.4 and as curl writes it.
The same key in a new certificate has the same pin.
The binding is the certificate's hash, `tls-server-end-point` of RFC 5929 section 4.1.

Only the outline of a certificate is read (DER, X.690; RFC 5280 section 4.1): where its key stands,
how it was signed, until when it holds. Nothing is judged: that is for OpenSSL.

Must never trust a length: a certificate comes from the other side.
Fails with CertificateError.
"""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Final

from wire.errors import CertificateError

CERTIFICATE_BYTES_MAX: Final = 64 * 1024

_SEQUENCE: Final = 0x30
_OBJECT_ID: Final = 0x06
_UTC_TIME: Final = 0x17
_GENERAL_TIME: Final = 0x18
_VERSION: Final = 0xA0

_BINDING_HASHES: Final = {
    "2a864886f70d01010c": "sha384",  # sha384WithRSAEncryption
    "2a864886f70d01010d": "sha512",
    "2a864886f70d01010e": "sha224",
    "2a8648ce3d040301": "sha224",  # ecdsa-with-SHA224
    "2a8648ce3d040303": "sha384",
    "2a8648ce3d040304": "sha512",
}
"""By the bytes of the signature's algorithm. SHA-256 for all others: so says the RFC of MD5 and
SHA-1, and says nothing of those without a hash of their own (Ed25519), where both ends must agree.
"""


def read_pin(certificate: bytes) -> str:
    """`sha256//...` of the key in a certificate (DER)."""
    start, end = _outline(certificate)[1][6]
    digest = hashlib.sha256(certificate[start:end]).digest()
    return "sha256//" + base64.b64encode(digest).decode("ascii")


def read_binding(certificate: bytes) -> bytes:
    """The hash that `tls-server-end-point` means, of a certificate (DER)."""
    algorithm = _outline(certificate)[0]
    return hashlib.new(_BINDING_HASHES.get(algorithm, "sha256"), certificate).digest()


def read_end_ms(certificate: bytes) -> int:
    """The last moment at which a certificate (DER) holds: milliseconds since 1970 UTC."""
    start, end = _outline(certificate)[1][4]
    _, inside = _element(certificate, start, end)
    _, not_before = _element(certificate, inside[0], inside[1])
    tag, (start, end) = _element(certificate, not_before[1], inside[1])
    text = certificate[start:end].decode("ascii", "replace")
    if tag == _UTC_TIME:  # two digits of the year; RFC 5280 section 4.1.2.5.1 says which century
        text = ("20" if text[:2] < "50" else "19") + text
    elif tag != _GENERAL_TIME:
        raise CertificateError("its end is no time")
    if len(text) != 15:  # strptime would take one digit for two
        raise CertificateError("its end is no time")
    try:
        moment = datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise CertificateError("its end is no time") from None
    return int(moment.timestamp()) * 1_000


_Span = tuple[int, int]


def _outline(certificate: bytes) -> tuple[str, list[_Span]]:
    """The signature's algorithm (its bytes, in hexadecimal), and where the parts of the signed
    half stand: version, number, algorithm, issuer, validity, subject, key.
    """
    if len(certificate) > CERTIFICATE_BYTES_MAX:
        raise CertificateError("it is too long")
    _, whole = _element(certificate, 0, len(certificate), _SEQUENCE)
    _, signed = _element(certificate, whole[0], whole[1], _SEQUENCE)
    parts: list[_Span] = []
    at = signed[0]
    while len(parts) < 7:
        tag, content = _element(certificate, at, signed[1])
        if not parts and tag != _VERSION:
            parts.append((at, at))  # version 1 is said by leaving it out
        parts.append((at, content[1]))
        at = content[1]
    _, algorithm = _element(certificate, signed[1], whole[1], _SEQUENCE)
    _, name = _element(certificate, algorithm[0], algorithm[1], _OBJECT_ID)
    return certificate[name[0] : name[1]].hex(), parts


def _element(data: bytes, start: int, end: int, wanted: int = 0) -> tuple[int, _Span]:
    """The tag of the element at `start`, and where its content stands, which is before `end`."""
    if start + 2 > end:
        raise CertificateError("it ends too early")
    tag, length, at = data[start], data[start + 1], start + 2
    if length & 0x80:
        size = length & 0x7F
        if not 1 <= size <= 3:
            raise CertificateError("a length makes no sense")
        length = int.from_bytes(data[at : at + size], "big")
        at += size
    if at + length > end:
        raise CertificateError("it ends too early")
    if wanted and tag != wanted:
        raise CertificateError("something else stands where its parts should")
    return tag, (at, at + length)
