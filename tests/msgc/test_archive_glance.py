"""The history at a glance: the same finds as a slow search, fast, and safe against any text."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgc import archive_glance
from msgc.archive import MEMORY, Archive
from msgc.values import Arrival
from tests.examples import examples


def make(*mail: tuple[str, str]) -> Archive:
    """An archive that received (sender, text), one a second, then sent one to zoe."""
    archive = Archive(MEMORY, lambda: 1_000_000, os.urandom)
    archive.inbox.store(
        [
            Arrival(b"s" * 16, n, n.to_bytes(16, "big"), sender, n * 1_000, 1, 1, body)
            for n, (sender, body) in enumerate(mail)
        ]
    )
    archive.outbox.compose(("zoe", "bob.smith"), everyone=False, body="re: patch")
    return archive


def bodies(
    archive: Archive, words: str, person: str = "", limit: int = 9, *, thorough: bool = False
) -> list[str]:
    found = archive.glance(words, person, limit, thorough=thorough)
    return [row.received.body if row.received else row.sent.body for row in found]  # type: ignore[union-attr]  # one of the two is there


@pytest.fixture
def archive() -> Archive:
    return make(
        ("bob", "The patch fails"), ("dave", "100% there"), ("bobby", "Grüße"), ("bob", "last")
    )


def test_everything_is_newest_first(archive: Archive) -> None:
    assert bodies(archive, "") == ["re: patch", "last", "Grüße", "100% there", "The patch fails"]
    assert bodies(archive, " ", limit=2) == ["re: patch", "last"]


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("thorough", [True, False])
def test_words_names_and_parts(archive: Archive, indexed: bool, thorough: bool) -> None:
    archive._search._database.has_search = indexed
    assert bodies(archive, "patch", thorough=thorough) == ["re: patch", "The patch fails"]
    assert bodies(archive, "PATCH fai", thorough=thorough) == ["The patch fails"]
    assert bodies(archive, "atch", thorough=thorough) == ["re: patch", "The patch fails"]
    assert bodies(archive, "00%", thorough=thorough) == ["100% there"]
    assert bodies(archive, "zoe", thorough=thorough) == ["re: patch"]
    assert bodies(archive, "", "bob", thorough=thorough) == [
        "re: patch",
        "last",
        "Grüße",
        "The patch fails",
    ]
    assert bodies(archive, "", "bob.s", thorough=thorough) == ["re: patch"]
    assert bodies(archive, "patch", "bobb", thorough=thorough) == []
    assert bodies(archive, "smith", "zoe", thorough=thorough) == ["re: patch"]


def test_words_of_old_messages_come_from_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_glance, "NEWEST_ROWS", 2)
    archive = make(("bob", "needle in hay"), *(("dave", f"straw {n}") for n in range(20)))
    assert bodies(archive, "nee") == ["needle in hay"]
    assert bodies(archive, "nee", "bo") == ["needle in hay"]
    assert bodies(archive, "nee", "dave") == []
    assert bodies(archive, "eedle") == [], "parts of words only among the newest"
    assert bodies(archive, "eedle", thorough=True) == ["needle in hay"]
    assert bodies(archive, "straw", limit=3) == ["straw 19", "straw 18", "straw 17"]


@settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=20), st.text(max_size=10), st.booleans())
def test_no_text_is_a_query_language(words: str, person: str, thorough: bool) -> None:
    bodies(make(("bob", "x")), words, person, thorough=thorough)
