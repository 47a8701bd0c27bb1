"""What is said of a package's known holes, from the record of its project."""

from typing import Any

import pytest

from scripts.newest_holes import BAD, GOOD, UNKNOWN, ask, judge


def record(*holes: dict[str, Any]) -> dict[str, Any]:
    return {"info": {"version": "1.2"}, "vulnerabilities": list(holes)}


def test_the_newest_without_a_hole_is_good() -> None:
    assert judge("box", "1.2", record()) == (GOOD, "")


def test_a_hole_is_named() -> None:
    code, sentence = judge("box", "1.2", record({"id": "CVE-1", "summary": "opens by itself"}))
    assert code == BAD
    assert "box 1.2: CVE-1 (opens by itself)" in sentence


def test_a_hole_that_was_withdrawn_is_none() -> None:
    assert judge("box", "1.2", record({"id": "CVE-1", "withdrawn": "2026-01-01"}))[0] == GOOD


def test_of_an_older_version_nothing_is_said() -> None:
    assert judge("box", "1.1", record())[0] == UNKNOWN


def test_a_record_that_does_not_say_is_no_clean_bill() -> None:
    assert judge("box", "1.2", {"info": {"version": "1.2"}})[0] == UNKNOWN


@pytest.mark.parametrize("name", ["", "../box", "box/1.2", "box?x"])
def test_what_is_no_name_is_not_asked_for(name: str) -> None:
    assert ask(name, "1.2")[0] == UNKNOWN
