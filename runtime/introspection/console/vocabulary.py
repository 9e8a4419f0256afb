"""The names that a console begins with: the public ones of `runtime`, and helpers as IEx has them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from runtime.introspection.reading.tree_path import child_text, children_of, display_name, is_supervisor, position_of
from runtime.kernel.info import process_info
from runtime.kernel.node import this_node
from runtime.kernel.process import Pid, Process
from runtime.preemption.own_code import MACHINERY, owner
from runtime.terms.text import render

MAX_LINES = 500
"""How many lines `tree` prints."""

SHOWN = ("registered_name", "label", "initial_call", "status", "message_queue_len", "messages", "links", "monitors")
"""What `i` prints of a process, beside its memory and its state."""


def vocabulary() -> dict[str, Any]:
    """Return a new namespace with the names that a console begins with, the public modules of `runtime` included."""
    public = importlib.import_module("runtime")  # at run time: the package stands above all of its folders
    names: dict[str, Any] = {"__name__": "__console__", "__builtins__": __builtins__}
    for name in dir(public):
        if name != "sys":  # whoever types that means Python's own
            names[name] = getattr(public, name)
    for helper in (i, pid, tree, recompile):
        names[helper.__name__] = helper
    return names


def i(what: Any) -> None:
    """Print what is known of a process: a Pid, a registered name, or the numbers of a pid (IEx: i/1)."""
    found = _pid_of(what)
    info = None if found is None else process_info(found)
    if info is None:
        print(f"{render(found or what)} is dead, or has never lived.")
        return
    print(f"Process {found}")
    for item in SHOWN:
        print(f"  {item:18} {render(info[item], 300)}")
    print(f"  {'memory':18} about {info['memory']:,} bytes")
    stack = info["current_stacktrace"]
    for frame in ([each for each in stack if owner(each.file) != MACHINERY] or stack)[-3:]:
        print(f"  {'at':18} {frame.file}:{frame.line} in {frame.function}")


def pid(text: str) -> Pid:
    """Return the Pid that is written so: ``<0.17.0>`` or ``0.17.0`` (IEx: pid/1). Raises ValueError for other texts."""
    return Pid.parse(text if text.startswith("<") else f"<{text}>")


def tree() -> None:
    """Print the supervision trees of this node, with each child's pid."""
    lines = list(_lines())
    for line in lines[:MAX_LINES]:
        print(line)
    if len(lines) > MAX_LINES:
        print(f"… and {len(lines) - MAX_LINES:,} more lines")
    if not lines:
        print("There is no supervisor on this node.")


def recompile(module: ModuleType | str) -> ModuleType:
    """Load a module's source again, and return the module (IEx: r/1).

    Processes that run go on with the code they have; what is started or called by name from now on is the new code.
    """
    name = module if isinstance(module, str) else module.__name__
    return importlib.reload(sys.modules.get(name) or importlib.import_module(name))


def _pid_of(what: Any) -> Pid | None:
    if isinstance(what, Pid):
        return what
    if isinstance(what, str) and what[:1].isdigit():
        return pid(what)
    process = this_node().resolve(what)
    return None if process is None else process.pid


def _lines() -> Iterator[str]:
    for process in this_node().processes():
        if is_supervisor(process) and position_of(process) is None:
            yield f"{display_name(process)} {process.pid}"
            yield from _below(process, "")


def _below(supervisor: Process, indent: str) -> Iterator[str]:
    children = list(_children(supervisor))
    for number, (name, process) in enumerate(children, 1):
        is_last = number == len(children)
        yield f"{indent}{'└─' if is_last else '├─'} {name} {'(not running)' if process is None else process.pid}"
        if process is not None and is_supervisor(process):
            yield from _below(process, indent + ("   " if is_last else "│  "))


def _children(supervisor: Process) -> Iterator[tuple[str, Process | None]]:
    kept = children_of(supervisor)
    for child in () if kept is None else list(kept.children.values()):
        process = None if child.pid is None else child.pid.process
        yield (child_text(child) if process is None else display_name(process, child)), process
