"""Finds the process or greenlet that a question or a command names, or says why there is none."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.events.greenlets import NAME, Greenlets
from runtime.introspection.reading.tree_path import parse_pid
from runtime.kernel.process import Process


class RefusedError(Exception):
    """A command or a question cannot be carried out; `answer` is what its sender is told."""

    def __init__(self, answer: wire.Failed) -> None:
        super().__init__(answer.why)
        self.answer = answer


def addressee(text: str, greenlets: Greenlets) -> Process:
    """Return the living process of a pid, or the greenlet with a name like ``g7``. Raises RefusedError."""
    pid = parse_pid(text)
    process = greenlets.find(text) if pid is None else pid.process
    if process is not None and process.body is not None:
        return process
    if pid is None and not NAME.fullmatch(text):
        why = f"{text!r} is not a pid; one looks like <0.17.0>."
        raise RefusedError(wire.Failed(why=why, kind="bad_request"))
    raise RefusedError(gone(text))


def gone(pid: str) -> wire.Failed:
    """Say that a process is dead."""
    what = "greenlet" if NAME.fullmatch(pid) else "process"
    return wire.Failed(why=f"There is no {what} {pid}: it has ended.", kind="noproc")
