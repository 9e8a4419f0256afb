"""What is true of a node at any moment at which its hub has had a turn."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, RUNNABLE, Process
from runtime.kernel.signals import Watch
from runtime.otp.calls import PENDING, From
from runtime.otp.registry_table import RegistryTable


def faults_of(node: Node) -> list[str]:
    """Return a sentence for each thing that is half done."""
    return [*_of_node(node), *(fault for process in node.processes() for fault in _of_process(node, process))]


def _of_node(node: Node) -> Iterator[str]:
    if node.deaths or node.half_dead or node.spreads:
        yield f"deaths are not told: {[*node.deaths]}, {[*node.half_dead]}, {node.spreads}"
    for name, process in node.names.items():
        if process.name != name or process.state is DEAD:
            yield f"{name} is the name of {process}, which is dead or does not have it"
    for number, timer in node.timers.pending.items():
        holder = getattr(timer.dest, "process", None)
        if holder is not None and number not in (holder.timers or {}):
            yield f"{holder} does not know of its timer {number}"
    for number, (process, _) in node.aliases.items():
        if number not in (process.aliases or {}):
            yield f"{process} does not know of its alias {number}"


def _of_registry(process: Process, table: RegistryTable) -> Iterator[str]:
    holders = {entry.pid for _, entry in table}
    if any(pid.process is None for pid in holders):
        yield f"{process} has entries of the dead"
    if {*table._keys} != holders or not all(entries for _, entries in table.items()):
        yield f"{process} has keys of {[*table._keys]} and entries of {holders}"
    linked = {other.pid for other in process.links}
    if not holders <= linked:
        yield f"{process} is linked with {linked}, and those are registered: {holders}"


def _of_process(node: Node, process: Process) -> Iterator[str]:
    if process.state is DEAD:
        yield f"{process} is dead and on the table"
    if process.pid.process is not process:
        yield f"{process} cannot be found by its pid"
    scheduler = node.scheduler
    if process.state is RUNNABLE and process not in (*scheduler.ready, *scheduler.low):
        yield f"{process} is ready to run and in no queue"
    if process.name is not None and node.names.get(process.name) is not process:
        yield f"{process} is not found by its name"
    for other in process.links:
        if other.state is DEAD or process not in other.links:
            yield f"{process} has a link with {other}, which is dead or has none with it"
    for number, target in (process.monitors or {}).items():
        if target.state is DEAD or number not in (target.watchers or {}):
            yield f"{process} watches {target}, which is dead or does not know of it"
    for number, entry in (process.watchers or {}).items():
        watcher = entry.watcher
        if isinstance(entry, Watch) and watcher is not None and number not in (watcher.monitors or {}):
            yield f"{process} is watched by {watcher}, which does not know of it"
        if isinstance(entry, From) and entry.outcome is not PENDING:
            yield f"{process} is watched by {watcher} for a call that is over"
    table = getattr(process.body, "table", None)
    if isinstance(table, RegistryTable):
        yield from _of_registry(process, table)
    for number in process.timers or {}:
        if number not in node.timers.pending:
            yield f"{process} has the timer {number}, which is not pending"
