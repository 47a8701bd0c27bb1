"""A mark for mypyc, which compiles this package if it is told to: see setup.py.

Without the compiler the mark does nothing, and nothing needs to be installed for it.

Must never change what a class does. Fails never.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

__all__ = ["mypyc_attr"]

if TYPE_CHECKING:
    from mypy_extensions import mypyc_attr
else:
    Marked = TypeVar("Marked")

    def mypyc_attr(*_: str, **__: bool) -> Callable[[Marked], Marked]:
        """What the compiler reads, and an interpreter passes over."""
        return lambda marked: marked
