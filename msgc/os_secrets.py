"""Passwords through the operating system: a file with a checked mode, a program, the keyring.

Must never run a shell, nor take a file that others could read or have put there.
Fails with PasswordSourceError.
"""

import importlib

from msgc.os_files import FilesError, OsFiles
from msgc.passwords import PasswordSourceError


class OsSecrets:
    """See msgc.passwords.SecretReaders."""

    def __init__(self, files: OsFiles) -> None:
        self._files = files

    def of_file(self, path: str, bytes_max: int) -> str:
        """See SecretReaders."""
        try:
            return self._files.read_secret(path, bytes_max)
        except FilesError as error:
            raise PasswordSourceError(str(error)) from None

    def of_command(
        self, command: str, bytes_max: int, timeout_ms: int, *, may_ask: bool = True
    ) -> str:
        """See SecretReaders. If it may ask, its standard input and error are ours."""
        # Late: most people have no such program, and start sooner.
        from msgc.os_process import ProcessError, output_of

        try:
            return output_of(command, bytes_max, timeout_ms, may_ask=may_ask)
        except ProcessError as error:
            raise PasswordSourceError(str(error)) from None

    def of_keyring(self, service: str, name: str) -> str | None:
        """See SecretReaders."""
        try:
            # By name, for it is an extra that most do not have.
            keyring = importlib.import_module("keyring")
        except ImportError:
            raise PasswordSourceError(
                "There is no keyring for Python here. Install it: pip install keyring"
            ) from None
        try:
            found = keyring.get_password(service, name)
        except Exception as error:  # noqa: BLE001 - its many back ends fail in ways of their own
            kind = type(error).__name__
            raise PasswordSourceError(f"The keyring cannot be asked ({kind}).") from None
        return found if isinstance(found, str) else None
