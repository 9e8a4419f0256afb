"""Registered names: one process a name, one name a process."""

from __future__ import annotations

from typing import Any

from runtime.kernel.node import current, living_caller, running_node, this_node
from runtime.kernel.outside import from_outside
from runtime.kernel.process import REMOTE, Destination, Pid, Process
from runtime.terms.errors import AlreadyRegisteredError, NoProcessError
from runtime.terms.text import render


def register(name: str, pid: Pid) -> bool:
    """Register a process under a name that messages can be sent to, and return True (OTP: register/2).

    Raises AlreadyRegisteredError when the name is taken or the process has one, NoProcessError when it is dead,
    ValueError for the reserved name ``"undefined"``, TypeError for what is no name.
    """
    check_name(name)
    if not isinstance(pid, Pid):
        raise TypeError(f"register() takes a name and a Pid, not {render(pid)}")
    living_caller()
    process = pid.process
    if process is None:
        raise NoProcessError(pid, f"{pid} is dead; only a living process can be registered")
    if process.state is REMOTE:
        raise ValueError(f"{pid} is a process of another node; a name is for one of this node")
    set_name(process, name)
    return True


def check_name(name: Any) -> None:
    """Raise TypeError or ValueError for what cannot be a registered name."""
    if not isinstance(name, str):
        raise TypeError(f"a registered name is a str, not {render(name)}")
    if name in ("undefined", ""):
        raise ValueError(f"the name {render(name)} is reserved; choose another")


def set_name(process: Process, name: str) -> None:
    """Enter a checked name into the node's table. Raises AlreadyRegisteredError."""
    names = process.node.names
    holder = names.get(name)
    if holder is not None:
        raise AlreadyRegisteredError(name, holder.pid)
    if process.name is not None:
        raise AlreadyRegisteredError(
            process.name,
            process.pid,
            f"{process.pid} is registered as {render(process.name)} already; unregister that first",
        )
    names[name], process.name = process, name


def unregister(name: str) -> bool:
    """Take a name away from its process, which lives on, and return True (OTP: unregister/1).

    Raises NoProcessError for a name that is not taken.
    """
    living_caller()
    node = running_node()
    process = None if node is None else node.names.get(name)
    if node is None or process is None:
        raise NoProcessError(name)
    try:
        process.name = None
        del node.names[name]
    except BaseException:
        if node.names.get(name) is process:
            process.name = name
        raise
    return True


def whereis(name: Destination) -> Pid | None:
    """Return the Pid registered under `name`, or None (OTP: whereis/1).

    For ``(name, node)`` it asks the other node, and waits; None when that cannot be reached.
    """
    node = running_node()
    if type(name) is tuple and len(name) == 2 and node is not None and node.cluster is not None:
        cluster, (key, other) = node.cluster, name
        if other != cluster.name:
            if current() is None:
                return from_outside("whereis", lambda: cluster.whereis(str(key), str(other)))
            return cluster.whereis(str(key), str(other))
    process = None if node is None else node.resolve(name)
    return None if process is None else process.pid


def registered() -> list[str]:
    """Return all registered names (OTP: registered/0)."""
    return [*this_node().names]
