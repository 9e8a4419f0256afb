"""What an observer sends: its greeting, questions and commands."""

from __future__ import annotations

from typing import Literal, TypeAlias

from runtime.introspection.wire.cluster import NodeAction
from runtime.introspection.wire.fields import PROTOCOL, Frozen, GroupBy, Sort


class Query(Frozen, tag_field="query", frozen=True):
    """Base of all questions and commands."""


class GetStats(Query, tag="stats", frozen=True):
    """Ask for `NodeStats` and the node's constants. Answered by `Stats`."""


class GetTree(Query, tag="tree", frozen=True):
    """Ask for a window of the supervision tree, flattened depth first. Answered by `Window`.

    Supervisors are unfolded unless their key is in `folded`; those with more than `fold_over` children, and the groups
    of processes under no supervisor and of greenlets, are folded unless their key is in `unfolded`. `sort` orders
    siblings. With a `filter`, rows that match are shown with their ancestors, whatever is folded. `root` shows the
    subtree of one key alone. When `anchor` is the key or pid of a row, the reply says at which index it stands, and
    with `follow` the window is moved so that it is inside.
    """

    unfolded: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    fold_over: int = 200
    root: str | None = None
    sort: Sort = "tree"
    descending: bool = False
    filter: str = ""
    offset: int = 0
    limit: int = 60
    anchor: str | None = None
    follow: bool = False


class GetProcesses(Query, tag="processes", frozen=True):
    """Ask for a window of the flat list of processes and plain greenlets. Answered by `Window`.

    `delta` sorts figures by what they gained since this connection last asked. `group_by` gives one row a group,
    with counts and sums. `filter`, `anchor` and `follow` as in `GetTree`.
    """

    sort: Sort = "memory"
    descending: bool = True
    delta: bool = False
    filter: str = ""
    group_by: GroupBy = ""
    offset: int = 0
    limit: int = 60
    anchor: str | None = None
    follow: bool = False


class GetPlaces(Query, tag="places", frozen=True):
    """Ask who stands in these places of the tree now (their keys, at most `MAX_ROWS`). Answered by `Window`.

    The answer has a row for each of these places that exists, in any order. Unlike a list, it is made anew each time.
    """

    keys: tuple[str, ...]


class GetProcess(Query, tag="process", frozen=True):
    """Ask for everything about one process. Answered by `Details`, or by `Failed` when it has ended.

    `messages` says how many messages of its mailbox to show, the oldest first. `state` asks for a server's state too;
    the answer waits for that a second at most, and the node goes on meanwhile. `senders` asks who sends to it.
    """

    pid: str
    messages: int = 10
    state: bool = False
    senders: bool = True


class GetEvents(Query, tag="events", frozen=True):
    """Ask for events with an id above `after`, oldest first; a negative `after` asks for the last `limit`.

    `pid` or `key` keeps the events of one process, or of one place of the tree. Answered by `Events`.
    """

    after: int = 0
    limit: int = 200
    pid: str | None = None
    key: str | None = None


class GetPlan(Query, tag="plan", frozen=True):
    """Ask what an exit signal to `pid`, and to the `others` with it, would do, without doing it. Answered by `Plan`.

    `reason` is a Python literal, as in `Exit`. Those of the `others` that have ended are left out. When `pid` has
    ended, the answer is `Failed`.
    """

    pid: str
    others: tuple[str, ...] = ()
    reason: str = "'kill'"


class GetLints(Query, tag="lints", frozen=True):
    """Ask for all findings: what looks wrong in the node now. Answered by `Lints`."""


class GetMemory(Query, tag="memory", frozen=True):
    """Ask for the containers and types that take most memory, `limit` of each. Answered by `Memory`, after a while."""

    limit: int = 1_000


class GetProcessMemory(Query, tag="process_memory", frozen=True):
    """Ask what one process holds: the largest parts of its state and types, `limit` of each.

    Answered by `ProcessMemory`, after a while, or `Failed` when the pid is gone.
    """

    pid: str
    limit: int = 1_000


class GetNames(Query, tag="names", frozen=True):
    """Ask for registered names, registries, timers pending, open sockets and ets tables. Answered by `Names`.

    With a `filter`, only entries that contain this text are given, in upper or lower case: in a name, a pid, a
    registry, a message or an address.
    """

    limit: int = 500
    filter: str = ""


class Exit(Query, tag="exit", frozen=True):
    """Send an exit signal. `reason` is a Python literal; ``"kill"`` cannot be trapped. Answered by `Done`."""

    pid: str
    reason: str = "'kill'"


