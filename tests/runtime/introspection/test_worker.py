"""What servers call their workers, read from the frames that have started them."""

from __future__ import annotations

import sys
from types import FrameType, SimpleNamespace
from typing import Any

from runtime.introspection.worker import worker_name


def _inside(module: str, function: str, **names: Any) -> FrameType:
    """Return a frame that a function of that module and name has called, with these local variables."""
    frames: list[FrameType] = []
    source = f"def {function}({', '.join(names)}):\n    keep()\n"
    scope: dict[str, Any] = {"__name__": module, "keep": lambda: frames.append(sys._getframe())}
    exec(compile(source, "<server>", "exec"), scope)
    scope[function](**names)
    return frames[0]


def test_a_worker_of_gunicorn_is_named_by_its_age() -> None:
    frame = _inside("gunicorn.arbiter", "spawn_worker", worker=SimpleNamespace(age=3))
    assert worker_name([None, frame]) == "worker-3"


def test_a_worker_of_celery_is_named_by_its_host_name() -> None:
    frame = _inside("celery.worker.worker", "start", self=SimpleNamespace(hostname="celery@shop"))
    assert worker_name([frame]) == "celery@shop"


def test_functions_of_that_name_elsewhere_and_odd_values_name_nothing() -> None:
    assert worker_name([_inside("shop", "spawn_worker", worker=SimpleNamespace(age=3))]) is None
    assert worker_name([_inside("gunicorn.arbiter", "spawn_worker", worker=SimpleNamespace(age="x"))]) is None
    assert worker_name([None]) is None
