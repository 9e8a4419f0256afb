"""Finds the process or greenlet that a question or a command names, or says why it cannot."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.events.greenlets import NAME
from runtime.introspection.reading.tree_path import parse_pid
from runtime.kernel.process import Process
from runtime.terms.text import render


class RefusedError(Exception):
    """A command or a question cannot be carried out; `answer` is what its sender is told."""

    def __init__(self, answer: wire.Failed) -> None:
        super().__init__(answer.why)
        self.answer = answer


def addressee(text: str, node: ObservedNode, with_remains: bool = False) -> Process:
    """Return the living process of a pid, or the greenlet with a name like ``g7``. Raises RefusedError.

    `with_remains` finds a dead process too, while its frames have not ended.
    """
    pid = parse_pid(text)
    process = node.greenlets.find(text) if pid is None else pid.process
    if process is not None and process.body is not None:
        return process
    if pid is None and not NAME.fullmatch(text):
        why = f"{render(text[:100])} is not a pid; one looks like <0.17.0>."
        raise RefusedError(wire.Failed(why=why, kind="bad_request"))
    if pid is not None and with_remains and (remains := node.node.find_remains(pid.id)) is not None:
        return remains
    if pid is not None and (pid.node or pid.serial or pid.id > node.node.spawned):
        raise RefusedError(wire.Failed(why=f"There has never been a process {pid} on this node.", kind="noproc"))
    raise RefusedError(gone(text))


def gone(pid: str) -> wire.Failed:
    """Say that a process is dead."""
    what = "greenlet" if NAME.fullmatch(pid) else "process"
    return wire.Failed(why=f"There is no {what} {pid}: it has ended.", kind="noproc")
