"""Print the parts of docs/protocol.md that are made from the code, or write them into it.

    python scripts/print_protocol.py            print them
    python scripts/print_protocol.py --write    put them between their marks in docs/protocol.md

A test compares the document with what this prints, so the two cannot drift apart.
Must never touch anything outside the marks. Fails with exit 1 when a mark is missing.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from wire import frames, limits, states  # noqa: E402  # the path above comes first
from wire.codes import (  # noqa: E402  # as above
    Audience,
    Authentication,
    Field,
    FrameType,
    NoticeKind,
    Presence,
    Registration,
)
from wire.connection import Connection  # noqa: E402  # as above
from wire.fields import FieldSpec, Rule  # noqa: E402  # as above
from wire.messages import (  # noqa: E402  # as above
    AccountEntry,
    AccountList,
    CheckComplete,
    CheckMessages,
    DistributeMessage,
    Hello,
    ListAccounts,
    LoggedOut,
    LoginChallenge,
    LoginProof,
    LoginRequest,
    LoginSuccess,
    Logout,
    Message,
    MessagePending,
    MessageReceipt,
    MessageSuccess,
    ReceiptSettled,
    SendMessage,
    Welcome,
)
from wire.scram import ClientLogin, ServerLogin, make_verifier, read_first  # noqa: E402  # as above
from wire.tlv import HEADER, HEADER_BYTES, spans  # noqa: E402  # as above

DOCUMENT = ROOT / "docs" / "protocol.md"

_ONCE = {Rule.REQUIRED: "", Rule.OPTIONAL: "?", Rule.REPEATED: "*", Rule.FLAG: "?"}


def _field(spec: FieldSpec) -> str:
    return spec.field.name + _ONCE[spec.rule]


def frame_table() -> str:
    """Every frame: number, name, who sends it, which fields."""
    lines = ["| number | frame | from | fields |", "|---:|---|---|---|"]
    for row in frames.FRAMES:
        senders = [
            role.value[0].upper() for role in states.Role if row.number in states.SENDERS[role]
        ]
        fields = ", ".join(_field(spec) for spec in row.fields)
        if row.group is not None:
            fields += f", then entries of ({', '.join(_field(spec) for spec in row.group.specs)})"
        lines.append(f"| {row.number:d} | {row.number.name} | {' '.join(senders)} | {fields} |")
    return "\n".join(lines)


def field_table() -> str:
    """Every field: number, name, kind of value."""
    kinds: dict[Field, str] = {}
    for row in frames.FRAMES:
        for spec in (*row.fields, *(row.group.specs if row.group else ())):
            kinds[spec.field] = spec.kind.label
    lines = ["| number | field | value |", "|---:|---|---|"]
    lines += [f"| {field:d} | {field.name} | {kinds[field]} |" for field in Field]
    return "\n".join(lines)


def number_lists() -> str:
    """The small lists of numbers."""
    lines = ["| list | numbers |", "|---|---|"]
    for codes in (Presence, Audience, NoticeKind, Authentication, Registration):
        numbers = ", ".join(f"{code:d} {code.name}" for code in codes)
        lines.append(f"| {codes.__name__} | {numbers} |")
    return "\n".join(lines)


def limit_table() -> str:
    """Every limit of the wire."""
    lines = ["| limit | value |", "|---|---:|"]
    lines += [f"| {name} | {value:,} |" for name, value in vars(limits).items() if name.isupper()]
    return "\n".join(lines)


def _conversation() -> list[tuple[str, Message]]:
    """One whole conversation: bob logs in, finds a message, answers it, and leaves."""
    server_id = bytes.fromhex("5e1f0000000000000000000000000001")
    theirs = bytes.fromhex("a11ce00000000001") + (7).to_bytes(8)
    installation = bytes.fromhex("b0b0000000000001")
    mine = installation + (1).to_bytes(8)
    at_ms = 1_772_366_400_000
    return [
        ("C", Hello((limits.VERSION,), "example/1.0")),
        (
            "S",
            Welcome(
                version=limits.VERSION,
                server_id=server_id,
                agent="msgd/0.1",
                authentication=Authentication.NAME_ONLY,
                server_time_ms=at_ms,
                frame_bytes_max=limits.FRAME_BYTES_MAX,
                body_bytes_max=limits.BODY_BYTES_MAX,
                recipients_max=limits.RECIPIENTS_MAX,
                window_messages=limits.WINDOW_MESSAGES_MAX,
                window_bytes=limits.WINDOW_BYTES_MAX,
                ping_interval_ms=30_000,
            ),
        ),
        ("C", LoginRequest(1, "bob", installation, create_if_new=True, live=True)),
        ("S", LoginSuccess(1, "bob", 1, 0, last_seen_ms=at_ms - 60_000)),
        ("C", CheckMessages(2)),
        ("S", DistributeMessage(41, theirs, "alice", at_ms - 9_000, Audience.ONE, 1, b"Lunch?", 2)),
        ("S", CheckComplete(2, delivered=1, remaining=0)),
        ("C", MessageReceipt((41,), request=3)),
        ("S", ReceiptSettled(3, 1)),
        ("C", ListAccounts(4, pattern="a*")),
        (
            "S",
            AccountList(
                4,
                accounts_total=2,
                accounts_connected=2,
                entries=(AccountEntry("alice", Presence.ON, at_ms),),
            ),
        ),
        ("C", SendMessage(5, mine, "Oui, à midi.".encode(), ("alice",))),
        ("S", MessagePending(5, mine, 1, at_ms + 4_000)),
        ("S", MessageSuccess(44, mine, "alice", at_ms + 4_020)),
        ("C", MessageReceipt((44,))),
        ("C", Logout(6)),
        ("S", LoggedOut(6)),
    ]


def login_dump() -> str:
    """A login with a password on a plain connection: the texts of SCRAM, then the bytes."""
    password, installation = "correct horse battery staple", bytes.fromhex("b0b0000000000001")
    verifier = make_verifier(password, bytes(range(16)), limits.ITERATIONS_MIN)
    client = ClientLogin("bob", "Y2xpZW50IG5vbmNlIG9mIDI0", None)
    server = ServerLogin(verifier, read_first(client.first), "c2VydmVyIG5vbmNlIG9mIDI0", None)
    proof = client.answer(server.challenge, password)
    final = server.check(proof)
    assert final is not None
    client.check(final)
    texts = (client.first, server.challenge, proof, final)
    lines = [
        f'password     "{password}"',
        f"SALT         {verifier.salt.hex()}",
        f"ITERATIONS   {verifier.iterations}",
        f"STORED_KEY   {verifier.stored_key.hex()}",
        f"SERVER_KEY   {verifier.server_key.hex()}",
        "",
        *(f"{end}  {text.decode()}" for end, text in zip("CSCS", texts, strict=True)),
        "",
    ]
    script: list[tuple[str, Message]] = [
        ("C", LoginRequest(1, "bob", installation, live=True, scram=client.first)),
        ("S", LoginChallenge(1, server.challenge)),
        ("C", LoginProof(1, proof)),
        ("S", LoginSuccess(1, "bob", 0, 0, account=7, scram=final)),
    ]
    return "```text\n" + "\n".join(lines + _dumped(script, states.State.READY)) + "\n```"


def conversation_dump() -> str:
    """The bytes of that conversation, field by field."""
    return "```text\n" + "\n".join(_dumped(_conversation(), states.State.NEW)) + "\n```"


def _dumped(script: list[tuple[str, Message]], state: states.State) -> list[str]:
    """The lines of a conversation, judged by a real Connection at both ends."""
    ends = {"C": Connection(states.Role.CLIENT), "S": Connection(states.Role.SERVER)}
    ends["C"].state = ends["S"].state = state
    lines: list[str] = []
    for sender, message in script:
        data = ends[sender].send(message)
        receiver = ends["S" if sender == "C" else "C"]
        receiver.receive_data(data)
        if receiver.next_event() != message:
            raise AssertionError("the example does not survive its own protocol")
        lines += [*_dump(sender, data), ""]
    return lines[:-1]


def _dump(sender: str, data: bytes) -> list[str]:
    number, length = HEADER.unpack_from(data)
    arrow = "C -> S" if sender == "C" else "S -> C"
    lines = [
        f"{arrow}  {FrameType(number).name}, {length} bytes",
        f"    {data[:HEADER_BYTES].hex(' ')}",
    ]
    for field, start, end in spans(data, HEADER_BYTES, len(data)):
        header = data[start - HEADER_BYTES : start].hex(" ")
        lines.append(f"      {header}  {Field(field).name}")
        lines += [
            f"        {data[at : min(at + 16, end)].hex(' ')}" for at in range(start, end, 16)
        ]
    return lines


PARTS: dict[str, Callable[[], str]] = {
    "frames": frame_table,
    "fields": field_table,
    "numbers": number_lists,
    "limits": limit_table,
    "diagram": lambda: f"```text\n{states.diagram()}\n```",
    "states": states.table,
    "login": login_dump,
    "conversation": conversation_dump,
}


def renewed(document: str) -> str:
    """The document with each part between its marks made anew. Raises KeyError for a lost mark."""
    for name, part in PARTS.items():
        head, mark, rest = document.partition(f"<!-- made: {name} -->\n")
        _, end, tail = rest.partition("\n<!-- end -->")
        if not (mark and end):
            raise KeyError(name)
        document = f"{head}{mark}{part()}{end}{tail}"
    return document


def main() -> int:
    """Print the parts, or write them."""
    parser = argparse.ArgumentParser(description="the made parts of docs/protocol.md")
    parser.add_argument("--write", action="store_true", help="put them into the document")
    if not parser.parse_args().write:
        print("\n\n".join(part() for part in PARTS.values()))
        return 0
    try:
        DOCUMENT.write_text(renewed(DOCUMENT.read_text("utf-8")), "utf-8")
    except KeyError as error:
        print(f"docs/protocol.md has lost its mark for {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
