"""A node in memory that does the same thing every time: what the dashboard's tests watch.

Its clock moves half a second with every window that is asked for, and its counters with the clock. An exit signal
ends a process; its supervisor puts another one in its place, and the log says so.
"""

from __future__ import annotations

import ast
import asyncio
import itertools
import math
from collections.abc import Callable, Iterable, Iterator

from observer.node.source import ChildStatus, NodeLostError
from runtime.introspection import wire
from tests.support.fake_groups import grouped
from tests.support.fake_process import START, STEP, FakeClock, FakeProcess

__all__ = ["START", "FakeClock", "FakeNode", "FakeProcess"]


RUNTIME_FRAME = wire.Frame(
    file="/srv/venv/lib/python3.11/site-packages/runtime/otp/server_loop.py",
    line=90,
    function="serve",
    source="reply = handle(message)",
)
"""The outermost frame of every stack: one that is not the program's own."""


class FakeNode:
    """A `Source` that answers out of memory."""

    def __init__(self, *roots: FakeProcess, name: str = "chat", read_only: bool = False, steady: bool = False) -> None:
        self._name = name
        self.roots = list(roots)
        self.time = START
        self.events: list[wire.Event] = []
        self.senders: tuple[wire.Sender, ...] = ()
        self.parts: tuple[wire.Part, ...] = ()
        self.waits: tuple[wire.Wait, ...] = ()
        self.tables: tuple[wire.TableEntry, ...] = ()
        self.distributed_as = ""
        self.nodes: tuple[wire.ClusterNode, ...] = ()
        self.lints: tuple[wire.Lint, ...] = ()
        """Findings beside those of the places."""
        self.asked: list[wire.Query] = []
        self.connects = 0
        self.os_pid = 4242
        self.restarting = True
        self.read_only = read_only
        self.hub_lag, self.hub_busy_with, self.hub_busy_at = 0.001, None, None  # type: tuple[float, str | None, str | None]
        self.child_status: ChildStatus | None = None
        self.hold: asyncio.Event | None = None
        """While set to an event, answers wait for it: a slow node."""
        self.scope: str | None = None
        self.untold: tuple[str, ...] = ()
        self._lost: str | None = None
        self._pids = itertools.count(900)
        self._places_kept = [*self._walk()] if steady else None
        """The places of a node where none is added and none ends; they are gone through only once."""
        self._process_count: int | None = None
        self._restarted = 0

    @property
    def name(self) -> str:
        """The node's name."""
        return self._name

    # -- What tests do to it ------------------------------------------------------------------------------------

    def lose(self, why: str = "The connection was closed.") -> None:
        """Go away: everything fails from now on."""
        self._lost = why

    def come_back(self) -> None:
        """Be reachable again."""
        self._lost = None

    def find(self, name: str) -> FakeProcess:
        """Return the process with that name."""
        return next(place for root in self.roots for place in root.walk() if place.name == name)

    def log(self, kind: str, place: FakeProcess | None = None, **more: object) -> wire.Event:
        """Write an event."""
        event = wire.Event(
            id=len(self.events) + 1,
            time=self.time,
            kind=kind,  # type: ignore[arg-type]
            pid=more.pop("pid", place.pid if place else None),  # type: ignore[arg-type]
            name=place.name if place else "",
            key=place.key if place else None,
            **more,  # type: ignore[arg-type]
        )
        self.events.append(event)
        return event

    def crash(self, place: FakeProcess, reason: str = "ValueError: bad", cause: int | None = None) -> None:
        """End the process in that place; its supervisor restarts it."""
        crashed = reason not in ("normal", "shutdown")
        stack = (
            RUNTIME_FRAME,
            wire.Frame(file="/srv/chat/server.py", line=42, function="handle_cast", source="raise ValueError(text)"),
        )
        ended = self.log(
            "exit", place, reason=reason, crashed=crashed, cause=cause, stacktrace=stack if crashed else ()
        )
        supervisor = place.parent
        for above in self._above(place):
            above.failed_at = self.time
        if supervisor is None or not self.restarting:
            siblings = self.roots if supervisor is None else supervisor.children
            siblings.remove(place)
            return
        old, place.pid = place.pid, f"<0.{next(self._pids)}.0>"
        place.restarts, place.started_at, place.queue = place.restarts + 1, self.time, 0
        supervisor.restarts_used += 1
        self._restarted += 1
        self.log(
            "restart",
            place,
            old_pid=old,
            cause=ended.id,
            supervisor=supervisor.pid,
            restarts_used=supervisor.restarts_used,
            max_restarts=3,
            max_seconds=5.0,
        )

    @staticmethod
    def _above(place: FakeProcess) -> Iterator[FakeProcess]:
        here: FakeProcess | None = place
        while here is not None:
            yield here
            here = here.parent

    # -- Source -------------------------------------------------------------------------------------------------

    async def connect(self) -> wire.Welcome:
        """Greet, unless lost."""
        self.connects += 1
        if self._lost is not None:
            raise NodeLostError(self._lost)
        return wire.Welcome(
            protocol=wire.PROTOCOL,
            node=self._name,
            os_pid=self.os_pid,
            started_at=START - 300,
            runtime_version="0.1.0",
            python_version="3.11.9",
            gevent_version="25.4",
            command="python -m demos.chat",
            read_only=self.read_only,
        )

    async def close(self) -> None:
        """Nothing is open."""

    def child(self) -> ChildStatus | None:
        """Return what the test set."""
        return self.child_status

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Answer a question."""
        self.asked.append(query)
        if self.hold is not None:
            await self.hold.wait()
        if self._lost is not None:
            raise NodeLostError(self._lost)
        answers: dict[type[wire.Query], Callable[..., wire.Answer]] = {
            wire.GetStats: self._stats_answer,
            wire.GetTree: self._tree,
            wire.GetProcesses: self._processes,
            wire.GetPlaces: self._places,
            wire.GetProcess: self._process,
            wire.GetEvents: self._events,
            wire.GetPlan: self._plan,
            wire.GetNames: self._names,
            wire.GetLints: self._lints,
            wire.GetCluster: lambda query: wire.Cluster(name=self.distributed_as, nodes=self.nodes),
            wire.GetNodePlan: lambda query: wire.Plan(sentence=f"{query.action}s {query.node}; no process here ends"),
            wire.GetWaits: lambda query: wire.Waits(waits=tuple(each for each in self.waits if each.pid == query.pid)),
            wire.Exit: self._exit,
        }
        answer = answers.get(type(query), self._done)
        return answer(query)

    def stats(self) -> wire.NodeStats:
        """Return the node's figures of this moment."""
        if self._process_count is None or self._places_kept is None:
            self._process_count = sum(place.kind != "group" and place.pid is not None for place in self._all())
        run = self.time - START + 300
        return wire.NodeStats(
            name=self._name,
            time=self.time,
            started_at=START - 300,
            os_pid=4242,
            process_count=self._process_count,
            run_queue=2,
            messages=int(run * 840 + 300 * math.sin(self.time * 1.1)),
            restarted=self._restarted,
            rss=88_000_000 + int(run * 1_000),
            cpu_time=run * 0.12,
            distributed_as=self.distributed_as,
            lint_count=sum(len(place.lints) for place in self._all() if place.lints),
            hub_lag=self.hub_lag,
            hub_busy_with=self.hub_busy_with,
            hub_busy_at=self.hub_busy_at,
            last_event=len(self.events),
            read_only=self.read_only,
            scope=self.scope,
            untold=self.untold,
        )

    def _all(self) -> Iterable[FakeProcess]:
        return self._walk() if self._places_kept is None else self._places_kept

    def _walk(self) -> Iterator[FakeProcess]:
        for root in self.roots:
            yield from root.walk()

    def _stats_answer(self, query: wire.GetStats) -> wire.Answer:
        return wire.Stats(stats=self.stats(), settings={"runtime": "0.1.0", "time_slice": "off"})

    def row(self, place: FakeProcess, depth: int = 0, folded: bool = False, context: bool = False) -> wire.Row:
        """Return a place as the wire shows it."""
        supervisor = place.kind == "supervisor"
        lived = self.time - place.started_at
        lively = lived + math.sin(self.time * 1.3 + len(place.name)) * 0.6
        return wire.Row(
            key=place.key,
            pid=place.pid,
            kind=place.kind,
            name=place.name,
            child_id=place.name,
            initial_call=place.initial_call,
            at=place.at,
            doing=place.doing,
            doing_since=None if place.doing is None else place.started_at,
            status=place.status if place.pid or place.kind == "group" else "stopped",
            message_queue_len=place.queue,
            messages_in=int(max(0.0, lively) * place.rate),
            messages_out=int(lived * place.rate / 2),
            memory=int(place.memory + place.growth * (self.time - START)) if place.pid else None,
            memory_age=1.5,
            reductions=int(lived * 100),
            cpu_time=round(lived * place.cpu, 3) if place.pid else None,
            restarts=place.restarts,
            started_at=place.started_at if place.pid else None,
            supervisor=place.parent.pid if place.parent else None,
            restart="permanent" if place.parent else None,
            depth=depth,
            child_count=len(place.children),
            folded=folded,
            parent_key=place.parent.key if place.parent else None,
            strategy=place.strategy,
            max_restarts=3 if supervisor else None,
            max_seconds=5.0 if supervisor else None,
            restarts_used=place.restarts_used if supervisor else None,
            restarts_expire_in=4.0 if place.restarts_used else None,
            not_running=sum(child.pid is None for child in place.children) if supervisor else 0,
            lints=place.lints,
            last_failure_at=place.failed_at,
            context=context,
        )

    def _tree(self, query: wire.GetTree) -> wire.Answer:
        if query.root is None:
            self.time += STEP
        if query.filter.startswith("("):
            return wire.Failed(why=f"The filter {query.filter!r} is not complete.", kind="bad_request")
        places: list[tuple[FakeProcess, int, bool]] = []

        def descend(siblings: list[FakeProcess], depth: int) -> None:
            for place in self._sorted(siblings, query.sort, query.descending):
                if query.filter and not any(query.filter in below.name for below in place.walk()):
                    continue
                big = len(place.children) > query.fold_over or not place.unfolded_at_first
                folded = bool(place.children) and (
                    place.key in query.folded or (big and place.key not in query.unfolded)
                )
                folded = folded and not query.filter
                places.append((place, depth, folded))
                if not folded:
                    descend(place.children, depth + 1)

        if query.root is None:
            descend(self.roots, 0)
        else:
            descend([place for place in self._all() if place.key == query.root], 0)
        index = next((i for i, (place, _, _) in enumerate(places) if query.anchor in (place.key, place.pid)), None)
        part = places[query.offset : query.offset + query.limit]
        return wire.Window(
            rows=tuple(self.row(*place, context=query.filter not in place[0].name) for place in part),
            offset=query.offset,
            total=len(places),
            stats=self.stats(),
            anchor_index=index if query.anchor else None,
        )

    def _sorted(self, places: list[FakeProcess], sort: str, descending: bool) -> list[FakeProcess]:
        keys: dict[str, Callable[[FakeProcess], object]] = {
            "name": lambda place: place.name,
            "pid": lambda place: wire_pid(place.pid),
            "message_queue_len": lambda place: place.queue,
            "memory": lambda place: place.memory,
            "messages_in": lambda place: place.rate,
            "restarts": lambda place: place.restarts,
        }
        if sort == "tree":
            return places[::-1] if descending else places
        return sorted(places, key=keys.get(sort, keys["name"]), reverse=descending)  # type: ignore[arg-type]

    def _processes(self, query: wire.GetProcesses) -> wire.Answer:
        self.time += STEP
        places = [place for place in self._all() if place.kind != "group" and place.pid and query.filter in place.name]
        if query.group_by:
            rows = grouped(places, query.group_by, self.row)
            return wire.Window(rows=rows, offset=0, total=len(rows), stats=self.stats())
        places = self._sorted(places, query.sort, query.descending)
        index = next((i for i, place in enumerate(places) if query.anchor in (place.key, place.pid)), None)
        part = places[query.offset : query.offset + query.limit]
        return wire.Window(
            rows=tuple(self.row(place) for place in part),
            offset=query.offset,
            total=len(places),
            stats=self.stats(),
            anchor_index=index if query.anchor else None,
        )

    def _places(self, query: wire.GetPlaces) -> wire.Answer:
        rows = tuple(self.row(place) for place in self._all() if place.key in query.keys)
        return wire.Window(rows=rows, offset=0, total=len(rows), stats=self.stats())

    def _place(self, pid: str) -> FakeProcess | None:
        return next((place for place in self._all() if place.pid == pid), None)

    def _process(self, query: wire.GetProcess) -> wire.Answer:
        place = self._place(query.pid)
        if place is None:
            return wire.Failed(why=f"There is no process {query.pid}.", kind="noproc")
        parent = place.parent
        return wire.Details(
            row=self.row(place),
            links=(wire.Related(pid=parent.pid, name=parent.name),) if parent and parent.pid else (),
            parent=wire.Related(pid=parent.pid, name=parent.name) if parent and parent.pid else None,
            ancestors=tuple(
                wire.Related(pid=above.pid, name=above.name) for above in [*self._above(place)][1:] if above.pid
            ),
            messages=tuple(
                f"('message', <0.12.0>, 'line {n}')" for n in range(1, min(place.queue, query.messages) + 1)
            ),
            state="{'name': 'Ada',\n 'sent': 12}" if query.state else None,
            parts=self.parts if query.state else (),
            senders=self.senders[:2],
            more_senders=len(self.senders[2:]),
            dictionary={"'$initial_call'": "demos.chat.client"},
            current_stacktrace=(
                RUNTIME_FRAME,
                wire.Frame(
                    file="/srv/demos/chat.py", line=71, function="client", source='match receive(("send", str)):'
                ),
            ),
        )

    def _events(self, query: wire.GetEvents) -> wire.Answer:
        events = self.events[query.after :] if query.after >= 0 else self.events
        if query.key is not None:
            events = [event for event in events if event.key == query.key]
        events = events if query.after >= 0 else events[-query.limit :]
        return wire.Events(events=tuple(events[: query.limit]), last=len(self.events))

    def _plan(self, query: wire.GetPlan) -> wire.Answer:
        place = self._place(query.pid)
        if place is None:
            return wire.Failed(why=f"There is no process {query.pid}.", kind="noproc")
        victims = [place, *(other for pid in query.others if (other := self._place(pid)) is not None)]
        ends = [wire.Related(pid=below.pid, name=below.name) for each in victims for below in each.walk() if below.pid]
        return wire.Plan(
            sentence=f"kills {len(ends)}, restarts {len(victims)}: one_for_one; budget 0 of 3 in 5 s",
            kills=tuple(ends),
            restarts=tuple(wire.Related(pid=each.pid or "", name=each.name) for each in victims),
        )

    def _names(self, query: wire.GetNames) -> wire.Answer:
        names = tuple(
            wire.NameEntry(name=place.name, pid=place.pid)
            for place in self._all()
            if place.pid and query.filter in place.name
        )
        return wire.Names(
            names=names[:500],
            names_total=len(names),
            timers=(wire.TimerEntry(due_in=2.5, dest="<0.12.0>", message="'tick'", name="clients"),),
            sockets=(
                wire.SocketEntry(
                    fd=9, family="tcp", local="127.0.0.1:4000", status="LISTEN", pid="<0.14.0>", name="bob"
                ),
                wire.SocketEntry(fd=11, family="unix", local=""),
            ),
            timers_total=1,
            tables=self.tables,
            tables_total=len(self.tables),
        )

    def _lints(self, query: wire.GetLints) -> wire.Answer:
        found = [
            wire.Lint(kind=lint, weight=2, pids=(place.pid or "",), sentence=f"{place.name} looks like a {lint}.")
            for place in self._all()
            for lint in place.lints
        ]
        return wire.Lints(lints=(*self.lints, *found))

    def _exit(self, query: wire.Exit) -> wire.Answer:
        if self.read_only:
            return wire.Failed(why="This node is read-only.", kind="read_only")
        place = self._place(query.pid)
        if place is None:
            return wire.Failed(why=f"There is no process {query.pid}: it has ended.", kind="noproc")
        reason = str(ast.literal_eval(query.reason))
        kill = self.log("kill", place, reason=reason)
        self.crash(place, "killed" if reason == "kill" else reason, kill.id)
        return wire.Done(sentence=f"Sent {reason} to {query.pid}.", event=kill.id)

    def _done(self, query: wire.Query) -> wire.Answer:
        return wire.Done(sentence="Done.")


def wire_pid(pid: str | None) -> int:
    """Return a pid's number, for sorting."""
    return int(pid.split(".")[1]) if pid else -1
