"""`run`: a node from boot to orderly stop, around one main process."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import Any

import gevent.event

from runtime.kernel.body import exit_reason, name_of
from runtime.kernel.mailbox import receive
from runtime.kernel.node import Node, close_node, current, this_node
from runtime.kernel.process import DEAD, OUTSIDE, Process, Worker
from runtime.kernel.signals import Down, deliver, exit_signal, finish, watch
from runtime.kernel.threads import in_main_thread
from runtime.otp.calls import SYSTEM
from runtime.preemption.time_slice import TimeSlices
from runtime.terms.crash import Crash
from runtime.terms.errors import ProcessExit, RuntimeFault
from runtime.terms.reason import is_abnormal
from runtime.terms.ref import Ref

GRACE = 5.0
"""Seconds that a process which no supervisor stops has for its shutdown, before it is killed."""


COLLECT_AFTER = 10_000
"""New objects between two collections of the youngest generation of Python's garbage collector, at least.

Its default of 700 is for programs with few objects that live long. Processes are many: at 700 the collector takes a
fifth of the time of starting them, and finds nothing, since a process that ends leaves no cycle behind.
"""


class MainBody:
    """What the first process of `run` runs: like any other process, but its result and exception are kept."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.value: Any = None
        self.error: BaseException | None = None
        self.over = gevent.event.Event()

    @property
    def initial_call(self) -> str:
        """The function, as ``module.name``."""
        return name_of(self.function)

    def run_process(self, process: Process, worker: Worker) -> None:
        """Run the function to its end; an exception is raised again by `run`, so that it is not logged here."""
        try:
            self.value = self.function(*self.args, **self.kwargs)
            reason: Any = "normal"
        except BaseException as error:
            reason = exit_reason(process, error)
            self.error = error if type(reason) is Crash or process.state is not DEAD else None
        worker.process = None
        finish(process, reason)


def run(main: Callable[..., Any], *args: Any, time_slice: float | None = None, **kwargs: Any) -> Any:
    """Boot a node in this thread, run ``main(*args, **kwargs)`` as its first process, and give what it returns.

    Raises what `main` raised; when it was ended by an exit signal, or by its own ``exit(reason)`` with another reason
    than normal and shutdown, ProcessExit with that reason. Every other process is stopped in an orderly way before it
    returns: supervisors stop their trees, newest first; what is left is told to shut down and killed after five
    seconds. Ctrl-C and SIGTERM stop the node the same way and then raise KeyboardInterrupt or SystemExit; a second one
    ends the program at once.

    With `time_slice` (seconds) no process holds the hub longer than that while others could run;
    `runtime.preemption.time_slice` says what that means and what it cannot do. Meanwhile Python's garbage collector
    looks for cycles less often, as `COLLECT_AFTER` says, and threads take turns at the interpreter more often, as the
    scheduler's `TURN` says.
    """
    if not callable(main):
        raise TypeError(f"run() takes the function that is to be the first process, not {main!r}")
    if current() is not None:
        raise RuntimeFault("run() boots a node; inside a process use spawn()")
    node = this_node()
    slices = None if time_slice is None else TimeSlices(node, time_slice)
    body = MainBody(main, args, kwargs)
    process = node.spawn(None, body)
    process.label = "main"
    watcher = MainWatcher(body)
    process.watchers = {0: watcher}
    node.start(process)
    with _stop_signals(node, process) as received, _patient_collector(), nullcontext() if slices is None else slices:
        body.over.wait()
        _stop_everything(node)
    close_node(node)
    if received:
        raise KeyboardInterrupt if received[0] == signal.SIGINT else SystemExit(128 + received[0])
    return _result(body, process.reason)


class MainWatcher:
    """Stands among the watchers of the first process and wakes `run` when it is dead."""

    def __init__(self, body: MainBody) -> None:
        self.body = body
        self.watcher = None

    def fire(self, process: Process, reason: Any) -> None:
        """Wake `run`."""
        self.body.over.set()


def _result(body: MainBody, reason: Any) -> Any:
    if body.error is not None and not isinstance(body.error, ProcessExit):
        raise body.error
    if not is_abnormal(reason):
        return body.value
    raise ProcessExit(reason)


@contextmanager
def _stop_signals(node: Node, process: Process) -> Iterator[list[int]]:
    """While the block runs, let SIGINT and SIGTERM stop the first process, and after it the node."""
    received: list[int] = []
    if not in_main_thread():
        yield received
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if received:  # not the first: at once, whatever the node is doing
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        received.append(number)
        node.call_soon_threadsafe(exit_signal, process, OUTSIDE, "shutdown")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _patient_collector() -> Iterator[None]:
    """While the block runs, collect after `COLLECT_AFTER` objects; a program that has set more, or none, keeps it."""
    before = gc.get_threshold()
    ours = (COLLECT_AFTER, *before[1:])
    if not 0 < before[0] < COLLECT_AFTER:
        yield
        return
    gc.set_threshold(*ours)
    try:
        yield
    finally:
        if gc.get_threshold() == ours:
            gc.set_threshold(*before)


def _stop_everything(node: Node) -> None:
    """Stop what still lives, from a process of its own, so that it keeps the node's time."""
    if not node.alive:
        return
    body = MainBody(stop_processes, (node,), {})
    process = node.spawn(None, body)
    process.label = "stopping"
    process.watchers = {0: MainWatcher(body)}
    node.start(process)
    body.over.wait()
    if body.error is not None:
        raise body.error


def stop_processes(node: Node) -> None:
    """Stop every process but the caller: trees first, newest first, each in its own time; then the rest together."""
    me = current()
    assert me is not None
    while True:
        trees = [p for p in node.processes() if p is not me and getattr(p.body, "stops_children", False) and _orphan(p)]
        if not trees:
            break
        _stop([trees[-1]], me, None)
    others = [p for p in node.processes() if p is not me]
    _stop(others[::-1], me, GRACE)
    for process in node.processes():
        if process is not me:
            exit_signal(process, OUTSIDE, "kill")


def _orphan(process: Process) -> bool:
    return process.detached or process.parent is None or process.parent.process is None or not process.links


def _stop(processes: list[Process], me: Process, limit: float | None) -> None:
    waiting = {}
    for process in processes:  # all are watched before any is told: one's end may take others along
        ref = Ref()
        watch(me, process, ref, process.pid)
        waiting[ref] = process
    for process in processes:
        if process.detached:  # a server without a parent takes nobody's exit signal for an order
            deliver(process, (SYSTEM, None, ("terminate", "shutdown")))
        else:
            exit_signal(process, process.parent or OUTSIDE, "shutdown")
    while waiting:
        down = receive(Down, timeout=limit, default=None)
        if down is None:
            for process in waiting.values():
                exit_signal(process, OUTSIDE, "kill")
            limit = None
        else:
            waiting.pop(down.ref, None)
