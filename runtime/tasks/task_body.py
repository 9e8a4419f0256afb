"""What the process of a task runs: one function, with an ancestry, callers, and reports when it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ClassVar

from runtime.kernel.body import PlainBody, exit_reason, name_of
from runtime.kernel.node import current_process
from runtime.kernel.pid import Pid
from runtime.kernel.process import DEAD, Process
from runtime.kernel.processes import dictionary_of, start_process
from runtime.kernel.reports import crash_report, report
from runtime.kernel.scheduler import Worker
from runtime.kernel.signals import finish, link_processes
from runtime.otp.gen_server import lineage_of
from runtime.supervision.child import is_normal


class TaskBody(PlainBody, eq=False):
    """A function whose abnormal end is reported, as that of every process with a place in a tree.

    `starter` is who wanted the task: the caller for whom a supervisor has started it.
    """

    starter: Pid
    reports: ClassVar[bool] = True

    def run_process(self, process: Process, worker: Worker) -> None:
        """Run the function to its end; nothing that it raises gets past here."""
        try:
            self.function(*self.args, **self.kwargs)
            reason: Any = "normal"
        except BaseException as error:
            reason = exit_reason(process, error)
            if process.state is not DEAD and not is_normal(reason):
                process.node.crashed += 1
                self._report(process, reason)
                crash_report(process, reason)
        worker.process = None
        finish(process, reason)

    def _report(self, process: Process, reason: Any) -> None:
        starter = self.starter.process
        report(
            "task_terminating",
            logging.ERROR,
            name=process.known_as,
            pid=process.pid,
            starter=self.starter if starter is None or starter.name is None else starter.name,
            function=process.label,
            reason=reason,
        )


def start_task_process(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any] | None = None,
    *,
    linked: bool,
    starter: Pid | None = None,
    callers: list[Pid] | None = None,
    shown_as: Any = None,
) -> Process:
    """Make a process for a task of the caller, ready to run.

    It has `$ancestors` and `$callers` (the caller and its own callers, unless given); observers show it as the
    function, or as `shown_as`.
    """
    parent = current_process("spawn_task")
    body = TaskBody(function, args, kwargs or {}, starter or parent.pid)
    process = start_process(parent.node, parent, body, None, name_of(shown_as or function))
    process.ancestors = lineage_of(parent)
    dictionary_of(process)["$callers"] = callers_of(parent) if callers is None else callers
    if linked:
        link_processes(parent, process)
    return process


def callers_of(process: Process) -> list[Pid]:
    """Give what `$callers` is in the tasks that a process starts: itself, and its own callers."""
    return [process.pid, *(process.dictionary or {}).get("$callers", ())]
