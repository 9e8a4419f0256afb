"""A node whose first process does, one after another, what it is told from outside any process."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import gevent
from gevent.event import AsyncResult

from runtime import Pid, receive, run, self_, send
from runtime.kernel.clock import MockClock, use_clock


class Inside:
    """``with Inside() as inside: inside(function)`` runs functions in a process of a fresh node, on a mock clock."""

    def __enter__(self) -> Self:
        self._clock = use_clock(MockClock())
        self._clock.__enter__()
        started: AsyncResult[Pid] = AsyncResult()
        self._node = gevent.spawn(run, _first, started)
        self._pid = started.get()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        send(self._pid, "over")
        self._node.get()
        self._clock.__exit__(kind, error, trace)

    def __call__(self, function: Callable[[], Any]) -> Any:
        """Run a function in the first process; gives what it returns, raises what it raises."""
        result: AsyncResult[Any] = AsyncResult()

        def job() -> None:
            try:
                result.set(function())
            except Exception as error:
                result.set_exception(error)

        send(self._pid, job)
        return result.get()


def _first(started: "AsyncResult[Pid]") -> None:
    started.set(self_())
    while (job := receive(callable, "over")) != "over":
        job()
