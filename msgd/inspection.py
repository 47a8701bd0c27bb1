"""`msgd fsck`, `dump` and `backup`: what people do with a data folder beside serving it.

Must never change anything in the folder unless `--repair` says so, nor print a character that a
terminal would obey. Fails with one sentence and an exit code: 78 for damage and refusals, 70 for a
disk that fails, 1 for what somebody should read.
"""

from collections.abc import Callable, Generator, Iterator
from typing import Final

from msgd.names import fold
from store.backup import backup
from store.disk import Disk, DiskError
from store.dump import dump, dump_user
from store.errors import EXIT_FAILED, EXIT_REFUSED, StoreError, StoreLocked
from store.fsck import Progress, examine
from store.repair import repair
from term.safe import safe_log

EXIT_OK: Final = 0
EXIT_ERROR: Final = 1
LINE_CHARACTERS_MAX: Final = 100_000
_LOCK: Final = "LOCK"

OpenDisk = Callable[[str], Disk]
Say = Callable[[str], None]


def verify(folder: str, open_disk: OpenDisk, say: Say, complain: Say, show: Say) -> int:
    """Look at everything; 0 when it is sound, 78 when something is damaged. `show` is a line for
    people that the next one replaces; "" takes it away.
    """

    def run(disk: Disk) -> int:
        _hold(disk, complain)
        damages = _examine(disk, say, show)
        if damages:
            complain(
                f"msgd: {folder} is damaged in {damages} {'place' if damages == 1 else 'places'}; "
                "do not serve it: restore a backup, or save what can be saved with "
                f"`msgd fsck {folder} --repair`"
            )
            return EXIT_REFUSED
        say(f"{_line(folder)} is sound")
        return EXIT_OK

    return _with_disk(folder, open_disk, complain, run)


def mend(folder: str, open_disk: OpenDisk, say: Say, complain: Say) -> int:
    """Repair it; 0 when that cost nothing, 1 when something is lost or in doubt."""

    def run(disk: Disk) -> int:
        disk.lock(_LOCK)
        result = repair(disk)
        if result is None:
            say(f"{_line(folder)} is sound; there is nothing to repair")
            return EXIT_OK
        for line in result.lines:
            say(_line(line))
        kept = f"{folder}/{result.folder}"
        say(
            f"{_line(folder)} is repaired; what was there before, and report.txt, are in "
            f"{_line(kept)}"
        )
        if not result.lost and not result.doubts:
            return EXIT_OK
        complain(
            f"msgd: {result.lost} lost, {result.doubts} in doubt: read {_line(kept)}/report.txt"
        )
        return EXIT_ERROR

    return _with_disk(folder, open_disk, complain, run)


def copy(
    folder: str,
    to: str,
    open_disk: OpenDisk,
    open_new_disk: OpenDisk,
    *,
    entropy: Callable[[int], bytes],
    copy_bans: Callable[[str, str], None],
    say: Say,
    complain: Say,
    show: Say,
) -> int:
    """Back up a folder, also that of a running server, into an empty one; then look at the copy.

    `copy_bans` takes what stands beside the store along (`msgd.bans`), and may raise OSError.
    """

    def run(disk: Disk) -> int:
        target = open_new_disk(to)
        try:
            show("copying")
            copied = backup(disk, target, entropy)
            try:
                copy_bans(folder, to)
            except OSError as error:
                reason = _line(error.strerror or str(error))
                complain(f"msgd: the bans cannot be copied: {reason}; remove the copy in {to}")
                return EXIT_FAILED
            damages = _examine(target, lambda line: complain(f"msgd: of the copy: {line}"), show)
        finally:
            show("")
            target.unlock()
        if damages:
            complain(f"msgd: the copy in {to} is bad: do not keep it, and look at that disk")
            return EXIT_FAILED
        say(
            f"{_line(to)} is a backup of {_line(folder)}: {copied.mailboxes} mailboxes, "
            f"everything up to journal batch {copied.last_lsn}"
        )
        return EXIT_OK

    return _with_disk(folder, open_disk, complain, run)


def show(folder: str, user: str | None, open_disk: OpenDisk, say: Say, complain: Say) -> int:
    """Print everything, or what belongs to one user, a record a line."""

    def run(disk: Disk) -> int:
        _hold(disk, complain)
        lines: Iterator[str] = dump(disk) if user is None else dump_user(disk, fold(user))
        count = 0
        try:
            for text in lines:
                say(_line(text))
                count += 1
        finally:
            if isinstance(lines, Generator):
                lines.close()  # now, while there is a disk on which it can close its files
        if user is not None and not count:
            complain(
                f"msgd: {safe_log(user)} is no user as of the last checkpoint; "
                f"`msgd dump {folder}` shows all"
            )
            return EXIT_ERROR
        return EXIT_OK

    return _with_disk(folder, open_disk, complain, run)


def _examine(disk: Disk, say: Say, show: Say) -> int:
    """Say what is found as soon as it is found; how many damages."""
    damages = 0
    findings = examine(disk)
    try:
        for each in findings:
            if isinstance(each, Progress):
                show(str(each))
                continue
            show("")
            say(_line(str(each)))
            damages += not each.harmless
    finally:
        show("")
        findings.close()  # now, while there is a disk on which it can close its files
    return damages


def _with_disk(folder: str, open_disk: OpenDisk, complain: Say, run: Callable[[Disk], int]) -> int:
    try:
        disk = open_disk(folder)
        try:
            return run(disk)
        finally:
            disk.unlock()
    except StoreError as error:
        complain(f"msgd: {_line(str(error))}")
        return error.exit_code
    except DiskError as error:
        complain(f"msgd: {folder}: {_line(error.strerror or str(error))}")
        return EXIT_FAILED


def _hold(disk: Disk, complain: Say) -> None:
    """Keep servers out meanwhile, if that is possible without changing anything."""
    if _LOCK not in disk.list(""):
        return
    try:
        disk.lock(_LOCK)
    except StoreLocked:
        complain("msgd: a server runs on this folder; what it writes meanwhile may look damaged")
    except DiskError:
        return  # a folder that cannot be written to: then no server can either


def _line(text: str) -> str:
    return safe_log(text, LINE_CHARACTERS_MAX)
