"""`run`: a node from boot to orderly stop, around one main process."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import gevent.event

from runtime.boot.failures import Failures, is_failed_start
from runtime.boot.stop_signals import end_in_time, stop_signals
from runtime.boot.stopping import ProgramStop, stop_processes
from runtime.kernel.black_box import want_black_box
from runtime.kernel.body import exit_reason, name_of
from runtime.kernel.instrument import emit, install_instrument, remove_instrument
from runtime.kernel.node import Node, close_node, current, this_node
from runtime.kernel.process import DEAD, Process, Worker
from runtime.kernel.signals import finish
from runtime.preemption.interruption import Interruption
from runtime.preemption.time_slice import TimeSlices
from runtime.terms.errors import ProcessExit, RuntimeFault
from runtime.terms.explanation import explain
from runtime.terms.reason import is_abnormal
from runtime.terms.text import render

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

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

    def _run_process(self, process: Process, worker: Worker) -> None:
        """Run the function to its end; an exception is raised again by `run`, so that it is not logged here."""
        try:
            if self.args or self.kwargs:
                self.value = self.function(*self.args, **self.kwargs)
            else:  # a call without stars takes no frame of C's, which would be copied whenever it waits
                self.value = self.function()
            reason: Any = "normal"
        except BaseException as error:
            # sys.exit() ends the program as it is meant to: for what is linked to it, that is no failure
            ends_program = isinstance(error, SystemExit) and process.state is not DEAD
            reason = "shutdown" if ends_program else exit_reason(process, error)
            self.error = error if process.state is not DEAD else None
        worker.process = None
        finish(process, reason)


class Interrupted(KeyboardInterrupt, SystemExit):
    """Ctrl-C, after an orderly stop.

    A `KeyboardInterrupt` for who catches it. Python ends by it as by a SystemExit: with a status, and without a
    traceback: it would only show where the program happened to be.
    """

    def __init__(self) -> None:
        super().__init__()
        self.code = 128 + signal.SIGINT


def run(
    main: Callable[..., Any],
    *args: Any,
    time_slice: float | None = None,
    node: str | None = None,
    cookie: str | None = None,
    black_box: str | os.PathLike[str] | None = None,
    spans: bool | TracerProvider = False,
    **kwargs: Any,
) -> Any:
    """Boot a node in this thread, run ``main(*args, **kwargs)`` as its first process, and return what it returns.

    Raises what `main` raised. Raises ProcessExit when an exit signal ended it, or its own ``exit(reason)``, with
    another reason than normal and shutdown: with the Crash of a linked process that failed, say. It is raised as well
    when a supervisor that is linked to `main` could not start or gave up, and when a permanent application ended; its
    text says which child failed, of what, and where. A Python program that catches none of these ends with status 1.

    Every other process is stopped in an orderly way before `run` returns. Supervisors that are linked to `main` learn
    of its end and stop their trees. Other supervisors follow one after another, the newest first. What is left is asked
    to shut down, and killed after five seconds. Ctrl-C and SIGTERM stop the node the same way and then raise
    KeyboardInterrupt or SystemExit, which end the program without a traceback and with status 130 or 143. A first
    process that traps exits has five seconds to heed the signal. A second signal ends the program at once. After the
    first one, threads and functions of `atexit` have five seconds to end once the program's own code is over.

    With `time_slice` (seconds) no process holds the hub longer than that while others could run;
    `runtime.preemption.time_slice` says what that means and what it cannot do. Meanwhile Python's garbage collector
    looks for cycles less often, as `COLLECT_AFTER` says, and threads take turns at the interpreter more often, as the
    scheduler's `TURN` says.

    With `node` the node has that name, and other nodes that know the `cookie` reach it, as `start_distribution` says.
    Raises DistributionError when that cannot be.

    With `black_box`, a file or a folder, a black box is written there when `main` fails, when a supervisor under no
    other one gives up, and when the hub is held for ten seconds: the counterpart of Erlang's ``erl_crash.dump``, which
    ``observer open FILE`` shows. It holds what processes do, their messages and the last events, and only its owner can
    read it. A program that ends waits for it, three seconds at most.

    With `spans`, calls and casts have OpenTelemetry spans, as `runtime.spans` says: of the given tracer provider, with
    True of the one that the program has set.
    """
    if not callable(main):
        raise TypeError(f"run() takes the function that is to be the first process, not {render(main)}")
    if current() is not None:
        raise RuntimeFault("run() boots a node; inside a process use spawn()")
    this = this_node()
    slices = None if time_slice is None else TimeSlices(this, time_slice)
    _switch_on(this, node, cookie, black_box, spans)
    try:
        return _run_main(this, MainBody(main, args, kwargs), slices)
    finally:
        if spans is not False:
            from runtime import spans as spans_of_calls

            spans_of_calls.stop()


def _run_main(this: Node, body: MainBody, slices: TimeSlices | None) -> Any:
    """Run the first process and stop all others. Returns what it returns, or raises why the program ends."""
    process = _start(this, body, "main")
    interruption = Interruption.of(this)
    stop = ProgramStop(this, process, interruption)
    failures = Failures(this, stop.request)
    install_instrument(failures)
    try:
        with stop_signals(stop) as received, _patient_collector(), nullcontext() if slices is None else slices:
            raised = _wait(body, stop)
            error = raised or _error_of(body, process, stop, failures)
            fails = error is not None and not received  # a signal that comes later does not change what it ended of
            _tell_end(process, error, received)
            _stop_everything(this)
    finally:
        stop.close()
        remove_instrument(failures)
        interruption.close()
    close_node(this)
    if raised is not None:
        raise raised
    if received:
        end_in_time(128 + received[0])
    if received and not fails:
        raise _interrupt() if received[0] == signal.SIGINT else SystemExit(128 + received[0])
    if error is not None:
        raise error
    return body.value


def _switch_on(
    this: Node,
    name: str | None,
    cookie: str | None,
    black_box: str | os.PathLike[str] | None,
    spans: bool | TracerProvider,
) -> None:
    """Set up the name of the node, its black box and its spans: all that are wanted, or none where one fails."""
    with ExitStack() as started:
        if name is not None:
            from runtime.distribution.errors import DistributionError  # a node alone needs no sockets
            from runtime.distribution.nodes import name_for_run, stop_distribution

            try:
                is_named = name_for_run(name, cookie)
            except DistributionError as error:
                raise error.with_traceback(None) from None  # its sentence says all; where it was found out does not
            if is_named:
                started.callback(stop_distribution)  # when what follows fails: the next run could not have the name
        if black_box is not None:
            want_black_box(this, os.fspath(black_box))
        if spans is not False:
            from runtime import spans as spans_of_calls  # they need an extra

            spans_of_calls.start(None if spans is True else spans)
        started.pop_all()


def _start(node: Node, body: MainBody, label: str) -> Process:
    """Start a process whose end `run` waits for."""
    process = node.spawn(None, body)
    process.label = label
    process.watchers = {0: MainWatcher(body)}
    return process


def _wait(body: MainBody, stop: ProgramStop) -> BaseException | None:
    """Wait for the end of the first process. Returns what a signal's handler of the program's has raised meanwhile.

    gevent raises that here when no process runs. As anywhere in Python it ends the program, and as any end of it, in
    order.
    """
    raised = None
    while not body.over.is_set():
        try:
            body.over.wait()
        except BaseException as error:
            raised = raised or error
            stop.request("shutdown")
    return raised


def _interrupt() -> KeyboardInterrupt:
    """Return what Ctrl-C raises; at an interactive prompt, one that does not end the interpreter."""
    return KeyboardInterrupt() if hasattr(sys, "ps1") or sys.flags.interactive else Interrupted()


class MainWatcher:
    """Stands among the watchers of the first process and wakes `run` when it is dead."""

    def __init__(self, body: MainBody) -> None:
        self.body = body
        self.watcher = None

    def fire(self, process: Process, reason: Any) -> None:
        """Wake `run`."""
        self.body.over.set()


def _error_of(body: MainBody, process: Process, stop: ProgramStop, failures: Failures) -> BaseException | None:
    """Return what `run` raises because of how the first process ended; None when that is no failure."""
    if stop.is_requested:
        return ProcessExit(stop.reason, failures.story(None, stop.reason))
    if body.error is not None and not isinstance(body.error, ProcessExit):
        return body.error
    reason = process.reason
    story = failures.story(process.cause, reason)
    if story is not None or is_abnormal(reason) or is_failed_start(reason):
        return ProcessExit(reason, story)
    return None


def _tell_end(process: Process, error: BaseException | None, received: list[int]) -> None:
    """Tell who listens that the program ends, and why."""
    if received:
        why = f"it was told to stop by {signal.Signals(received[0]).name}"
    elif error is None:
        why = "its first process is over"
    elif isinstance(error, SystemExit):
        why = f"sys.exit({render(error.code, 100) if error.code is not None else ''}) was called"
    else:
        why = str(error) if isinstance(error, ProcessExit) else explain(process.reason)
    emit("program_ended", pid=process.pid, reason=process.reason, why=why)


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
    node.scheduler.is_even = True
    body = MainBody(stop_processes, (node,), {})
    _start(node, body, "stopping")
    body.over.wait()
    if body.error is not None:
        raise body.error
