"""What the tests of the runtime share."""

import pytest

from tests.support.recording_server import new_diary


@pytest.fixture(autouse=True)
def _fresh_diary() -> None:
    new_diary()
