"""`msgd cert`: a certificate that is signed by itself, its key, and the pin that people compare.

The command openssl does the work (decision 0071); what it is to do stands in a configuration of
our own, so the system's does not matter. ECDSA on P-256: small, fast, and known to everything that
speaks TLS 1.3.

Must never write over a key, or let one be read by others for a moment.
Fails with CertError, whose text says what to do.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from msgd.options import Kind, Option

DAYS: Final = 3_650
DAYS_MAX: Final = 36_500
HOSTS_MAX: Final = 64
COMMON_NAME_CHARACTERS_MAX: Final = 64
CERTIFICATE_FILE: Final = "cert.pem"
KEY_FILE: Final = "key.pem"

OPTIONS: Final = (
    Option("host", Kind.TEXT, "", "what clients call the server; several if need be", "NAME"),
    Option("out", Kind.TEXT, ".", "where cert.pem and key.pem go", "DIR"),
    Option("days", Kind.NUMBER, DAYS, "how long the certificate holds", "N", 1, DAYS_MAX),
    Option("renew", Kind.FLAG, default=False, help="a new certificate for the key that is there"),
    Option("show", Kind.FLAG, default=False, help="only print the pin of --tls-cert"),
)

_NAME: Final = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_-]{1,63}")


class CertError(Exception):
    """It cannot be made; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the certificate is to be."""

    hosts: tuple[str, ...]
    folder: str = "."
    days: int = DAYS
    renews: bool = False


class CertFiles(Protocol):
    """The files of the machine, as far as they are needed. All raise OSError."""

    def exists(self, path: str) -> bool:
        """Whether anything is there."""

    def write_new(self, path: str, data: bytes) -> None:
        """A file that only its owner may read; never in place of another."""

    def replace(self, path: str, data: bytes) -> None:
        """The same, in place of what is there."""


def make(wanted: Wanted, files: CertFiles, openssl: Callable[[tuple[str, ...], str], str]) -> None:
    """Make both files, or the certificate alone. Raises CertError, OSError, OpensslError."""
    certificate_path = f"{wanted.folder}/{CERTIFICATE_FILE}"
    key_path = f"{wanted.folder}/{KEY_FILE}"
    configuration = _configuration(wanted.hosts)
    if wanted.renews:
        if not files.exists(key_path):
            raise CertError(f"{key_path} is not there, so nothing can be renewed with it")
        made = openssl((*_request(wanted.days), "-key", key_path), configuration)
        files.replace(certificate_path, _block(made, "CERTIFICATE"))
        return
    for path in (certificate_path, key_path):
        if files.exists(path):
            raise CertError(
                f"{path} is there already; give --out another folder, or --renew for a new "
                "certificate with the same key"
            )
    made = openssl((*_request(wanted.days), *_NEW_KEY), configuration)
    key, certificate = _block(made, "PRIVATE KEY"), _block(made, "CERTIFICATE")
    files.write_new(key_path, key)
    files.write_new(certificate_path, certificate)


_NEW_KEY: Final = (
    *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
    *("-keyout", "/dev/stdout"),
)


def _request(days: int) -> tuple[str, ...]:
    files = ("-config", "/dev/stdin", "-out", "/dev/stdout")
    return ("req", "-new", "-x509", "-sha256", "-days", str(days), *files)


def _configuration(hosts: Sequence[str]) -> str:
    """For openssl-req(1). No host can say anything else in it: they are looked at before."""
    if not 1 <= len(hosts) <= HOSTS_MAX:
        raise CertError(f"--host is needed: what clients call the server (1 to {HOSTS_MAX} names)")
    names = [_alternative(host) for host in hosts]
    common = next((host for host in hosts if len(host) <= COMMON_NAME_CHARACTERS_MAX), "msgd")
    return "\n".join(
        (
            *("[req]", "prompt = no", "distinguished_name = name", "x509_extensions = more"),
            *("[name]", f"CN = {common.lower()}", "[more]"),
            *("basicConstraints = critical, CA:FALSE", "keyUsage = critical, digitalSignature"),
            *("extendedKeyUsage = serverAuth", f"subjectAltName = {', '.join(names)}", ""),
        )
    )


def _alternative(host: str) -> str:
    """As it stands among the names of a certificate (RFC 5280 section 4.2.1.6)."""
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        pass
    if len(host) > 253 or not _NAME.fullmatch(host.lower()):
        raise CertError(
            f"{host!r} is neither a host name nor an address; a name with other letters is "
            "written as the network knows it (xn--…)"
        )
    return f"DNS:{host.lower()}"


def _block(made: str, kind: str) -> bytes:
    """One of the things that openssl printed one after the other (RFC 7468)."""
    found = re.search(rf"-----BEGIN {kind}-----\n.+?\n-----END {kind}-----\n", made, re.DOTALL)
    if found is None:
        raise CertError("the command openssl printed something else than was expected")
    return found[0].encode("ascii")
