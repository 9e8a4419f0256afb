"""Task supervisors: dynamic supervisors whose children are tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from runtime.kernel.body import name_of
from runtime.kernel.mailbox import receive, send
from runtime.kernel.node import current, current_process
from runtime.kernel.outside import from_outside
from runtime.kernel.process import Destination, Pid
from runtime.kernel.processes import demonitor, end_monitor, exit, link, monitor, self_, unlink
from runtime.kernel.signals import Down, deliver, watch
from runtime.otp.always_starts import AlwaysStarts
from runtime.otp.child_spec import ChildSpec, Restart, Shutdown, read_shutdown
from runtime.supervision.dynamic_supervisor import DynamicSupervisor
from runtime.supervision.requests import start_child, which_children
from runtime.tasks.task import Outcome, Task, check_function
from runtime.tasks.task_body import callers_of, show_as, start_task_process
from runtime.tasks.task_stream import OPTIONS as STREAM_OPTIONS
from runtime.tasks.task_stream import TaskStream, check_keywords
from runtime.terms.errors import StartError
from runtime.terms.immutable import travels_by_reference
from runtime.terms.pattern import ANY
from runtime.terms.ref import Ref

Item = TypeVar("Item")
T = TypeVar("T")


OPTIONS = (*STREAM_OPTIONS, "shutdown")
"""The options of `TaskSupervisor.async_stream`; its other keyword arguments are the function's."""


class TaskSupervisor(AlwaysStarts, DynamicSupervisor):
    """A dynamic supervisor for tasks, which are temporary children unless said otherwise.

    In the functions below `supervisor` is its Pid or name. They raise StartError ``"max_children"`` when it has as many
    tasks as it may have, and CallError when it is not there. Semantics: Elixir's Task.Supervisor.
    """

    @staticmethod
    def start_child(
        supervisor: Destination,
        fn: Callable[..., object],
        *args: object,
        restart: Restart = "temporary",
        shutdown: Shutdown = 5.0,
        **kwargs: object,
    ) -> Pid:
        """Run ``fn(*args, **kwargs)`` as a child for its effect alone. Returns its Pid (Elixir: start_child/3)."""
        check_function(fn)
        if current() is None:

            def start_it() -> Pid:
                return TaskSupervisor.start_child(
                    supervisor,
                    fn,
                    *args,
                    restart=restart,
                    shutdown=shutdown,
                    **kwargs,
                )

            return from_outside("start_child", start_it, StartError)
        owner = current_process("start_child")
        start = (_start_alone, owner.pid, callers_of(owner), fn, args, kwargs)
        pid: Pid = start_child(supervisor, _spec(start, restart, shutdown))
        return pid

    @staticmethod
    def async_(
        supervisor: Destination, fn: Callable[..., T], *args: object, shutdown: Shutdown = 5.0, **kwargs: object
    ) -> Task[T]:
        """Run ``fn(*args, **kwargs)`` as a child that is linked to the caller too; `await_` returns its result."""
        return start_supervised(supervisor, fn, args, kwargs, shutdown, linked=True)

    @staticmethod
    def async_nolink(
        supervisor: Destination, fn: Callable[..., T], *args: object, shutdown: Shutdown = 5.0, **kwargs: object
    ) -> Task[T]:
        """Run ``fn(*args, **kwargs)`` as a child whose end, however it comes, does not end the caller.

        Returns the task (Elixir: Task.Supervisor.async_nolink/3).
        """
        return start_supervised(supervisor, fn, args, kwargs, shutdown, linked=False)

    @staticmethod
    def async_stream(
        supervisor: Destination,
        items: Iterable[Item],
        fn: Callable[..., T],
        *args: object,
        shutdown: Shutdown = 5.0,
        **kwargs: Any,
    ) -> Iterator[Outcome[T]]:
        """Run a stream like `runtime.async_stream`, with the tasks as children of a supervisor.

        `shutdown` is how the supervisor ends a task, as in a `ChildSpec`. The other options are those of
        `async_stream`; keyword arguments besides reach `fn`.
        """
        return _stream(supervisor, items, fn, args, kwargs, shutdown, linked=True)

    @staticmethod
    def async_stream_nolink(
        supervisor: Destination,
        items: Iterable[Item],
        fn: Callable[..., T],
        *args: object,
        shutdown: Shutdown = 5.0,
        **kwargs: Any,
    ) -> Iterator[Outcome[T]]:
        """Run a stream like `async_stream`, with tasks that are not linked to the caller."""
        return _stream(supervisor, items, fn, args, kwargs, shutdown, linked=False)

    @staticmethod
    def tasks(supervisor: Destination) -> list[Pid]:
        """Return the Pids of the tasks that run (Elixir: Task.Supervisor.children)."""
        return [info.pid for info in which_children(supervisor) if isinstance(info.pid, Pid)]

    children = tasks  # type: ignore[assignment]  # Elixir's name, of the class; an instance's are its records


