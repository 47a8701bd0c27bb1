"""Accounts as TLVs of the accounts log.

    type 1 ACCOUNT    number, stamp, created_at_ms, last_seen_ms, closing_number, closing_total,
                      closing_bytes, own_messages, own_bytes, own_outcomes, everyone_seen,
                      everyone_seen_bytes, everyone_hint, end_offset, hint, file_last (16 u64),
                      flags u8 (1 has_file, 2 blocked follow), name_bytes u8, ranges u32,
                      windows u32, name,
                      ranges * (start u64, end u64),
                      windows * (installation 8, highest u64, last_used_ms u64, bitmap 128),
                      and where one is not 0, or one of the next two follows: session_number,
                      handed_from, handed_to (3 u64), blocked (see `store.blocking`),
                      and where there is one: the credential (see `store.credential`)
    type 2 EVERYONE   stamp, total, total_bytes, end_offset, hint, file_last (6 u64), has_file u8,
                      recalled * (number u64, body_bytes u32, sender u64, at_number u64,
                      kept u32, kept * account u64)
    type 3 TOMBSTONE  number u64
    type 4 REGISTRY   see `store.registry`

Must never be given bytes whose checksum was not looked at. Fails with ValueError.
"""

from struct import Struct
from struct import error as StructError  # noqa: N812  # it is a class
from typing import Final

from store.account import Account, Everyone, Withdrawn
from store.awake import AwakeAccount
from store.blocking import decode_list, encode_list
from store.credential import Credential, decode_credential, encode_credential
from store.limits import (
    BODY_BYTES_MAX,
    NUMBER_MAX,
    PAGE_BYTES,
    RECALLED_FROM_ALL_MAX,
    RECALLED_KEPT_MAX,
    WINDOW_BITS,
)
from store.names import decode_name
from store.ranges import Ranges
from store.window import Window
from wire import tlv

ACCOUNT: Final = 1
EVERYONE: Final = 2
TOMBSTONE: Final = 3

HAS_FILE: Final = 1
HAS_BLOCKED: Final = 2

FIXED: Final = Struct(">16QBBII")
NUMBERS_BYTES: Final = 16 * 8  # of its beginning
NUMBERS_TOO_HIGH: Final = int.from_bytes(b"\xc0".ljust(8, b"\0") * 16, "big")  # NUMBER_MAX or more
INSIDE_A_PAGE: Final = PAGE_BYTES - 1  # where no block begins
GLANCE: Final = Struct(">16x3Q16x2Q")  # of these
REACH: Final = Struct(">8xQ80xQ")
RANGE: Final = Struct(">QQ")
WINDOW: Final = Struct(f">8sQQ{WINDOW_BITS // 8}s")
MARKS: Final = Struct(">QQQ")
EVERYONE_STATE: Final = Struct(">6QB")
WITHDRAWN: Final = Struct(">QIQQI")


