"""The oracle sees each kind of violation that it is there for, and excuses only what was named."""

from collections.abc import Sequence
from random import Random

from msgc.archive import MEMORY, Archive
from msgc.states import FateState
from msgc.values import Arrival, Received, Sent
from msgc.words import CODE_TAKEN_BACK
from tests.sim.oracle import Oracle
from wire.codes import Code

SERVER = b"s" * 16


class Scene:
    """Two users with archives, an oracle, and a server that is only pretended."""

    def __init__(self) -> None:
        self.oracle = Oracle()
        self.archives = {
            name: Archive(MEMORY, lambda: 1, Random(name).randbytes) for name in ("u0", "u1")
        }
        for name in self.archives:
            self.oracle.logged_in(name, created=True)
            self.oracle.begins_session(name)
        self.deliveries = 0

    def compose(self) -> Sent:
        sent = self.archives["u0"].outbox.compose(("u1",), everyone=False, body="hi")
        self.oracle.composed("u0", sent)
        self.archives["u0"].outbox.mark_attempts([sent.message_id])
        return sent

    def accept(self, sent: Sent) -> None:
        self.archives["u0"].outbox.record_accepted(sent.message_id, 1, 1)
        self.oracle.accepted(sent.message_id)

    def arrive(self, sent: Sent, delivery: int = 0) -> Received:
        self.deliveries = delivery or self.deliveries + 1
        arrival = Arrival(SERVER, self.deliveries, sent.message_id, "u0", 1, 1, 1, sent.body)
        (row,) = self.archives["u1"].inbox.store([arrival])
        assert row is not None
        self.oracle.shown("u1", row, asked_for=False)
        return row

    def settle(self, sent: Sent, fate: FateState = FateState.DELIVERED) -> None:
        self.archives["u0"].outbox.record_outcome(sent.message_id, "u1", fate, 1)

    def sentences(self) -> Sequence[str]:
        return self.oracle.judge(self.archives).sentences

    def whole_way(self) -> Sent:
        sent = self.compose()
        self.accept(sent)
        self.arrive(sent)
        self.settle(sent)
        return sent


def test_a_message_that_arrives_is_no_violation() -> None:
    scene = Scene()
    scene.whole_way()
    verdict = scene.oracle.judge(scene.archives)
    assert verdict.is_good
    assert (verdict.accepted, verdict.delivered, verdict.named) == (1, 1, 0)


def test_what_never_arrives_is_lost_unless_a_repair_named_it() -> None:
    scene = Scene()
    sent = scene.compose()
    scene.accept(sent)
    assert "never reached u1" in scene.sentences()[0]
    scene.oracle.doubt(["damage: f, byte 1: x", f"lost: message {sent.message_id.hex()} from …"])
    verdict = scene.oracle.judge(scene.archives)
    assert verdict.is_good
    assert verdict.named == 1


def test_a_report_that_names_an_account_excuses_only_what_was_written_before() -> None:
    scene = Scene()
    old = scene.compose()
    scene.accept(old)
    scene.oracle.doubt(["in doubt: account 'u1' (7): a newer state may be lost"])
    scene.oracle.logged_in("u1", created=False)
    new = scene.compose()
    scene.accept(new)
    assert all(sentence.startswith("u0's 2 ") for sentence in scene.sentences())
    assert scene.sentences()


def test_a_report_with_a_damaged_id_excuses_those_it_names_besides() -> None:
    scene = Scene()
    scene.accept(scene.compose())
    scene.oracle.doubt([f"lost: message {'7f' * 16} from 'u0' (7) to 'u2' (9), number 4"])
    assert scene.sentences()
    scene.oracle.doubt([f"lost: message {'7f' * 16} from 'u0' (7) to 'u1' (8), number 4"])
    assert not scene.sentences()
    scene.accept(scene.compose())
    assert scene.sentences()


