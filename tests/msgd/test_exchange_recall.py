import pytest

from msgd.events import EventKind
from msgd.limits import ExchangeLimits
from tests.msgd.fake_server import Client, Server
from tests.sources_only import replace_constant
from wire.codes import Code, NoticeKind
from wire.limits import RECIPIENTS_MAX
from wire.messages import (
    CheckComplete,
    DeletionRequest,
    DistributeMessage,
    MessageFailure,
    MessageRecalled,
    MessageSuccess,
    Notice,
    RecallFailure,
    RecallMessage,
    SendMessage,
)


@pytest.fixture
def server() -> Server:
    server = Server()
    for name in ("bob", "carol", "dave"):
        server.account(name)
    return server


def recall(client: Client, message: SendMessage) -> MessageRecalled:
    """Ask for a message back; gives the answer."""
    request = client.request()
    client.say(
        RecallMessage(request, message.message_id, message.recipients, everyone=message.everyone)
    )
    (answer,) = [each for each in client.all(MessageRecalled) if each.request == request]
    return answer


def refused(client: Client, message: RecallMessage) -> Code:
    client.say(message)
    (answer,) = client.all(RecallFailure)
    assert answer.request == message.request
    return Code(answer.code)


def fates(client: Client) -> list[tuple[str, int]]:
    """(recipient, code) of the failures that came as outcomes."""
    return [
        (each.recipients[0], each.code)
        for each in client.all(MessageFailure)
        if each.delivery is not None
    ]


def waiting(server: Server, name: str) -> int:
    return server.store.state.by_name[name].messages_waiting(server.store.state)


def read_all(server: Server, name: str) -> list[str]:
    """What a user finds, all confirmed."""
    client = server.user(name)
    client.check()
    bodies = [each.body.decode() for each in client.all(DistributeMessage)]
    client.confirm()
    client.drop()
    return bodies


def cut_off(server: Server) -> None:
    """The server is killed: nothing is said to anybody, and it starts again."""
    server.clients.clear()
    server.store.core.disk.unlock()
    server.start()


# ----- one and several ----------------------------------------------------------------------------


def test_what_waits_is_recalled_and_never_shown(server: Server) -> None:
    alice = server.user("alice")
    message = alice.send("bob", "carol")
    alice.send("bob", body="stays")
    answer = recall(alice, message)
    assert answer.recalled == ("bob", "carol")
    assert (answer.handed_out, answer.ended, answer.gone, answer.later) == ((), (), (), ())
    assert fates(alice) == [("bob", Code.RECALLED), ("carol", Code.RECALLED)]
    assert (waiting(server, "bob"), waiting(server, "carol")) == (1, 0)
    assert read_all(server, "bob") == ["stays"]
    assert read_all(server, "carol") == []
    assert server.noted(EventKind.RECALL) == ["alice from bob,carol"]


def test_asking_again_takes_nothing_twice(server: Server) -> None:
    alice = server.user("alice")
    message = alice.send("bob")
    recall(alice, message)
    again = recall(alice, message)
    assert (again.recalled, again.ended) == ((), ("bob",))
    assert fates(alice) == [("bob", Code.RECALLED)]


def test_what_was_confirmed_has_ended(server: Server) -> None:
    alice = server.user("alice")
    bob = server.user("bob")
    message = alice.send("bob", "carol")
    bob.confirm()
    answer = recall(alice, message)
    assert (answer.recalled, answer.ended) == (("carol",), ("bob",))
    assert [each.recipient for each in alice.all(MessageSuccess)] == ["bob"]


def test_what_is_out_with_a_client_stays(server: Server) -> None:
    alice = server.user("alice")
    bob = server.user("bob")
    message = alice.send("bob")
    assert recall(alice, message).handed_out == ("bob",)
    bob.confirm()
    assert recall(alice, message).ended == ("bob",)


def test_what_was_handed_out_once_stays_when_its_session_is_cut(server: Server) -> None:
    alice = server.user("alice")
    bob = server.user("bob")
    message = alice.send("bob")
    bob.drop()
    assert recall(alice, message).handed_out == ("bob",)
    again = server.user("bob")
    assert recall(alice, message).handed_out == ("bob",)
    again.check()
    again.confirm()
    later = alice.send("carol")
    assert recall(alice, message).ended == ("bob",)
    assert recall(alice, later).recalled == ("carol",)


def test_marks_go_when_the_mail_is_read(server: Server) -> None:
    alice = server.user("alice")
    bob = server.user("bob")
    alice.send("bob")
    bob.drop()
    account = server.store.state.by_name["bob"]
    assert account.marked
    assert read_all(server, "bob") == ["hello"]
    assert not account.marked


