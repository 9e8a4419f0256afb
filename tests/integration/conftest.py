"""What the tests of whole programs share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nodes import ObservedNode, observed


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield an empty folder for sockets, with a path short enough for them."""
    with tempfile.TemporaryDirectory(prefix="obs", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def node(folder: Path) -> Iterator[ObservedNode]:
    """Yield the program `tests.support.observed`, running."""
    with observed(folder) as running:
        yield running
