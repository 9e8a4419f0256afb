"""Answers: what the node says to each question and command of an observer.

Questions are answered on the endpoint's threads, from what the node's thread is changing meanwhile; one at a time, so
that many observers take no more of the interpreter than one. Commands, and what a server must say itself, are carried
out in the hub, with a limit in time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from runtime.introspection import wire
from runtime.introspection.answers.actions import Actions
from runtime.introspection.answers.client_cache import GAIN_INTERVAL, Attention
from runtime.introspection.answers.kill_plan import plan_of
from runtime.introspection.answers.lints import Lints
from runtime.introspection.answers.names_and_sockets import names_of
from runtime.introspection.answers.node_stats import Figures
from runtime.introspection.answers.process_details import Details
from runtime.introspection.answers.resolve import addressee
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.events.greenlets import Greenlets
from runtime.introspection.measuring.cpu_clock import CpuClock
from runtime.introspection.measuring.cpu_meter import CpuMeter
from runtime.introspection.measuring.cpu_sampler import CpuSampler
from runtime.introspection.measuring.memory_sampler import MemorySampler
from runtime.introspection.measuring.socket_holders import SocketHolders
from runtime.introspection.reading.expression import FilterError
from runtime.introspection.reading.filter import parse_filter
from runtime.introspection.reading.listing import Listing
from runtime.introspection.reading.rows import Snapshot
from runtime.introspection.reading.supervisor_nodes import SupervisorNodes
from runtime.introspection.reading.tree import Tree
from runtime.introspection.reading.tree_path import Position, parse_pid, path_of, position_of
from runtime.introspection.reading.unsupervised import TopLevel
from runtime.introspection.threads.pace import Pace
from runtime.kernel.node import Node
from runtime.kernel.process import Process
from runtime.kernel.threads import new_lock
from runtime.preemption.watchdog import Watchdog

Answer = (
    wire.Stats
    | wire.Window
    | wire.Details
    | wire.Events
    | wire.Plan
    | wire.Lints
    | wire.Names
    | wire.Done
    | wire.Failed
)


MEMORY = 10.0
"""Seconds for which the node keeps, without being asked, what it has found out."""


class Answers:
    """Answers the queries of all clients of one node. `state` says whether states and dictionaries may be shown."""

    def __init__(
        self,
        node: Node,
        name: str,
        log: EventLog,
        watchdog: Watchdog,
        greenlets: Greenlets,
        read_only: bool,
        state: bool,
    ) -> None:
        self.node = node
        self.log = log
        self._greenlets = greenlets
        self._watchdog = watchdog
        self._census = TopLevel(node)
        self._branches = SupervisorNodes()
        self.figures = Figures(node, name, log, watchdog, greenlets)
        self.figures.read_only = read_only
        self._lints = Lints(node, watchdog, log)
        self._details = Details(node, watchdog, state)
        self._actions = Actions(node, watchdog, log, greenlets, read_only)
        self.sampler = MemorySampler(node)
        self.meter: CpuClock = CpuSampler(node) if CpuSampler.is_possible(node) else CpuMeter(node)
        self.holders = SocketHolders(node)
        self._lock = new_lock()
        self._asked_at = 0.0

    def answer(self, query: wire.Query, client: Attention) -> Answer:
        """Answer a query; what goes wrong is an answer too. `client` remembers who asks. From any thread."""
        self._asked_at = time.monotonic()
        try:
            if isinstance(query, (wire.Exit, wire.Suspend, wire.Resume, wire.Send, wire.ControlChild)):
                return self._actions.carry_out(query)
            if isinstance(query, wire.GetEvents):
                return self.log.answer(query)
            if isinstance(query, wire.GetProcess):
                return self._process(query)
            if self.meter.is_cheap or getattr(query, "sort", "") == "cpu_time":
                self.meter.keep_going()
            with self._lock:
                return self._look(query, client)
        except FilterError as error:
            return wire.Failed(why=f"{error}.", kind="bad_request")
        except Exception as error:
            text = f"The node could not answer: {type(error).__name__}: {error}"
            self.node.call_soon_threadsafe(logging.getLogger("runtime.introspection").error, "%s", text)
            return wire.Failed(why=text)

    def _look(self, query: wire.Query, client: Attention) -> Answer:
        pace = Pace()
        match query:
            case wire.GetStats():
                if not self.figures.supervisors:  # nobody has looked at the tree yet
                    self._update(pace)
                return wire.Stats(stats=self.figures.stats(pace), settings=self.figures.settings())
            case wire.GetTree():
                return self._tree(query, client, pace)
            case wire.GetProcesses():
                return self._listing(query, client, pace)
            case wire.GetPlaces():
                return self._places(query, pace)
            case wire.GetPlan():
                process = addressee(query.pid, self._greenlets)
                others = [other for pid in query.others[: wire.MAX_ROWS] if (other := self._find(pid)) is not None]
                return process if isinstance(process, wire.Failed) else plan_of(process, *others)
            case wire.GetLints():
                return wire.Lints(lints=self._look_for_lints(pace))
            case wire.GetNames():
                return self._names(query)
        return wire.Failed(why=f"This node cannot answer {type(query).__name__}.", kind="unsupported")

    def close(self) -> None:
        """Stop measuring. In the node's thread."""
        self.sampler.close()
        self.meter.close()
        self.holders.close()

    def forget(self, clients: Iterable[Attention]) -> None:
        """Let go of what was remembered for the next question when none has come for a while: it may be dead by now."""
        if self._lock.acquire(blocking=False):
            try:
                for client in clients:
                    client.forget(MEMORY, Pace())
                if time.monotonic() - self._asked_at > MEMORY:
                    self._let_go()
            finally:
                self._lock.release()

    def _let_go(self) -> None:
        self._census.clear(Pace())
        self._branches.clear(Pace())
        self._lints.clear()

    def dismiss(self, client: Attention) -> None:
        """Let go of what was remembered for a client that has left."""
        with self._lock:
            client.forget(0.0, Pace())

    # -- Windows --------------------------------------------------------------------------------------------------

    def _tree(self, query: wire.GetTree, client: Attention, pace: Pace) -> Answer:
        what = (query.root, query.unfolded, query.folded, query.fold_over, query.sort, query.descending, query.filter)
        known = client.tree.again(what)
        tree = known or Tree(query)
        tree.pace = pace
        if known is None:
            test = parse_filter(query.filter)
            self._update(pace)
            tree.grow(self._branches.tops, self._census.free(), self._greenlets, test)
        key = self._anchor_key(query.anchor)
        index = None if key is None else tree.index_of(key)
        start, end = _span(query.offset, query.limit, tree.total, index if query.follow else None)
        rows = tree.rows(start, end, self._snapshot())
        if known is None:
            client.tree.keep(what, tree, pace)
        return self._window(rows, start, tree, index, client.tree.note("laid out"))

    def _listing(self, query: wire.GetProcesses, client: Attention, pace: Pace) -> Answer:
        if query.anchor is not None and parse_pid(query.anchor) is None:
            self._update(pace)
        what = (query.sort, query.descending, query.delta, query.filter, query.group_by)
        known = client.listing.again(what)
        listing = known or Listing(query)
        listing.pace = pace
        if known is None:
            listing.collect(self.node, parse_filter(query.filter), client.gains)
        index = self._index(listing, query) if query.follow else None
        start, end = _span(query.offset, query.limit, listing.total, index)
        rows = listing.rows(start, end, self._snapshot())
        if not query.follow:  # after the rows, which may have put them all in order
            index = self._index(listing, query)
        if known is None:
            client.listing.keep(what, listing, pace, GAIN_INTERVAL if query.delta else 0.0)
        return self._window(rows, start, listing, index, client.listing.note("sorted"))

    def _places(self, query: wire.GetPlaces, pace: Pace) -> Answer:
        keys, snapshot = frozenset(query.keys[: wire.MAX_ROWS]), self._snapshot()
        self._update(pace)
        rows = []
        for key, branch, child in self._branches.places(keys, pace):
            pid = branch.process.pid if child is None else child.pid
            process = None if pid is None else pid.process
            if process is not None:
                place = branch.place if child is None else Position(branch.process, child)
                rows.append(snapshot.row(process, place, key=key))
            elif child is not None:
                rows.append(snapshot.absent(branch.process, child, key, branch.depth + 1, branch.key))
        return wire.Window(rows=tuple(rows), offset=0, total=len(rows), stats=self.figures.stats(pace))

    def _index(self, listing: Listing, query: wire.GetProcesses) -> int | None:
        if query.anchor is None:
            return None
        return listing.index_of(query.anchor, self._find(query.anchor), exact=query.follow)

    def _window(
        self, rows: list[wire.Row], start: int, lines: Tree | Listing, index: int | None, note: str | None
    ) -> wire.Window:
        self.sampler.show([row.pid for row in rows if row.pid is not None])
        stats = self.figures.stats(lines.pace, note)
        total, matched = lines.total, lines.matched
        return wire.Window(
            rows=tuple(rows), offset=start, total=total, stats=stats, anchor_index=index, matched=matched
        )

    def _names(self, query: wire.GetNames) -> Answer:
        names = names_of(self.node, query, self.holders)
        if names.sockets:
            self.holders.keep_going()
        return names

    def _update(self, pace: Pace) -> None:
        self._census.update(pace)
        self._branches.update(self._census.roots(), pace)
        self.figures.supervisors = self._branches.count

    def _snapshot(self) -> Snapshot:
        return Snapshot(self.log.failures, self._lints.by_pid, self.meter.is_on)

    def _look_for_lints(self, pace: Pace) -> tuple[wire.Lint, ...]:
        if self._lints.are_due:
            self._update(pace)
            self._lints.look(self._census, self._branches, pace)
            self.figures.lint_count = len(self._lints.found)
        return self._lints.found

    def _find(self, key: str) -> Process | None:
        """Give the process of a pid or of a place's key."""
        pid = parse_pid(key)
        return self._greenlets.find(key) or self._branches.find(key) if pid is None else pid.process

    def _anchor_key(self, anchor: str | None) -> str | None:
        pid = None if anchor is None else parse_pid(anchor)
        if pid is None:
            return anchor
        return None if pid.process is None else path_of(pid.process)

    # -- One process ----------------------------------------------------------------------------------------------

    def _process(self, query: wire.GetProcess) -> Answer:
        process = addressee(query.pid, self._greenlets)
        if isinstance(process, wire.Failed):
            return process
        self.sampler.show([query.pid])
        row = self._snapshot().row(process, position_of(process), key=path_of(process))
        return self._details.of(process, row, query)


def _limit(limit: int) -> int:
    return max(0, min(limit, wire.MAX_ROWS))


def _span(offset: int, limit: int, total: int, anchor: int | None) -> tuple[int, int]:
    """Give the window's first line and the one after its last, moved so that the line `anchor` is inside."""
    limit = _limit(limit)
    start = max(0, min(offset, total - limit))
    if anchor is not None and limit and not start <= anchor < start + limit:
        start = max(0, min(anchor - limit // 2, total - limit))
    return start, min(total, start + limit)
