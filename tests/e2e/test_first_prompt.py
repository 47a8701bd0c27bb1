"""The first prompt is there before anything is loaded that only what follows it needs.

That is loaded while the name is typed.
"""

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
    *("msgc.link_events", "msgc.view_events", "msgc.view_news"),
    *("msgc.screens.inside", "msgc.screens.menu", "msgc.screens.keys", "msgc.commands_output"),
    *("asyncio", "hashlib", "shutil", "sqlite3", "ssl", "subprocess", "tomllib", "wcwidth"),
}


def test_what_the_first_prompt_does_not_need_is_loaded_while_the_name_is_typed(
    tmp_path: Path,
) -> None:
    surroundings = environment(tmp_path) | {"PYTHONPROFILEIMPORTTIME": "1", "MSGC_PORT": "1"}
    surroundings.pop("COVERAGE_PROCESS_START", None)  # it loads half of the library
    terminal = Terminal(program("msgc"), surroundings)
    try:
        until(lambda: b"msgc.screens.settings" in terminal.raw, "what comes after the prompt")
    finally:
        terminal.close()
    before, _, after = terminal.raw.decode().partition("Username")
    assert "msgc.screens.username" in loaded(before)
    assert not UNNEEDED & loaded(before)
    assert {"msgc.screens.menu", "sqlite3"} <= loaded(after)


def loaded(report: str) -> set[str]:
    return set(re.findall(r"^import time: .*\| +([\w.]+)\r?$", report, re.MULTILINE))
