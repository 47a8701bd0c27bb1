"""The build backend: setuptools, and mypy as one more requirement when the build is to compile.

`MSG_COMPILE=1` asks for a compiled build (see setup.py, which says what is compiled); without it
nothing but setuptools is needed and the result is pure Python.

Must never choose by itself: a compiled build that cannot be made fails, it does not become a pure
one.
Fails with ValueError for a MSG_COMPILE that is neither 0 nor 1; what setuptools raises goes on.
"""

import os
from typing import Final

from setuptools.build_meta import (
    build_editable,
    build_sdist,
    build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "is_compiling",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

COMPILER_REQUIREMENTS: Final = ("mypy==2.4.1",)
"""It carries mypyc; the version that the checks run with."""

Settings = dict[str, object] | None


def is_compiling() -> bool:
    """Whether a compiled build was asked for."""
    wish = os.environ.get("MSG_COMPILE", "")
    if wish not in {"", "0", "1"}:
        raise ValueError(f"MSG_COMPILE={wish} means nothing; set it to 1 to compile, or unset it")
    return wish == "1"


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:  # noqa: ARG001  # the hook's signature
    """What a wheel needs besides setuptools."""
    return list(COMPILER_REQUIREMENTS) if is_compiling() else []


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:  # noqa: ARG001  # the hook's signature
    """Nothing: an editable installation is never compiled, its sources are what runs."""
    return []


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:  # noqa: ARG001  # the hook's signature
    """An archive of the source holds nothing that was built."""
    return []
