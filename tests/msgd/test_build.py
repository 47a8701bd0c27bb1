"""That the build which is said to run does run: each module is imported from where it should be.

MSG_BUILD names the build that these tests are meant for (scripts/test.sh --compiled sets it): so
that a run on the sources is never taken for one on the compiled modules.
"""

import importlib
import os
import runpy
from pathlib import Path
from types import BuiltinFunctionType, FunctionType

from msgd.build import BUILD, COMPILED, PURE
from msgd.command_line import version
from wire.messages import SendMessage

ROOT = Path(__file__).resolve().parents[2]
WANTED = os.environ.get("MSG_BUILD", PURE)


def to_compile() -> list[str]:
    """The modules that a compiled build compiles, as the installed ones are named."""
    found: list[str] = runpy.run_path(str(ROOT / "setup.py"), run_name="setup")["modules"](
        Path(str(importlib.import_module("wire").__file__)).parents[1]
    )
    return [path.removesuffix(".py").replace("/", ".") for path in found]


def test_the_build_is_the_one_that_is_tested() -> None:
    assert WANTED == BUILD
    assert version().endswith(BUILD)


def test_each_module_runs_as_it_should() -> None:
    modules = to_compile()
    assert {"wire.hot", "store.state", "msgd.exchange_sending"} < set(modules)
    is_source = {
        name: str(importlib.import_module(name).__file__).endswith(".py") for name in modules
    }
    odd = [name for name, source in is_source.items() if source is (BUILD == COMPILED)]
    assert not odd


def test_the_functions_are_machine_code_only_in_a_compiled_build() -> None:
    hot = importlib.import_module("wire.hot")
    kind = BuiltinFunctionType if BUILD == COMPILED else FunctionType
    assert type(hot.read_send) is kind


def test_a_value_of_the_hot_path_is_equal_to_its_like() -> None:
    message = SendMessage(1, bytes(16), b"hello")
    assert message == SendMessage(1, bytes(16), b"hello", recipients=())
    assert message != SendMessage(2, bytes(16), b"hello")
