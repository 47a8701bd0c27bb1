"""Messages as a mailbox that mail programs read: mbox, one message after another.

    From bob@chat.example Sat Jan 31 14:30:05 2026      RFC 4155: sender, and time in UTC
    From: bob@chat.example                              RFC 2822; MIME: RFC 2045, 2047
    ...

    the text

Each text is exact: decoded by the rules of MIME it is the text that was sent, and one newline. A
text of nothing but plain ASCII stands as it is. Any other is quoted-printable, where every byte
that is not plain is `=XX`. So is one with a line that begins like a separator (`=46rom `): readers
do not agree how `>From ` is to be taken back. All of it is ASCII (RFC 4155, appendix A): no text
can tell anything to a reader that splits at `From `, nor to a terminal that the file is shown on.

Must never let a name or a text make a header or a separator. Fails never.
"""

import re
from binascii import b2a_base64
from datetime import UTC, datetime
from typing import Final

from msgc import words
from msgc.profile import is_name
from msgc.states import SendState
from msgc.values import Received, Sent
from term.safe import safe_line

PLAIN_LINE_BYTES_MAX: Final = 900
"""RFC 2822 section 2.1.1 allows 998; a longer line is quoted-printable."""
QUOTED_LINE_BYTES_MAX: Final = 73
"""RFC 2045 section 6.7 allows 76; the rest is for the `=` at the end and a quoted beginning."""
SUBJECT_COLUMNS_MAX: Final = 60
WORD_BYTES_MAX: Final = 42
"""Of text in one encoded word; RFC 2047 section 2 allows it 75 characters in all."""
_TIME_MAX_MS: Final = 253_402_300_799_000
"""The end of the year 9999: what a server says of the time may be anything."""
_SEPARATOR: Final = re.compile(r">*From ")
_PLAIN_HOST: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)

Header = tuple[str, str]


def of_received(message: Received, user: str, host: str) -> str:
    """A received message. `user` is whose archive it is, `host` where the server is."""
    sender = _address(message.sender, host)
    headers = (
        ("From", sender),
        ("To", _address(user, host)),
        ("Date", _date(message.received_at_ms)),
        ("Message-ID", f"<{message.message_id.hex()}@{_domain(host)}>"),
        ("X-Msgc-To", words.audience(message.audience, message.audience_count)),
        ("Status", "O" if message.unread else "RO"),
    )
    return _entry(sender, message.received_at_ms, headers, message.body)


def of_sent(sent: Sent, user: str, host: str) -> str:
    """A message of one's own, with what became of it."""
    sender = _address(user, host)
    named = ",\n ".join(_address(name, host) for name in sent.recipients)
    fates = sent.fates if sent.state is SendState.PENDING else ()
    headers = (
        ("From", sender),
        ("To", "everyone:;" if sent.everyone else named),
        ("Date", _date(sent.composed_at_ms)),
        ("Message-ID", f"<{sent.message_id.hex()}@{_domain(host)}>"),
        ("X-Msgc-State", words.send_state(sent)),
        *(
            ("X-Msgc-Fate", f"{_address(fate.recipient, host)} {words.fate(fate.state)}")
            for fate in fates
        ),
        ("Status", "RO"),
    )
    return _entry(sender, sent.composed_at_ms, headers, sent.body)


def _entry(sender: str, at_ms: int, headers: tuple[Header, ...], body: str) -> str:
    encoding, content = _encode(body)
    all_headers = (
        *headers,
        ("Subject", _subject(body)),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", encoding),
    )
    head = f"From {sender} {_separator_time(at_ms)}\n"
    head += "".join(f"{name}: {value}\n" for name, value in all_headers)
    return f"{head}\n{content}\n"


# ----- the text ---------------------------------------------------------------------------------


def _encode(body: str) -> tuple[str, str]:
    """The name of the encoding, and the text in it, ended by a newline."""
    lines = body.split("\n")
    if all(_is_plain(line) for line in lines):
        return "7bit", f"{body}\n"
    return "quoted-printable", "".join(_quote(line) for line in lines)


def _is_plain(line: str) -> bool:
    return (
        line.isascii()
        and line.replace("\t", "").isprintable()
        and len(line) <= PLAIN_LINE_BYTES_MAX
        and not _SEPARATOR.match(line)
        # A blank at the end may be lost on the way (RFC 2045 section 6.7, rule 3).
        and not line.endswith((" ", "\t"))
    )


def _quote(line: str) -> str:
    """One line as quoted-printable, with its newline."""
    pieces = [
        chr(byte) if 0x20 <= byte <= 0x7E and byte != ord("=") else f"={byte:02X}"
        for byte in line.encode("utf-8", "surrogatepass")
    ]
    if pieces and pieces[-1] == " ":
        pieces[-1] = "=20"
    rows: list[str] = [""]
    for piece in pieces:
        if len(rows[-1]) + len(piece) > QUOTED_LINE_BYTES_MAX:
            rows.append("")
        rows[-1] += piece
    # A row that begins in the middle of a line would be taken for a separator all the same.
    safe = (f"={ord(row[0]):02X}{row[1:]}" if _SEPARATOR.match(row) else row for row in rows)
    return "=\n".join(safe) + "\n"


# ----- headers ----------------------------------------------------------------------------------


def _subject(body: str) -> str:
    """The first line that says something, short."""
    first = next((line for line in body.splitlines() if line.strip()), "")
    subject = safe_line(first.strip(), SUBJECT_COLUMNS_MAX)
    if subject.isascii() and "=?" not in subject:
        return subject
    encoded: list[bytes] = [b""]
    for character in subject:
        data = character.encode("utf-8", "replace")
        if len(encoded[-1]) + len(data) > WORD_BYTES_MAX:
            encoded.append(b"")
        encoded[-1] += data
    return "\n ".join(
        f"=?utf-8?B?{b2a_base64(data, newline=False).decode('ascii')}?=" for data in encoded
    )


def _address(name: str, host: str) -> str:
    """`bob@chat.example`; what no username has becomes =XX."""
    local = name
    if not is_name(name):
        local = "".join(
            chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"={byte:02X}"
            for byte in name.encode("utf-8", "surrogatepass")
        )
    if ".." in local:  # RFC 2822 section 3.4.1: no dot-atom
        local = f'"{local}"'
    return f"{local}@{_domain(host)}"


def _domain(host: str) -> str:
    if _PLAIN_HOST.fullmatch(host):
        return host
    literal = "".join(character for character in host if character in "0123456789abcdefABCDEF:.")
    return f"[IPv6:{literal}]" if ":" in literal else "unknown"


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(min(max(at_ms, 0), _TIME_MAX_MS) // 1_000, UTC)


def _date(at_ms: int) -> str:
    """RFC 2822 section 3.3. Not by strftime: that would speak the person's language."""
    time = _time(at_ms)
    month = _MONTHS[time.month - 1]
    return f"{_DAYS[time.weekday()]}, {time.day} {month} {time.year:04} {time:%H:%M:%S} +0000"


def _separator_time(at_ms: int) -> str:
    """RFC 4155, appendix A: as asctime writes it, in UTC."""
    time = _time(at_ms)
    month = _MONTHS[time.month - 1]
    return f"{_DAYS[time.weekday()]} {month} {time.day:2} {time:%H:%M:%S} {time.year:04}"
