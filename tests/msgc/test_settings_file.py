"""A setting is changed in the file, and nothing else of it."""

import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgc.os_files import OsFiles
from msgc.settings import SettingsError
from msgc.settings_file import SettingsFile
from msgc.settings_text import SettingsTextError, set_value

WRITTEN = """\
# mine
host = "chat.example"   # the one at work
bell=true# no spaces

[keys.composer]
# as in nano
send = "^X"
"""


def keeper(path: Path) -> SettingsFile:
    files = OsFiles()
    return SettingsFile(str(path), files.read_text, files.write_text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "bell = false\n"),
        ("bell = true\n", "bell = false\n"),
        ("bell = true # why\n", "bell = false # why\n"),
        ("  bell=true", "  bell = false\n"),
        ("bell = true\r\nport = 1\r\n", "bell = false\r\nport = 1\r\n"),
        ('"bell" = true\n', '"bell" = false\n'),
        ("port = 1", "port = 1\nbell = false\n"),
        ("# only words\n", "# only words\nbell = false\n"),
        ("[keys.menu]\nbell = []\n", "bell = false\n\n[keys.menu]\nbell = []\n"),
        ("port = 1\n# end\n\n[keys]\n", "port = 1\nbell = false\n# end\n\n[keys]\n"),
    ],
)
def test_one_line_changes(before: str, after: str) -> None:
    assert set_value(before, "bell", value=False) == after


def test_comments_and_tables_stay() -> None:
    text = set_value(set_value(WRITTEN, "bell", value=False), "quiet", "22:00-07:00")
    assert text == WRITTEN.replace("bell=true# no", "bell = false# no").replace(
        "# no spaces\n", '# no spaces\nquiet = "22:00-07:00"\n'
    )


@pytest.mark.parametrize(
    "text", ['host = """\nbell = true\n"""\n', "bell = '''\nx'''\n", "bell = [\n1]\n", "x ="]
)
def test_what_cannot_be_changed_safely_is_left_alone(text: str) -> None:
    with pytest.raises(SettingsTextError, match=r"bell = false|not TOML"):
        set_value(text, "bell", value=False)


KEYS = st.sampled_from(["bell", "quiet", "host", "port"])
VALUES = st.one_of(
    st.booleans(), st.integers(0, 9), st.text(st.characters(codec="utf-8"), max_size=5)
)
LINES = st.sampled_from(
    [
        'host = "a#b"',
        "port=7070 # p",
        "# bell = true",
        "",
        "bell = true",
        "[keys.menu]",
        'quit = "Q"',
        "'quiet' = 'x'",
    ]
)


@given(st.lists(LINES, max_size=6).map("\n".join), KEYS, VALUES)
def test_all_other_keys_mean_the_same(text: str, key: str, value: str | int | bool) -> None:
    try:
        before = tomllib.loads(text)
        changed = set_value(text, key, value)
    except (tomllib.TOMLDecodeError, SettingsTextError):
        return
    assert tomllib.loads(changed) == {**before, key: value}
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in changed.splitlines() if line.startswith("#")
    ]


def test_a_file_is_made_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "config" / "msgc" / "config.toml"
    keeper(path).keep("bell", value=False)
    assert path.read_text() == "bell = false\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["config.toml"]


def test_mode_and_link_of_a_file_stay(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text(WRITTEN)
    real.chmod(0o644)
    link = tmp_path / "config.toml"
    link.symlink_to(real)
    keeper(link).keep("bell", value=False)
    assert link.is_symlink()
    assert "bell = false# no spaces" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o644


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(SettingsError, match=r"Not kept\. Cannot"):
        keeper(tmp_path / "folder" / "config.toml").keep("bell", value=False)
    broken = tmp_path / "config.toml"
    broken.write_text("x =")
    with pytest.raises(SettingsError, match="It is not TOML"):
        keeper(broken).keep("bell", value=False)
    assert broken.read_text() == "x ="
