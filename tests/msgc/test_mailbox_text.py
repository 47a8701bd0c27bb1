"""Mailboxes: any text comes back exactly, and none makes a header or a separator."""

import mailbox
import re
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgc.mailbox_text import QUOTED_LINE_BYTES_MAX, of_received, of_sent
from msgc.states import FateState, SendState
from msgc.values import Fate, Received, Sent
from term.safe import Safe
from term.width import columns
from wire.codes import Audience

HOST = "chat.example"
TEXTS = st.text(
    st.one_of(
        st.sampled_from("From >=\n\r\t. \x00\x1b\x9b\u202e\u2028éß日"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=300,
)


def received(body: str, sender: str = "bob", at_ms: int = 1_700_000_000_000) -> Received:
    return Received(
        7, sender, at_ms, Audience.SEVERAL, 3, body, unread=True, stored_at_ms=1, delivery=5,
        message_id=bytes(range(16)),
    )  # fmt: skip


def sent(body: str) -> Sent:
    return Sent(
        bytes(range(16)), ("bob", "c..d"), everyone=False, body=body,
        composed_at_ms=1_700_000_000_000, state=SendState.PENDING,
        fates=(Fate("bob", FateState.DELIVERED, 5), Fate("c..d", FateState.WAITING)),
    )  # fmt: skip


def read(text: str) -> list[Message]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mbox"
        path.write_bytes(text.encode("ascii"))
        box = mailbox.mbox(path, create=False)
        try:
            return list(box)
        finally:
            box.close()


def text_of(message: Message) -> str:
    data = message.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data.decode("utf-8")


def test_how_a_message_looks() -> None:
    assert of_received(received("lunch?\n\n--bob"), "alice", HOST) == (
        "From bob@chat.example Tue Nov 14 22:13:20 2023\n"
        "From: bob@chat.example\n"
        "To: alice@chat.example\n"
        "Date: Tue, 14 Nov 2023 22:13:20 +0000\n"
        "Message-ID: <000102030405060708090a0b0c0d0e0f@chat.example>\n"
        "X-Msgc-To: 3 users\n"
        "Status: O\n"
        "Subject: lunch?\n"
        "MIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: 7bit\n"
        "\n"
        "lunch?\n\n--bob\n"
        "\n"
    )


def test_what_became_of_a_message_of_ones_own() -> None:
    (message,) = read(of_sent(sent("x"), "alice", HOST))
    assert message["From"] == "alice@chat.example"
    assert message["To"].split(",\n ") == ["bob@chat.example", '"c..d"@chat.example']
    assert message.get_all("X-Msgc-Fate") == [
        "bob@chat.example delivered",
        '"c..d"@chat.example waiting',
    ]
    assert message["X-Msgc-State"] == "waiting"


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_every_text_comes_back_and_makes_nothing_else(bodies: list[str]) -> None:
    text = "".join(of_received(received(body), "alice", HOST) for body in bodies)
    text += of_sent(sent(bodies[0]), "alice", HOST)
    assert re.sub(r"[\n\t]", "", text).isprintable()
    separators = re.findall(r"^From .*$", text, re.MULTILINE)
    assert len(separators) == len(bodies) + 1
    assert not re.search(r"^>+From ", text, re.MULTILINE)
    messages = read(text)
    assert [text_of(message) for message in messages] == [
        f"{body}\n" for body in (*bodies, bodies[0])
    ]
    for message in messages:
        assert set(message.keys()) <= {
            *("From", "To", "Date", "Message-ID", "X-Msgc-To", "X-Msgc-State", "X-Msgc-Fate"),
            *("Status", "Subject", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
        }


@given(TEXTS)
def test_lines_are_as_short_as_mail_wants_them(body: str) -> None:
    text = of_received(received(body * 20), "alice", HOST)
    limit = QUOTED_LINE_BYTES_MAX + 3 if "quoted-printable" in text else 998
    assert all(len(line) <= limit for line in text.split("\n\n", 1)[1].split("\n"))
    assert all(len(line) <= 78 for line in text.split("\n\n", 1)[0].split("\n"))


@given(TEXTS)
def test_the_subject_is_the_beginning_and_safe(body: str) -> None:
    (message,) = read(of_received(received(body), "alice", HOST))
    subject = str(make_header(decode_header(message["Subject"])))
    assert subject.isprintable()
    assert columns(Safe(subject)) <= 60


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("bob", "bob@chat.example"),
        ("a..b", '"a..b"@chat.example'),
        ("x\nFrom: root", "x=0AFrom=3A=20root@chat.example"),
        ("ü@evil", "=C3=BC=40evil@chat.example"),
        ("", "@chat.example"),
    ],
)
def test_a_name_makes_no_header(sender: str, address: str) -> None:
    (message,) = read(of_received(received("x", sender), "alice", HOST))
    assert message["From"] == address


@pytest.mark.parametrize(
    ("host", "domain"),
    [("::1", "[IPv6:::1]"), ("127.0.0.1", "127.0.0.1"), ("x\ny", "unknown"), ("", "unknown")],
)
def test_a_host_makes_no_header(host: str, domain: str) -> None:
    assert f"From: bob@{domain}\n" in of_received(received("x"), "alice", host)


@pytest.mark.parametrize("at_ms", [-1, 0, 2**63, 2**64 - 1])
def test_any_time_is_a_time(at_ms: int) -> None:
    (message,) = read(of_received(received("x", at_ms=at_ms), "alice", HOST))
    assert re.fullmatch(r"\w{3}, \d+ \w{3} \d{4} \d\d:\d\d:\d\d \+0000", message["Date"])
