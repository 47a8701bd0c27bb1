import pytest

from store.disk import DiskFailure
from store.limits import PAGE_BYTES
from store.patient_disk import PatientDisk
from tests.sim.sim_disk import SimDisk
from tests.store.support import new_disk


class OneBadPage(SimDisk):
    """Reads that touch the second page of a file fail."""

    def read_at(self, handle: int, offset: int, size: int) -> bytes:
        if offset < 2 * PAGE_BYTES and offset + size > PAGE_BYTES:
            raise DiskFailure(5, "bad page")
        return super().read_at(handle, offset, size)


def test_only_the_bad_page_is_zeros() -> None:
    disk = OneBadPage(new_disk().rng)
    patient = PatientDisk(disk)
    handle = patient.create("x")
    patient.preallocate(handle, 4 * PAGE_BYTES)
    patient.write_at(handle, 0, b"a" * (3 * PAGE_BYTES + 10))
    patient.sync(handle)
    patient.sync_data(handle)
    assert patient.can_sync_together()
    patient.sync_together([handle])
    patient.close(handle)
    handle = patient.open("x", writable=False)
    assert patient.size(handle) == 4 * PAGE_BYTES
    data = patient.read_at(handle, 100, 5 * PAGE_BYTES)
    whole = b"a" * PAGE_BYTES + bytes(PAGE_BYTES) + b"a" * (PAGE_BYTES + 10)
    assert data == whole.ljust(4 * PAGE_BYTES, b"\0")[100:]
    assert list(patient.unreadable) == [("x", PAGE_BYTES)]


def test_everything_else_goes_through() -> None:
    disk = new_disk()
    patient = PatientDisk(disk)
    patient.lock("LOCK")
    patient.make_folder("f")
    patient.sync_folder("f")
    patient.close(patient.create("f/a"))
    patient.rename("f/a", "f/b")
    assert patient.list("f") == ("b",)
    patient.remove("f/b")
    assert patient.list("f") == ()
    assert patient.free_bytes() == disk.free_bytes()
    patient.unlock()
    assert not disk.locked
    with pytest.raises(DiskFailure):
        patient.open("f/b", writable=False)
