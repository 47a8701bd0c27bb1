"""The archive: promises that survive a close, no doubles, search, counts, and refusals."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgc.archive import MEMORY, Archive, ArchiveError
from msgc.archive_database import SCHEMA_VERSION
from msgc.states import FateState, SendState
from msgc.values import Arrival, Fate, OutboxCounts, Received, Sent
from tests.msgc.line import Ticker, make_archive
from wire.codes import Code

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def arrival(delivery: int, body: str = "hi", sender: str = "bob", at_ms: int = 1) -> Arrival:
    return Arrival(b"s" * 16, delivery, delivery.to_bytes(16, "big"), sender, at_ms, 1, 1, body)


def store(archive: Archive, *arrivals: Arrival) -> list[Received]:
    return [received for received in archive.inbox.store(arrivals) if received is not None]


def compose(archive: Archive, body: str = "hi", *names: str) -> Sent:
    return archive.outbox.compose(names or ("bob",), everyone=False, body=body)


def kept(archive: Archive, sent: Sent) -> Sent:
    found = archive.outbox.get(sent.message_id)
    assert found is not None
    return found


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    path = str(tmp_path / "alice.db")
    ticker = Ticker()
    archive = make_archive(path, ticker)
    sent = compose(archive, "one", "bob", "dave")
    store(archive, arrival(5, "two"))
    archive.drafts.save("to bob", ("bob",), everyone=False, body="three")
    archive.preferences.set("bell", "no")
    installation = archive.installation
    archive.close()
    archive = make_archive(path, ticker)
    assert archive.installation == installation
    assert archive.outbox.get(sent.message_id) == sent
    assert [message.body for message in archive.inbox.unread(9)] == ["two"]
    draft = archive.drafts.get("to bob")
    assert draft is not None
    assert (draft.body, draft.recipients) == ("three", ("bob",))
    assert archive.preferences.get("bell") == "no"
    assert archive.preferences.get("none") is None
    assert compose(archive).number == 2, "the counter goes on"
    archive.close()


def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "alice.db"
    make_archive(str(path)).close()
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    database.close()
    with pytest.raises(ArchiveError, match="made by a newer msgc"):
        make_archive(str(path))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "alice.db"
    path.write_bytes(b"this is no database, and longer than a header of one hundred bytes " * 9)
    with pytest.raises(ArchiveError, match="damaged"):
        make_archive(str(path))
    assert path.read_bytes().startswith(b"this is no database")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="Cannot use the archive"):
        make_archive(str(tmp_path / "missing" / "alice.db"))


def test_two_processes_share_one_outbox(tmp_path: Path) -> None:
    path = str(tmp_path / "alice.db")
    ticker = Ticker()
    first, second = make_archive(path, ticker), make_archive(path, ticker)
    a, b = compose(first, "a"), compose(second, "b")
    assert a.message_id != b.message_id
    assert first.outbox.unsent_ids(9) == (a.message_id, b.message_id)
    first.close()
    second.close()


def test_a_change_that_fails_has_not_happened() -> None:
    archive = make_archive()

    def interrupted() -> None:
        with archive.change():
            compose(archive)
            store(archive, arrival(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert archive.outbox.counts() == OutboxCounts(0, 0, 0, 0)
    assert archive.inbox.counts().kept == 0
    assert compose(archive).number == 1


@given(bodies=st.lists(TEXT, max_size=5), queries=st.lists(TEXT, max_size=3))
def test_any_text_is_kept_as_it_is_and_any_query_is_harmless(
    bodies: list[str], queries: list[str]
) -> None:
    archive = make_archive()
    for number, body in enumerate(bodies):
        assert kept(archive, compose(archive, body)).body == body
        store(archive, arrival(number, body))
    assert [message.body for message in archive.inbox.unread(99)] == bodies
    for query in [*queries, *bodies, '"', "a OR b*", "NEAR(", "%", "_"]:
        archive.history(query, 10)


def test_the_same_delivery_is_kept_once_and_told_once() -> None:
    archive = make_archive()
    assert len(store(archive, arrival(1), arrival(1))) == 1
    assert not store(archive, arrival(1))
    assert len(store(archive, arrival(2))) == 1
    assert archive.inbox.counts().kept == 2


def test_another_server_counts_for_itself() -> None:
    archive = make_archive()
    mine = arrival(1)
    other = Arrival(b"t" * 16, *[getattr(mine, name) for name in Arrival.__slots__[1:]])
    assert len(store(archive, mine, other)) == 2


def test_restored_server_that_counts_again_loses_nothing() -> None:
    archive = make_archive()
    other = Arrival(b"s" * 16, 1, b"another message!", "carol", 2, 1, 1, "not the same")
    assert len(store(archive, arrival(1), other)) == 2


def test_unread_until_looked_at_in_the_servers_order() -> None:
    archive = make_archive()
    newer, older = store(archive, arrival(9, "newer", at_ms=9), arrival(4, "older", at_ms=4))
    assert [message.body for message in archive.inbox.unread(9)] == ["older", "newer"]
    assert [message.body for message in archive.inbox.recent(9)] == ["newer", "older"]
    assert [m.body for m in archive.inbox.unread_after(newer.number, 9)] == ["older"]
    archive.inbox.mark_read([newer.number])
    assert archive.inbox.counts().unread == 1
    found = archive.inbox.get(newer.number)
    assert found is not None
    assert not found.unread
    assert archive.inbox.get(older.number) == older
    assert archive.inbox.get(77) is None


def test_life_of_a_message() -> None:
    archive = make_archive()
    outbox = archive.outbox
    sent = compose(archive, "hi", "bob", "dave", "bob")
    assert sent.recipients == ("bob", "dave"), "named twice is named once"
    assert (sent.total, sent.waiting) == (2, 0)
    assert outbox.record_accepted(sent.message_id, 2, 50)
    assert not outbox.record_accepted(sent.message_id, 2, 60)
    assert kept(archive, sent).accepted_at_ms == 50
    assert kept(archive, sent).waiting == 2
    assert outbox.counts() == OutboxCounts(0, 1, 0, 0)
    assert outbox.record_outcome(sent.message_id, "bob", FateState.DELIVERED, 70)
    assert not outbox.record_outcome(sent.message_id, "bob", FateState.DELIVERED, 80)
    assert outbox.record_outcome(sent.message_id, "dave", FateState.RECIPIENT_DELETED, 75)
    assert kept(archive, sent).fates == (
        Fate("bob", FateState.DELIVERED, 70),
        Fate("dave", FateState.RECIPIENT_DELETED, 75),
    )
    assert outbox.counts() == OutboxCounts(0, 0, 1, 0)
    assert not outbox.record_refused(sent.message_id, Code.BUSY, "late")
    assert not outbox.remove(sent.message_id), "what was sent stays"


def test_message_to_everyone_learns_its_recipients() -> None:
    archive = make_archive()
    sent = archive.outbox.compose((), everyone=True, body="all")
    archive.outbox.record_accepted(sent.message_id, None, None)
    assert archive.outbox.counts().waiting == 1, "how many there are is not known yet"
    archive.outbox.record_accepted(sent.message_id, 2, 9)
    for name in ("bob", "dave"):
        archive.outbox.record_outcome(sent.message_id, name, FateState.DELIVERED, 1)
    assert kept(archive, sent).total == 2
    assert kept(archive, sent).recipients == ()
    assert archive.outbox.counts().delivered == 1


def test_outcome_before_the_answer_proves_acceptance() -> None:
    archive = make_archive()
    sent = compose(archive)
    archive.outbox.record_outcome(sent.message_id, "bob", FateState.DELIVERED, 1)
    assert kept(archive, sent).state is SendState.PENDING
    assert archive.outbox.unsent_ids(9) == ()


def test_outcome_of_another_machines_message_does_no_harm() -> None:
    archive = make_archive()
    assert archive.outbox.record_outcome(b"x" * 16, "bob", FateState.DELIVERED, 1)
    assert archive.outbox.counts() == OutboxCounts(0, 0, 0, 0)


def test_taking_back_and_sending_again() -> None:
    archive = make_archive()
    outbox = archive.outbox
    first, second, third = (compose(archive, body) for body in ("needle", "two", "three"))
    assert outbox.remove(first.message_id)
    assert not outbox.remove(first.message_id)
    assert archive.history("needle", 9) == ()
    outbox.mark_attempts([second.message_id])
    assert not outbox.remove(second.message_id), "it may be on its way"
    assert outbox.send_again(second.message_id) is None
    outbox.record_refused(third.message_id, Code.BUSY, "busy", ("bob",))
    assert kept(archive, third).refused_recipients == ("bob",)
    again = outbox.send_again(third.message_id)
    assert again is not None
    assert (again.body, again.number) == ("three", 4)
    assert outbox.get(third.message_id) is None
    assert [sent.body for sent in outbox.recent(9)] == ["three", "two"]
    assert [sent.body for sent in outbox.in_state(SendState.UNSENT, 9)] == ["two", "three"]


def test_messages_are_found_by_number_and_id() -> None:
    archive = make_archive()
    sent = compose(archive)
    assert archive.outbox.find("1") == sent
    assert archive.outbox.find(sent.message_id.hex().upper()) == sent
    assert archive.outbox.find("2") is None
    assert archive.outbox.find("zz") is None
    assert archive.outbox.find("9" * 40) is None


def test_a_new_account_ends_the_doubts_of_the_old_one() -> None:
    archive = make_archive()
    outbox = archive.outbox
    tried, accepted, fresh = (compose(archive) for _ in range(3))
    outbox.mark_attempts([tried.message_id, accepted.message_id])
    outbox.record_accepted(accepted.message_id, 1, 1)
    assert archive.begin_session(b"s" * 16, None, created=False, code=-2) == ()
    assert archive.begin_session(b"s" * 16, None, created=True, code=-2) == (tried.message_id,)
    assert kept(archive, tried).code == -2
    assert kept(archive, accepted).fates == (Fate("bob", FateState.UNKNOWN),)
    assert kept(archive, fresh).state is SendState.UNSENT
    assert outbox.counts() == OutboxCounts(1, 0, 1, 1)
    assert outbox.record_outcome(accepted.message_id, "bob", FateState.DELIVERED, 2), "better news"


def test_another_account_of_the_same_name_ends_them_when_nobody_said_created() -> None:
    archive = make_archive()
    tried = compose(archive)
    server_id = b"s" * 16
    assert archive.begin_session(server_id, 7, created=True, code=-2) == ()
    archive.outbox.mark_attempts([tried.message_id])
    assert archive.begin_session(server_id, 7, created=False, code=-2) == ()
    assert archive.begin_session(server_id, 2**64 - 1, created=False, code=-2) == (
        tried.message_id,
    )


def test_another_server_at_the_same_address_ends_them_too() -> None:
    archive = make_archive()
    tried = compose(archive)
    archive.begin_session(b"s" * 16, None, created=False, code=-2)
    archive.outbox.mark_attempts([tried.message_id])
    assert archive.begin_session(b"s" * 16, None, created=False, code=-2) == ()
    assert archive.begin_session(b"t" * 16, None, created=False, code=-2) == (tried.message_id,)


def test_composing_drops_the_draft_in_the_same_commit() -> None:
    archive = make_archive()
    archive.drafts.save("to bob", ("bob",), everyone=False, body="x")
    archive.drafts.save("other", (), everyone=True, body="y")
    archive.outbox.compose(("bob",), everyone=False, body="x", draft="to bob")
    assert [draft.purpose for draft in archive.drafts.all(9)] == ["other"]
    assert archive.drafts.count() == 1
    archive.drafts.drop("other")
    assert archive.drafts.get("other") is None


@pytest.mark.parametrize("indexed", [True, False])
def test_search(indexed: bool) -> None:
    archive = make_archive()
    archive._search._database.has_search = indexed
    store(archive, arrival(1, "The patch fails on the second run", "bob", at_ms=10))
    store(archive, arrival(2, "see you there, 100%", "dave", at_ms=20))
    compose(archive, "re: patch", "bob")

    def bodies(query: str) -> list[str]:
        found = archive.history(query, 9)
        return [(e.received or e.sent).body for e in found if e.received or e.sent]  # type: ignore[union-attr]  # one of the two is there

    assert bodies("patch") == ["re: patch", "The patch fails on the second run"]
    assert bodies("PATCH sec" if indexed else "patch fails") == [
        "The patch fails on the second run"
    ]
    assert bodies("dave") == ["see you there, 100%"]
    assert bodies("00%") == ["see you there, 100%"], "parts of words too"
    assert bodies("nothing") == []
    assert len(bodies("")) == 3
    assert len(archive.history("", 2, 2)) == 1


def test_memory_archive_is_forgotten() -> None:
    compose(make_archive(MEMORY))
    assert make_archive(MEMORY).outbox.recent(1) == ()


@given(
    st.sampled_from([(), ("bob",), ("bob", "dave")]),
    st.lists(
        st.one_of(
            st.sampled_from([None, 0, 1, 2, 3]),
            st.tuples(st.sampled_from(["bob", "dave", "eve"]), st.sampled_from(FateState)),
        ),
        max_size=6,
    ),
)
def test_what_is_counted_as_settled_is_what_waits_for_nobody(
    names: tuple[str, ...], answers: list[int | tuple[str, FateState] | None]
) -> None:
    archive = make_archive(MEMORY)
    sent = archive.outbox.compose(names, not names, "hi")
    for answer in answers:
        if isinstance(answer, tuple):
            archive.outbox.record_outcome(sent.message_id, *answer, at_ms=1)
        else:
            archive.outbox.record_accepted(sent.message_id, answer, 1)
        now = kept(archive, sent)
        unheard = now.everyone and now.accepted_count is None
        settled = now.waiting == 0 and not unheard
        counts = archive.outbox.counts()
        assert counts.delivered == int(settled and now.delivered > 0)
        assert counts.waiting == int(now.state is SendState.PENDING and not settled)
    archive.close()


def test_a_change_without_a_look_at_the_archive_waits_for_nobody(tmp_path: Path) -> None:
    path = str(tmp_path / "alice.db")
    archive = make_archive(path)
    other = sqlite3.connect(path, 0, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with archive.change():
        pass
    other.execute("ROLLBACK")
    with archive.change():
        assert archive.outbox.counts().unsent == 0
        with pytest.raises(sqlite3.OperationalError):
            other.execute("BEGIN IMMEDIATE")
    other.close()
    archive.close()