class Suspend(Query, tag="suspend", frozen=True):
    """Let the process run nothing until it is resumed. Answered by `Done`."""

    pid: str


class Resume(Query, tag="resume", frozen=True):
    """Let a suspended process run again. Answered by `Done`."""

    pid: str


class Send(Query, tag="send", frozen=True):
    """Send a message, written as a Python literal. `via` chooses plain send, cast or call. Answered by `Done`."""

    pid: str
    message: str
    via: Literal["send", "cast", "call"] = "send"


class ControlChild(Query, tag="child", frozen=True):
    """Have a supervisor start, restart, terminate or delete a child: `child_id` as its row says. Answered by `Done`."""

    supervisor: str
    child_id: str
    action: Literal["restart", "terminate", "delete", "start"]


class OpenConsole(Query, tag="open_console", frozen=True):
    """Open a console for this connection, or ask for the one that it has. Answered by `ConsoleState`."""


class Evaluate(Query, tag="evaluate", frozen=True):
    """Have the console evaluate Python. Answered by `ConsoleState`, which does not wait for the end of it."""

    source: str


class ReadConsole(Query, tag="read_console", frozen=True):
    """Ask for what the console has shown after the text number `after`. Answered by `ConsoleState`.

    With `wait`, the answer comes when there is something new, the evaluation is over, or so many seconds have passed.
    """

    after: int = 0
    wait: float = 0.0


class CompleteConsole(Query, tag="complete_console", frozen=True):
    """Ask for what a name, with dots or without, can be completed to in the console. Answered by `Completions`."""

    text: str


class InterruptConsole(Query, tag="interrupt_console", frozen=True):
    """End what the console evaluates; its names stay. Answered by `ConsoleState`."""


class GetWaits(Query, tag="waits", frozen=True):
    """Ask what waiting processes wait for; `pid` asks of one alone. Answered by `Waits`.

    Those that only wait for the next message are left out, unless `all` is asked for.
    """

    pid: str | None = None
    all: bool = False


class StartTrace(Query, tag="start_trace", frozen=True):
    """Begin to note what processes do to each other, and end this connection's last trace. Answered by `TraceState`.

    `pids` names processes and `places` places of the tree by their keys, each with all below it; `filter` lets more
    through, also those that start later. Without any of these, every process is followed. The trace ends after
    `seconds`, after `limit` events, or with the connection; beyond `rate` events in a second they are dropped and
    counted. `functions` are functions whose calls are noted too, like ``shop.orders:Order.price``, with their
    `arguments` when these are asked for.
    """

    pids: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    filter: str = ""
    seconds: float = 10.0
    limit: int = 1_000
    rate: int = 1_000
    functions: tuple[str, ...] = ()
    arguments: bool = False


class ReadTrace(Query, tag="read_trace", frozen=True):
    """Ask for what the trace has noted after the event number `after`. Answered by `TraceState`.

    With `wait`, the answer comes when there is something new, the trace has ended, or so many seconds have passed.
    """

    after: int = 0
    wait: float = 0.0


class StopTrace(Query, tag="stop_trace", frozen=True):
    """End the trace; what it has noted can still be read. Answered by `TraceState`."""

    after: int = 0


class GetCluster(Query, tag="cluster", frozen=True):
    """Ask for the other nodes that this one knows. Answered by `Cluster`.

    Their latencies and numbers of processes are measured after the answer, and stand in a later one.
    """


class GetNodePlan(Query, tag="node_plan", frozen=True):
    """Ask what doing something to another node would do here, without doing it. Answered by `Plan`."""

    node: str
    action: NodeAction


class ControlNode(Query, tag="control_node", frozen=True):
    """Do something to another node. Answered by `Done`, which says what came of it."""

    node: str
    action: NodeAction


class Hello(Frozen, frozen=True):
    """First frame of a client."""

    protocol: int = PROTOCOL
    client: str = "observer"


AnyQuery: TypeAlias = (
    GetStats
    | GetTree
    | GetProcesses
    | GetPlaces
    | GetProcess
    | GetEvents
    | GetPlan
    | GetLints
    | GetNames
    | GetMemory
    | GetProcessMemory
    | Exit
    | Suspend
    | Resume
    | Send
    | ControlChild
    | OpenConsole
    | Evaluate
    | ReadConsole
    | CompleteConsole
    | InterruptConsole
    | GetWaits
    | StartTrace
    | ReadTrace
    | StopTrace
    | GetCluster
    | GetNodePlan
    | ControlNode
)
"""Every question and command there is."""


class Request(Frozen, frozen=True):
    """A question with a number that its reply will carry."""

    id: int
    query: AnyQuery
