"""The cookie: the secret that the nodes of a cluster share."""

from __future__ import annotations

from pathlib import Path


def read_cookie(path: Path | None = None) -> str:
    """Return the cookie in a file, ``~/.erlang.cookie`` if none is named, which is made where it is missing."""
    raise NotImplementedError
