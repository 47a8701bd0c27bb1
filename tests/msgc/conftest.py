"""What holds for every test of the client: proving a password costs nothing."""

from collections.abc import Iterator

import pytest

from tests.msgc.cheap_keys import cheap_keys


@pytest.fixture(scope="session", autouse=True)
def _passwords_cost_nothing() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("msgc.credentials.derive_keys", cheap_keys)
        yield
