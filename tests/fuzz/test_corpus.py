"""Every kept input, without atheris: what was found once must not come back."""

from time import monotonic
from typing import Final

import pytest

from tests.fuzz.targets import CORPUS, TARGETS, corpus_of

INPUT_S_MAX: Final = 2.0
FILES_MIN: Final = 2
CORPORA_BYTES_MAX: Final = 1 << 20


@pytest.mark.parametrize("name", TARGETS)
def test_no_kept_input_breaks_anything(name: str) -> None:
    target = TARGETS[name]
    kept = corpus_of(name)
    assert len(kept) >= FILES_MIN
    for path in kept:
        begun = monotonic()
        target(path.read_bytes())
        assert monotonic() - begun < INPUT_S_MAX, path
    target(b"")


def test_the_corpora_are_small_and_belong_to_targets() -> None:
    folders = {path.name for path in CORPUS.iterdir()}
    assert folders == set(TARGETS)
    assert sum(path.stat().st_size for path in CORPUS.rglob("*")) < CORPORA_BYTES_MAX


def test_a_target_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.targets_words.safe_line", lambda text, _=None: text)
    with pytest.raises(AssertionError):
        TARGETS["text"](b"\x1b[2J")
