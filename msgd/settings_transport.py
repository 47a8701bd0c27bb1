"""The options about how bytes get here: what encrypts them, and the ways in beside TCP.

Must never read a file. Fails with SettingsError when two contradict each other.
"""

from typing import Final

from msgd.options import Kind, Option, SettingsError, number
from msgd.reactor_limits import HANDSHAKES_PER_S_MAX

OPTIONS: Final = (
    Option("tls_cert", Kind.TEXT, "", "encrypt: the certificate (PEM; msgd cert)", "FILE"),
    Option("tls_key", Kind.TEXT, "", "and its key, which only its owner may read", "FILE"),
    Option("unix_socket", Kind.TEXT, "", "listen on a local socket too", "PATH"),
    Option(
        "unix_socket_mode",
        Kind.TEXT,
        "0600",
        "0660: its group may connect too",
        "MODE",
        choices=("0600", "0660"),
    ),
    number("handshakes_per_s_max", HANDSHAKES_PER_S_MAX, 1, 10_000, "TLS connections a second"),
)


def check_pair(certificate: str, key: str) -> None:
    """One is nothing without the other. Raises SettingsError."""
    if bool(certificate) != bool(key):
        missing = "tls_key" if certificate else "tls_cert"
        raise SettingsError(
            f"these options contradict each other: {missing} is missing; a certificate needs its "
            "key, and a key its certificate"
        )
