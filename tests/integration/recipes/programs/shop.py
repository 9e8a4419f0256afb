"""A WSGI application whose requests wait, compute and fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import gevent

Start = Callable[[str, list[tuple[str, str]]], object]


def app(environ: dict[str, str], start_response: Start) -> Iterable[bytes]:
    """Answer a request."""
    path = environ["PATH_INFO"]
    if path == "/slow":
        gevent.sleep(60)
    elif path == "/block":
        compute(1.0)
    elif path == "/fail":
        raise LookupError("nothing there")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"you asked for {path}\n".encode()]


def compute(seconds: float) -> None:
    """Hold the hub."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
