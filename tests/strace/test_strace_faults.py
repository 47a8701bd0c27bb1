import sys
from pathlib import Path
from random import Random

import pytest

from tests.strace.points import FAULTS, Call, Point, after_the_end, allowed_ends, choose, parse
from tests.strace.strace_faults import Job, run, run_point, why_impossible
from tests.strace.workload import Template

TRACE = """\
71  openat(AT_FDCWD</>, "/usr/lib/python", O_RDONLY) = 3</usr/lib/python>
71  pwrite64(9</d/journal/01.journal>, ""..., 4096, 8192) = 4096
71  fdatasync(9</d/journal/01.journal>) = -1 EIO (Input/output error) (INJECTED)
71  openat(7</d>, "MANIFEST", O_RDONLY) = 8</d/MANIFEST>
71  sendto(12<TCP:[127.0.0.1:1->127.0.0.1:2]>, ""..., 30, 0, NULL, 0) = 30
71  recvfrom(4<UNIX-STREAM:[1->2]>, ""..., 30, 0, NULL, 0) = 30
71 +++ exited with 70 +++
"""
NEEDS_STRACE = pytest.mark.skipif(why_impossible() != "", reason="strace cannot trace here")


def test_a_trace_is_read_and_only_our_calls_are_chosen() -> None:
    calls = list(parse(TRACE))
    assert [(call.name, call.ordinal) for call in calls] == [
        ("openat", 1),
        ("pwrite64", 1),
        ("fdatasync", 1),
        ("openat", 2),
        ("sendto", 1),
        ("recvfrom", 1),
    ]
    assert [call.is_ours("/d") for call in calls] == [False, True, True, True, True, False]
    points = choose(calls, "/d", 1_000, Random(1))
    assert len(set(points)) == len(points)
    assert {point.call for point in points} == {"openat", "pwrite64", "fdatasync", "sendto"}
    assert all(point.ordinal == 2 for point in points if point.call == "openat")
    assert all(point.fault in FAULTS[point.call] for point in points)


def test_what_a_failed_sync_must_not_be_followed_by() -> None:
    calls = list(parse(TRACE))
    hit = calls[2]
    assert hit.is_injected
    assert allowed_ends(Point("fdatasync", "error=EIO", 1, for_good=False), hit) == (70,)
    assert after_the_end(calls, hit) == calls[4]
    assert after_the_end(calls[:4], hit) is None


def test_only_a_write_behind_the_header_is_a_batch() -> None:
    assert Call("pwrite64", 1, '9</d/journal/01.journal>, ""..., 4096, 8192) = 4096').is_batch
    assert not Call("pwrite64", 1, '9</d/journal/01.journal>, ""..., 4096, 0) = 4096').is_batch
    assert not Call("pwrite64", 1, '9</d/journal/01.journal.tmp>, ""..., 8, 4096) = 8').is_batch


def test_where_strace_cannot_work_it_is_said_why(tmp_path: Path) -> None:
    assert "cannot be run: No such file" in why_impossible(str(tmp_path / "strace"))
    forbidden = tmp_path / "forbidden"
    forbidden.write_text("#!/bin/sh\necho 'ptrace: Operation not permitted' >&2\nexit 1\n")
    forbidden.chmod(0o700)
    assert "ptrace: Operation not permitted" in why_impossible(str(forbidden))


def test_a_work_folder_that_vanishes_is_said_so(tmp_path: Path) -> None:
    point = Point("fsync", "error=EIO", 1, for_good=False)
    job = Job(1, point, Template(tmp_path / "gone"), tmp_path, ("true",))
    outcome = run_point(job)
    assert not outcome.hit
    assert "choose another place with --folder" in outcome.sentences[0]


@pytest.mark.slow
@pytest.mark.timeout(600)
@NEEDS_STRACE
def test_some_failing_calls_lose_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(14, seed=1, jobs=2, keep=False)
    said = capsys.readouterr().out
    assert code == 0, said
    assert "points=14 " in said
    assert "lost=0 duplicated=0 misordered=0 failed=0" in said


@pytest.mark.slow
@pytest.mark.timeout(600)
@NEEDS_STRACE
def test_a_sync_that_is_made_again_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    """A proof that cannot fail proves nothing."""
    program = (sys.executable, "-m", "tests.strace.stubborn_server")
    assert run(2, seed=1, jobs=2, program=program, only="fdatasync:error=EIO", keep=False) == 1
    said = capsys.readouterr().out
    assert "it ended with 0, not with one of (70,)" in said or "it went on with" in said
