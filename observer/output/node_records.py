"""What ``observer nodes`` prints for programs."""

from __future__ import annotations

from collections.abc import Iterable

from observer.node.discovery import Found
from observer.node.programs import RunningProgram
from observer.output.records import Record
from runtime.introspection import wire


class MasterRecord(Record, frozen=True):
    """The process that has started the nodes of a program. It is no node: its main thread does not use gevent."""

    os_pid: int
    command: str
    uses_gevent: bool


class NodeRecord(Record, frozen=True):
    """A node that answers. The nodes of one program stand together, each with the program's name and its master."""

    name: str
    os_pid: int
    socket: str
    started_at: wire.Moment
    runtime_version: str
    program: str
    run: str | None
    """Tells one run of a program that ``observer instrument`` has started from another."""
    parent_pid: int
    uses_gevent: bool
    master: MasterRecord | None


def of_nodes(groups: Iterable[RunningProgram]) -> list[NodeRecord]:
    """Return the records of the nodes that answered, by their programs."""
    return [_of_node(group, each, each.welcome) for group in groups for each in group.nodes if each.welcome is not None]


def _of_node(group: RunningProgram, found: Found, welcome: wire.Welcome) -> NodeRecord:
    master = group.master
    return NodeRecord(
        name=found.name,
        os_pid=welcome.os_pid,
        socket=str(found.path),
        started_at=welcome.started_at,
        runtime_version=welcome.runtime_version,
        program=group.name,
        run=welcome.run or None,
        parent_pid=welcome.parent_pid,
        uses_gevent=welcome.uses_gevent,
        master=None
        if master is None
        else MasterRecord(os_pid=master.os_pid, command=master.command, uses_gevent=False),
    )
