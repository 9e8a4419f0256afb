"""What can be known of a process: `process_info`."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

from greenlet import getcurrent

from runtime.kernel.memory import measure
from runtime.kernel.process import DEAD, REMOTE, RUNNABLE, RUNNING, Pid, Process
from runtime.kernel.processes import dictionary_of
from runtime.kernel.signals import Watch
from runtime.terms.crash import StackFrame, trim_stack
from runtime.terms.isolation import isolate
from runtime.terms.term import Term
from runtime.terms.text import render


def process_info(pid: Pid, *items: str) -> dict[str, Any] | None:
    """Return what is known of a process, by OTP's names: all of it, or only `items`. None for a dead pid.

    `memory` is an estimate in bytes; `links` and `monitored_by` hold Pids, `monitors` Pids, and names for
    monitors set by name; `current_stacktrace` holds frames, innermost last; `messages` and `dictionary` are copies
    (OTP: process_info/1, process_info/2). Raises ValueError for an item that does not exist.
    """
    if not isinstance(pid, Pid):
        raise TypeError(f"process_info() takes a Pid, not {render(pid)}; whereis(name) finds one by name")
    unknown = [item for item in items if item not in ITEMS]
    if unknown:
        raise ValueError(f"there is no item {render(unknown[0])}; there are {', '.join(ITEMS)}")
    process = pid.process
    if process is None:
        return None
    if process.state is REMOTE:
        raise ValueError(f"{pid} is a process of another node; erpc.call(node({pid}), process_info, ...) asks there")
    return {item: ITEMS[item](process) for item in items or ITEMS}


def status_of(process: Process) -> str:
    """Return running, runnable, waiting, suspended or exiting. May be called from any thread."""
    if process.state is DEAD:
        return "exiting"
    if process.suspended:
        return "suspended"
    if process.state is RUNNABLE:
        return "runnable"
    if process.state is RUNNING:
        worker = process.worker
        if worker is None or getattr(worker, "gr_frame", None) is None:
            return "running"
    return "waiting"


def stack_of_process(process: Process, running: FrameType | None = None) -> list[StackFrame]:
    """Return the stack, innermost last, empty for one without. `running` is the frame to begin with if it runs now."""
    worker = process.worker
    frame = running
    if worker is not None and frame is None:
        frame = getattr(worker, "gr_frame", None)
        if frame is None and worker is getcurrent():
            frame = traceback.sys._getframe()  # type: ignore[attr-defined]
    if frame is None:
        return []
    frames = [StackFrame(f.f_code.co_filename, line or 0, f.f_code.co_name) for f, line in traceback.walk_stack(frame)]
    return trim_stack(frames[::-1])


def monitors_of(process: Process) -> list[Term]:
    """Return what a process monitors: a Pid, or the name by which the monitor was set (OTP: ``{RegName, Node}``).

    A caller that waits for a reply monitors its server.
    """
    monitored: list[Term] = []
    for number, target in (process.monitors or {}).items():
        entry = (target.watchers or {}).get(number)
        monitored.append(entry.dest if isinstance(entry, Watch) else target.pid)
    if process.waiting_for is not None:
        monitored.append(process.waiting_for.server.pid)
    return monitored


def estimate_memory(process: Process) -> int:
    """Return the estimate of the memory that is reachable from this process alone, in bytes."""
    return measure(process)


ITEMS: dict[str, Callable[[Process], Any]] = {
    "registered_name": lambda p: p.name,
    "label": lambda p: p.label,
    "initial_call": lambda p: p.initial_call,
    "status": status_of,
    "message_queue_len": lambda p: p.message_queue_len,
    "messages": lambda p: isolate(p.messages()),
    "messages_in": lambda p: p.messages_in,
    "messages_out": lambda p: p.messages_out,
    "links": lambda p: [other.pid for other in p.links],
    "monitors": monitors_of,
    "monitored_by": lambda p: [w.watcher.pid for w in (p.watchers or {}).values() if w.watcher is not None],
    "dictionary": lambda p: isolate(dictionary_of(p)) if p.dictionary is not None or p.ancestors is not None else {},
    "trap_exit": lambda p: p.trap_exit,
    "priority": lambda p: p.priority,
    "max_heap_size": lambda p: p.max_heap_size,
    "memory": estimate_memory,
    "reductions": lambda p: p.reductions,
    "current_stacktrace": stack_of_process,
    "parent": lambda p: p.parent,
    "ancestors": lambda p: list(p.ancestors or ()),
    "suspended": lambda p: p.suspended,
    "started_at": lambda p: p.started_at,
}
"""What `process_info` can tell, by name."""