def test_after_a_killed_server_what_an_online_user_may_have_stays(server: Server) -> None:
    alice = server.user("alice")
    bob = server.user("bob", live=False)
    message = alice.send("bob", "carol")
    cut_off(server)
    alice = server.user("alice")
    alice.counter = 1
    answer = recall(alice, message)
    assert (answer.recalled, answer.handed_out) == (("carol",), ("bob",))
    assert recall(alice, alice.send("bob")).recalled == ("bob",)  # there was no session since
    bob = server.user("bob")
    assert recall(alice, message).handed_out == ("bob",)
    bob.check()
    bob.confirm()
    bob.drop()
    assert recall(alice, alice.send("bob")).recalled == ("bob",)


def test_who_has_no_account_is_gone_and_who_is_leaving_too(server: Server) -> None:
    alice = server.user("alice")
    bob = server.user("bob")
    message = alice.send("bob", "carol")
    bob.post(DeletionRequest(9, "bob", force=True))
    server.answer()
    answer = recall(alice, message)
    assert (answer.recalled, answer.gone) == (("carol",), ("bob",))
    answer = recall(alice, message)
    assert (answer.ended, answer.gone) == (("carol",), ("bob",))
    assert sorted(fates(alice)) == [("bob", Code.RECIPIENT_DELETED), ("carol", Code.RECALLED)]


def test_nobody_takes_back_what_another_sent(server: Server) -> None:
    alice = server.user("alice")
    mallory = server.user("mallory")
    message = alice.send("bob")
    request = RecallMessage(1, message.message_id, ("bob",))
    assert refused(mallory, request) is Code.UNKNOWN_MESSAGE
    assert waiting(server, "bob") == 1


def test_what_was_never_accepted_is_unknown(server: Server) -> None:
    alice = server.user("alice")
    message = alice.message("bob")
    assert refused(alice, RecallMessage(1, message.message_id, ("bob",))) is Code.UNKNOWN_MESSAGE
    alice.inbox.clear()
    everyone = RecallMessage(2, message.message_id, everyone=True)
    assert refused(alice, everyone) is Code.UNKNOWN_MESSAGE


def test_a_message_to_oneself_is_recalled_and_its_fate_told(server: Server) -> None:
    alice = server.user("alice", live=False)
    message = alice.send("alice")
    assert recall(alice, message).recalled == ("alice",)
    assert waiting(server, "alice") == 0
    alice.check()
    assert fates(alice) == [("alice", Code.RECALLED)]


def test_a_user_without_live_is_told_the_smaller_count(server: Server) -> None:
    alice = server.user("alice")
    bob = server.user("bob", live=False)
    message = alice.send("bob")
    alice.send("bob")
    recall(alice, message)
    counts = [each.count for each in bob.all(Notice) if each.kind == NoticeKind.MAIL_WAITING]
    assert counts == [1, 2, 1]


def test_the_fate_waits_for_a_sender_who_has_left(server: Server) -> None:
    alice = server.user("alice")
    message = alice.send("bob")
    alice.post(RecallMessage(1, message.message_id, ("bob",)))
    server.answer()
    alice.drop()
    again = server.user("alice", installation=alice.installation)
    again.check(outcomes_only=True)
    assert fates(again) == [("bob", Code.RECALLED)]


def test_what_is_recalled_survives_every_kind_of_restart(server: Server) -> None:
    alice = server.user("alice")
    message = alice.send("bob", "carol")
    stays = alice.send("bob", body="stays")
    recall(alice, message)
    cut_off(server)
    assert waiting(server, "bob") == 1
    server.stop()
    server.start()
    assert waiting(server, "bob") == 1
    assert read_all(server, "bob") == [stays.body.decode()]
    assert read_all(server, "carol") == []


def test_a_recall_finds_what_is_in_the_mailbox_file_already(server: Server) -> None:
    alice = server.user("alice")
    messages = [alice.send("bob", body="x" * 60_000) for _ in range(40)]
    server.store.checkpoint_now()
    assert not server.store.state.by_name["bob"].queue.tail
    assert recall(alice, messages[35]).recalled == ("bob",)
    assert recall(alice, messages[35]).ended == ("bob",)
    assert waiting(server, "bob") == 39


def test_long_searches_give_others_their_turn(server: Server) -> None:
    alice = server.user("alice")
    messages = [alice.send("bob", body="x" * 60_000) for _ in range(40)]
    server.store.checkpoint_now()
    alice.post(RecallMessage(77, messages[-1].message_id, ("bob",)))
    server.answer()
    assert alice.all(MessageRecalled) == []
    server.turn()
    assert alice.last(MessageFailure).code == Code.RECALLED
    assert alice.all(MessageRecalled)[0].recalled == ("bob",)


