"""What a repair has to tell: one line for each damage, message id and account.

    damage: FILE, byte N: what is wrong there
    lost: message ID from NAME to NAME, number N: why
    lost: N messages to NAME, whose ids cannot be read
    in doubt: message ID …, in doubt: account NAME (N): why

"Lost" is not in the folder any more. "In doubt" may be lost, may come a second time, or may be
older than it was; the line says which.

Must never print what somebody sent: names are escaped, bodies left out. Does not fail.
"""

from collections.abc import Iterable

from store.entry import EntryKind
from store.records import (
    Accepted,
    Begun,
    Created,
    Fields,
    Recalled,
    RecalledFromAll,
    RecordCode,
    Settled,
    Touched,
)
from store.state import EVERYONE, Account, State


class Report:
    """The lines, in the order in which things were found."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.lost = 0
        self.doubts = 0

    def damage(self, file: str, offset: int, reason: str) -> None:
        """Something in a file is not what it was."""
        self.lines.append(f"damage: {file}, byte {offset}: {reason}")

    def lose(self, text: str, count: int = 1) -> None:
        """Something is gone."""
        self.lines.append(f"lost: {text}")
        self.lost += count

    def doubt(self, text: str) -> None:
        """Something may be gone, old, or come again."""
        self.lines.append(f"in doubt: {text}")
        self.doubts += 1

    # --- what the words are made of ---

    def doubt_account(self, account: Account, reason: str) -> None:
        """An account that may not be what it was."""
        self.doubt(f"account {name_of(account)}: {reason}")

    def lose_entry(self, state: State, owner: int, entry: tuple[int, int, bytes, int]) -> None:
        """An entry of a queue, as far as its bytes still say: number, kind, message id, sender."""
        number, kind, message_id, sender = entry
        what = "message" if kind == EntryKind.MESSAGE else "the outcome of message"
        other = "from" if kind == EntryKind.MESSAGE else "which went to"
        self.lose(
            f"{what} {message_id.hex()} {other} {name_of(state.by_number.get(sender), sender)} to "
            f"{name_of(state.by_number.get(owner), owner)}, number {number}"
        )

    def doubt_record(self, state: State, type_: int, fields: Fields, *, certain: bool) -> None:
        """A record of a batch that cannot be trusted; `certain`: it had been acknowledged."""
        tell = self.lose if certain else self.doubt
        if isinstance(fields, Accepted):
            tell(
                f"message {fields.message_id.hex()} from {fields.sender_name!a} to "
                f"{targets(state, fields)}"
            )
        elif isinstance(fields, Settled):
            for each in fields.settlements:
                self.doubt(
                    f"message {each.message_id.hex()}: that {fields.name!a} has it is forgotten; "
                    "it may be delivered again"
                )
        elif isinstance(fields, Created):
            tell(f"account {fields.name!a}: it was created there")
        elif isinstance(fields, Recalled | RecalledFromAll):
            self.doubt(
                f"message {fields.message_id.hex()}: that its sender took it back is forgotten; "
                "it may be delivered all the same"
            )
        elif isinstance(fields, Begun) or (
            isinstance(fields, Touched) and type_ == RecordCode.ACCOUNT_DELETED
        ):
            number = fields.account
            self.doubt(
                f"account {name_of(state.by_number.get(number), number)}: "
                "that it was deleted is forgotten"
            )


def name_of(account: Account | None, number: int = 0) -> str:
    """An account in words."""
    if account is not None:
        return f"{account.name!a} ({account.number})"
    return "everyone" if number == EVERYONE else f"the account of number {number}"


def targets(state: State, fields: Accepted) -> str:
    """The recipients of a message in words."""
    if not fields.recipients:
        return "everyone"
    return ", ".join(name_of(state.by_number.get(each), each) for each in fields.recipients)


def as_bytes(lines: Iterable[str]) -> bytes:
    """The file."""
    return "".join(f"{line}\n" for line in lines).encode("ascii", "backslashreplace")
