"""Which file systems a data folder may be on.

Must never touch a file: `store.os_disk` reads the list of mounts. Fails with StoreForbidden.
"""

from re import compile as pattern
from typing import Final

from store.errors import StoreForbidden

# Locks, syncs and renames of these reach a server that we know nothing of.
NETWORK: Final = frozenset(
    (
        "9p",
        "afs",
        "ceph",
        "cifs",
        "coda",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.sshfs",
        "gfs2",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "smb2",
        "smb3",
        "smbfs",
    )
)
MEMORY: Final = frozenset(("ramfs", "tmpfs"))
LAYERED: Final = frozenset(("aufs", "exfat", "fuse", "fuseblk", "msdos", "overlay", "vfat"))
OCTAL: Final = pattern(rb"\\([0-7]{3})")


def find_type(mounts: bytes, path: bytes) -> str:
    """The type of the file system that holds an absolute path, by the lines of mountinfo (proc(5));
    "" when none does.
    """
    longest, found = b"", ""
    for line in mounts.splitlines():
        left, separator, right = line.partition(b" - ")
        fields = left.split(b" ")
        if not separator or len(fields) < 5:
            continue
        point = OCTAL.sub(lambda match: bytes([int(match[1], 8)]), fields[4])
        is_above = path == point or path.startswith(point.rstrip(b"/") + b"/")
        if is_above and len(point) >= len(longest):  # what was mounted last is on top
            longest, found = point, right.split(b" ")[0].decode("ascii", "replace")
    return found


def judge(folder: str, kind: str) -> str:
    """What to know of a data folder there; "" for nothing. Raises StoreForbidden."""
    if kind in NETWORK:
        raise StoreForbidden(
            f"{folder}: is on a network file system ({kind}), on which nobody can promise that "
            "messages are kept; choose a folder on a local disk"
        )
    if kind in MEMORY:
        return f"{folder} is in memory ({kind}): every message is gone when the machine stops"
    if kind in LAYERED or kind.startswith("fuse."):
        return (
            f"{folder} is on {kind}: whether that keeps what was synced is not known; a local file "
            "system is better"
        )
    return ""
