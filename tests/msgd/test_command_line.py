from pathlib import Path

import pytest

from msgd.command_line import Action, UsageError, help_text, parse, version, with_unit
from msgd.events import EventKind
from msgd.options import Kind
from msgd.panel.once import Wanted
from msgd.panel.values import Sort
from msgd.settings import OPTIONS


def test_no_arguments_serve_with_nothing_said() -> None:
    command = parse([])
    assert command.action is Action.SERVE
    assert command.options.values == {}


def test_values_stand_behind_a_space_or_an_equals_sign() -> None:
    command = parse(["--port", "1", "--host=::1", "--log=a=b", "--headless"])
    assert command.options.values == {"port": "1", "host": "::1", "log": "a=b", "headless": True}


def test_the_last_one_counts_and_a_flag_can_be_taken_back() -> None:
    command = parse(["--port=1", "--port=2", "--headless", "--no-headless"])
    assert command.options.values == {"port": "2", "headless": False}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--prot=1"], "there is no option '--prot'; did you mean \"--port\"?"),
        (["--headles"], 'did you mean "--headless"?'),
        (["--port"], "--port needs a value: --port N"),
        (["--headless=yes"], "--headless takes no value"),
        (["--no-port"], "there is no option '--no-port'"),
        (["fcsk", "x"], "there is no command 'fcsk'; did you mean \"fsck\"?"),
        (["--data", "d", "fsck", "x"], "fsck must be the first word: msgd fsck DIR"),
        (["-x"], "there is no option '-x'"),
        (["fsck"], "use: msgd fsck DIR [--repair]"),
        (["fsck", "a", "b"], "use: msgd fsck DIR [--repair]"),
        (["fsck", "--repair"], "use: msgd fsck DIR --repair"),
        (["backup", "a"], "use: msgd backup DIR TO"),
        (["dump"], "use: msgd dump DIR [USER]"),
        (["dump", "a", "b", "c"], "use: msgd dump DIR [USER]"),
        (["dump", "--data"], "use: msgd dump DIR [USER]"),
        (["--data", "d", "panel"], "panel must be the first word: msgd panel [OPTIONS]"),
        (["panle"], "there is no command 'panle'; did you mean \"panel\"?"),
        (["panel", "--port", "1"], "msgd panel has no option '--port'"),
        (["panel", "--onec"], 'did you mean "--once"?'),
        (["panel", "d"], "msgd panel has no option 'd'"),
        (["panel", "--once", "--sort", "size"], "--sort takes state, name, waiting, bytes, seen,"),
        (["panel", "--json"], "--json is for msgd panel --once"),
        (["panel", "--user", "bob"], "--user is for msgd panel --once"),
    ],
)
def test_what_makes_no_sense_is_said(arguments: list[str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(arguments)
    assert words in str(caught.value)


def test_a_panel_has_options_of_its_own() -> None:
    command = parse(["panel"])
    assert command.action is Action.PANEL
    assert (command.once, command.as_json, command.read_only) == (None, False, False)
    command = parse(["panel", "--data=d", "--color", "never", "--ascii", "--read-only"])
    assert command.options.values == {"data": "d", "color": "never", "ascii": True}
    assert command.read_only
    words = ["panel", "--once", "--json", "--filter", "al", "--sort=stuck", "--user=dave"]
    command = parse(words)
    assert command.as_json
    assert command.once == Wanted(Sort.STUCK, "al", "dave")
    assert parse(["panel", "--once"]).once == Wanted()


def test_tools_have_arguments() -> None:
    assert parse(["fsck", "d"]).arguments == ("d",)
    assert parse(["dump", "d", "alice"]).arguments == ("d", "alice")
    assert parse(["fsck", "d"]).action is Action.FSCK
    for arguments in (["fsck", "d", "--repair"], ["fsck", "--repair", "d"]):
        assert parse(arguments).action is Action.REPAIR
        assert parse(arguments).arguments == ("d",)
    assert parse(["backup", "d", "e"]).arguments == ("d", "e")
    assert parse(["dump", "d"]).action is Action.DUMP


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["fsck", "--help"], ["--port", "-h"]])
def test_help_wins_over_everything(arguments: list[str]) -> None:
    assert parse(arguments).action is Action.HELP


def test_version() -> None:
    assert parse(["--version"]).action is Action.VERSION
    assert version().startswith("msgd ")


def test_help_names_every_option_signal_and_exit_code_in_80_columns() -> None:
    text = help_text()
    for option in OPTIONS:
        assert option.switch in text
    for word in ("SIGTERM", "SIGHUP", "SIGWINCH", "Exit codes", "70", "78", "XDG_STATE_HOME"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_operators_page_tells_the_same() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "operating.md").read_text()
    for option in OPTIONS:
        switch = f"{option.switch} {option.metavar}".strip()
        default = "off" if option.kind is Kind.FLAG else with_unit(option) or "none"
        assert f"| `{switch}` | {default} | {option.help} |" in page
    rows = page.splitlines()
    for kind in EventKind:
        assert any(kind.value in row.split("|")[1] for row in rows if row.startswith("| "))
    for code in (0, 1, 2, 70, 78):
        assert any(row.startswith(f"| {code} |") for row in rows)
