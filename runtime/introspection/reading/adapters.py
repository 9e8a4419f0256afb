"""What the functions of well-known libraries are doing, read from their variables: a table with an entry for each.

An entry reads a few plain attributes, never a property that could run code of the program's, and trusts none of them:
what is not as expected makes it say nothing. To add a library, write a function that takes the variables of one of the
library's frames, and put it into `ADAPTERS`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from types import FrameType
from typing import NamedTuple

Variables = Mapping[str, object]


class Activity(NamedTuple):
    """What a process or a greenlet is doing, and since when (seconds since 1970, None where that is unknown)."""

    text: str
    since: float | None = None


def _request(method: object, path: object) -> str | None:
    """Return method and path of a request. What follows a question mark may be secret, and is left out."""
    if type(method) is not str or type(path) is not str or not method:
        return None
    return f"{method} {path.partition('?')[0]}"


def _pywsgi(variables: Variables) -> Activity | None:
    handler = variables.get("self")
    text = _request(getattr(handler, "command", None), getattr(handler, "path", None))
    since = getattr(handler, "time_start", None)
    return None if text is None else Activity(text, since if type(since) is float and since else None)


def _gunicorn(variables: Variables) -> Activity | None:
    request, begun = variables.get("req"), variables.get("request_start")
    text = _request(getattr(request, "method", None), getattr(request, "path", None))
    return None if text is None else Activity(text, begun.timestamp() if type(begun) is datetime else None)


def _celery(variables: Variables) -> Activity | None:
    since = _since(variables.get("time_start"))
    return _task(getattr(variables.get("task"), "name", None), variables.get("uuid"), since)


def _huey(variables: Variables) -> Activity | None:
    task = variables.get("task")
    return _task(getattr(task, "name", None), getattr(task, "id", None), _since(variables.get("start")))


def _since(begun: object) -> float | None:
    """Return a moment of the monotonic clock in seconds since 1970."""
    return time.time() - (time.monotonic() - begun) if type(begun) is float else None


def _task(name: object, number: object, since: float | None) -> Activity | None:
    if type(name) is not str:
        return None
    return Activity(f"{name} {number}" if type(number) is str else name, since)


def _locust(variables: Variables) -> Activity | None:
    user, task = getattr(variables.get("self"), "_user", None), variables.get("task")
    name = getattr(task, "__name__", None)
    return None if user is None or type(name) is not str else Activity(f"{type(user).__name__}.{name}")


def _locust_waits(variables: Variables) -> Activity | None:
    user = getattr(variables.get("self"), "_user", None)
    return None if user is None else Activity(f"{type(user).__name__} waits")


def _socketio(variables: Variables) -> Activity | None:
    data = variables.get("data")
    event = data[0] if type(data) is list and data else None
    return None if type(event) is not str else Activity(f"event {event}")


ADAPTERS: Mapping[tuple[str, str], Callable[[Variables], Activity | None]] = {
    ("gevent.pywsgi", "handle_one_response"): _pywsgi,
    ("gunicorn.workers.base_async", "handle_request"): _gunicorn,
    ("celery.app.trace", "trace_task"): _celery,
    ("huey.api", "_execute"): _huey,
    ("locust.user.task", "execute_task"): _locust,
    ("locust.user.task", "wait"): _locust_waits,
    ("socketio.server", "_handle_event_internal"): _socketio,
}
"""How to read what each of these functions is doing, by module and name."""

_NAMES = frozenset(function for _, function in ADAPTERS)


def by_adapter(frame: FrameType) -> Activity | None:
    """Return what a library's function is doing in this frame, None for any other function."""
    name = frame.f_code.co_name
    if name not in _NAMES:
        return None
    adapter = ADAPTERS.get((frame.f_globals.get("__name__", ""), name))
    if adapter is None:
        return None
    try:
        return adapter(frame.f_locals)
    except Exception:  # an object that is not what its name says
        return None
