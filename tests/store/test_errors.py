from store.errors import StoreBusy, StoreError, StoreFailure


def test_errors_have_exit_codes() -> None:
    assert StoreError.exit_code == 78
    assert StoreFailure.exit_code == 70
    assert StoreBusy.exit_code == 1
