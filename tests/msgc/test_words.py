"""What people are told: the fixed sentences that scripts and tests rely on, and no code unsaid."""

import pytest

from msgc import words
from msgc.states import FateState, SendState
from msgc.values import Fate, Sent
from wire.codes import Audience, Code, NoticeKind, Presence


def sent(
    state: SendState = SendState.PENDING,
    fates: tuple[Fate, ...] = (),
    recipients: tuple[str, ...] = ("bob", "dave", "erin"),
    accepted_count: int | None = None,
) -> Sent:
    return Sent(
        b"i" * 8 + (7).to_bytes(8, "big"),
        recipients,
        not recipients,
        "hi",
        1,
        state,
        fates=fates,
        accepted_count=accepted_count,
    )


def test_fixed_sentences() -> None:
    assert words.in_use("alice") == "Username alice is already in use, choose another."
    assert (
        words.none_available("14:32:07")
        == "No messages are available (asked the server at 14:32:07)."
    )
    assert words.unknown_recipients(("bobb",)) == 'No user matches "bobb".'
    delivered = Fate("bob", FateState.DELIVERED, 5)
    assert (
        words.sent_summary(sent(fates=(delivered,))) == "Sent to 3 users: 1 delivered, 2 waiting."
    )


def test_every_summary_is_a_sentence() -> None:
    gone = Fate("bob", FateState.RECIPIENT_DELETED, 5)
    assert words.sent_summary(sent(fates=(gone,))).endswith("2 waiting, 1 came to nothing.")
    assert words.sent_summary(sent(SendState.UNSENT)).startswith("Not sent yet")
    assert words.sent_summary(sent(SendState.FAILED)).startswith("Not sent.")
    assert words.sent_summary(sent(recipients=())).startswith("Sent to all users")
    assert words.sent_summary(sent(recipients=(), accepted_count=2)).startswith("Sent to 2 users")


def test_numbers_of_a_message_add_up() -> None:
    fates = (Fate("bob", FateState.DELIVERED, 5), Fate("dave", FateState.UNKNOWN))
    message = sent(fates=fates)
    assert (message.total, message.delivered, message.lost, message.waiting) == (3, 1, 1, 1)
    assert message.number == 7
    assert words.send_state(message) == "waiting"
    assert words.send_state(sent(SendState.UNSENT)) == "unsent"
    assert words.send_state(sent(SendState.FAILED)) == "failed"
    assert words.send_state(sent(recipients=(), accepted_count=0)) == "done"


@pytest.mark.parametrize("code", [*Code, words.CODE_ID_REUSED, words.CODE_ACCOUNT_GONE, 9_999])
def test_every_code_has_a_sentence(code: int) -> None:
    text = words.refusal(code, "", "alice")
    assert text[0].isupper()
    assert text.endswith((".", "alice"))


def test_a_server_that_was_reached_is_not_out_of_reach() -> None:
    assert words.unreachable("h:1", "timed out") == "Cannot reach the server at h:1: timed out."
    full = words.refusal(Code.TOO_MANY_CONNECTIONS, "")
    assert words.unreachable("h:1", full) == f"Not connected to the server at h:1. {full}"
    tls = words.unreachable("h:1", words.refusal(Code.TLS_NEEDED, "x"))
    assert "It speaks TLS only" in tls
    assert not tls.endswith("..")


def test_why_a_server_is_busy_is_said() -> None:
    assert words.refusal(Code.BUSY, "too many wrong tries; again in 3 seconds") == (
        "Too many wrong tries; again in 3 seconds."
    )
    assert words.refusal(Code.BUSY, "") == "The server is too busy. Try again in a moment."


def test_unknown_codes_carry_the_servers_words() -> None:
    assert words.refusal(Code.KICKED, "out, bob: rude").endswith(" It says: out, bob: rude.")
    assert words.refusal(9_999, "tea time") == "The server says: tea time (code 9999)."


@pytest.mark.parametrize("state", FateState)
def test_every_fate_has_a_word(state: FateState) -> None:
    assert words.fate(state)


def test_presence_and_audience() -> None:
    assert [words.presence(state) for state in (*Presence, 77)] == ["off", "ON", "ON?", "?"]
    assert [words.audience(kind, 3) for kind in Audience] == ["you", "3 users", "all"]


def test_notices() -> None:
    assert words.notice(NoticeKind.MAIL_WAITING, "", 1) == "1 message waiting for you."
    assert words.notice(NoticeKind.ANNOUNCEMENT, "tea", None) == "The operator says: tea"
    assert words.notice(NoticeKind.SHUTTING_DOWN, "", None).startswith("The server is being shut")
    assert words.notice(77, "odd", None) == "The server says: odd"


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (-5, "0 s"),
        (12_999, "12 s"),
        (180_000, "3 min"),
        (7_500_000, "2 h 5 min"),
        (352_800_000, "4 d 2 h"),
    ],
)
def test_durations(milliseconds: int, text: str) -> None:
    assert words.duration(milliseconds) == text


def test_held_and_undelivered() -> None:
    assert "process 42" in words.held("alice", 42)
    assert "another msgc process" in words.held("alice", None)
    assert words.undelivered("alice", 2).startswith("2 messages wait for alice")
