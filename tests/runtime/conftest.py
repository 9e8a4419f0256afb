"""What the tests of the runtime share."""

from collections.abc import Iterator

import pytest

from tests.support.other_nodes import Other, beam_node, python_node
from tests.support.recording_server import new_diary


@pytest.fixture(autouse=True)
def _fresh_diary() -> None:
    new_diary()


@pytest.fixture(scope="module")
def other() -> Iterator[Other]:
    """Another Python node, which the tests of a module share."""
    with python_node() as node:
        yield node


@pytest.fixture(scope="module")
def beam() -> Iterator[Other]:
    """An Erlang node, which the tests of a module share."""
    with beam_node() as node:
        yield node