def encode_account(account: Account) -> bytes:
    """An account as it is now."""
    queue = account.queue
    pairs = account.settled.pairs()
    fixed = FIXED.pack(
        account.number,
        account.stamp,
        account.created_at_ms,
        account.last_seen_ms,
        account.closing_number,
        account.closing_total,
        account.closing_bytes,
        account.own_messages,
        account.own_bytes,
        account.own_outcomes,
        account.everyone_seen,
        account.everyone_seen_bytes,
        account.everyone_hint,
        queue.end_offset,
        queue.hint,
        queue.file_last,
        HAS_FILE * queue.has_file + HAS_BLOCKED * bool(account.blocked),
        len(account.name_bytes),
        len(pairs),
        len(account.windows),
    )
    parts = [fixed, account.name_bytes, *[RANGE.pack(*pair) for pair in pairs]]
    for installation, window in account.windows.items():
        bitmap = window.bitmap.to_bytes(WINDOW_BITS // 8, "big")
        parts.append(WINDOW.pack(installation, window.highest, window.last_used_ms, bitmap))
    if account.marked or account.credential is not None or account.blocked:
        marks = (account.session_number, account.handed_from, account.handed_to)
        parts.append(MARKS.pack(*marks))
        if account.blocked:
            parts.append(encode_list(account.blocked))
        parts.append(encode_credential(account.credential))
    return tlv.encode(ACCOUNT, b"".join(parts))


def identify(value: bytes) -> tuple[int, str, bool, bool]:
    """(number, name, is it closing, is it marked) of a saved account. Raises ValueError whenever
    decoding would.

    Start-up does this for each account; only those that somebody wants are ever decoded.
    """
    fixed, windows_at, marks_at = measure(value)
    name_end = FIXED.size + fixed[17]
    if value[name_end : name_end + 8] != bytes(8) or fixed[18] != 1:
        Ranges.of(list(RANGE.iter_unpack(value[name_end:windows_at])))
    name = decode_name(value[FIXED.size : name_end])
    decode_rest(value, fixed[16], marks_at)
    marked = any(value[marks_at : marks_at + MARKS.size])
    return fixed[0], name, fixed[4] != 0, marked


def glance(value: bytes) -> tuple[int, ...]:
    """created_at_ms, last_seen_ms, closing_number, own_messages and own_bytes of a saved account
    that `identify` has looked at.
    """
    fields: tuple[int, ...] = GLANCE.unpack_from(value)
    return fields


def reach(value: bytes) -> tuple[int, int]:
    """Stamp and everyone_hint of a saved account that `identify` has looked at."""
    fields: tuple[int, int] = REACH.unpack_from(value)
    return fields


def measure(value: bytes) -> tuple[tuple[int, ...], int, int]:
    """The fields of fixed size, and where the windows and the marks begin. Raises ValueError."""
    try:
        fixed: tuple[int, ...] = FIXED.unpack_from(value)
    except StructError as error:
        raise ValueError(str(error)) from error
    if (
        int.from_bytes(value[:NUMBERS_BYTES], "big") & NUMBERS_TOO_HIGH
        or not 0 < fixed[0] <= fixed[1] >= fixed[15]  # number, stamp, file_last
        or fixed[4] > fixed[1]  # closing_number
        or fixed[13] < fixed[14]  # end_offset, hint
        or (fixed[12] | fixed[13] | fixed[14]) & INSIDE_A_PAGE
        or (fixed[13] and not fixed[16] & HAS_FILE)
    ):
        raise ValueError("an account with numbers that cannot be")
    windows_at = FIXED.size + fixed[17] + fixed[18] * RANGE.size
    if int.from_bytes(value[windows_at - 8 : windows_at], "big") > fixed[1]:
        raise ValueError("an account that has settled what is not there yet")
    marks_at = windows_at + fixed[19] * WINDOW.size
    if len(value) != marks_at and len(value) < marks_at + MARKS.size:
        raise ValueError("an account of the wrong size")
    return fixed, windows_at, marks_at


def decode_account(value: bytes) -> AwakeAccount:
    """The account that was saved. Raises ValueError."""
    fixed, windows_at, marks_at = measure(value)
    ranges_at = FIXED.size + fixed[17]
    account = AwakeAccount(fixed[0], decode_name(value[FIXED.size : ranges_at]), fixed[2])
    account.stamp, account.last_seen_ms = fixed[1], fixed[3]
    account.closing_number, account.closing_total, account.closing_bytes = fixed[4:7]
    account.own_messages, account.own_bytes, account.own_outcomes = fixed[7:10]
    account.everyone_seen, account.everyone_seen_bytes, account.everyone_hint = fixed[10:13]
    queue = account.queue
    queue.end_offset, queue.hint, queue.file_last = fixed[13:16]
    queue.has_file = bool(fixed[16] & HAS_FILE)
    account.settled = Ranges.of(list(RANGE.iter_unpack(value[ranges_at:windows_at])))
    for installation, highest, used_ms, bitmap in WINDOW.iter_unpack(value[windows_at:marks_at]):
        account.windows[installation] = Window(highest, int.from_bytes(bitmap, "big"), used_ms)
    if marks_at < len(value):
        marks = MARKS.unpack_from(value, marks_at)
        account.session_number, account.handed_from, account.handed_to = marks
    account.blocked, account.credential = decode_rest(value, fixed[16], marks_at)
    return account


def decode_rest(
    value: bytes, flags: int, marks_at: int
) -> tuple[tuple[int, ...], Credential | None]:
    """What follows the marks: who is blocked, and the credential. Raises ValueError."""
    blocked: tuple[int, ...] = ()
    rest_at = marks_at + MARKS.size
    if flags & HAS_BLOCKED:
        try:
            blocked, rest_at = decode_list(value, rest_at)
        except StructError as error:
            raise ValueError(str(error)) from error
    return blocked, decode_credential(value[rest_at:])


def encode_everyone(everyone: Everyone) -> bytes:
    """The shared queue as it is now."""
    queue = everyone.queue
    value = EVERYONE_STATE.pack(
        everyone.stamp,
        everyone.total,
        everyone.total_bytes,
        queue.end_offset,
        queue.hint,
        queue.file_last,
        queue.has_file,
    )
    parts = [value]
    for each in everyone.recalled.values():
        head = WITHDRAWN.pack(*each[:4], len(each.kept))
        parts += [head, Struct(f">{len(each.kept)}Q").pack(*each.kept)]
    return tlv.encode(EVERYONE, b"".join(parts))


def decode_everyone(value: bytes) -> Everyone:
    """The shared queue that was saved. Raises ValueError."""
    everyone = Everyone()
    queue = everyone.queue
    try:
        fixed = EVERYONE_STATE.unpack_from(value)
        start = EVERYONE_STATE.size
        while start < len(value):
            number, body_bytes, sender, at_number, count = WITHDRAWN.unpack_from(value, start)
            kept = Struct(f">{count}Q").unpack_from(value, start + WITHDRAWN.size)
            everyone.recalled[number] = Withdrawn(number, body_bytes, sender, at_number, kept)
            start += WITHDRAWN.size + 8 * count
    except StructError as error:
        raise ValueError(str(error)) from error
    stamp, _, _, end, hint, last, has_file = fixed
    is_wrong = stamp < last or end < hint or (end | hint) & INSIDE_A_PAGE or (end and not has_file)
    if is_wrong or max(fixed) > NUMBER_MAX:
        raise ValueError("a queue with numbers that cannot be")
    judge_recalled(tuple(everyone.recalled.values()), stamp)
    everyone.stamp, everyone.total, everyone.total_bytes = fixed[0:3]
    queue.end_offset, queue.hint, queue.file_last = fixed[3:6]
    queue.has_file = bool(fixed[6])
    everyone.trusted_end = queue.end_offset
    return everyone


def judge_recalled(recalled: tuple[Withdrawn, ...], stamp: int) -> None:
    """What can have been recalled by the record `stamp` or an earlier one. Raises ValueError."""
    kept = sum(len(each.kept) for each in recalled)
    if (
        len(recalled) > RECALLED_FROM_ALL_MAX
        or kept > RECALLED_KEPT_MAX
        or any(
            not 0 < each.number < each.at_number <= stamp or each.body_bytes > BODY_BYTES_MAX
            for each in recalled
        )
    ):
        raise ValueError("a queue with recalls that cannot be")


def encode_tombstone(number: int) -> bytes:
    """An account that is gone."""
    return tlv.encode(TOMBSTONE, tlv.U64.pack(number))


def decode_tombstone(value: bytes) -> int:
    """The number of an account that is gone. Raises ValueError."""
    if len(value) != tlv.U64.size:
        raise ValueError("a tombstone of the wrong size")
    number = int.from_bytes(value, "big")
    if not 0 < number <= NUMBER_MAX:  # 0 is everyone's
        raise ValueError(f"a tombstone of the account {number}")
    return number
