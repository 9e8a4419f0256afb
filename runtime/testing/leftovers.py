"""What a test leaves behind: processes, timers and greenlets that outlive it."""

from __future__ import annotations

from pathlib import Path

import gevent

from runtime import Pid, exit, process_info, processes, sleep
from runtime.kernel.node import current, this_node
from runtime.kernel.process import Process
from runtime.terms.text import render

RUNTIME = str(Path(__file__).parents[1])
"""Where the runtime's own files are, whose frames tell nothing about a test."""

GRACE = 0.1
"""Seconds that what is about to end has for ending."""


class LeftBehind(AssertionError):
    """A test ended and something it started did not; the text says what it is and where it waits."""


class Leftovers:
    """Watches from the start of a test for what it starts, and tells at its end what is still there."""

    def __init__(self) -> None:
        self.before = {*processes()}
        self.greenlets: list[gevent.Greenlet[..., object]] = []
        self.of_test: list[str] = []
        """What the test's own process had when the test had passed."""
        gevent.Greenlet.add_spawn_callback(self.greenlets.append)

    def note_test(self) -> None:
        """Note the timers and monitors of the calling process: a test's, which ends now and takes them along."""
        process = current()
        if process is not None:
            self.of_test = _held_by(process, "the test")

    def check(self) -> None:
        """Raise LeftBehind if something is still there after `GRACE`; it is ended first."""
        gevent.Greenlet.remove_spawn_callback(self.greenlets.append)
        for _ in range(10):
            if not (self._processes() or self._greenlets()):
                break
            sleep(GRACE / 10)
        lines = [
            *self.of_test,
            *(_process_line(pid) for pid in self._processes()),
            *self._held_lines(),
            *(f"greenlet {greenlet!r}" for greenlet in self._greenlets()),
        ]
        self._end()
        if lines:
            raise LeftBehind("the test left behind:\n" + "\n".join(f"- {line}" for line in lines))

    def _processes(self) -> list[Pid]:
        return [pid for pid in processes() if pid not in self.before]

    def _greenlets(self) -> list[gevent.Greenlet[..., object]]:
        return [greenlet for greenlet in self.greenlets if not greenlet.dead]

    def _held_lines(self) -> list[str]:
        """Return a line for each timer and monitor of a process that was there before the test."""
        lines = []
        for process in this_node().processes():
            if process.pid in self.before:
                lines += _held_by(process, "a fixture")
        return lines

    def _end(self) -> None:
        for pid in self._processes():
            exit(pid, "kill")
        gevent.killall(self._greenlets(), block=False)


def _held_by(process: Process, owner: str) -> list[str]:
    """Return a line for each timer and monitor of a process."""
    messages = [render(timer.message) for timer in (process.timers or {}).values()]
    targets = [target.pid for target in (process.monitors or {}).values()]
    return [
        *(f"timer that will send {message} to {process.pid}, set by {owner}" for message in messages),
        *(f"monitor of {_called(pid)}, set by {owner}" for pid in targets),
    ]


def _called(pid: Pid) -> str:
    info = process_info(pid, "registered_name", "label", "initial_call")
    if info is None:
        return str(pid)
    name = info["registered_name"] or info["label"]
    return f"{pid}{f' {name!r}' if name else ''} running {info['initial_call']}"


def _process_line(pid: Pid) -> str:
    info = process_info(pid, "registered_name", "label", "initial_call", "current_stacktrace", "parent")
    if info is None:
        return f"process {pid}, which ends just now"
    called = info["registered_name"] or info["label"]
    stack = [frame for frame in info["current_stacktrace"] if not frame.file.startswith(RUNTIME)]
    at = f", at {stack[-1].file}:{stack[-1].line} in {stack[-1].function}" if stack else ""
    name = f" {called!r}" if called else ""
    return f"process {pid}{name} running {info['initial_call']}{at}, started by {info['parent']}"
