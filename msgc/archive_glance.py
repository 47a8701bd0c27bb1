"""The history at a glance: what the screen wants while one types, newest first.

A letter must be answered before the next one is typed, also among a million messages. So what was
sent or received last is looked through as it stands, which finds parts of words and answers every
common word; what that leaves of the page comes from the word index, which knows beginnings of words
and is fast for rare ones. `thorough` looks through everything.

Must never let the text that a person typed act as a query language. Fails with ArchiveError.
"""

from typing import Final

from msgc.archive_database import Database, Value
from msgc.limits import SEARCH_CHARACTERS_MAX

NEWEST_ROWS: Final = 10_000
"""How many of the last messages in each direction are looked through at a glance."""
INDEX_ROWS_MAX: Final = 20_000
"""How many finds of the word index are looked at: more than that is a common word."""
_PERSON_ROWS: Final = 1_000
"""Of so many of them it is looked up whether the name really begins so."""
_EVERYTHING: Final = -1
"""To SQLite a limit that is none."""

Found = tuple[int, bool, int]
"""The row, whether it is one's own, and its time in milliseconds since 1970."""

_RECEIVED: Final = (
    "SELECT number, 0, received_at_ms FROM (SELECT number, received_at_ms, delivery, sender, body "
    "FROM received ORDER BY received_at_ms DESC, delivery DESC, number DESC LIMIT ?) AS row"
)
_RECEIVED_ORDER: Final = "ORDER BY received_at_ms DESC, delivery DESC, number DESC LIMIT ?"
_SENT: Final = (
    "SELECT sequence, 1, composed_at_ms FROM (SELECT sequence, composed_at_ms, message_id, "
    "everyone, body FROM outbox ORDER BY sequence DESC LIMIT ?) AS row"
)
_SENT_ORDER: Final = "ORDER BY sequence DESC LIMIT ?"
_HAS_RECIPIENT: Final = (
    "EXISTS (SELECT 1 FROM fates WHERE fates.message_id = row.message_id "
    "AND fates.recipient LIKE ? ESCAPE '\\')"
)
_SENT_TO: Final = "SELECT 1 FROM outbox AS row WHERE sequence = ? AND " + _HAS_RECIPIENT  # noqa: S608 - both are ours
_Condition = tuple[str, tuple[Value, ...]]


class Glance:
    """See the module's text. Only reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, words: str, person: str, limit: int, *, thorough: bool) -> list[Found]:
        """What holds all words, from or to whose name begins with `person`; "" is everything."""
        parts = tuple(words.replace("\0", " ")[:SEARCH_CHARACTERS_MAX].split())
        person = person.replace("\0", " ").strip()
        if not parts and not person:
            return self._newest((), (), limit, limit)
        is_plain = thorough or not self._database.has_search
        received = [_holds(part, "row.sender LIKE ? ESCAPE '\\'") for part in parts]
        # The index knows recipients; to look them up for each row would take too long.
        sent = [_holds(part, _HAS_RECIPIENT if is_plain else "") for part in parts]
        if person:
            begin = f"{_escaped(person)}%"
            received.append(("row.sender LIKE ? ESCAPE '\\'", (begin,)))
            sent.append((_HAS_RECIPIENT, (begin,)))
        depth = _EVERYTHING if thorough else NEWEST_ROWS
        found = self._newest(tuple(received), tuple(sent), limit, depth)
        if len(found) == limit or not self._database.has_search:
            return found
        return _newest_of({*found, *self._indexed(parts, person, limit)}, limit)

    def _newest(
        self,
        received: tuple[_Condition, ...],
        sent: tuple[_Condition, ...],
        limit: int,
        depth: int,
    ) -> list[Found]:
        """Of the last `depth` messages in each direction, those that meet all conditions."""
        rows: set[Found] = set()
        for select, conditions, order in (
            (_RECEIVED, received, _RECEIVED_ORDER),
            (_SENT, sent, _SENT_ORDER),
        ):
            where = " AND ".join(sql for sql, _ in conditions)
            values = tuple(value for _, some in conditions for value in some)
            found = self._database.all(
                f"{select} {f'WHERE {where}' if where else ''} {order}", (depth, *values, limit)
            )
            rows.update((row[0], bool(row[1]), row[2]) for row in found)
        return _newest_of(rows, limit)

    def _indexed(self, parts: tuple[str, ...], person: str, limit: int) -> list[Found]:
        """What the word index knows: rows with words that begin so.

        They come in the order of the archive, the last first, which is nearly that of the times.
        """
        terms = [f'"{part.replace(chr(34), chr(34) * 2)}"*' for part in parts]
        if person:
            terms.append(f'names : "{person.replace(chr(34), chr(34) * 2)}"*')
        numbers = self._database.all(
            "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ?",
            (" AND ".join(terms), INDEX_ROWS_MAX),
        )
        found: list[Found] = []
        for is_own in (False, True):
            wanted = [row[0] // 2 for row in numbers if bool(row[0] % 2) is is_own]
            found += self._times(
                wanted[: max(limit, _PERSON_ROWS) if person else limit], own=is_own
            )
        return found if not person else [one for one in found if self._is_of(one, person)]

    def _times(self, wanted: list[int], *, own: bool) -> list[Found]:
        """With the time of each."""
        select = (
            "SELECT sequence, composed_at_ms FROM outbox WHERE sequence IN "
            if own
            else "SELECT number, received_at_ms FROM received WHERE number IN "
        )
        rows = self._database.all(f"{select}({','.join('?' * len(wanted))})", tuple(wanted))
        return [(row[0], own, row[1]) for row in rows]

    def _is_of(self, found: Found, person: str) -> bool:
        """Whether the name itself begins so: the index knows only its pieces."""
        begin = f"{_escaped(person)}%"
        if found[1]:
            sql = _SENT_TO
        else:
            sql = "SELECT 1 FROM received WHERE number = ? AND sender LIKE ? ESCAPE '\\'"
        return self._database.one(sql, (found[0], begin)) is not None


def _holds(part: str, name_condition: str) -> _Condition:
    """The text holds this, or the name does."""
    pattern = f"%{_escaped(part)}%"
    body = "row.body LIKE ? ESCAPE '\\'"
    if not name_condition:
        return body, (pattern,)
    return f"({body} OR {name_condition})", (pattern, pattern)


def _newest_of(found: set[Found], limit: int) -> list[Found]:
    return sorted(found, key=lambda one: (one[2], one[0]), reverse=True)[:limit]


def _escaped(text: str) -> str:
    """For LIKE, where % and _ mean something."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