def start_supervised(
    supervisor: Destination,
    fn: Callable[..., T],
    args: tuple[object, ...],
    kwargs: dict[str, object],
    shutdown: Shutdown,
    linked: bool,
) -> Task[T]:
    """Start a task as a supervisor's child, and hand it its work when the caller watches it."""
    owner = current_process("async_" if linked else "async_nolink")
    check_function(fn)
    offer, ref = _Offer(fn), Ref()
    try:
        pid: Pid = start_child(supervisor, _spec((_start_waiting, owner.pid, offer), "temporary", shutdown))
        if linked:
            link(pid)
        process = pid.process
        if process is None:
            deliver(owner, Down(ref, pid, "noproc"))
        else:
            owner.node.add_alias(owner, ref, "demonitor")
            watch(owner, process, ref, pid)
        send(pid, (_WORK, owner.pid, ref, callers_of(owner), fn, args, kwargs))
        task: Task[T] = Task(pid, ref, owner.pid, name_of(fn))
    except BaseException:
        offer.withdraw()
        end_monitor(owner, ref, flush=True)
        raise
    return task


@travels_by_reference
class _Offer:
    """Lets a task that waits for its work know that its owner has given up: an exception has struck meanwhile.

    It also says what the task will run, so that observers show that from its start.
    """

    __slots__ = ("fn", "is_withdrawn", "taker")

    def __init__(self, fn: Callable[..., object]) -> None:
        self.fn = fn
        self.is_withdrawn = False
        self.taker: Pid | None = None

    def withdraw(self) -> None:
        """End the task, or let it end as soon as it has started."""
        self.is_withdrawn = True
        if self.taker is not None:
            unlink(self.taker)
            exit(self.taker, "kill")


_WORK = "$task"


def _stream(
    supervisor: Destination,
    items: Iterable[Item],
    fn: Callable[..., T],
    args: tuple[object, ...],
    keywords: dict[str, Any],
    shutdown: Shutdown,
    linked: bool,
) -> Iterator[Outcome[T]]:
    check_function(fn)
    options = {name: value for name, value in keywords.items() if name in STREAM_OPTIONS}
    kwargs = {name: value for name, value in keywords.items() if name not in STREAM_OPTIONS}
    check_keywords(fn, args, kwargs, OPTIONS)
    how = read_shutdown(shutdown)

    def begin(item: Item) -> Task[T]:
        return start_supervised(supervisor, fn, (item, *args), kwargs, how, linked)

    return TaskStream(items, begin, **options).outcomes()


def _spec(start: tuple[object, ...], restart: Restart, shutdown: Shutdown) -> ChildSpec:
    return ChildSpec(id="Task", start=start, restart=restart, shutdown=shutdown, modules=[Task])


def _start_alone(
    owner: Pid, callers: list[Pid], fn: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]
) -> Pid:
    return start_task_process(fn, args, kwargs, linked=True, starter=owner, callers=callers).pid


def _start_waiting(owner: Pid, offer: _Offer) -> Pid:
    arguments = (owner, offer)
    return start_task_process(_await_work, arguments, linked=True, starter=owner, callers=[], shown_as=offer.fn).pid


def _await_work(owner: Pid, offer: _Offer) -> None:
    """Wait for the owner's message with the work; end when the owner dies before, or has withdrawn its offer."""
    offer.taker = self_()
    if offer.is_withdrawn:
        exit("shutdown")
    ref_of_owner = monitor(owner)
    message = receive((_WORK, owner, ANY, ANY, ANY, ANY, ANY), Down(ref_of_owner, ANY, ANY))
    if isinstance(message, Down):
        exit(("shutdown", message.reason))
    demonitor(ref_of_owner, flush=True)
    _, _, ref, callers, fn, args, kwargs = message
    process = current_process("async_")
    show_as(process, fn, args, kwargs)
    assert process.dictionary is not None
    process.dictionary["$callers"] = callers
    send(ref, (ref, fn(*args, **kwargs)))
