"""The addressee of a question or a command: who is meant by a pid's text, or why that is nobody."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.events.greenlets import NAME, Greenlets
from runtime.introspection.reading.tree_path import parse_pid
from runtime.kernel.process import Process


def addressee(text: str, greenlets: Greenlets) -> Process | wire.Failed:
    """Give the living process of a pid, or the record of the greenlet with a name like ``g7``."""
    pid = parse_pid(text)
    process = greenlets.find(text) if pid is None else pid.process
    if process is not None and process.body is not None:
        return process
    if pid is None and not NAME.fullmatch(text):
        return wire.Failed(why=f"{text!r} is not a pid; one looks like <0.17.0>.", kind="bad_request")
    return gone(text)


def gone(pid: str) -> wire.Failed:
    """Say that a process is dead."""
    what = "greenlet" if NAME.fullmatch(pid) else "process"
    return wire.Failed(why=f"There is no {what} {pid}: it has ended.", kind="noproc")
