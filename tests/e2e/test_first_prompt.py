"""The first prompt is there before anything is loaded that only what follows it needs."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.machine import environment, program, until
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.e2e

UNNEEDED: Final = {
    *(
        "msgc.archive",
        "msgc.link",
        "msgc.os_tls",
        "msgc.credentials",
        "wire.scram",
        "wire.messages",
    ),
    *("msgc.screens.inside", "msgc.screens.menu", "msgc.screens.keys", "msgc.commands_output"),
    *("asyncio", "hashlib", "sqlite3", "ssl", "subprocess", "tomllib", "wcwidth"),
}


def test_what_the_first_prompt_does_not_need_is_not_loaded(tmp_path: Path) -> None:
    surroundings = environment(tmp_path) | {"PYTHONPROFILEIMPORTTIME": "1", "MSGC_PORT": "1"}
    surroundings.pop("COVERAGE_PROCESS_START", None)  # it loads half of the library
    terminal = Terminal(program("msgc"), surroundings)
    try:
        until(lambda: b"Username" in terminal.raw, "the first prompt")
    finally:
        terminal.close()
    report = terminal.raw.decode()
    loaded = set(re.findall(r"^import time: .*\| +([\w.]+)\r?$", report, re.MULTILINE))
    assert "msgc.screens.username" in loaded
    assert not UNNEEDED & loaded
