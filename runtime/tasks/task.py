"""Tasks: a function in a process of its own, whose result the caller waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from runtime.kernel.body import name_of
from runtime.kernel.clock import now
from runtime.kernel.headroom import ensure_headroom
from runtime.kernel.mailbox import receive, send
from runtime.kernel.node import current_process
from runtime.kernel.process import DEAD, OUTSIDE, Pid, Process
from runtime.kernel.processes import end_monitor, exit, self_, unlink
from runtime.kernel.signals import Down, deliver, link_processes, watch
from runtime.otp.child_spec import ChildSpec
from runtime.tasks.task_body import start_task_process
from runtime.terms.errors import CallError
from runtime.terms.immutable import travels_by_reference
from runtime.terms.pattern import ANY
from runtime.terms.reason import is_atom
from runtime.terms.ref import Ref
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument, seconds_of

T = TypeVar("T")
R = TypeVar("R")

Outcome: TypeAlias = tuple[Literal["ok"], T] | tuple[Literal["exit"], Term]
"""How a task ended: ``("ok", result)`` or ``("exit", reason)``."""


@travels_by_reference
@dataclass(frozen=True, slots=True)
class Task(Generic[T]):
    """A running function: its process, the reference its messages carry, its owner, and the function's name.

    Only the owner, the process that started the task, can wait for it. The result arrives as ``(ref, result)``,
    followed by a `Down`. `Task.start_link(fn, *args)` starts a task without a result to wait for, and
    ``(Task, fn, *args)`` is a child spec. Semantics: Elixir's Task.
    """

    pid: Pid
    ref: Ref
    owner: Pid
    function: str = ""

    @staticmethod
    def start(fn: Callable[..., object], *args: object, **kwargs: object) -> Pid:
        """Run ``fn(*args, **kwargs)`` in a process for its effect alone, not linked, and return its Pid."""
        return start_task_process(check_function(fn), args, kwargs, linked=False).pid

    @staticmethod
    def start_link(fn: Callable[..., object], *args: object, **kwargs: object) -> Pid:
        """Run ``fn(*args, **kwargs)`` in a linked process for its effect alone, and return its Pid."""
        return start_task_process(check_function(fn), args, kwargs, linked=True).pid

    @staticmethod
    def completed(value: R) -> Task[R]:
        """Return a task of the caller that has ended already, with `value` as its result (Elixir: Task.completed).

        No process is started: use it where a function that returns a task knows the result at once. It can be awaited
        and yielded; `shutdown_task` and `ignore_task` raise ValueError. Its Pid is ``<0.0.0>``, which no process has.
        """
        owner, ref = current_process("Task.completed").pid, Ref()
        send(owner, (ref, value))
        return Task(OUTSIDE, ref, owner, "Task.completed")

    @staticmethod
    def child_spec(fn: Callable[..., object], *args: object, **kwargs: Any) -> ChildSpec:
        """Return the spec of a temporary child that runs ``fn(*args, **kwargs)``."""
        start = Task.start_link if not kwargs else partial(Task.start_link, **kwargs)
        return ChildSpec(id="Task", start=(start, check_function(fn), *args), restart="temporary", modules=[Task])


def spawn_task(fn: Callable[..., T], *args: object, **kwargs: object) -> Task[T]:
    """Run ``fn(*args, **kwargs)`` in a linked process; `await_` returns its result (Elixir: Task.async)."""
    owner = current_process("spawn_task")
    ensure_headroom()
    ref = Ref()
    work = (ref, check_function(fn), args, kwargs)
    process: Process | None = None
    try:
        owner.node.add_alias(owner, ref, "demonitor")
        process = start_task_process(_run_and_reply, work, linked=True, shown_as=fn, shown_with=(args, kwargs))
        watch(owner, process, ref, process.pid)
        task: Task[T] = Task(process.pid, ref, owner.pid, name_of(fn))
    except BaseException:  # it does not run, and the hub ends it
        if process is not None:
            process.state, process.reason, process.node.half_dead[process] = DEAD, "killed", "killed"
            owner.drop_link(process)
        end_monitor(owner, ref, flush=False)
        raise
    return task


def _run_and_reply(ref: Ref, fn: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    send(ref, (ref, fn(*args, **kwargs)))


def await_(task: Task[T], timeout: TimeoutArgument = 5.0) -> T:
    """Return the result of a task that the caller owns; waits for `timeout` seconds (None, ``"infinity"``: no limit).

    Raises CallError with ``"timeout"`` (the task goes on, its result is dropped) or the reason the task ended with, and
    ValueError when the caller is not the owner. A task can be awaited once (Elixir: Task.await/2).
    """
    seconds = seconds_of(timeout)
    owner = _check_owner(task, "await_")
    outcome = _take_outcome(owner, task.ref, seconds)
    if outcome is None:
        end_monitor(owner, task.ref, flush=True)
        raise CallError("timeout", "await", (task, timeout), "task")
    if outcome[0] == "exit":
        raise CallError(outcome[1], "await", (task, timeout), "task")
    result: T = outcome[1]
    return result


def _take_outcome(owner: Process, ref: Ref, seconds: float | None) -> Outcome[Any] | None:
    """Take the result or the `Down` of a task out of its owner's mailbox, and end its monitor; None after `seconds`.

    Where an exception strikes, the message is where it was, so that the task can be waited for again.
    """
    ensure_headroom()
    message = None
    try:
        message = receive((ref, ANY), Down(ref, ANY, ANY), timeout=seconds, default=None)
        if message is None:
            return None
        end_monitor(owner, ref, flush=True)
        return _outcome_of(message)
    except BaseException:
        owner.put_back([] if message is None else [message])
        raise


def _outcome_of(message: Any) -> Outcome[Any]:
    return ("exit", message.reason) if message.__class__ is Down else ("ok", message[1])


def await_many(tasks: Iterable[Task[T]], timeout: TimeoutArgument = 5.0) -> list[T]:
    """Return the results of several tasks in their order (Elixir: Task.await_many/2).

    `timeout` is for all together. Raises what `await_` raises.
    """
    deadline = _deadline(timeout)
    tasks = _checked(tasks, "await_many")
    owner = current_process("await_many")
    ensure_headroom()
    waiting = {task.ref for task in tasks}
    taken: list[Any] = []
    failure: tuple[Term] | None = None
    try:
        while waiting and failure is None:
            message = receive(partial(_is_from_any, waiting), timeout=_left(deadline), default=None)
            if message is None:
                failure = ("timeout",)
                break
            taken.append(message)
            if isinstance(message, Down):
                failure = (message.reason,)
            else:
                waiting.discard(message[0])
        for task in tasks:
            end_monitor(owner, task.ref, flush=True)
        by_ref: dict[Ref, T] = {} if failure else dict(taken)
        results = [by_ref[task.ref] for task in tasks if not failure]
    except BaseException:
        owner.put_back(taken)
        raise
    if failure is not None:
        raise CallError(failure[0], "await_many", (tasks, timeout), "task")
    return results


def _checked(tasks: Iterable[Task[T]], function: str) -> list[Task[T]]:
    """Return tasks as a list. Raises TypeError for anything else, ValueError for those of another owner."""
    if not isinstance(tasks, Iterable):
        raise TypeError(f"{function}() takes several tasks, in a list for example, not {render(tasks)}")
    listed = list(tasks)
    for task in listed:
        _check_owner(task, function)
    return listed


def _deadline(timeout: TimeoutArgument) -> float | None:
    seconds = seconds_of(timeout)
    return None if seconds is None else now() + seconds


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - now())


def _is_from_any(refs: set[Ref], message: Term) -> bool:
    """Return whether a message is the result or the `Down` of a task with one of these references."""
    if isinstance(message, Down):
        return message.ref in refs
    return type(message) is tuple and len(message) == 2 and isinstance(message[0], Ref) and message[0] in refs


def yield_(task: Task[T], timeout: TimeoutArgument = 5.0) -> Outcome[T] | None:
    """Wait for a task's end for `timeout` seconds; return its outcome, None while it goes on (Elixir: Task.yield/2).

    The outcome is ``("ok", result)`` or ``("exit", reason)``.

    After None it can be awaited, or waited for again. Raises ValueError when the caller is not the owner.
    """
    seconds = seconds_of(timeout)
    return _take_outcome(_check_owner(task, "yield_"), task.ref, seconds)


def yield_many(
    tasks: Iterable[Task[T]],
    timeout: TimeoutArgument = 5.0,
    on_timeout: Literal["nothing", "kill_task", "ignore"] = "nothing",
    limit: int | Literal["infinity"] | None = None,
) -> list[tuple[Task[T], Outcome[T] | None]]:
    """`yield_` several tasks within one `timeout`; returns ``(task, outcome)`` in their order.

    With a `limit` it returns as soon as that many have ended (None, ``"infinity"``: all of them). Those that go on have
    None; when the time is over, ``on_timeout="kill_task"`` ends them and ``"ignore"`` releases them
    (Elixir: Task.yield_many). Raises ValueError when the caller is not the owner, or for a wrong option.
    """
    if on_timeout not in ("nothing", "kill_task", "ignore"):
        raise ValueError(f"on_timeout is {render(on_timeout)}; allowed are 'nothing', 'kill_task' and 'ignore'")
    deadline = _deadline(timeout)
    tasks = _checked(tasks, "yield_many")
    owner = current_process("yield_many")
    ensure_headroom()
    waiting = {task.ref for task in tasks}
    most = len(waiting) if limit is None or limit == "infinity" else _checked_limit(limit)
    outcomes: dict[Ref, Outcome[T] | None] = {}
    taken: list[Any] = []
    try:
        while waiting and len(outcomes) < most:
            message = receive(partial(_is_from_any, waiting), timeout=_left(deadline), default=None)
            if message is None:
                break
            taken.append(message)
            ref = message.ref if isinstance(message, Down) else message[0]
            outcomes[ref] = _outcome_of(message)
            waiting.discard(ref)
        for ref in outcomes:
            end_monitor(owner, ref, flush=True)
        if len(outcomes) < most:
            end: dict[str, Callable[[Task[T]], Outcome[T] | None]] = {"kill_task": _kill, "ignore": ignore_task}
            if on_timeout in end:
                outcomes |= {task.ref: end[on_timeout](task) for task in tasks if task.ref in waiting}
        ended = [(task, outcomes.pop(task.ref, None)) for task in tasks]
    except BaseException:
        owner.put_back(taken)
        raise
    return ended


def _kill(task: Task[T]) -> Outcome[T] | None:
    return shutdown_task(task, "brutal_kill")


def _checked_limit(limit: object) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise ValueError(
            f"limit is {render(limit)}; allowed are a whole number >= 1, and None or 'infinity' for all tasks"
        )
    return limit


def shutdown_task(task: Task[T], timeout: TimeoutArgument | Literal["brutal_kill"] = 5.0) -> Outcome[T] | None:
    """End a task: with ``"shutdown"``, and after `timeout` seconds by killing; ``"brutal_kill"`` kills at once.

    Returns ``("ok", result)`` when it had finished, ``("exit", reason)`` when it had ended otherwise, else None
    (Elixir: Task.shutdown/2).
    """
    kills = timeout == "brutal_kill"
    if isinstance(timeout, str) and timeout not in ("brutal_kill", "infinity"):
        raise ValueError(f"timeout is {render(timeout)}; allowed are seconds, 'brutal_kill', and 'infinity' or None")
    seconds = None if timeout == "brutal_kill" else seconds_of(timeout)
    pid = _process_of(task, "shutdown_task")
    owner = current_process("shutdown_task")
    ensure_headroom()
    ref, process, is_told = Ref(), pid.process, False
    linked = process is not None and process in owner.links
    try:
        if process is None:
            deliver(owner, Down(ref, pid, "noproc"))
        else:
            watch(owner, process, ref, pid)
        unlink(pid)
        exit(pid, "kill" if kills else "shutdown")
        is_told = True
        down = receive(Down(ref, ANY, ANY), timeout=seconds, default=None)
        if down is None:
            exit(pid, "kill")
            down = receive(Down(ref, ANY, ANY))
        reason = down.reason
        if is_atom(reason, "noproc"):  # it had ended before: its own monitor knows how, if it has not been asked yet
            first = receive(Down(task.ref, ANY, ANY), timeout=0, default=down)
            reason = first.reason
        reply = receive((task.ref, ANY), timeout=0, default=None)
        end_monitor(owner, task.ref, flush=True)
    except BaseException:
        end_monitor(owner, ref, flush=True)
        if linked and not is_told and process is not None and process.state is not DEAD:
            link_processes(owner, process)
        raise
    if reply is not None:
        return "ok", reply[1]
    return None if is_atom(reason, "killed" if kills else "shutdown") else ("exit", reason)


def ignore_task(task: Task[T]) -> Outcome[T] | None:
    """Stop waiting for a task, which runs on unlinked (Elixir: Task.ignore/1).

    Returns its outcome when it has ended already, else None.
    """
    pid = _process_of(task, "ignore_task")
    owner = current_process("ignore_task")
    outcome = yield_(task, 0)
    try:
        unlink(pid)
    finally:
        end_monitor(owner, task.ref, flush=True)
    return outcome


def _process_of(task: Task[T], function: str) -> Pid:
    """Return the process of a task. Raises ValueError when the caller is not the owner, or there is no process."""
    _check_owner(task, function)
    if task.pid == OUTSIDE:
        raise ValueError(f"{function}() is for a task that runs; this one was made by Task.completed()")
    return task.pid


def _check_owner(task: object, function: str) -> Process:
    """Return the caller's process. Raises ValueError when it is not the owner."""
    if not isinstance(task, Task):
        raise TypeError(f"{function}() takes a Task, not {render(task)}; spawn_task() returns one")
    caller = self_()
    if task.owner != caller:
        raise ValueError(
            f"{function}() is for the owner of a task: {task.pid} belongs to {task.owner}, not to {caller}"
        )
    return current_process(function)


F = TypeVar("F", bound=Callable[..., object])


def check_function(fn: F) -> F:
    """Return `fn`. Raises TypeError for what cannot be called."""
    if not callable(fn):
        raise TypeError(f"a task runs a function, not {render(fn)}")
    return fn
