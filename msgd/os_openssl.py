"""The command openssl: the only file of this package that runs another program.

Must never put a key on a command line or into a file of its own: it comes through a pipe.
Fails with OpensslError, whose text says what to do.
"""

import subprocess
from typing import Final

END_S_MAX: Final = 60


class OpensslError(Exception):
    """There is no such command, or it did not do what it was asked for."""


def run_openssl(arguments: tuple[str, ...], given: str) -> str:
    """What it prints, with `given` on its standard input."""
    try:
        done = subprocess.run(  # noqa: S603  no shell reads it, and our words are its arguments
            ("openssl", *arguments),  # noqa: S607  wherever the system keeps it
            input=given,
            capture_output=True,
            text=True,
            timeout=END_S_MAX,
            check=False,
        )
    except FileNotFoundError:
        raise OpensslError(
            "the command openssl is not installed (apt install openssl); a certificate and key "
            "made elsewhere serve as well"
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OpensslError(f"the command openssl did not run: {error}") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no word why"]
        raise OpensslError(f"the command openssl failed: {lines[-1]}")
    return done.stdout
