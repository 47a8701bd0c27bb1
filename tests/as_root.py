"""What tells msgd that it may run as root, for tests that start it: nothing, unless they are root.

Must never be used to say that to anything but a test's own server. Fails never.
"""

import os
from typing import Final

IS_ROOT: Final = os.geteuid() == 0
ARGUMENTS: Final[tuple[str, ...]] = ("--allow-root",) if IS_ROOT else ()
ENVIRONMENT: Final[dict[str, str]] = {"MSGD_ALLOW_ROOT": "1"} if IS_ROOT else {}
