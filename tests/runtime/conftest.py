"""What the tests of the runtime share."""

import pytest

from tests.runtime.members import new_diary


@pytest.fixture(autouse=True)
def _fresh_diary() -> None:
    new_diary()