def test_a_recall_whose_asker_has_gone_stops(server: Server) -> None:
    alice = server.user("alice")
    messages = [alice.send("bob", body="x" * 60_000) for _ in range(40)]
    server.store.checkpoint_now()
    alice.post(RecallMessage(77, messages[-1].message_id, ("bob",)))
    server.answer()
    alice.drop()
    assert waiting(server, "bob") == 40


def test_only_so_many_at_once(server: Server) -> None:
    alice = server.user("alice")
    messages = [alice.send("bob", body="x" * 60_000) for _ in range(40)]
    server.store.checkpoint_now()
    for request in range(1, 10):
        alice.post(RecallMessage(request, messages[-1].message_id, ("bob",)))
    server.turn()
    assert [each.code for each in alice.all(RecallFailure)] == [Code.BUSY]
    assert len(alice.all(MessageRecalled)) == 8


def test_what_a_recall_must_say() -> None:
    server = Server(limits=ExchangeLimits(recipients_max=2))
    alice = server.user("alice")
    id_ = bytes(16)
    for message, code in (
        (RecallMessage(1, id_), Code.NO_RECIPIENTS),
        (RecallMessage(2, id_, ("bob",), everyone=True), Code.TOO_MANY_RECIPIENTS),
        (RecallMessage(3, id_, ("a", "b", "c")), Code.TOO_MANY_RECIPIENTS),
        (RecallMessage(4, id_, ("no name",)), Code.NAME_INVALID),
    ):
        alice.inbox.clear()
        assert refused(alice, message) is code


def test_an_account_being_deleted_recalls_nothing(server: Server) -> None:
    alice = server.user("alice")
    message = alice.send("alice")
    alice.post(DeletionRequest(9, "alice", force=True))
    alice.post(RecallMessage(10, message.message_id, ("alice",)))
    server.answer()
    assert [each.code for each in alice.all(RecallFailure)] == [Code.BEING_DELETED]


