"""Which build this is: the sources, or what mypyc made of them (see setup.py).

Must never decide anything: both do the same, this is only for people to know. Fails never.
"""

from typing import Final

from store import store

COMPILED: Final = "compiled"
PURE: Final = "pure Python"

# Of the modules that are compiled, if any is. An extension is not named as a source is.
BUILD: Final = PURE if str(store.__file__).endswith(".py") else COMPILED
