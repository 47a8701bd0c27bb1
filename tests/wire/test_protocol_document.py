"""docs/protocol.md says what the code does, number by number."""

import importlib.util
from pathlib import Path
from types import ModuleType

from wire import limits
from wire.codes import Code

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "protocol.md").read_text("utf-8")


def printer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("printer", ROOT / "scripts" / "print_protocol.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_made_parts_are_up_to_date() -> None:
    """If this fails: python scripts/print_protocol.py --write."""
    assert printer().renewed(DOCUMENT) == DOCUMENT


def test_every_code_stands_in_the_list_under_its_number() -> None:
    for code in Code:
        assert f"| {code:d} | {code.name} |" in DOCUMENT


def test_the_prose_names_the_limits_that_hold() -> None:
    assert limits.FRAME_BYTES_MAX_BEFORE_LOGIN == 4 << 10
    assert limits.FRAME_BYTES_MAX == 256 << 10
    assert "4 KiB, any other 256 KiB" in DOCUMENT
    assert f"at most {limits.FIELDS_MAX:,} fields" in DOCUMENT
    assert f"At most {limits.WINDOW_MESSAGES_MAX} deliveries or 256 KiB" in DOCUMENT
    assert f"up to {limits.DELIVERIES_MAX:,} DELIVERYs" in DOCUMENT
    assert f"at most {limits.ACCOUNTS_PER_PAGE_MAX} a page" in DOCUMENT