def test_a_damaged_id_may_be_that_of_another_message() -> None:
    scene = Scene()
    shown = scene.whole_way()
    scene.accept(scene.compose())
    scene.oracle.doubt(
        [f"lost: message {shown.message_id.hex()} from 'u0' (7) to 'u1' (8), number 4"]
    )
    assert not scene.sentences()


def test_what_may_come_again_is_what_has_been_shown() -> None:
    scene = Scene()
    shown = scene.whole_way()
    scene.accept(scene.compose())
    line = f"in doubt: message {shown.message_id.hex()}: that 'u1' has it is forgotten"
    scene.oracle.doubt([line])
    assert scene.sentences()


def test_a_report_that_names_nobody_excuses_everybody() -> None:
    scene = Scene()
    scene.accept(scene.compose())
    scene.oracle.doubt(["in doubt: every account: what a lost journal batch did is not known"])
    assert not scene.sentences()


def test_twice_shown_is_once_too_often() -> None:
    scene = Scene()
    sent = scene.whole_way()
    scene.arrive(sent)
    assert any("a second time" in sentence for sentence in scene.sentences())
    assert any("twice" in sentence for sentence in scene.sentences())


def test_a_younger_message_must_not_be_shown_first() -> None:
    scene = Scene()
    older, younger = scene.compose(), scene.compose()
    scene.accept(older)
    scene.accept(younger)
    scene.arrive(younger, delivery=5)
    scene.arrive(older, delivery=4)
    scene.settle(older)
    scene.settle(younger)
    assert [s for s in scene.sentences() if "after a younger one" in s]


def test_what_was_refused_must_be_nowhere() -> None:
    scene = Scene()
    sent = scene.compose()
    scene.archives["u0"].outbox.record_refused(sent.message_id, Code.STORAGE_FULL, "full")
    assert not scene.sentences()
    scene.arrive(sent)
    assert "was refused, and u1 has it" in scene.sentences()[0]


def test_mail_to_an_account_does_not_come_to_the_next_of_its_name() -> None:
    scene = Scene()
    sent = scene.compose()
    scene.accept(sent)
    scene.oracle.deletion_asked("u1")
    scene.oracle.deleted("u1")
    scene.settle(sent, FateState.RECIPIENT_DELETED)
    assert not scene.sentences()
    scene.oracle.logged_in("u1", created=True)
    scene.oracle.begins_session("u1")
    scene.arrive(sent)
    assert "sent to an earlier account" in scene.sentences()[0]


def test_an_account_may_have_been_made_anew_unheard() -> None:
    scene = Scene()
    sent = scene.compose()
    scene.accept(sent)
    scene.oracle.deletion_asked("u1")
    scene.oracle.logged_in("u1", created=False)
    scene.settle(sent, FateState.RECIPIENT_DELETED)
    assert not scene.sentences()
    scene.accept(scene.compose())
    assert scene.sentences(), "what is written later is not excused"


def test_nobody_is_told_of_a_deletion_that_never_was() -> None:
    scene = Scene()
    sent = scene.compose()
    scene.accept(sent)
    scene.arrive(sent)
    scene.settle(sent, FateState.RECIPIENT_DELETED)
    assert "was told RECIPIENT_DELETED" in scene.sentences()[0]


def test_what_was_recalled_may_be_told_to_nobody_when_the_sender_goes() -> None:
    scene = Scene()
    sent = scene.compose()
    scene.accept(sent)
    scene.archives["u0"].recalls.ask(sent.message_id, CODE_TAKEN_BACK)
    assert "never reached u1" in scene.sentences()[0]
    scene.oracle.deletion_asked("u0")
    scene.oracle.deleted("u0")
    assert not scene.sentences()
    scene.oracle.logged_in("u0", created=True)
    other = scene.compose()
    scene.accept(other)
    assert scene.sentences(), "what was not asked back is not excused"


def test_a_sender_must_learn_the_end() -> None:
    scene = Scene()
    sent = scene.compose()
    scene.accept(sent)
    scene.arrive(sent)
    assert any("was never told" in sentence for sentence in scene.sentences())
