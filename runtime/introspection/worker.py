"""What a worker process of a server is called by the server itself, read from the frames that have started it.

Nothing of a server is imported or changed for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FrameType
from typing import Final

MOST_FRAMES = 200
"""Frames that are looked at, from the inner end."""


def worker_name(frames: Iterable[FrameType | None]) -> str | None:
    """Return what the server calls the worker on whose stacks these innermost frames are; None for no known server."""
    for innermost in frames:
        for frame in _outwards(innermost):
            adapter = ADAPTERS.get((frame.f_globals.get("__name__", ""), frame.f_code.co_name))
            name = None if adapter is None else adapter(frame.f_locals)
            if name:
                return name
    return None


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    for _ in range(MOST_FRAMES):
        if frame is None:
            return
        yield frame
        frame = frame.f_back


def _of_gunicorn(names: Mapping[str, object]) -> str | None:
    age = getattr(names.get("worker"), "age", None)
    return f"worker-{age}" if isinstance(age, int) else None


def _of_celery(names: Mapping[str, object]) -> str | None:
    hostname = getattr(names.get("self"), "hostname", None)
    return hostname if isinstance(hostname, str) else None


ADAPTERS: Final[Mapping[tuple[str, str], Callable[[Mapping[str, object]], str | None]]] = {
    ("gunicorn.arbiter", "spawn_worker"): _of_gunicorn,
    ("celery.worker.worker", "start"): _of_celery,
    ("celery.apps.worker", "on_before_init"): _of_celery,
}
"""By the module and the name of a function: what says the worker's name, given the function's local variables."""
