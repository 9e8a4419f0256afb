"""Trees of processes for the tests of introspection, and a client that asks within the same program."""

from __future__ import annotations

from typing import Any

from runtime import ChildSpec, DynamicSupervisor, GenServer, Supervisor, start_child
from runtime.introspection import wire
from runtime.introspection.answers.answers import Answers
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode, Permissions
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.events.greenlets import Greenlets
from runtime.kernel.node import this_node
from runtime.kernel.process import Pid
from runtime.preemption.watchdog import Watchdog


class Idle(GenServer):
    """Takes every message and does nothing."""

    def handle_cast(self, message: Any) -> None:
        """Do nothing, or fail."""
        if message == "crash":
            raise ValueError("told to crash")

    def handle_call(self, request: Any, caller: Any) -> Any:
        """Say it back."""
        return request


def supervisor(name: str, children: list[ChildSpec], **flags: Any) -> ChildSpec:
    """Describe a supervisor called `name`."""
    return ChildSpec(id=name, start=(lambda: Supervisor.start_link(children, name=name, **flags),), type="supervisor")


def workers(count: int, prefix: str = "w", **spec: Any) -> list[ChildSpec]:
    """Describe so many servers."""
    return [ChildSpec(id=f"{prefix}{number}", start=(Idle.start_link,), **spec) for number in range(count)]


def start_tree(pools: int = 3, size: int = 4, guests: int = 2, **flags: Any) -> Pid | None:
    """Start ``app`` with some pools of workers, ``guests`` with some children, and a worker of its own."""
    children = [supervisor(f"pool{number}", workers(size), **flags) for number in range(pools)]
    dynamic = ChildSpec(id="guests", start=(lambda: DynamicSupervisor.start_link(name="guests"),), type="supervisor")
    pid = Supervisor.start_link([*children, dynamic, *workers(1, "own")], name="app")
    for _ in range(guests):
        start_child("guests", Idle)
    return pid


class Observer:
    """Asks the node it runs in, without a socket."""

    def __init__(self, log: EventLog | None = None, permissions: Permissions = Permissions()) -> None:  # noqa: B008
        node = this_node()
        self.log = log or EventLog(node)
        self.watchdog = Watchdog(node)
        self.greenlets = Greenlets(node, self.log)
        self.node = ObservedNode(node, "test", self.log, self.watchdog, self.greenlets, permissions)
        self.answers = Answers(self.node)
        self.cache = ClientCache()
        node.closing.append(self.watchdog.close)
        node.closing.append(self.answers.close)

    def ask(self, query: wire.Query) -> Any:
        """Ask."""
        return self.answers.answer(query, self.cache)

    def tree(self, **query: Any) -> wire.Window:
        """Ask for the tree, afresh."""
        self.cache = ClientCache()
        window = self.ask(wire.GetTree(**{"limit": 2_000, **query}))
        assert isinstance(window, wire.Window), window
        return window

    def keys(self, **query: Any) -> list[str]:
        """Ask for the keys in the tree."""
        return [row.key for row in self.tree(**query).rows]

    def events(self) -> tuple[wire.Event, ...]:
        """Ask for all events."""
        answer = self.ask(wire.GetEvents())
        assert isinstance(answer, wire.Events), answer
        return answer.events

    def listing(self, **query: Any) -> wire.Window:
        """Ask for the list, afresh."""
        self.cache = ClientCache()
        window = self.ask(wire.GetProcesses(**{"limit": 2_000, **query}))
        assert isinstance(window, wire.Window), window
        return window
