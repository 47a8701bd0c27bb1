from store.records import Accepted, Begun, Created, RecordCode, Settled, Settlement, Touched
from store.repair_report import Report, as_bytes
from store.state import State
from tests.store.support import message_id


def test_every_kind_of_record_has_its_words() -> None:
    report = Report()
    state = State(11, 30)
    ann = state.apply_created(1, Created(1, 0, 0, 0, "ann"))
    one = Accepted(1, 1, message_id(1), "ann\x1b", 2, (1, 9), b"body")
    settlement = Settlement(0, 5, 1, 0, 4, 1, message_id(2))
    for certain in (True, False):
        report.doubt_record(state, RecordCode.MESSAGE_ACCEPTED, one, certain=certain)
    everyone = one._replace(recipients=())
    report.doubt_record(state, RecordCode.MESSAGE_FOR_EVERYONE, everyone, certain=True)
    settled = Settled(at_ms=1, account=1, discarded=False, name="ann", settlements=(settlement,))
    report.doubt_record(state, RecordCode.ENTRIES_SETTLED, settled, certain=True)
    report.doubt_record(state, RecordCode.ACCOUNT_CREATED, Created(1, 0, 0, 0, "eve"), certain=True)
    report.doubt_record(state, RecordCode.DELETION_BEGUN, Begun(1, 1, 0, 0), certain=True)
    report.doubt_record(state, RecordCode.ACCOUNT_DELETED, Touched(1, 9), certain=True)
    report.doubt_record(state, RecordCode.ACCOUNT_TOUCHED, Touched(1, 1), certain=True)
    report.doubt_account(ann, "why")
    report.lose_entry(state, 0, (7, 1, message_id(3), 1))
    report.lose_entry(state, 1, (8, 2, message_id(4), 9))
    text = as_bytes(report.lines).decode()
    assert text.count("\n") == len(report.lines) == 10
    assert "\x1b" not in text
    for wanted in (
        f"lost: message {message_id(1).hex()} from 'ann\\x1b' to 'ann' (1), the account of num",
        f"in doubt: message {message_id(1).hex()}",
        "to everyone\n",
        f"in doubt: message {message_id(2).hex()}: that 'ann' has it is forgotten",
        "lost: account 'eve': it was created there",
        "in doubt: account 'ann' (1): that it was deleted is forgotten",
        "in doubt: account the account of number 9",
        f"lost: message {message_id(3).hex()} from 'ann' (1) to everyone, number 7",
        f"lost: the outcome of message {message_id(4).hex()} which went to the account",
        "in doubt: account 'ann' (1): why",
    ):
        assert wanted in text, wanted
    assert (report.lost, report.doubts) == (5, 5)
