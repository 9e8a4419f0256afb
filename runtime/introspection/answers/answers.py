"""What the node says to each question and command of an observer: a table of who answers, and what is shared by all.

Most questions are answered on the endpoint's threads, from what the node's thread is changing meanwhile; one at a time,
so that many observers take no more of the interpreter than one. Commands, and what a server must say itself, are
carried out in the hub, with a limit in time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from runtime.introspection import wire
from runtime.introspection.answers import (
    cluster_questions,
    console,
    events,
    kill_plan,
    lints,
    memory,
    names_and_sockets,
    node_stats,
    places,
    process_details,
    process_memory,
    process_window,
    trace,
    tree_window,
    waits,
)
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.commands import child, kill, send, suspend
from runtime.introspection.answers.commands.read import read_order
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.resolve import RefusedError
from runtime.introspection.reading.expression import FilterError
from runtime.introspection.threads.pace import Pace
from runtime.kernel.threads import new_lock
from runtime.terms.log import Log

ANSWERED_IN_TURN: dict[type[wire.Query], Callable[[Any, ObservedNode, ClientCache, Pace], wire.AnyAnswer]] = {
    wire.GetStats: node_stats.answer,
    wire.GetTree: tree_window.answer,
    wire.GetProcesses: process_window.answer,
    wire.GetPlaces: places.answer,
    wire.GetPlan: kill_plan.answer,
    wire.GetLints: lints.answer,
    wire.GetNames: names_and_sockets.answer,
    wire.GetWaits: waits.answer,
    wire.GetCluster: cluster_questions.answer,
    wire.GetNodePlan: cluster_questions.plan,
}
"""Questions that take work, and use what the node remembers from one of them to the next: one at a time."""

ANSWERED_AT_ONCE: dict[type[wire.Query], Callable[[Any, ObservedNode, ClientCache, Pace], wire.AnyAnswer]] = {
    wire.GetEvents: events.answer,
    wire.GetMemory: memory.answer,  # it waits for the hub
    wire.GetProcessMemory: process_memory.answer,  # likewise
    wire.GetProcess: process_details.answer,  # it may wait for a server, and others must not wait with it
    wire.OpenConsole: console.open_console,
    wire.Evaluate: console.evaluate,
    wire.ReadConsole: console.read_console,
    wire.CompleteConsole: console.complete,
    wire.InterruptConsole: console.interrupt,
    wire.StartTrace: trace.start,
    wire.ReadTrace: trace.read,
    wire.StopTrace: trace.stop,
    wire.ControlNode: cluster_questions.control,  # it waits for the end of a connection
}

CARRIED_OUT: dict[type[wire.Query], Callable[[Any, ObservedNode], wire.Done | wire.Failed]] = {
    wire.Exit: kill.carry_out,
    wire.Suspend: suspend.suspend,
    wire.Resume: suspend.resume,
    wire.Send: send.carry_out,
    wire.ControlChild: child.carry_out,
}
"""Who carries out the order that a command is read into."""

REMEMBERED = 10.0
"""Seconds for which the node keeps, without being asked, what it has found out."""

MEASURED_BY = "cpu_time"
"""The figure that is measured only while it is asked for, where measuring costs more than next to nothing."""


class Answers:
    """Answers the queries of all clients of one node."""

    def __init__(self, node: ObservedNode) -> None:
        self.node = node
        self._lock = new_lock()
        self._asked_at = 0.0

    def answer(self, query: wire.Query, client: ClientCache) -> wire.AnyAnswer:
        """Answer a query; what goes wrong is an answer too. `client` remembers who asks. From any thread."""
        self._asked_at = time.monotonic()
        kind = type(query)
        try:
            if kind in CARRIED_OUT:
                return CARRIED_OUT[kind](read_order(query, self.node), self.node)
            if kind in ANSWERED_AT_ONCE:
                return ANSWERED_AT_ONCE[kind](query, self.node, client, Pace())
            if kind not in ANSWERED_IN_TURN:
                return wire.Failed(why=f"This node cannot answer {kind.__name__}.", kind="unsupported")
            if self.node.cpu.is_cheap or getattr(query, "sort", "") == MEASURED_BY:
                self.node.cpu.keep_going()
            with self._lock:
                return ANSWERED_IN_TURN[kind](query, self.node, client, Pace())
        except RefusedError as refusal:
            return refusal.answer
        except FilterError as error:
            return wire.Failed(why=f"{error}.", kind="bad_request")
        except Exception as error:
            text = f"The node could not answer: {type(error).__name__}: {error}"
            self.node.node.call_soon_threadsafe(Log("runtime.introspection").error, "%s", text)
            return wire.Failed(why=text)

    def close(self) -> None:
        """Stop measuring. In the node's thread."""
        self.node.close()

    def forget(self, clients: Iterable[ClientCache]) -> None:
        """Drop what was remembered for the next question when none has come for a while: it may be dead by now."""
        if self._lock.acquire(blocking=False):
            try:
                for client in clients:
                    client.forget(REMEMBERED, Pace())
                if time.monotonic() - self._asked_at > REMEMBERED:
                    self.node.let_go()
            finally:
                self._lock.release()

    def dismiss(self, client: ClientCache) -> None:
        """Drop what was remembered for a client that has left."""
        console.close_console(self.node, client)
        trace.end_trace(self.node, client, "The observer has gone.")
        with self._lock:
            client.forget(0.0, Pace())
