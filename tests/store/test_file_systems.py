import pytest

from store.errors import StoreForbidden
from store.file_systems import find_type, judge

MOUNTS = rb"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:5 / /proc rw - proc proc rw
24 22 0:30 / /home rw master:1 - nfs4 server:/home rw
25 24 0:31 / /home/ann/my\040disk rw - xfs /dev/vdb rw
26 22 0:32 / /tmp rw - overlay overlay rw
27 22 0:33 / /tmp rw - tmpfs tmpfs rw
not a line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (b"/", "ext4"),
        (b"/var/lib/msgd", "ext4"),
        (b"/home", "nfs4"),
        (b"/home/ann/.local/state/msgd", "nfs4"),
        (b"/home/ann/my disk/msgd", "xfs"),
        (b"/homes/ann", "ext4"),
        (b"/tmp/x", "tmpfs"),
    ],
)
def test_the_innermost_mount_counts(path: bytes, kind: str) -> None:
    assert find_type(MOUNTS, path) == kind


def test_without_mounts_nothing_is_known() -> None:
    assert find_type(b"", b"/x") == ""


def test_what_is_refused_and_what_is_only_said() -> None:
    with pytest.raises(StoreForbidden, match="network file system"):
        judge("/d", "nfs4")
    assert "in memory" in judge("/d", "tmpfs")
    assert "not known" in judge("/d", "overlay")
    assert "not known" in judge("/d", "fuse.encfs")
    assert judge("/d", "ext4") == judge("/d", "") == ""
