"""The file of known servers: what is kept, and what is refused rather than passed over."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from msgc.known_servers import CA, NOTHING, KnownServer, KnownServers, KnownServersError, is_pin
from msgc.os_files import OsFiles

PIN = "sha256//" + "a" * 43 + "="
OTHER = "sha256//" + "b" * 43 + "="


def make(folder: Path) -> KnownServers:
    return KnownServers(OsFiles(), str(folder / "msgc" / "known_servers"), lambda: "2026-03-01")


def test_nothing_is_known_where_there_is_no_file(tmp_path: Path) -> None:
    known = make(tmp_path)
    assert known.all() == ()
    assert known.find("a:1") is None
    assert known.forget("a:1") is None
    assert not (tmp_path / "msgc").exists()


def test_what_is_kept_is_found_in_a_file_for_its_owner(tmp_path: Path) -> None:
    known = make(tmp_path)
    known.keep_trust("a:1", PIN)
    known.keep_trust("b:2", CA)
    known.keep_password("a:1")
    known.keep_password("unix:/s")
    path = tmp_path / "msgc" / "known_servers"
    assert path.read_text() == (
        f"a:1 {PIN} 2026-03-01 password\nb:2 ca 2026-03-01\nunix:/s - 2026-03-01 password\n"
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert known.find("a:1") == KnownServer("a:1", PIN, "2026-03-01", password=True)
    assert known.find("b:2") == KnownServer("b:2", CA, "2026-03-01")
    assert [one.pin for one in known.all()] == [PIN, None, None]
    assert known.all()[2].trust == NOTHING


def test_a_key_that_comes_later_leaves_the_password(tmp_path: Path) -> None:
    known = make(tmp_path)
    known.keep_password("a:1")
    known.keep_trust("a:1", PIN)
    assert known.find("a:1") == KnownServer("a:1", PIN, "2026-03-01", password=True)


def test_comments_stay_and_one_line_is_forgotten(tmp_path: Path) -> None:
    known = make(tmp_path)
    (tmp_path / "msgc").mkdir()
    path = tmp_path / "msgc" / "known_servers"
    path.write_text(f"# mine\n\na:1 {PIN} 2026-01-01\nb:2 {OTHER} 2026-01-01\n")
    assert known.forget("a:1") == KnownServer("a:1", PIN, "2026-01-01")
    assert path.read_text() == f"# mine\n\nb:2 {OTHER} 2026-01-01\n"


def test_what_several_learn_in_one_moment_is_all_kept(tmp_path: Path) -> None:
    names = [f"{letter}:{number}" for letter in "abcd" for number in range(5)]

    def learn(letter: str) -> None:
        for name in names:
            if name.startswith(letter):
                make(tmp_path).keep_trust(name, PIN)
                make(tmp_path).keep_password(name)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(learn, letter) for letter in "abcd"]:
            done.result()
    known = make(tmp_path).all()
    assert sorted(one.name for one in known) == names
    assert all(one.password for one in known)


def test_a_lock_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    (tmp_path / "msgc").mkdir()
    (tmp_path / "msgc" / ".known_servers.lock").mkdir()
    with pytest.raises(KnownServersError, match="Cannot use the file"):
        make(tmp_path).keep_trust("a:1", PIN)


@pytest.mark.parametrize(
    "line",
    [
        *("a:1", "a:1 ca", "a:1 sha256//short 2026-01-01", f"a:1 {PIN} day password more"),
        f"a:1 {PIN} 2026-01-01 pasword",
        f"a:1 {PIN.replace('=', '')} 2026-01-01",
    ],
)
def test_a_line_that_is_not_understood_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "msgc").mkdir()
    (tmp_path / "msgc" / "known_servers").write_text(f"# one\n{line}\n")
    with pytest.raises(KnownServersError, match="line 2"):
        make(tmp_path).find("b:1")


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "msgc" / "known_servers").mkdir(parents=True)
    with pytest.raises(KnownServersError, match="Cannot read"):
        make(tmp_path).all()
    with pytest.raises(KnownServersError, match="Cannot"):
        make(tmp_path).keep_trust("a:1", PIN)


def test_what_a_pin_looks_like() -> None:
    assert is_pin(PIN)
    assert not is_pin(PIN[:-1])
    assert not is_pin(PIN + "=")
    assert not is_pin(PIN.replace("sha256", "SHA256"))
    assert not is_pin(PIN + "\n")
