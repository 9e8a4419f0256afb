"""Why a program ended: the story that `run` ends with, from the failures that supervisors have reported."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from runtime.kernel.instrument import Instrument
from runtime.kernel.node import Node
from runtime.kernel.process import OUTSIDE, Pid
from runtime.terms.crash import Crash
from runtime.terms.explanation import explain, overdrawn
from runtime.terms.reason import is_abnormal, is_atom, is_same
from runtime.terms.text import reason_text


class Failures(Instrument):
    """Remembers why supervisors gave up, for the story of a program's end; a permanent application's end stops it."""

    KEPT = 1_000
    """Supervisors that are remembered: as many as can have led to one end."""

    hears_of_restarts = False

    def __init__(self, node: Node, stop: Callable[[Any], None]) -> None:
        self._node = node
        self._stop = stop
        self._gave_up: OrderedDict[Pid, tuple[str, Pid | None, str]] = OrderedDict()
        """By supervisor: that it gave up, the last process of the child that failed, and how that ended."""
        self._failed_starts: OrderedDict[Pid, tuple[Pid | None, str]] = OrderedDict()
        """By supervisor: the last process of the child that did not start again, and why."""

    def event(self, kind: str, fields: dict[str, Any]) -> None:
        """Note what a supervisor tells."""
        if kind in ("application_terminated", "application_start_failure"):
            self._stop((kind, fields["name"], fields["reason"]))
        elif kind == "restart_failed":
            failure = fields["old"], f"did not start again: {explain(fields['reason'])}"
            self._keep(self._failed_starts, fields["supervisor"], failure)
        elif kind == "gave_up":
            supervisor = fields["supervisor"]
            process = supervisor.process
            name = reason_text(supervisor if process is None else process.known_as)
            budget = overdrawn(fields["allowed"], fields["seconds"])
            text = f"supervisor {name} gave up ({budget}): its child {reason_text(fields['child_id'])}"
            old = fields["old"]
            failed, why = self._failed_starts.pop(supervisor, (None, ""))
            has_not_started = why and failed == old  # else it has started again since
            how = why if has_not_started else self._end_of(old, fields["reason"])
            self._keep(self._gave_up, supervisor, (text, old, how))

    def _keep(self, where: OrderedDict[Pid, Any], supervisor: Pid, what: Any) -> None:
        where[supervisor] = what
        where.move_to_end(supervisor)
        if len(where) > self.KEPT:
            where.popitem(last=False)

    def story(self, cause: Pid | None, reason: Any) -> str | None:
        """Say what led to the end of a program with `reason` by the signal of `cause`; None when that says it all.

        For an application only its master's end is known: its tree is the last one that gave up.
        """
        if is_atom(reason, "shutdown"):
            return self._why_gave_up(cause)
        if cause is not None and type(reason) is not Crash and is_abnormal(reason):
            return self._whose_signal(cause, reason)
        if type(reason) is tuple and len(reason) == 3 and is_atom(reason[0], "application_terminated"):
            told = self._why_gave_up(next(reversed(self._gave_up), None)) if is_atom(reason[2], "shutdown") else None
            return None if told is None else f"the application {reason_text(reason[1])} ended: {told}"
        return None

    def _why_gave_up(self, supervisor: Pid | None) -> str | None:
        """Return the story of a supervisor, its child's in it where that is a supervisor that gave up, and so on."""
        texts = []
        while supervisor is not None and supervisor in self._gave_up:
            text, child, how = self._gave_up.pop(supervisor)
            texts.append(text)
            supervisor = child
        return " failed: ".join(texts) + f" {how}" if texts else None

    def _whose_signal(self, cause: Pid, reason: Any) -> str:
        """Say who ended the first process by an exit signal, and who had ended that one."""
        end = self._node.last_ends.get(cause.id)
        if end is not None and is_same(end.reason, reason):
            return f"{end.name} {cause}, which is linked to the first process, {self._end_of(cause, reason)}"
        how = "killed" if is_atom(reason, "killed") else "ended"
        return f"{explain(reason)}: the first process was {how} by {self._who(cause)}"

    def _end_of(self, pid: Pid | None, reason: Any) -> str:
        """Say how a process ended, as words that follow what it is called."""
        end = None if pid is None else self._node.last_ends.get(pid.id)
        if not is_atom(reason, "killed"):
            return f"ended with {explain(reason)}"
        return "was killed" if end is None or end.cause is None else f"was killed by {self._who(end.cause)}"

    def _who(self, pid: Pid) -> str:
        """Return what to call who sent an exit signal."""
        if pid is OUTSIDE:
            return "an observer, or code outside any process"
        process = pid.process
        name = process.name if process is not None else getattr(self._node.last_ends.get(pid.id), "name", None)
        return f"{name} {pid}" if name else f"process {pid}"


def is_failed_start(reason: Any) -> bool:
    """Return whether a reason is that of a supervisor which could not start."""
    inner = reason[1] if type(reason) is tuple and len(reason) == 2 and is_atom(reason[0], "shutdown") else None
    return type(inner) is tuple and len(inner) == 3 and is_atom(inner[0], "failed_to_start_child")
