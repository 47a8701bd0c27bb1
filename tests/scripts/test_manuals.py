"""The manual pages and completions: as the parsers say, and understood by man and the shells.

A shell or man that is not on this machine is passed over, and the report says so.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pexpect
import pytest

from msgc.command_options import NAMES
from scripts import print_manuals

ROOT: Final = Path(__file__).resolve().parents[2]
SHARE: Final = ROOT / "share"

BASH: Final = """
source {file}
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
COMP_LINE="{line}"
COMP_POINT=${{#COMP_LINE}}
$(complete -p {program} | sed 's/.*-F \\([^ ]*\\).*/\\1/')
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def run(*command: str, text: str = "", path: Path | None = None) -> str:
    where = f"{path}:/usr/bin:/bin" if path else "/usr/bin:/bin"
    environment = {"PATH": where, "HOME": "/nonexistent", "LANG": "C.UTF-8", "TERM": "xterm"}
    done = subprocess.run(
        command, input=text, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == "", done.stderr
    return done.stdout


def need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not on this machine")
    return found


@pytest.fixture
def names(tmp_path: Path) -> Path:
    """A folder with a msgc that knows two users."""
    program = tmp_path / "msgc"
    program.write_text('#!/bin/sh\n[ "$1" = names ] && printf "bob\\nbobby.b\\n"\n')
    program.chmod(0o755)
    return tmp_path


def test_the_files_are_what_the_parsers_make() -> None:
    made = print_manuals.files()
    kept = {
        path.relative_to(SHARE).as_posix(): path.read_text(encoding="utf-8")
        for path in SHARE.rglob("*")
        if path.is_file() and path.parent.name != "systemd"  # written by hand
    }
    assert kept == made, "run scripts/print_manuals.py --write"


@pytest.mark.parametrize("program", ["msgc", "msgd"])
def test_man_reads_the_page(program: str) -> None:
    page = SHARE / "man" / "man1" / f"{program}.1"
    groff = need("groff")
    shown = re.sub(".\b", "", run(groff, "-ww", "-man", "-Tutf8", str(page)))
    for heading in ("NAME", "SYNOPSIS", "OPTIONS", "FILES", "EXIT STATUS", "SEE ALSO"):
        assert heading in shown
    for command in NAMES if program == "msgc" else ("fsck", "dump", "backup"):
        assert f"{program} {command}" in shown


def bash(line: str, path: Path | None = None) -> list[str]:
    program, *_ = line.split()
    words = " ".join(f"'{word}'" for word in line.split(" "))
    script = BASH.format(
        file=SHARE / "bash-completion" / "completions" / program,
        words=words,
        line=line,
        program=program,
    )
    return run("/bin/bash", "--norc", text=script, path=path).split()


def test_bash_completes(names: Path) -> None:
    assert set(bash("msgc ")) == set(NAMES)
    assert bash("msgc hist") == ["history"]
    assert "--since" in bash("msgc history --")
    assert bash("msgc delete --dr") == ["--dry-run"]
    assert bash("msgc check --color n") == ["never"]
    assert set(bash("msgc send bo", names)) == {"bob", "bobby.b"}
    assert bash("msgd f") == ["fsck"]
    assert "--unsafe-plaintext" in bash("msgd --un")


def test_bash_completes_nothing_without_a_user() -> None:
    assert bash("msgc send bo") == []


def test_zsh_completes(names: Path) -> None:
    folder = SHARE / "zsh" / "site-functions"
    shell = pexpect.spawn(
        need("zsh"),
        ["-f", "-i"],
        env={"PATH": f"{names}:/usr/bin:/bin", "HOME": str(names), "TERM": "dumb", "LC_ALL": "C"},
        encoding="utf-8",
        timeout=30,
    )
    try:
        shell.sendline("PS1=; unsetopt zle_bracketed_paste; echo o''ne")
        shell.expect("one")
        shell.sendline(
            f"fpath=({folder} $fpath); autoload -Uz compinit && compinit -u -D; echo t''wo"
        )
        shell.expect("two")
        for typed, completed in (
            ("msgc hist\t", "history"),
            ("msgc history --si\t", "--since"),
            ("msgc send bobb\t", "bobby.b"),
            ("msgd fs\t", "fsck"),
        ):
            shell.send(typed)
            shell.expect_exact(completed)
            shell.send("\x15")
    finally:
        shell.close(force=True)


def fish(line: str, path: Path | None = None) -> set[str]:
    program = line.split(maxsplit=1)[0]
    source = SHARE / print_manuals.PLACES["fish"].format(program)
    said = run(
        need("fish"), "--no-config", "-c", f"source {source}; complete -C '{line}'", path=path
    )
    return {row.split("\t")[0] for row in said.splitlines()}


def test_fish_completes(names: Path) -> None:
    assert set(NAMES) <= fish("msgc ")
    assert fish("msgc hist") == {"history"}
    assert fish("msgc history --si") == {"--since"}
    assert fish("msgc send bo", names) == {"bob", "bobby.b"}
    assert fish("msgd fs") == {"fsck"}
