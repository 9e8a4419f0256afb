"""Carries out `ControlNode`: connects to another node, disconnects it, stops it, or kills its program."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psutil

from runtime.distribution.cluster import LocalNode
from runtime.distribution.nodes import connect_node
from runtime.distribution.orderly_stop import STOP
from runtime.distribution.remote_node import RemoteNode
from runtime.distribution.remote_procedure import ErpcError, call_there
from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.cluster import node_to_connect, other_node
from runtime.introspection.answers.commands.read import refuse_when_read_only
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.threads.pace import Pace
from runtime.kernel.threads import sleep

Outcome = wire.Done | wire.Failed

ENDS_WITHIN = 2.5
"""Seconds that are waited for the end of a connection, before it is said that it goes on."""

ANSWERS_WITHIN = 2.0
"""Seconds that another node has to take the order to stop."""

PERIOD = 0.01


def carry_out(command: wire.ControlNode, node: ObservedNode, client: ClientCache, pace: Pace) -> Outcome:
    """Act on the other node, and say what came of it."""
    refuse_when_read_only(node)
    if command.action == "connect":
        return _connect(*node_to_connect(command.node, node), node)
    local, remote = other_node(command.node, node)
    match command.action:
        case "disconnect":
            return _disconnect(remote, node)
        case "stop":
            return _stop(local, remote, node)
        case "kill":
            return _kill(remote, node)


def _note(node: ObservedNode, what: str) -> int:
    return node.log.add("action", message=what)


def _not_connected(remote: RemoteNode) -> wire.Failed:
    return wire.Failed(why=f"{remote.name} is not connected.", kind="noproc")


def _connect(local: LocalNode, name: str, node: ObservedNode) -> Outcome:
    def work() -> Outcome:
        event = _note(node, f"An observer connects to {name}")
        if connect_node(name):
            return wire.Done(sentence=f"{name} is connected.", event=event)
        return wire.Failed(why=f"{name} cannot be reached: {local.remote(name).end_reason or 'it does not answer'}.")

    outcome: Outcome = node.calls.by_process(work)
    return outcome


def _disconnect(remote: RemoteNode, node: ObservedNode) -> Outcome:
    def work() -> Outcome:
        connection = remote.connection
        if connection is None:
            return _not_connected(remote)
        event = _note(node, f"An observer disconnects {remote.name}")
        connection.close("disconnect")
        return wire.Done(event=event)

    return _outcome(node.calls.in_hub(work), remote, "was disconnected")


def _stop(local: LocalNode, remote: RemoteNode, node: ObservedNode) -> Outcome:
    def work() -> Outcome:
        if remote.connection is None:
            return _not_connected(remote)
        event = _note(node, f"An observer stops {remote.name}")
        try:
            call_there(local, remote.name, STOP, (), ANSWERS_WITHIN)
        except ErpcError as error:
            if remote.connection is not None:
                return wire.Failed(why=f"{remote.name} did not take the order to stop: {error}")
        return wire.Done(event=event)

    return _outcome(node.calls.by_process(work), remote, "was stopped")


def _kill(remote: RemoteNode, node: ObservedNode) -> Outcome:
    """Send SIGKILL to the process that holds the other end of the connection: nothing need answer there."""
    connection = remote.connection
    if connection is None:
        return _not_connected(remote)
    pid = _process_behind(connection.ends())
    if pid is None:
        why = f"{remote.name} does not run on this machine, or belongs to another user: stop it, or kill it there."
        return wire.Failed(why=why, kind="unsupported")

    def work() -> Outcome:
        if remote.connection is not connection:
            return _not_connected(remote)
        event = _note(node, f"An observer kills {remote.name}, operating-system process {pid}")
        os.kill(pid, signal.SIGKILL)
        return wire.Done(event=event)

    return _outcome(node.calls.in_hub(work), remote, f"(operating-system process {pid}) was killed")


def _process_behind(ends: tuple[object, object] | None) -> int | None:
    """Return the process on this machine that holds the other end of a connection with these two ends."""
    if ends is None:
        return None
    ours, theirs = ends
    for local, remote, pid in _connections():
        if local and remote and (tuple(local), tuple(remote)) == (theirs, ours) and pid and pid != os.getpid():
            return pid
    return None


def _connections() -> Iterator[tuple[Any, Any, int | None]]:
    """Yield both ends of every connection on this machine that may be looked at, with the process that holds it."""
    try:
        yield from ((each.laddr, each.raddr, each.pid) for each in psutil.net_connections("tcp"))
    except (psutil.Error, OSError):  # a system that does not list all at once
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                yield from ((each.laddr, each.raddr, process.pid) for each in process.net_connections("tcp"))


def _outcome(done: Outcome, remote: RemoteNode, what: str) -> Outcome:
    """Wait for the end of the connection, and say what came of it. On the thread of the observer."""
    if isinstance(done, wire.Failed):
        return done
    connection = remote.last
    deadline = time.monotonic() + ENDS_WITHIN
    while connection is not None and remote.connection is connection and time.monotonic() < deadline:
        sleep(PERIOD)
    if connection is not None and remote.connection is connection:
        return wire.Done(sentence=f"{remote.name} {what}, and is still connected.", event=done.event)
    return wire.Done(sentence=f"{remote.name} {what}; its connection has ended.", event=done.event)
