"""Streams of tasks: a function applied to many items, so many at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from inspect import signature
from typing import Generic, Literal, TypeVar

from runtime.kernel.body import name_of
from runtime.kernel.clock import now
from runtime.kernel.mailbox import receive, send
from runtime.kernel.node import current_process
from runtime.kernel.process import Pid
from runtime.kernel.processes import demonitor, exit, monitor, self_, spawn, unlink
from runtime.kernel.signals import Down, Exit, unlink_processes
from runtime.tasks.task import Outcome, Task, check_function, shutdown_task, spawn_task
from runtime.terms.errors import CallError, ProcessKilled
from runtime.terms.immutable import travels_by_reference
from runtime.terms.pattern import ANY
from runtime.terms.ref import Ref
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument, seconds_of

Item = TypeVar("Item")
T = TypeVar("T")


OPTIONS = ("max_concurrency", "ordered", "timeout", "on_timeout", "zip_input_on_exit")
"""The options of `async_stream`; its other keyword arguments are the function's."""


def async_stream(
    items: Iterable[Item],
    fn: Callable[..., T],
    *args: object,
    max_concurrency: int | None = None,
    ordered: bool = True,
    timeout: TimeoutArgument = 5.0,
    on_timeout: Literal["exit", "kill_task"] = "exit",
    zip_input_on_exit: bool = False,
    **kwargs: object,
) -> Iterator[Outcome[T]]:
    """Run ``fn(item, *args, **kwargs)`` for each item in a linked task; yield the outcome of each.

    An outcome is ``("ok", result)`` or ``("exit", reason)``. Options: `max_concurrency` tasks run at a time (one per
    processor); outcomes come in the items' order unless ``ordered=False``; a task has `timeout` seconds (5.0; None or
    ``"infinity"``: no limit). When these are over the task is killed, however busy the caller is meanwhile, and the
    iteration raises CallError ``"timeout"``, or with ``on_timeout="kill_task"`` yields ``("exit", "timeout")``. With
    `zip_input_on_exit` an exit is ``("exit", (item, reason))``. A task that fails ends a caller that does not trap
    exits. What still runs when the iteration is given up is killed. Raises TypeError for a keyword argument that is no
    option and that `fn` does not take. Semantics: Elixir's Task.async_stream.
    """
    check_function(fn)
    check_keywords(fn, args, kwargs, OPTIONS)

    def begin(item: Item) -> Task[T]:
        return spawn_task(fn, item, *args, **kwargs)

    return TaskStream(items, begin, max_concurrency, ordered, timeout, on_timeout, zip_input_on_exit).outcomes()


def check_keywords(
    fn: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object], options: tuple[str, ...]
) -> None:
    """Raise TypeError for keyword arguments that `fn` does not take: a misspelled option, most likely."""
    if not kwargs:
        return
    try:
        called = signature(fn)
    except (TypeError, ValueError):  # of a builtin function: it says so itself when it is called
        return
    try:
        called.bind(None, *args, **kwargs)
    except TypeError as error:
        raise TypeError(
            f"{name_of(fn)} cannot be called so: {error}; the options of the stream are {', '.join(options)}"
        ) from None


@travels_by_reference
class _Slot(Generic[Item, T]):
    """One running task of a stream."""

    __slots__ = ("deadline", "is_over", "item", "position", "task", "timed_out")

    def __init__(self, task: Task[T], position: int, item: Item, deadline: float) -> None:
        self.task = task
        self.position = position
        self.item = item
        self.deadline = deadline
        self.timed_out = False
        self.is_over = False


