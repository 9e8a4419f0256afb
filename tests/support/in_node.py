"""Tests that run as the first process of a node of their own."""

from collections.abc import Callable
from functools import partial, wraps
from typing import ParamSpec

from runtime import run
from runtime.kernel.clock import MockClock, use_clock

P = ParamSpec("P")


def in_node(test: Callable[P, None]) -> Callable[P, None]:
    """Run a test as the first process of a fresh node, on a clock that jumps when every process waits."""

    @wraps(test)
    def run_test(*args: P.args, **kwargs: P.kwargs) -> None:
        with use_clock(MockClock()):
            run(partial(test, *args, **kwargs))

    return run_test
