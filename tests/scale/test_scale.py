"""The measurements run, on a store so small that its figures mean nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scale.load import Turns
from tests.scale.parts import accounts, deep, fill, probe, serve, spread
from tests.scale.scale import Row, Table, measure_drain


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "store"
    path.mkdir(mode=0o700)
    yield str(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.slow
def test_messages_are_written_spread_and_served(folder: str) -> None:
    assert fill(folder, 640, 10)["bytes_per_message"] > 100
    assert spread(folder, 640, 10)["rate"] > 0
    served = serve(folder, name="user0000001")
    assert served["first_message_ms"] > 0
    assert served["memory_bytes"] > 1 << 20


@pytest.mark.slow
def test_a_mailbox_is_drained_and_accounts_are_made(folder: str, tmp_path: Path) -> None:
    assert deep(folder, 640)["drained"] == 640
    other = tmp_path / "accounts"
    other.mkdir(mode=0o700)
    assert accounts(str(other), 300)["rate"] > 0
    third = tmp_path / "probe"
    third.mkdir(mode=0o700)
    assert probe(str(third), 10)["sync_turns"] == 10


@pytest.mark.slow
def test_each_measurement_has_a_process_of_its_own(tmp_path: Path) -> None:
    table = Table()
    measure_drain(table, str(tmp_path), 640)
    assert [row.unit for row in table.rows] == ["/s"]


def test_a_target_can_be_missed() -> None:
    assert Row("", 10.1, "ms", 10).is_missed
    assert not Row("", 10, "ms", 10).is_missed
    assert not Row("", 10_000, "ms").is_missed
    assert "MISSED" in Row("", 10.1, "ms", 10).line()


def test_what_turns_are_summed_up_to() -> None:
    summary = Turns.summary(list(range(1000, 101_000, 1000)), "all")
    assert (summary["all_p50_ms"], summary["all_p99_ms"], summary["all_max_ms"]) == (51, 100, 100)