class TaskStream(Generic[Item, T]):
    """The tasks of one stream: those that run, and the outcomes that wait for earlier ones.

    `begin` starts the task of an item. The other arguments are the options of `async_stream`.
    """

    def __init__(
        self,
        items: Iterable[Item],
        begin: Callable[[Item], Task[T]],
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: TimeoutArgument = 5.0,
        on_timeout: Literal["exit", "kill_task"] = "exit",
        zip_input_on_exit: bool = False,
    ) -> None:
        if not isinstance(items, Iterable):
            raise TypeError(
                f"a stream of tasks takes its items from an iterable, a list for example, not {render(items)}"
            )
        limit = os.cpu_count() or 1 if max_concurrency is None else max_concurrency
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise ValueError(f"max_concurrency is {render(limit)}; allowed: a whole number >= 1")
        for name, value in (("ordered", ordered), ("zip_input_on_exit", zip_input_on_exit)):
            if not isinstance(value, bool):
                raise ValueError(f"{name} is {render(value)}; allowed are True and False")
        if on_timeout not in ("exit", "kill_task"):
            raise ValueError(f"on_timeout is {render(on_timeout)}; allowed are 'exit' and 'kill_task'")
        self._items = enumerate(items)
        self._begin = begin
        self._limit = limit
        self._ordered = ordered
        self._timeout = timeout
        self._seconds = seconds_of(timeout)
        self._on_timeout = on_timeout
        self._zips = zip_input_on_exit
        self._running: dict[Ref, _Slot[Item, T]] = {}
        self._done: dict[int, Outcome[T]] = {}
        self._delivered = 0
        self._timekeeper: Pid | None = None

    def outcomes(self) -> Iterator[Outcome[T]]:
        """Yield the outcomes. A task starts when the iteration asks for more than is ready."""
        current_process("async_stream")
        try:
            while True:
                yield from self._deliver()
                if not self._fill():
                    return
                self._await_one()
        finally:
            self._end()

    def _end(self, again: bool = True) -> None:
        """Kill what still runs. All of it, also where an exception strikes in between: then it is done `again`."""
        try:
            while self._running:
                ref, slot = next(iter(self._running.items()))
                _kill(slot.task)
                del self._running[ref]
            if self._timekeeper is not None:
                exit(self._timekeeper, "kill")
        except BaseException as error:
            if again and not isinstance(
                error, ProcessKilled
            ):  # of one that is killed the linked tasks die by themselves
                self._end(again=False)
            raise

    def _deliver(self) -> Iterator[Outcome[T]]:
        while self._done:
            position = self._delivered if self._ordered else next(iter(self._done))
            if position not in self._done:
                return
            self._delivered += 1
            yield self._done.pop(position)

    def _fill(self) -> bool:
        """Start tasks while there are items and room; whether any task runs."""
        while len(self._running) < self._limit:
            following = next(self._items, None)
            if following is None:
                break
            position, item = following
            task: Task[T] | None = None
            try:
                task = self._begin(item)
                self._running[task.ref] = slot = _Slot(task, position, item, now() + (self._seconds or 0.0))
            except BaseException:
                if task is not None and task.ref not in self._running:
                    _kill(task)
                raise
            if self._seconds is not None:
                if self._timekeeper is None:
                    self._timekeeper = spawn(_keep_time, self_(), label="time limit of a task stream")
                send(self._timekeeper, slot)
        return bool(self._running)

    def _await_one(self) -> None:
        """Wait until a task ends. Raises CallError when its time was over before."""
        message = receive(self._is_ours)
        ref = message[0]
        slot = self._running[ref]
        slot.is_over = True
        unlink(slot.task.pid)
        _flush_exit(slot.task)
        demonitor(ref, flush=True)
        del self._running[ref]  # what an exception has kept here is ended with those that run
        if not isinstance(message, Down):
            self._done[slot.position] = ("ok", message[1])
        elif not slot.timed_out:
            self._done[slot.position] = self._exit(slot, message.reason)
        elif self._on_timeout == "kill_task":
            self._done[slot.position] = self._exit(slot, "timeout")
        else:
            raise CallError("timeout", "stream", (self._timeout,), "task")

    def _is_ours(self, message: Term) -> bool:
        return (
            isinstance(message, tuple)
            and len(message) in (2, 3)
            and isinstance(message[0], Ref)
            and message[0] in self._running
        )

    def _exit(self, slot: _Slot[Item, T], reason: Term) -> Outcome[T]:
        return ("exit", (slot.item, reason)) if self._zips else ("exit", reason)


def _keep_time(consumer: Pid) -> None:
    """Kill each task of a stream when its time is over: what a timekeeper's process runs.

    A process of its own does it, since the consumer of the stream may be busy when the time comes. The consumer sends
    it the slot of each task, and all have the same time, so the first to be sent is the first whose time is over.
    """
    monitor(consumer)
    slots: deque[_Slot[object, object]] = deque()
    while True:
        while slots and slots[0].is_over:
            slots.popleft()
        left = max(0.0, slots[0].deadline - now()) if slots else None
        message = receive(timeout=left, default=None)
        if isinstance(message, Down):
            return
        if isinstance(message, _Slot):
            slots.append(message)
        elif slots and slots[0].deadline <= now():
            _time_out(slots.popleft(), consumer)


def _time_out(slot: _Slot[object, object], consumer: Pid) -> None:
    """Kill a task whose time is over, without its consumer dying of the link."""
    task, owner = slot.task.pid.process, consumer.process
    if task is not None and owner is not None and not slot.is_over:
        slot.timed_out = True
        unlink_processes(owner, task)
        exit(slot.task.pid, "kill")


def _kill(task: Task[T]) -> None:
    """End a task of a stream that is given up."""
    shutdown_task(task, "brutal_kill")
    _flush_exit(task)


def _flush_exit(task: Task[T]) -> None:
    """Take the `Exit` of a task out of the mailbox of a caller that traps exits: the stream says how it ended."""
    receive(Exit(task.pid, ANY), timeout=0, default=None)
