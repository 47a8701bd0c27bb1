"""The configuration file as something that can be changed: read, one value set, written whole.

Must never leave half a file, nor lose a comment or a line that it does not understand: see
`settings_text`. Fails with SettingsError, whose text names the file.
"""

from collections.abc import Callable
from typing import Protocol

from msgc.limits import CONFIG_BYTES_MAX
from msgc.os_files import FilesError
from msgc.settings import SettingsError
from msgc.settings_text import SettingsTextError, Value, set_value


class SettingsKeeper(Protocol):
    """Where settings are kept."""

    def keep(self, key: str, value: Value) -> None:
        """From now on it is `value`, also for the next start. Raises SettingsError."""


class SettingsFile:
    """See the module's text. The functions are those of `os_files.OsFiles`."""

    def __init__(
        self,
        path: str,
        read_text: Callable[[str, int], str | None],
        write_text: Callable[[str, str], None],
    ) -> None:
        self._path = path
        self._read_text = read_text
        self._write_text = write_text

    def keep(self, key: str, value: Value) -> None:
        """See SettingsKeeper. The file is read anew: an editor may have written it meanwhile."""
        try:
            text = self._read_text(self._path, CONFIG_BYTES_MAX) or ""
            self._write_text(self._path, set_value(text, key, value))
        except FilesError as error:
            raise SettingsError(f"Not kept. {error}") from None
        except SettingsTextError as error:
            raise SettingsError(f"Not kept in {self._path}. {error}") from None
