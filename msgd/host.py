"""What is asked of the machine before the server takes anything of it.

The data folder's owner and mode are the store's to judge (`store.os_disk`), as it opens the folder.

Must never look at the machine itself: it is told.
Fails with HostError, whose text says what to do.
"""

from typing import Final

ROOT_USER_ID: Final = 0


class HostError(Exception):
    """The server does not run like this; the text says why, and what to do."""


def check_user(user_id: int, *, allow_root: bool) -> None:
    """Root is refused: no part of a message server needs it. Raises HostError."""
    if user_id == ROOT_USER_ID and not allow_root:
        raise HostError(
            "refuses to run as root: nothing that it does needs that, and whoever found a hole in "
            "it would have the whole machine; run it as a user of its own, or, in a container or "
            "a test, add --allow-root"
        )
