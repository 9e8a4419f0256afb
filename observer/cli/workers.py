"""The nodes that one name means: those of all workers of a program, asked together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import repeat
from typing import Any, NamedTuple, TypeVar

from observer.cli import lookup, past
from observer.cli.errors import say
from observer.node import discovery, programs
from observer.node.client import Client
from observer.node.discovery import AmbiguousNodeError, Found
from observer.node.source import NodeLostError
from observer.text.safe_text import safe
from runtime.introspection import address, kept_events, wire
from runtime.introspection.program import LONGEST_PREFIX

AT_ONCE = 200
"""Events that one question asks a worker for while it is followed. An event with a state and a stack may be large."""

_T = TypeVar("_T")

Answers = Sequence[tuple[Client, _T]]
"""What each of some nodes has answered."""


class Told(NamedTuple):
    """An event, and the name of the node that tells it."""

    event: wire.Event
    node: str


@contextmanager
def dialled(node: str | None, cluster: bool = False) -> Iterator[tuple[list[Client], bool]]:
    """Connect to the node called `node`, or to every worker of the program that is called so, until the block ends.

    Yields the connections, and whether several nodes are meant: what is printed has one form then, however many of them
    answer. With `cluster`, it is one connection to a node and all others of its cluster. Says of a worker that cannot
    be looked at why that is so. Raises what `lookup.dial` raises.
    """
    with ExitStack() as stack:
        if cluster:
            yield [stack.enter_context(lookup.dial_cluster(node))], False
            return
        meant = named(node)
        if len(meant) < 2:
            yield [stack.enter_context(lookup.dial(node))], False
            return
        clients = [client for each in meant if (client := connected(each)) is not None]
        for client in clients:
            stack.enter_context(client)
        if not clients:
            raise NodeLostError(f"No worker of {safe(node or meant[0].name)} answers.")
        yield clients, True


def named(node: str | None) -> list[Found]:
    """Return the workers that `node` stands for, as `programs.workers` does; without a name only where it is needed."""
    if node is None:
        if len(discovery.sockets()) < 2:
            return []
        with suppress(AmbiguousNodeError):
            discovery.find(None)
            return []
        return programs.workers(None)
    return [] if lookup.is_recording(node) else programs.workers(node)


def connected(found: Found) -> Client | None:
    """Connect to a worker, or say why that is not possible and return None."""
    if found.welcome is None:
        say(f"observer: {found.problem}")
        return None
    try:
        return Client(found.name, found.path)
    except NodeLostError as lost:
        say(f"observer: {lost}")
        return None


def answers(clients: Sequence[Client], ask: Callable[[Client], _T]) -> Answers[_T]:
    """Ask each node the same. A worker that is gone by now is left out, and said to be so.

    Raises `NodeLostError` when no node answers.
    """
    told: list[tuple[Client, _T]] = []
    for client in clients:
        try:
            told.append((client, ask(client)))
        except NodeLostError as lost:
            if len(clients) == 1:
                raise
            say(f"observer: {lost}")
    if not told:
        raise NodeLostError("No worker answers any more.")
    return told


class Listed(NamedTuple):
    """A row of a list, as its node has it. The node is named where the list is of several."""

    row: wire.Row
    node: str | None
    client: Client


def merged(
    found: Answers[Sequence[wire.Row]],
    order: Callable[[Client, wire.Row], Any] | None,
    descending: bool,
    limit: int | None,
    several: bool,
) -> list[Listed]:
    """Return the rows of several nodes in one order, or those of one node as they are, unless `several` were asked.

    Without an order, the rows of each node stand together.
    """
    if not several:
        ((client, rows),) = found
        nodes, rows = client.with_their_nodes(rows)
        return [Listed(row, node, client) for row, node in zip(rows, nodes or repeat(None), strict=False)]
    listed = [Listed(row, client.name, client) for client, rows in found for row in rows]
    if order is not None:
        listed.sort(key=lambda each: order(each.client, each.row), reverse=descending)
    return listed[:limit]


def nodes_of(listed: Sequence[Listed]) -> list[str] | None:
    """Return the nodes of rows for a column of their own, None where there is only one node."""
    nodes = [each.node for each in listed if each.node is not None]
    return nodes if nodes or not listed else None


class Following:
    """Asks all workers of a program for their events, and goes on with those that are started meanwhile.

    Each is a node in a process: another process may take the name of one that has gone.
    """

    def __init__(self, found: Sequence[Found]) -> None:
        self._program = next((each.welcome.program for each in found if each.welcome is not None), "")
        self._clients: dict[tuple[str, int], Client] = {}
        self._last: dict[tuple[str, int], int] = {}
        """The last event that each has told."""
        self._known: set[str] = set()
        """Names of nodes that have said whether they are workers of the program."""
        self._parents: set[int] = set()
        """Processes that may start more of them."""
        self._looked_at = time.monotonic()
        for each in found:
            self._join(each)

    def close(self) -> None:
        """Let all connections go."""
        for client in self._clients.values():
            client.close()

    def past(self, limit: int) -> list[Told]:
        """Return the latest events of each worker, so many at most, in their order."""
        return _in_order(told for key in [*self._clients] for told in self._ask(key, -1, limit))

    def new(self) -> list[Told]:
        """Return what has happened since. Raises `NodeLostError` when no worker runs any more."""
        if not self._clients:
            self._wait_for_one()
        elif time.monotonic() - self._looked_at >= past.LOOK_EVERY:
            self._look_for_more()
        return _in_order(told for key in [*self._clients] for told in self._ask(key, self._last[key], AT_ONCE))

    def _ask(self, key: tuple[str, int], after: int, limit: int) -> list[Told]:
        """Return what one worker tells. When it is gone, that is what it has left, and it is not asked again."""
        client = self._clients[key]
        try:
            batch = client.expect(wire.Events, wire.GetEvents(after=after, limit=limit))
            events, last = batch.events, batch.last
        except NodeLostError as lost:
            say(f"observer: {lost}")
            events, last = past.left_by(client.welcome, after), after
            client.close()
            del self._clients[key]
            self._known.discard(client.name)
        if events and events[0].id > after + 1 > 0:
            count = events[0].id - after - 1
            say(f"observer: {safe(client.name)}: {count} events were lost: the node's log holds only so many.")
        self._last[key] = events[-1].id if events else last if after < 0 else after
        return [Told(event, client.name) for event in events]

    def _look_for_more(self) -> None:
        """Connect to workers that were started since."""
        self._looked_at = time.monotonic()
        paths = {path.name.removesuffix(address.SUFFIX): path for path in discovery.sockets()}
        for name in paths.keys() - self._known:
            if name.startswith(self._program[:LONGEST_PREFIX]) and not discovery.refuses(paths[name]):
                self._consider(discovery.probe(paths[name]))
        self._known &= paths.keys()

    def _consider(self, found: Found) -> None:
        """Connect to a node that was not known, if it is a worker of the program."""
        if found.welcome is None:
            return
        if found.welcome.program != self._program:
            self._known.add(found.name)
            return
        is_new = (found.name, found.welcome.os_pid) not in self._last
        if self._join(found):
            what = "following it too: it was started since" if is_new else "it answers again"
            say(f"observer: {safe(found.name)}: {what}.")

    def _join(self, found: Found) -> bool:
        """Connect to a worker, and return whether that was possible."""
        client = connected(found)
        if client is None:
            return False
        welcome = client.welcome
        key = client.name, welcome.os_pid
        self._clients[key] = client
        self._last.setdefault(key, 0)
        self._known.add(client.name)
        self._parents.add(welcome.parent_pid)
        return True

    def _wait_for_one(self) -> None:
        """Wait as long as a server may take to start another worker. Raises `NodeLostError` when none comes."""
        until = time.monotonic() + past.REPLACED_WITHIN
        while True:
            may_come = any(kept_events.lives(pid) for pid in self._parents if pid > 1)
            self._look_for_more()
            if self._clients:
                return
            if not may_come or time.monotonic() > until:
                raise NodeLostError(f"{safe(self._program)} has ended: none of its workers runs any more.")
            time.sleep(past.LOOK_EVERY)


def _in_order(told: Iterable[Told]) -> list[Told]:
    return sorted(told, key=lambda each: each.event.time)
