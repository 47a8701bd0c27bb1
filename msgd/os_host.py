"""The process's own limits: the only file of this package that changes what the system allows it.

Must never ask for more than it was told to. Fails never: a limit that cannot be lowered any more
is low already.
"""

import os
import resource
from typing import Final

FILES_ARE_OURS_ALONE: Final = 0o077


def keep_private() -> None:
    """Files that we make are ours alone, and our memory is never written to one.

    A core dump would hold the bodies of messages and the keys of the server. Where the kernel hands
    dumps to a program (`kernel.core_pattern` begins with `|`), that program decides: systemd's goes
    by the same limit.
    """
    os.umask(FILES_ARE_OURS_ALONE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def take_descriptors(wanted: int) -> int:
    """How many files and connections this process may have open at once.

    Fewer than `wanted` are made more, as far as the system's hard limit allows.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return max(wanted, 1 << 20)
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft
