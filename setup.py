"""What of this project can be compiled to machine code. All else stands in pyproject.toml.

`MSG_COMPILE=1 pip install .` has mypyc (part of mypy) turn these modules into an extension; the
sources stay beside it and are what runs without. Which of both runs: `msgd --version`.

Must never change what a module does: the tests run on both builds.
Fails, and the build with it, when a module cannot be compiled or there is no C compiler.
"""

import os
import sys
from pathlib import Path
from typing import Final

from setuptools import Extension, setup

# Interpreted in every build. mypyc makes no classes that inherit from OSError or have weak
# references, and what stands at the edge to the system gains nothing.
LEFT_OUT: Final = frozenset(
    {
        "store/awake.py",
        "store/disk.py",
        "store/file_systems.py",
        "store/native.py",
        "store/os_disk.py",
        "store/syncfs.py",
    }
)

# The rules, and what stands between them and the wires.
COMPILED_OF_SERVER: Final = (
    "msgd/exchange*.py",
    "msgd/events.py",
    "msgd/limits.py",
    "msgd/names.py",
    "msgd/proof.py",
    "msgd/session.py",
    "msgd/transport.py",
    "msgd/values.py",
    "msgd/reactor.py",
    "msgd/reactor_limits.py",
)


def modules(root: Path) -> list[str]:
    """The files to compile, as paths from `root`."""
    found: list[str] = []
    for pattern in ("wire/*.py", "store/*.py", *COMPILED_OF_SERVER):
        found += sorted(path.relative_to(root).as_posix() for path in root.glob(pattern))
    return [path for path in found if path not in LEFT_OUT and not path.endswith("__init__.py")]


def is_built_now() -> bool:
    """Whether this run makes a build; others only ask for names and versions.

    An editable installation is not compiled: its sources are what is to run.
    """
    building = {"bdist_wheel", "build", "build_ext"}
    return os.environ.get("MSG_COMPILE") == "1" and bool(building.intersection(sys.argv))


def extensions() -> list[Extension]:
    """What to compile now."""
    if not is_built_now():
        return []
    from mypyc.build import mypycify  # only a compiled build has it

    # What else is imported has its types, and its own checks: it is not to be judged here.
    options = ["--follow-imports=silent"]
    return mypycify([*options, *modules(Path())], opt_level="3", debug_level="0")


if __name__ == "__main__":
    setup(ext_modules=extensions())
