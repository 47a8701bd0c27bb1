"""The bench itself: it plays against the real server, and sees when a message is missing."""

from array import array
from pathlib import Path

import pytest

from tests.bench.bench import Scale, check_ids, chosen, figures_line, ingest_and_drain
from tests.bench.machine import RunError, Server
from tests.bench.peers import ratios, teach


def test_a_missing_and_a_doubled_message_are_seen(tmp_path: Path) -> None:
    sent, got = tmp_path / "sent", tmp_path / "got"
    sent.write_bytes(array("Q", [1, 2]).tobytes())
    for wrong in ([1], [1, 2, 2]):
        got.write_bytes(array("Q", wrong).tobytes())
        with pytest.raises(RunError, match="acknowledged"):
            check_ids(sent, got)
    got.write_bytes(array("Q", [2, 1]).tobytes())
    check_ids(sent, got)


def test_a_workload_that_there_is_not() -> None:
    assert chosen("w2,w1", quick=False) == ["W1"]
    with pytest.raises(RunError, match="there is no workload W99"):
        chosen("W99", quick=False)


def test_ratios_are_of_medians() -> None:
    def runs(peer: str, *rates: float) -> dict[str, object]:
        return {
            "peer": peer,
            "cell": "W1",
            "runs": [{"rate": rate, "cpu_us_per_msg": 10.0} for rate in rates],
        }

    table = ratios([runs("msgd", 100.0, 300.0, 200.0), runs("redis", 400.0)])
    assert "redis 0.50 (1.00)" in table.splitlines()[1]


def test_another_generator_is_not_taught(tmp_path: Path) -> None:
    (tmp_path / "engine.h").write_text("extern const struct proto proto_mqtt;\n")
    (tmp_path / "engine.c").write_text("int main(void) { return 0; }\n")
    with pytest.raises(RunError, match=r"engine\.c is another one"):
        teach(tmp_path)
    assert "proto proto_msgd, proto_mqtt;" in (tmp_path / "engine.h").read_text()


@pytest.mark.slow
def test_every_message_comes_back(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    server.start()
    try:
        rows = list(ingest_and_drain(server, Scale(0.5, 1, 1, 1, 1), tmp_path))
    finally:
        server.stop()
    assert [name for name, _ in rows] == ["W1 w256", "W2", "W1 w1"]
    for name, figures in rows:
        assert figures["msgs"] > 0
        assert figures_line(name, [figures]).startswith(name)
