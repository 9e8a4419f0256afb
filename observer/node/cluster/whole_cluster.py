"""All nodes of a cluster in one source of answers: for the tree and the lists of all of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from heapq import merge
from time import monotonic

import msgspec

from observer.node import discovery
from observer.node.cluster import notes, plans
from observer.node.cluster.member import UNNUMBERED, Life, Member, life_of
from observer.node.cluster.translation import Translation, origin
from observer.node.connection import Connection
from observer.node.discovery import Found
from observer.node.source import ChildStatus, NodeLostError, Source
from observer.text import units
from runtime.introspection import wire
from runtime.introspection.moment.answers import answer
from runtime.introspection.moment.moment import Moment

MOST_NODES = 50
"""How many other nodes are looked at."""

MOST_ROWS = 2_000
"""Rows of one node that are looked at: the first of its tree."""

ALL_ROWS = 20_000
"""Rows of all nodes: of many nodes, fewer each."""

LEAST_ROWS = 100
"""Rows of a node that are looked at, however many nodes there are."""

ANSWER_TIMEOUT = 2.0
"""Seconds that another node may take to answer."""

PATIENCE = 0.5
"""Seconds that an answer waits for a look: a node that hangs does not hold up what is known of the others."""

FIND_EVERY = 2.0
"""Seconds between two searches for the sockets of nodes that are not connected."""

MOST_EVENTS = 10_000
"""Events of all nodes that are remembered, the latest."""

ONE_NODE = "This is for the processes of one node: open its own dashboard (7, enter) and do it there."

Dial = Callable[[Found], Source]


def sockets() -> dict[str, Found]:
    """Return the nodes on this machine by the names that other nodes reach them by."""
    return {each.welcome.distributed_as: each for each in discovery.nodes() if each.welcome is not None}


def dial(found: Found) -> Source:
    """Return the connection to a node that was found."""
    return Connection(found.name, found.path, ANSWER_TIMEOUT, ANSWER_TIMEOUT)


def chosen_of(cluster: wire.Cluster) -> list[wire.ClusterNode]:
    """Return the nodes that are looked at, in their order: where there are too many, those that are up come first."""
    nodes = cluster.nodes
    chosen = sorted(range(len(nodes)), key=lambda index: nodes[index].state != "up")[:MOST_NODES]
    return [nodes[index] for index in sorted(chosen)]


class WholeCluster:
    """A `Source` for the node `home` and all that it knows. What is not about processes is answered by `home` alone.

    A node whose socket is on this machine is asked itself. One that is gone stays as it was last seen, and one that
    cannot be asked from here is a row that says so.
    """

    def __init__(
        self,
        home: Source,
        names_nodes: bool = True,
        find: Callable[[], Mapping[str, Found]] = sockets,
        dial: Callable[[Found], Source] = dial,
    ) -> None:
        self.home = home
        self._names_nodes = names_nodes
        """Whether the names in a list say on which node a process is."""
        self._find = find
        self._dial = dial
        self._members: dict[str, Member] = {}
        self._others = 0
        """How many other nodes there are, looked at or not."""
        self._found_at = float("-inf")
        self._moment = Moment(0.0, wire.NodeStats(name="", time=0.0, started_at=0.0, os_pid=0))
        self._events: deque[wire.Event] = deque(maxlen=MOST_EVENTS)
        self._new_events: list[list[tuple[Member, wire.Event]]] = []
        self._ids: dict[tuple[str, Life | None, int], int] = {}
        """The numbers of the last events by their nodes, the lives of these, and the numbers that they have there."""
        self._last_event = 0
        self._looking: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """Whose cluster it is."""
        return f"all nodes of {self.home.name}"

    def child(self) -> ChildStatus | None:
        """Return how the child process is doing."""
        return self.home.child()

    async def connect(self) -> wire.Welcome:
        """Connect to the node that was asked; the others follow with the first look. Raises `NodeLostError`."""
        welcome = await self.home.connect()
        name = welcome.distributed_as or welcome.node
        mine, former = self._members.get(name), []
        if mine is None or mine.life != life_of(welcome):
            # At first, or where another program has taken its place, which numbers the other nodes anew.
            former = [each for each in self._members.values() if each.source is not self.home]
            mine = Member(name, 0)
            self._members = {name: mine}
            self._found_at = float("-inf")
        mine.meet(self.home, 0, life_of(welcome))
        await self._give_up_looking()
        for member in former:
            await member.leave()
        await self.look()
        return welcome

    async def close(self) -> None:
        """Let all connections go. Never raises, and may be called twice."""
        await self._give_up_looking()
        for member in [*self._members.values()]:
            await member.leave()
        await self.home.close()

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Return the answer of all nodes, or of the one that a process belongs to. Raises `NodeLostError`."""
        match query:
            case wire.GetLints() | wire.GetStats() | wire.GetEvents():
                await self._look_when_due()
                return answer(query, self._moment, self._events, "")
            case wire.GetTree():
                await self._look_when_due()
                shown = {key for each in self._members.values() for key in each.unfolded} - {*query.folded}
                query = msgspec.structs.replace(query, unfolded=(*query.unfolded, *shown))
                return answer(query, self._moment, (), "")
            case wire.GetProcesses():
                await self._look_when_due()
                return self.processes_seen(query)
            case wire.GetPlaces(keys=keys):
                return await self._places(keys)
            case wire.GetPlan():
                return await self._plan(query)
            case wire.StartTrace(pids=pids, places=places):
                return await self._trace(query, pids, places)
        return await self._pass_on(query)

    def processes_seen(self, query: wire.GetProcesses) -> wire.Answer:
        """Return the processes that the last look has seen, without a look of its own."""
        return self._with_nodes(answer(query, self._moment, (), ""))

    # -- One process, or some -----------------------------------------------------------------------------------

    def node_called(self, number: int) -> str:
        """Return the name of the node whose pids begin with that number."""
        member = self._of(number)
        return "?" if member is None else member.name

    def unseen(self) -> list[tuple[str, str]]:
        """Return the nodes that cannot be looked at now, each with the reason."""
        return [(each.name, each.note) for each in self._members.values() if each.source is None]

    def _of(self, number: int) -> Member | None:
        return next((each for each in self._members.values() if each.words.number == number), None)

    @property
    def _words(self) -> dict[str, Translation]:
        return {name: each.words for name, each in self._members.items()}

    async def _pass_on(self, query: wire.Query) -> wire.Answer:
        """Have the node answer whose process it is about; what is about none, the one that was asked."""
        field = next((name for name in ("pid", "supervisor") if isinstance(getattr(query, name, None), str)), None)
        if field is None:
            return await self.home.ask(query)
        number, there = origin(getattr(query, field))
        member = self._of(number)
        if member is None:
            return wire.Failed(why="The node of that process is not known any more.", kind="noproc")
        return await self._ask(member, msgspec.structs.replace(query, **{field: there}))

    async def _ask(self, member: Member, query: wire.Query) -> wire.Answer:
        """Have a node answer, and translate it. Raises `NodeLostError` where that node is the one that was asked."""
        try:
            found = await member.ask(query)
        except NodeLostError as lost:
            if not member.words.number:
                raise
            return wire.Failed(why=str(lost), kind="error")
        if isinstance(found, wire.Done) and found.event is not None:
            await self._look_at(member)
            self._log()
            found = msgspec.structs.replace(found, event=self._ids.get((member.name, member.life, found.event)))
        told: wire.Answer = member.words.told(found, self._words)
        return told

    async def _places(self, keys: tuple[str, ...]) -> wire.Answer:
        rows: list[wire.Row] = []
        for member in self._members.values():
            words = member.words
            there = tuple(words.key_there(key) for key in keys if key.startswith(words.key("")))
            found = await self._ask(member, wire.GetPlaces(keys=there)) if there else None
            if isinstance(found, wire.Window):
                rows += found.rows
        return wire.Window(rows=tuple(rows[: wire.MAX_ROWS]), offset=0, total=len(rows), stats=self._moment.stats)

    async def _plan(self, query: wire.GetPlan) -> wire.Answer:
        """Have each node plan for its own processes, and put the plans together."""
        by_node: dict[int, list[str]] = {}
        for pid in (query.pid, *query.others):
            number, there = origin(pid)
            by_node.setdefault(number, []).append(there)
        answers: list[tuple[str, wire.Answer]] = []
        for number, pids in by_node.items():
            if (member := self._of(number)) is not None:
                answers.append((member.name, await self._plan_on(member, pids, query.reason)))
        return plans.of_all(answers)

    async def _plan_on(self, member: Member, pids: list[str], reason: str) -> wire.Answer:
        """Have one node plan for those of its processes that are there: it refuses when the first one is not."""
        found: wire.Answer = plans.ENDED
        for first in range(len(pids)):
            found = await self._ask(member, wire.GetPlan(pid=pids[first], others=(*pids[first + 1 :],), reason=reason))
            if not plans.is_ended(found):
                break
        return found

    async def _trace(self, query: wire.StartTrace, pids: tuple[str, ...], places: tuple[str, ...]) -> wire.Answer:
        """Have the node that was asked trace, if it is about its processes alone; its own row stands for all of them.

        Without any process it would be about all, of which only those of one node could be followed.
        """
        mine = self._of(0)
        if mine is None or not (pids or places):
            return wire.Failed(why=ONE_NODE, kind="unsupported")
        ours = all(place == mine.name or place.startswith(mine.words.key("")) for place in places)
        if not ours or not all(origin(pid)[0] == 0 for pid in pids):
            return wire.Failed(why=ONE_NODE, kind="unsupported")
        if mine.name in places:
            pids, places = (), ()
        there = tuple(mine.words.key_there(place) for place in places)
        return await self.home.ask(msgspec.structs.replace(query, pids=pids, places=there))

    def _with_nodes(self, found: wire.Answer) -> wire.Answer:
        """Write its node behind the name of each process of a list: there is no branch that says it."""
        if not isinstance(found, wire.Window) or not self._names_nodes:
            return found
        rows = tuple(
            row
            if row.pid is None
            else msgspec.structs.replace(row, name=f"{row.name} @{_short(self.node_called(origin(row.pid)[0]))}")
            for row in found.rows
        )
        return msgspec.structs.replace(found, rows=rows)

    # -- Looking ------------------------------------------------------------------------------------------------

    async def _look_when_due(self) -> None:
        """Look at the nodes that are due, and wait for that a moment. Raises `NodeLostError` for the one asked."""
        if self._looking is None and not any(each.is_due for each in self._members.values()):
            return
        await self._wait_for(self._looking or self._begin_to_look(), PATIENCE)

    async def look(self, everywhere: bool = False) -> None:
        """Look at every node that is due, or `everywhere`. Raises `NodeLostError` when the one asked is lost.

        A look under way is given up: there is one at a time.
        """
        await self._give_up_looking()
        await self._wait_for(self._begin_to_look(everywhere))

    def _begin_to_look(self, everywhere: bool = False) -> asyncio.Task[None]:
        self._looking = asyncio.create_task(self._look(everywhere), name=f"look at {self.name}")
        return self._looking

    async def _wait_for(self, looking: asyncio.Task[None], seconds: float | None = None) -> None:
        done, _ = await asyncio.wait([looking], timeout=seconds)
        if not done:
            return
        if self._looking is looking:  # else another one has begun meanwhile
            self._looking = None
        if not looking.cancelled():
            looking.result()

    async def _give_up_looking(self) -> None:
        """End a look under way, and forget one that has failed."""
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            await asyncio.wait([looking])
            if not looking.cancelled():
                looking.exception()  # what was not asked for is logged as an error

    async def _look(self, everywhere: bool) -> None:
        self._log()  # what a look that was given up has left, as long as each node lives the same life
        found = await self.home.ask(wire.GetCluster())
        cluster = found if isinstance(found, wire.Cluster) else wire.Cluster()
        await self._take(cluster)
        await self._reach(cluster)
        due = [each for each in self._members.values() if each.is_due or (everywhere and each.source)]
        await asyncio.gather(*(self._look_at(each) for each in due))
        self._log()
        self._draw()

    async def _take(self, cluster: wire.Cluster) -> None:
        """Take which nodes there are, and how they stand. All others are forgotten."""
        self._others = max(cluster.total, len(cluster.nodes))
        chosen = {node.name: node for node in chosen_of(cluster)}
        for member in [*self._members.values()]:
            if member.words.number and member.name not in chosen:
                del self._members[member.name]
                await member.leave()
        for node in chosen.values():
            member = self._members.setdefault(node.name, Member(node.name, UNNUMBERED))
            if member.words.number:
                await self._note_state(member, node)

    async def _note_state(self, member: Member, node: wire.ClusterNode) -> None:
        """Note how a node stands."""
        if node.state != "up":
            member.problem, member.is_sought = "", False
            member.note = notes.gone(node, seen=bool(member.rows))
            await member.leave()
        elif member.source is None:
            member.miss(node)
        elif node.number and node.number != member.called:
            member.note = "begins anew"
            await member.leave()  # another life of the node: its socket is another one
        else:
            member.note = ""

    def _number(self, node: wire.ClusterNode, member: Member) -> int:
        """Return what pids of a node begin with: what the node that was asked prints, unless another one has that."""
        taken = {each.words.number for each in self._members.values() if each is not member}
        own = (node.number, member.words.number)
        return next((each for each in own if each > 0 and each not in taken), 1 + max(taken, default=0))

    async def _reach(self, cluster: wire.Cluster) -> None:
        """Connect to the nodes that have a socket here."""
        wanted = [
            (node, member)
            for node in chosen_of(cluster)
            if node.state == "up" and (member := self._members[node.name]).source is None
        ]
        if not wanted or monotonic() - self._found_at < FIND_EVERY:
            return
        self._found_at = monotonic()
        there = await asyncio.to_thread(self._find)
        for node, member in wanted:
            if (socket := there.get(node.name)) is None:
                member.is_sought = True
                member.miss(node)
                continue
            source = self._dial(socket)
            try:
                welcome = await source.connect()
            except NodeLostError as lost:
                member.fail(str(lost))
            else:
                member.meet(source, self._number(node, member), life_of(welcome))
                member.called = node.number

    async def _look_at(self, member: Member) -> None:
        try:
            self._new_events.append([(member, event) for event in await member.look(self._most_rows)])
        except NodeLostError as lost:
            if not member.words.number:
                raise
            await member.leave()
            member.fail(str(lost))

    @property
    def _most_rows(self) -> int:
        """How many rows of each node are looked at."""
        return min(MOST_ROWS, max(LEAST_ROWS, ALL_ROWS // len(self._members)))

    def _log(self) -> None:
        """Number the new events of all nodes, in order of time."""
        new, self._new_events = merge(*self._new_events, key=lambda each: each[1].time), []
        for member, event in new:
            if (member.name, member.life, event.id) in self._ids:
                continue
            self._last_event += 1
            self._ids[member.name, member.life, event.id] = self._last_event
            cause = None if event.cause is None else self._ids.get((member.name, member.life, event.cause))
            told = member.words.told(event, self._words)
            self._events.append(msgspec.structs.replace(told, id=self._last_event, cause=cause))
        while len(self._ids) > MOST_EVENTS:
            del self._ids[next(iter(self._ids))]

    def _draw(self) -> None:
        """Put together what is known of all nodes."""
        mine = self._of(0)
        assert mine is not None
        members = [mine, *sorted((each for each in self._members.values() if each is not mine), key=lambda m: m.name)]
        for each in members:
            del each.rows[self._most_rows :]  # there were fewer nodes when it was looked at
        asked = [each for each in members if each.source is not None and each.stats is not None]
        lints = [_lint(each, lint, self._words) for each in asked for lint in each.lints]
        rows = [row for each in members for row in each.branch()]
        before = {row.key: row for row in self._moment.rows}
        self._moment = Moment(
            time=0.0 if mine.stats is None else mine.stats.time,
            stats=self._figures(mine, asked, len(lints)),
            settings=mine.settings,
            lints=sorted(lints, key=lambda lint: -lint.weight),
            rows=rows,
            total=len(rows),
            before=before,
        )

    def _figures(self, mine: Member, asked: list[Member], lints: int) -> wire.NodeStats:
        """Add up the figures of all nodes that are asked."""
        if mine.stats is None:
            return self._moment.stats
        known = [each.stats for each in asked if each.stats is not None]
        sums = {name: sum(getattr(stats, name) for stats in known) for name in SUMS}
        total = self._others + 1
        return msgspec.structs.replace(
            mine.stats,
            **sums,
            last_event=self._last_event,
            lint_count=lints,
            scope=f"{len(known)} of {total} nodes" if total > len(known) else units.many(total, "node", "nodes"),
        )


SUMS = (
    *("process_count", "greenlet_count", "supervisor_count", "run_queue", "messages", "reductions", "spawned"),
    *("exited", "crashed", "restarted", "rss", "cpu_time", "timers", "names", "remains"),
)
"""Figures that are added up."""


def _lint(member: Member, lint: wire.Lint, others: Mapping[str, Translation]) -> wire.Lint:
    told: wire.Lint = member.words.told(lint, others)
    return msgspec.structs.replace(told, sentence=f"{_short(member.name)}: {lint.sentence}")


def _short(node: str) -> str:
    return node.partition("@")[0]
