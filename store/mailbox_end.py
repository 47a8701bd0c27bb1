"""The end of a mailbox file, where a checkpoint goes on writing: found also without its header.

A header says whose file it is, which the store knows anyway, and at which logical offset the file
begins. When it cannot be read, the first block says that as well, and what is new is written behind
the old as ever: nothing is lost by it, nobody else waits. The damage stays and is told; whoever
reads the queue is told again, until it is repaired. A file that is missing begins anew with a gap
of zeros where its entries stood, which is no block to any reader; one in which nothing is needed
any more begins anew without. Either takes the name only when it is whole.

Must never guess: a place that is not sure could be that of somebody's mail. Then it fails with
StoreDamaged, and so does a file that is whole and somebody else's.
"""

from typing import NamedTuple

from store.disk import Disk, DiskError, DiskMissing
from store.errors import StoreDamaged
from store.framing import BLOCK, block_bytes, decode_block
from store.limits import PAGE_BYTES
from store.mailbox import (
    BLOCK_MAGIC,
    MAILBOX_TEMPORARY,
    Header,
    Mailbox,
    create,
    mailbox_path,
    read,
    read_header,
)
from store.queue import Queue


class End(NamedTuple):
    """An open file, to be written to and closed."""

    handle: int
    base: int  # logical offset of its first block
    is_new: bool  # its name is not durable yet
    finding: str  # what there is to tell; "" when nothing is wrong


def open_end(disk: Disk, header: Header, queue: Queue) -> End:
    """The file of a queue that has one; `header` is what it should say, but for `base`. Raises
    StoreDamaged, DiskFull.
    """
    try:
        box = Mailbox(disk, header.store_id, queue.number, writable=True)
    except StoreDamaged as error:
        return open_damaged(disk, header, queue, error)
    return End(box.handle, box.header.base, is_new=False, finding="")


def open_damaged(disk: Disk, header: Header, queue: Queue, error: StoreDamaged) -> End:
    """The same, when its header could not be read."""
    path = mailbox_path(queue.number)
    try:
        handle = disk.open(path, writable=True)
    except DiskMissing:
        base = queue.hint
        handle = begin_anew(disk, header._replace(base=base))
        return End(handle, base, is_new=True, finding=str(error))
    except DiskError:
        raise error from None
    try:
        base = find_base(disk, handle, header, queue, error)
    except BaseException:
        disk.close(handle)
        raise
    if base >= 0:
        return End(handle, base, is_new=False, finding=str(error))
    disk.close(handle)
    base = queue.end_offset
    text = f"{path} could not be read ({error.reason}); nothing in it was needed: it is begun anew"
    handle = begin_anew(disk, header._replace(base=base))
    return End(handle, base, is_new=True, finding=text)


def begin_anew(disk: Disk, header: Header) -> int:
    """A file with a header and nothing else, in the place of what there was. It is put there whole:
    half a header would say nothing of where the file begins, and be damage that nobody did.
    """
    handle = create(disk, MAILBOX_TEMPORARY, header)
    try:
        disk.sync(handle)
        disk.rename(MAILBOX_TEMPORARY, mailbox_path(header.number))
    except BaseException:
        disk.close(handle)
        raise
    return handle


def find_base(disk: Disk, handle: int, header: Header, queue: Queue, error: StoreDamaged) -> int:
    """Where the file begins; -1 when that does not matter any more. Raises `error` when nothing
    says it for sure.
    """
    path = mailbox_path(queue.number)
    try:
        found = read_header(disk, handle, path)
    except StoreDamaged:
        pass
    else:
        if (found.store_id, found.number) != (header.store_id, header.number):
            raise error
        return found.base  # now it can be read
    if queue.hint >= queue.end_offset:
        return -1
    if queue.base >= 0:
        return queue.base
    # The first block always stands behind the header, so it cannot be a part of another one.
    try:
        data = read(disk, handle, path, PAGE_BYTES, PAGE_BYTES)
        size = block_bytes(path, PAGE_BYTES, BLOCK_MAGIC, data, 0)
        data = read(disk, handle, path, PAGE_BYTES, size)
        offset = int(BLOCK.unpack_from(data)[3])
        decode_block(path, PAGE_BYTES, owner=queue.number, offset=offset, data=data, start=0)
    except StoreDamaged:
        raise error from None
    return offset
