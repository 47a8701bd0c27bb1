"""The panel's keys: what they are told to be, everywhere, and that they lead out of every state."""

from pathlib import Path

import pytest

from msgd.panel import keys
from msgd.panel.screen import Mode, Role, Screen
from term.keys import KeyTable
from tests.msgd.panel.panel_bench import PanelBench
from tests.msgd.panel.states import STATES

PAGE = Path(__file__).resolve().parents[3] / "docs" / "keys.md"


def test_the_page_of_keys_is_that_of_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith("\n" + keys.document()), (
        "(python -m msgc.screens.keys; echo; python -m msgd.panel.keys) > docs/keys.md"
    )


@pytest.mark.parametrize(("title", "table"), keys.TABLES)
def test_every_screen_has_a_way_out(title: str, table: KeyTable) -> None:
    commands = {binding.command for binding in table.bindings()}
    assert commands & {"quit", "back", "no", "cancel"}
    assert table.command("C-c") in {"quit", "no", "cancel"}
    assert table.command("Esc") in {"clear", "back", "no", "cancel"}


@pytest.mark.parametrize("role", Role)
def test_help_and_footer_are_those_of_the_table_that_dispatches(role: Role) -> None:
    bench = PanelBench(60, 132, role=role)
    table = bench.panel_screen._table
    footer = table.footer(131)
    assert bench.console.rows[-1].startswith("".join(span.text for span in footer).rstrip()[:40])
    screen = bench.press("?")
    for line in table.help_lines():
        assert line.rstrip() in screen


def test_a_panel_that_only_looks_has_no_keys_that_act() -> None:
    commands = {binding.command for binding in keys.READ_ONLY.bindings()}
    assert not commands & {"kick", "announce"}
    bench = PanelBench(role=Role.READ_ONLY)
    bench.user("alice")
    bench.look()
    assert "This panel only looks (--read-only)." in bench.press("\r", "K")
    assert "alice" in bench.exchange.online


def test_only_the_owners_panel_has_no_c_z() -> None:
    assert keys.MAIN.command("C-z") is None
    assert keys.ATTACHED.command("C-z") == keys.READ_ONLY.command("C-z") == "suspend"


@pytest.mark.parametrize("name", [name for name in STATES if name != "ending"])
def test_esc_leads_back_to_the_users_from_everywhere(name: str) -> None:
    bench = STATES[name](24, 80)
    for _ in range(3):
        bench.console.typed += b"\x1b"
        if bench.attached is not None:
            bench.attached.turn()
            bench.clock.advance_to(bench.clock.now_ms + 50)
            bench.attached.turn()
    assert bench.panel_screen._mode is Mode.MAIN
    assert not bench.has_ended()


def test_before_there_is_a_scene_only_leaving_is_possible() -> None:
    screen = Screen(Role.OWNER, ascii_only=True)
    for key in ("K", "a", "?", "/"):
        screen.press(key)
    assert screen.take() == ()
    assert not screen.wants_quit
