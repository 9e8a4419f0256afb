"""What the tests of introspection share: programs to observe, and nodes that handle a few processes like a million."""

from __future__ import annotations

import pytest

from runtime.introspection.answers import client_cache
from runtime.introspection.reading import ranking
from runtime.introspection.threads import chunked
from tests.integration.conftest import folder, node

__all__ = ["folder", "node"]


@pytest.fixture(params=["few", "many"])
def size_of_chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a handful of processes handled as a million would be, too."""
    if request.param == "many":
        monkeypatch.setattr(chunked, "CHUNK", 2)
        monkeypatch.setattr(chunked, "AT_ONCE", 1)
        monkeypatch.setattr(ranking, "HEAD", 2)


@pytest.fixture
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what is laid out for one question used for the next ones as well."""
    monkeypatch.setattr(client_cache, "AT_ONCE", 0.0)
    monkeypatch.setattr(client_cache, "SHARE", 1e-9)
