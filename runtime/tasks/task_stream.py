"""Streams of tasks: a function applied to many items, so many at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from runtime.kernel.clock import now
from runtime.kernel.mailbox import check_seconds, receive
from runtime.kernel.pid import Down, Exit, Ref
from runtime.kernel.processes import demonitor, unlink
from runtime.tasks.task import Outcome, Task, check_function, shutdown, spawn_task
from runtime.terms.errors import CallError
from runtime.terms.pattern import ANY


def async_stream(items: Iterable[Any], fn: Callable[..., Any], *args: Any, **options: Any) -> Iterator[Any]:
    """Run ``fn(item, *args)`` for each item in a linked task; gives ``("ok", result)`` or ``("exit", reason)`` of each.

    Options: `max_concurrency` tasks run at a time (one per processor); outcomes come in the items' order unless
    ``ordered=False``; a task has `timeout` seconds (5.0, None: no limit), and when they are over ``on_timeout="exit"``
    raises CallError ``"timeout"`` and ``"kill_task"`` gives ``("exit", "timeout")``; with `zip_input_on_exit` an exit
    is ``("exit", (item, reason))``. A task that fails ends a caller that does not trap exits. What still runs when the
    iteration is given up is killed. Semantics: Elixir's Task.async_stream.
    """
    check_function(fn)
    return TaskStream(items, lambda item: spawn_task(fn, item, *args), **options).outcomes()


class _Slot(NamedTuple):
    task: Task
    position: int
    item: Any
    deadline: float | None


class TaskStream:
    """The tasks of one stream: those that run, and the outcomes that wait for earlier ones.

    `begin` starts the task of an item. The other arguments are the options of `async_stream`.
    """

    def __init__(
        self,
        items: Iterable[Any],
        begin: Callable[[Any], Task],
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: float | None = 5.0,
        on_timeout: str = "exit",
        zip_input_on_exit: bool = False,
    ) -> None:
        limit = os.cpu_count() or 1 if max_concurrency is None else max_concurrency
        if not isinstance(limit, int) or limit < 1:
            raise ValueError(f"max_concurrency is {limit!r}; allowed: a whole number >= 1")
        if timeout is not None:
            check_seconds(timeout, "timeout")
        if on_timeout not in ("exit", "kill_task"):
            raise ValueError(f"on_timeout is {on_timeout!r}; allowed are 'exit' and 'kill_task'")
        self._items = enumerate(items)
        self._begin = begin
        self._limit = limit
        self._ordered = ordered
        self._timeout = timeout
        self._on_timeout = on_timeout
        self._zips = zip_input_on_exit
        self._running: dict[Ref, _Slot] = {}
        self._done: dict[int, Outcome] = {}
        self._delivered = 0

    def outcomes(self) -> Iterator[Outcome]:
        """Give the outcomes; tasks start as the iteration asks for them."""
        try:
            while self._fill() or self._done:
                yield from self._deliver()
                if self._running:
                    self._await_one()
        finally:
            for slot in self._running.values():
                _kill(slot.task)

    def _fill(self) -> bool:
        """Start tasks while there are items and room; whether any task runs."""
        while len(self._running) < self._limit:
            following = next(self._items, None)
            if following is None:
                break
            position, item = following
            task = self._begin(item)
            deadline = None if self._timeout is None else now() + self._timeout
            self._running[task.ref] = _Slot(task, position, item, deadline)
        return bool(self._running)

    def _deliver(self) -> Iterator[Outcome]:
        while self._done:
            position = self._delivered if self._ordered else next(iter(self._done))
            if position not in self._done:
                return
            self._delivered += 1
            yield self._done.pop(position)

    def _await_one(self) -> None:
        """Wait until a task ends, or until the time of one is over."""
        deadline = min((slot.deadline for slot in self._running.values() if slot.deadline is not None), default=None)
        left = None if deadline is None else max(0.0, deadline - now())
        message = receive(self._is_ours, timeout=left, default=None)
        if message is None:
            self._time_out()
            return
        slot = self._running.pop(message[0])
        unlink(slot.task.pid)
        _flush_exit(slot.task)
        demonitor(slot.task.ref, flush=True)
        if isinstance(message, Down):
            self._done[slot.position] = self._exit(slot, message.reason)
        else:
            self._done[slot.position] = ("ok", message[1])

    def _is_ours(self, message: Any) -> bool:
        return isinstance(message, tuple) and len(message) in (2, 3) and message[0] in self._running

    def _exit(self, slot: _Slot, reason: Any) -> Outcome:
        return ("exit", (slot.item, reason)) if self._zips else ("exit", reason)

    def _time_out(self) -> None:
        present = now()
        for slot in [*self._running.values()]:
            if slot.deadline is not None and slot.deadline <= present:
                if self._on_timeout == "exit":
                    raise CallError("timeout", "stream", (self._timeout,), "task")
                del self._running[slot.task.ref]
                outcome = _kill(slot.task)
                self._done[slot.position] = self._exit(slot, "timeout") if outcome is None else outcome


def _kill(task: Task) -> Outcome | None:
    """End a task of a stream; gives its outcome when it had ended before."""
    outcome = shutdown(task, "brutal_kill")
    _flush_exit(task)
    return outcome


def _flush_exit(task: Task) -> None:
    """Take what a caller that traps exits got of the link out of its mailbox: the stream says how the task ended."""
    receive(Exit(task.pid, ANY), timeout=0, default=None)
