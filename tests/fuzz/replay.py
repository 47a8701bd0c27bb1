"""Hand one file to one target, with its trace: `python -m tests.fuzz.replay TARGET FILE`.

Needs no atheris. Fails with whatever the target raises.
"""

import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    TARGETS[sys.argv[1]](Path(sys.argv[2]).read_bytes())
