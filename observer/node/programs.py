"""The programs that nodes belong to: one command may run many processes, a server's workers for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from observer.node import discovery
from observer.node.discovery import Found
from runtime.introspection import program, wire
from runtime.introspection.program import LONGEST_PREFIX


@dataclass(frozen=True)
class Master:
    """The process that has started the nodes of a program, and is no node itself: its main thread runs no hub."""

    os_pid: int
    command: str


@dataclass(frozen=True)
class RunningProgram:
    """The live nodes of one run of a program, oldest first."""

    name: str
    nodes: tuple[Found, ...]
    master: Master | None = None


def running(found: Iterable[Found]) -> list[RunningProgram]:
    """Return the nodes that answered by their programs, in the order of the programs' names."""
    together: dict[tuple[str, str, int], list[Found]] = {}
    for each in found:
        welcome = each.welcome
        if welcome is not None:
            # Without a run, which only the command gives, the workers of one server have their parent in common.
            key = (welcome.program or each.name, welcome.run, 0 if welcome.run else welcome.parent_pid)
            together.setdefault(key, []).append(each)
    return [_group(name, together[name, run, parent]) for name, run, parent in sorted(together)]


def workers(name: str | None) -> list[Found]:
    """Return the nodes that a program's name stands for, oldest first; without a name, those of the only program.

    Empty where the name means one node: no program with several processes is called so, or a node that is no worker of
    such a program has that very name. A node that should be one of them and does not answer is there with its problem.
    """
    begins = "" if name is None else name[:LONGEST_PREFIX]
    if len([path for path in discovery.sockets() if path.name.startswith(begins)]) < 2:
        return []  # it need not be asked which program it is
    found = discovery.nodes(begins=begins)
    groups = running(found)
    if name is None:
        meant = groups if len(groups) == 1 else []
    elif any(each.name == name for each in found):
        meant = [group for group in groups if group.name == name and group.master and _has(group, name)]
    else:
        meant = [group for group in groups if group.name == name]
    live = sorted((each for group in meant for each in group.nodes), key=_age)
    if len(live) < 2 and not any(group.master for group in meant):
        return []
    silent = [
        each for each in found if each.welcome is None and each.name.startswith(f"{meant[0].name[:LONGEST_PREFIX]}-")
    ]
    return live + silent


def _has(group: RunningProgram, name: str) -> bool:
    return any(each.name == name for each in group.nodes)


def of_run(root: int) -> list[Found]:
    """Return the live nodes of the run whose first process has that id, oldest first."""
    live = [each for each in discovery.nodes() if each.welcome and program.root_of(each.welcome.run) == root]
    return sorted(live, key=_age)


def successor(lost: wire.Welcome) -> Found | None:
    """Return the node that has taken the place of one that is gone, or None while there is no such node.

    It is the youngest one of the same program that was started after the lost one: what a server starts for a worker
    that it has replaced.
    """
    for group in running(discovery.nodes()):
        welcomes = [each.welcome for each in group.nodes if each.welcome is not None]
        if any(_is_of_same_run(each, lost) for each in welcomes) and group.nodes:
            youngest = group.nodes[-1]
            if _started_at(youngest) > lost.started_at:
                return youngest
    return None


def _is_of_same_run(welcome: wire.Welcome, lost: wire.Welcome) -> bool:
    if not lost.program or welcome.program != lost.program or welcome.run != lost.run:
        return False
    return bool(lost.run) or welcome.parent_pid == lost.parent_pid


def _group(name: str, nodes: Sequence[Found]) -> RunningProgram:
    ordered = tuple(sorted(nodes, key=_age))
    return RunningProgram(name, ordered, _master([each.welcome for each in ordered if each.welcome is not None]))


def _age(found: Found) -> tuple[float, str]:
    return _started_at(found), found.name


def _started_at(found: Found) -> float:
    return 0.0 if found.welcome is None else found.welcome.started_at


def _master(welcomes: Sequence[wire.Welcome]) -> Master | None:
    """Return the Python process that is the parent of these nodes and a part of their program."""
    known = {each.os_pid for each in welcomes}
    roots = {program.root_of(each.run) for each in welcomes}
    parents = Counter(each.parent_pid for each in welcomes if each.os_pid not in roots and each.parent_pid > 1)
    if not parents:
        return None
    (pid, children), *_ = parents.most_common(1)
    is_ours = roots != {None} or children > 1  # else it may be whatever has started a single program
    return _python_process(pid) if is_ours and pid not in known else None


def _python_process(pid: int) -> Master | None:
    import psutil  # takes its time, and few commands need it

    try:
        process = psutil.Process(pid)
        if not Path(process.exe()).name.startswith(("python", "pypy", "Python")):
            return None
        return Master(pid, " ".join(process.cmdline())[:1_000])
    except psutil.Error:  # it has ended, or belongs to another user
        return None