def test_many_gaps_in_a_queue(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_constant(monkeypatch, "store.store.RECALL_RANGES_MAX", 3)
    alice = server.user("alice")
    messages = [alice.send("bob") for _ in range(10)]
    answers = [recall(alice, message) for message in messages[1::2]]
    assert [each.recalled for each in answers[:2]] == [("bob",), ("bob",)]
    assert [each.later for each in answers[2:]] == [("bob",)] * 3


def test_a_damaged_mailbox_is_named_and_the_others_are_done(server: Server) -> None:
    alice = server.user("alice")
    message = alice.send("bob", "carol")
    server.store.checkpoint_now()
    bob = server.store.state.by_name["bob"]  # held, or it would be read anew
    queue = bob.queue
    queue.end_offset += 4096  # it says that there is more than there is
    queue.hint = queue.end_offset - 4096
    answer = recall(alice, message)
    assert (answer.recalled, answer.later) == (("carol",), ("bob",))
    assert server.noted(EventKind.ERROR)


# ----- everyone -----------------------------------------------------------------------------------


def test_a_message_to_everyone_is_recalled_by_one_record(server: Server) -> None:
    alice = server.user("alice")
    alice.send("bob", body="own")
    message = alice.send()
    assert waiting(server, "bob") == 2
    before = server.store.state.next_number
    answer = recall(alice, message)
    assert server.store.state.next_number == before + 1
    assert answer.everyone
    assert answer.handed_out == ()
    assert [waiting(server, name) for name in ("alice", "bob", "carol")] == [0, 1, 0]
    assert read_all(server, "bob") == ["own"]
    assert read_all(server, "carol") == []
    assert waiting(server, "bob") == 0
    assert server.noted(EventKind.RECALL) == ["alice from everyone"]


def test_who_was_handed_a_message_to_everyone_keeps_it(server: Server) -> None:
    alice = server.user("alice")
    bob = server.user("bob")
    carol = server.user("carol")
    message = alice.send()
    carol.confirm()
    answer = recall(alice, message)
    assert (answer.everyone, answer.handed_out) == (True, ("bob",))
    assert waiting(server, "bob") == 1
    assert recall(alice, message).handed_out == ("bob",)
    bob.drop()
    assert read_all(server, "bob") == ["hello"]
    assert recall(alice, message).handed_out == ()
    assert read_all(server, "dave") == []


def test_what_stands_around_a_recalled_message_to_everyone_is_counted_right(
    server: Server,
) -> None:
    alice = server.user("alice")
    alice.send(body="1")
    second = alice.send(body="2")
    alice.send(body="3")
    fourth = alice.send(body="4")
    recall(alice, second)
    recall(alice, fourth)
    assert waiting(server, "bob") == 2
    state = server.store.state
    assert state.by_name["bob"].bytes_waiting(state) == 2
    bob = server.user("bob")
    bob.check()
    assert bob.last(CheckComplete).delivered == 2
    bob.confirm()
    assert waiting(server, "bob") == 0
    bob.drop()
    server.stop()
    server.start()
    assert [waiting(server, name) for name in ("bob", "carol")] == [0, 2]
    assert read_all(server, "carol") == ["1", "3"]
    server.account("erin")
    assert waiting(server, "erin") == 0


def test_the_killed_server_forgets_no_recall_from_everyone(server: Server) -> None:
    alice = server.user("alice")
    server.user("bob", live=False)
    message = alice.send()
    server.store.checkpoint_now()
    assert recall(alice, message).handed_out == ()
    cut_off(server)
    assert waiting(server, "bob") == 0
    assert recall(server.user("alice"), message).handed_out == ()
    assert read_all(server, "bob") == []


def test_a_session_that_was_cut_off_may_have_had_what_is_for_everyone(server: Server) -> None:
    alice = server.user("alice")
    server.user("bob", live=False)
    message = alice.send()
    cut_off(server)
    assert recall(server.user("alice"), message).handed_out == ("bob",)
    assert read_all(server, "bob") == ["hello"]


def test_an_account_on_its_way_out_is_told_of_its_own_way(server: Server) -> None:
    alice = server.user("alice")
    bob = server.user("bob")
    message = alice.send()
    bob.post(DeletionRequest(9, "bob", force=True))
    server.answer()
    answer = recall(alice, message)
    assert answer.everyone
    server.turn()
    assert "bob" not in server.store.state.by_name
    assert fates(alice) == [("bob", Code.RECIPIENT_DELETED)]


def test_who_was_leaving_when_it_was_sent_is_not_among_those_who_have_it(server: Server) -> None:
    alice, carol = server.user("alice"), server.user("carol")
    server.user("bob").drop()
    alice.send("bob")
    bob = server.user("bob")
    bob.post(DeletionRequest(9, "bob", force=True))
    server.answer()
    message = alice.message()
    alice.post(message)
    server.answer()
    assert server.store.state.by_name["bob"].closing
    alice.post(RecallMessage(77, message.message_id, everyone=True))
    server.answer()
    assert alice.last(MessageRecalled).handed_out == ("carol",)
    assert carol.all(DistributeMessage)


def test_a_forced_deletion_passes_over_what_was_recalled(server: Server) -> None:
    alice = server.user("alice")
    message = alice.send()
    alice.send("bob")
    recall(alice, message)
    bob = server.user("bob")
    bob.say(DeletionRequest(9, "bob", force=True))
    assert "bob" not in server.store.state.by_name
    assert len(fates(alice)) == 1


def test_too_many_recalls_from_everyone(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_constant(monkeypatch, "store.store.RECALLED_FROM_ALL_MAX", 1)
    alice = server.user("alice")
    first, second = alice.send(), alice.send()
    assert recall(alice, first).everyone
    assert refused(alice, RecallMessage(99, second.message_id, everyone=True)) is Code.BUSY


def test_a_damaged_queue_of_everyone(server: Server) -> None:
    alice = server.user("alice")
    message = alice.send()
    server.store.checkpoint_now()
    queue = server.store.state.everyone.queue
    queue.end_offset += 4096
    queue.hint = queue.end_offset - 4096
    request = RecallMessage(99, message.message_id, everyone=True)
    assert refused(alice, request) is Code.INTERNAL


def test_a_long_queue_of_everyone_is_looked_through_in_slices(server: Server) -> None:
    alice = server.user("alice")
    messages = [alice.send(body="x" * 60_000) for _ in range(40)]
    server.store.checkpoint_now()
    assert recall(alice, messages[-1]).everyone
    assert waiting(server, "bob") == 39


def test_a_user_without_live_learns_that_less_waits(server: Server) -> None:
    alice = server.user("alice")
    bob = server.user("bob", live=False)
    message = alice.send()
    alice.send("bob")
    recall(alice, message)
    counts = [each.count for each in bob.all(Notice) if each.kind == NoticeKind.MAIL_WAITING]
    assert counts == [1, 2, 1]


def test_the_largest_answer_fits_into_a_frame(server: Server) -> None:
    names = tuple(f"{index:032}" for index in range(RECIPIENTS_MAX))
    alice = server.user("alice")
    message = alice.send("bob")
    alice.say(RecallMessage(99, message.message_id, names))
    assert len(alice.last(MessageRecalled).gone) == RECIPIENTS_MAX
