"""What the process of a task runs: one function, with ancestors, callers, and reports when it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable

from runtime.kernel.body import PlainBody, exit_reason, name_of
from runtime.kernel.node import current_process
from runtime.kernel.process import DEAD, Pid, Process, Worker
from runtime.kernel.processes import dictionary_of, start_process
from runtime.kernel.reports import crash_report, report
from runtime.kernel.signals import finish, link_processes
from runtime.otp.gen_server import lineage_of
from runtime.supervision.child import is_normal
from runtime.terms.term import Term


class TaskBody(PlainBody, eq=False):
    """A function whose abnormal end is reported, as that of every process with a place in a tree.

    `starter` is the process that wanted the task: the caller, where a supervisor has started it for one. `shown_as` is
    the program's own function, which the runtime's `function` calls and which observers and reports name.
    """

    starter: Pid
    shown_as: Callable[..., object]
    shown_with: tuple[tuple[object, ...], dict[str, object]] | None = None
    """The arguments of `shown_as`, where they are not those of `function`."""

    @property
    def initial_call(self) -> str:
        """The program's function, as ``module.name``."""
        return name_of(self.shown_as)

    def _run_process(self, process: Process, worker: Worker) -> None:
        """Run the function to its end; nothing that it raises gets past here."""
        try:
            self.function(*self.args, **self.kwargs)
            reason: Term = "normal"
        except BaseException as error:
            reason = exit_reason(process, error)
            if process.state is not DEAD and not is_normal(reason):
                process.node.crashed += 1
                self._report(process, reason)
                crash_report(process, reason)
        worker.process = None
        finish(process, reason)

    def _report(self, process: Process, reason: Term) -> None:
        starter = self.starter.process
        arguments, keywords = self.shown_with or (self.args, self.kwargs)
        report(
            "task_terminating",
            logging.ERROR,
            name=process.known_as,
            pid=process.pid,
            starter=self.starter if starter is None or starter.name is None else starter.name,
            function=process.label,
            arguments=list(arguments),
            keyword_arguments=dict(keywords),
            reason=reason,
        )


def start_task_process(
    function: Callable[..., object],
    args: tuple[object, ...],
    kwargs: dict[str, object] | None = None,
    *,
    linked: bool,
    starter: Pid | None = None,
    callers: list[Pid] | None = None,
    shown_as: Callable[..., object] | None = None,
    shown_with: tuple[tuple[object, ...], dict[str, object]] | None = None,
) -> Process:
    """Start a process for a task of the caller.

    It has `$ancestors` and `$callers` (the caller and its own callers, unless given); observers show it as the
    function, or as `shown_as`, and reports name its arguments, or `shown_with`.
    """
    parent = current_process("spawn_task")
    shown_as = shown_as or function
    body = TaskBody(function, args, kwargs or {}, starter or parent.pid, shown_as, shown_with)
    process = start_process(parent.node, parent, body, None, name_of(shown_as))
    try:
        process.ancestors = lineage_of(parent)
        dictionary_of(process)["$callers"] = callers_of(parent) if callers is None else callers
        if linked:
            link_processes(parent, process)
    except BaseException:  # it does not run, and the hub ends it: without a call, for which there may be no room
        process.state, process.reason, process.node.half_dead[process] = DEAD, "killed", "killed"
        parent.drop_link(process)
        raise
    return process


def show_as(process: Process, fn: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    """Let a task that has got its function now be shown as that."""
    process.label = name_of(fn)
    assert isinstance(process.body, TaskBody)
    process.body.shown_as = fn
    process.body.shown_with = (args, kwargs)
    dictionary_of(process)["$initial_call"] = process.initial_call


def callers_of(process: Process) -> list[Pid]:
    """Return what `$callers` is in the tasks that a process starts: the process, and its own callers."""
    return [process.pid, *(process.dictionary or {}).get("$callers", ())]
