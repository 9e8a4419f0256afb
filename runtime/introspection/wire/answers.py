"""What a node sends: its greeting, and the answer to each question and command."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from runtime.introspection.wire.cluster import ClusterNode
from runtime.introspection.wire.entries import (
    Container,
    Frame,
    NameEntry,
    Part,
    Related,
    Sender,
    SocketEntry,
    TableEntry,
    TimerEntry,
    TypeCount,
)
from runtime.introspection.wire.fields import (
    MAX_ROWS,
    PROTOCOL,
    Count,
    Delay,
    Frozen,
    Index,
    Key,
    Moment,
    Name,
    Pid,
    Span,
    Text,
    Word,
)
from runtime.introspection.wire.rows import NodeStats, Row


class Welcome(Frozen, tag_field="hello", tag="welcome", frozen=True):
    """The node's first frame."""

    protocol: Count
    node: Name
    os_pid: Count
    started_at: Moment
    runtime_version: Word
    python_version: Word
    gevent_version: Word
    command: Text = ""
    """The observed program's command line."""
    read_only: bool = False
    program: Word = ""
    """What the processes of one program are grouped under; empty when the node does not say."""
    run: Word = ""
    """Tells one run of a program that ``observer instrument`` has started from another; empty for others."""
    parent_pid: Count = 0
    uses_gevent: bool = True
    """Whether gevent's hub has ever run in the node's thread."""
    distributed_as: Name = ""
    """The name by which other nodes reach it, empty for a node that they do not."""
    kernel: Word = ""
    """Which kernel it runs, ``compiled`` or ``python``; empty when the node does not say."""


class Refused(Frozen, tag_field="hello", tag="refused", frozen=True):
    """The node's first and last frame to a client it will not serve; `why` is a sentence."""

    why: Text
    protocol: Count = PROTOCOL


class Answer(Frozen, tag_field="answer", frozen=True):
    """Base of all answers."""


class Stats(Answer, tag="stats", frozen=True):
    """Answers `GetStats`. `settings` are the node's constants by name (scheduler, limits, versions), as text."""

    stats: NodeStats
    settings: dict[Text, Text] = {}


class Window(Answer, tag="window", frozen=True):
    """A part of a list: rows `offset` to ``offset + len(rows)`` of `total`, and the node's figures at that moment."""

    rows: Annotated[tuple[Row, ...], msgspec.Meta(max_length=MAX_ROWS)]
    offset: Index
    total: Index
    stats: NodeStats
    anchor_index: Index | None = None
    """Where the anchor stands in the whole list; None when it is in no row (gone, folded away, filtered out)."""
    matched: Index | None = None
    """With a filter: how many rows match it themselves."""


class Details(Answer, tag="details", frozen=True):
    """Answers `GetProcess`. Messages, state and dictionary are rendered and cut to a readable length.

    `senders` are those that send most, the fastest first, sampled while messages wait and an observer looks;
    `more_senders` is how many there are besides.
    """

    row: Row
    links: tuple[Related, ...] = ()
    monitors: tuple[Related, ...] = ()
    monitored_by: tuple[Related, ...] = ()
    parent: Related | None = None
    ancestors: tuple[Related, ...] = ()
    trap_exit: bool = False
    priority: Word = "normal"
    max_heap_size: Count | None = None
    waiting_for: Related | None = None
    """Whose reply it waits for, when it waits in a call."""
    messages: tuple[Text, ...] = ()
    senders: Annotated[tuple[Sender, ...], msgspec.Meta(max_length=100)] = ()
    more_senders: Count = 0
    unanswered: Count = 0
    """Calls that a server has answered by None, since no case of its `handle_call` takes them."""
    unanswered_kinds: Annotated[tuple[Text, ...], msgspec.Meta(max_length=100)] = ()
    """How many there were of each kind, as text; empty where messages are not shown."""
    state: Text | None = None
    parts: Annotated[tuple[Part, ...], msgspec.Meta(max_length=100)] = ()
    """What is large in the state, the largest first: estimated from a sample, without asking the server."""
    state_note: Text = ""
    """Why there is no state, in a sentence: not asked for, not a server, busy, redacted, switched off."""
    withheld: bool = False
    """Whether messages, state and dictionary are not shown on this node (--no-state)."""
    dictionary: dict[Text, Text] = {}
    unfetched: Text = ""
    """Why messages or the dictionary are not told though there may be some, in a sentence; empty where they are."""
    current_stacktrace: tuple[Frame, ...] = ()


class Event(Frozen, frozen=True):
    """One thing that happened.

    `id` counts up by one. `cause` is the id of the event that made this one happen. Kinds: ``spawn``; ``exit`` (any
    reason; `crashed` when it was abnormal, with a stack for an exception); ``restart`` (`pid` is the new process,
    `old_pid` the one it replaces); ``restart_failed``; ``gave_up`` (a supervisor used up its restarts); ``stall``
    (a process held the hub for `seconds`); ``kill`` (an observer sent an exit signal to `pid`); ``action`` (an
    observer did something else); ``report`` (anything else worth a line).
    """

    id: Count
    time: Moment
    kind: Literal["spawn", "exit", "restart", "restart_failed", "gave_up", "stall", "kill", "action", "report"]
    pid: Pid | None = None
    name: Name = ""
    key: Key | None = None
    """Place in the tree of the process it is about."""
    reason: Text | None = None
    crashed: bool = False
    cause: Count | None = None
    supervisor: Pid | None = None
    child_id: Name | None = None
    old_pid: Pid | None = None
    restarts_used: Count | None = None
    max_restarts: Count | None = None
    max_seconds: Delay | None = None
    seconds: Span | None = None
    processor_seconds: Span | None = None
    """Of a stall: how much of `seconds` the hub's thread was on the processor."""
    stall: Literal["computing", "blocked", "starved"] | None = None
    """Why the hub was held: by work, by a call that blocks the thread, or because its thread was not run."""
    message: Text = ""
    """A sentence for a person."""
    last_message: Text | None = None
    state: Text | None = None
    stacktrace: tuple[Frame, ...] = ()
    ends_program: bool = False
    """Whether the program ends now; `message` then says why."""


class Events(Answer, tag="events", frozen=True):
    """Answers `GetEvents`. `dropped` events were lost from the front of the bounded log; `last` is the newest id."""

    events: tuple[Event, ...] = ()
    dropped: Count = 0
    last: Count = 0


class Plan(Answer, tag="plan", frozen=True):
    """Answers `GetPlan`: what a kill would do, worked out from links, strategy and budget.

    `kills` are the processes that would end, `restarts` those that would come back; `gives_up` the supervisors that
    would go down; `sentence` says it all in one line; `assumes` is what was taken for granted, a sentence each.
    `reason` is that of the signal, as text; a node that plans for ``kill`` alone leaves it so.
    """

    sentence: Text
    kills: tuple[Related, ...] = ()
    restarts: tuple[Related, ...] = ()
    gives_up: tuple[Related, ...] = ()
    assumes: tuple[Text, ...] = ()
    reason: Text = "kill"


class Lint(Frozen, frozen=True):
    """One finding: what kind, how bad (1 to 3), which processes, and a plain sentence."""

    kind: Word
    weight: Count
    pids: tuple[Pid, ...]
    sentence: Text
    since: Moment | None = None


class Lints(Answer, tag="lints", frozen=True):
    """Answers `GetLints`, heaviest first."""

    lints: tuple[Lint, ...] = ()


class Memory(Answer, tag="memory", frozen=True):
    """Answers `GetMemory`, largest first."""

    rss: Count
    """Resident memory of the operating-system process, in bytes."""
    containers: Annotated[tuple[Container, ...], msgspec.Meta(max_length=MAX_ROWS)] = ()
    types: Annotated[tuple[TypeCount, ...], msgspec.Meta(max_length=MAX_ROWS)] = ()
    is_complete: bool = True
    """Whether all that can be reached from modules was looked at. Else types are counted in a part of it."""


class ProcessMemory(Answer, tag="process_memory", frozen=True):
    """Answers `GetProcessMemory`, largest first.

    The name of a part says where it is, e.g. ``pages``, ``shop.cache['home']``, ``(mailbox)``, or ``row in serve``
    for a variable of a function. A part is counted in those that it is in, too.
    """

    memory: Count
    """Bytes of all that the process holds, its stack among them."""
    parts: Annotated[tuple[Part, ...], msgspec.Meta(max_length=MAX_ROWS)] = ()
    types: Annotated[tuple[TypeCount, ...], msgspec.Meta(max_length=MAX_ROWS)] = ()
    is_complete: bool = True
    """Whether all that it holds was looked at. Else the nearest of it."""


class Names(Answer, tag="names", frozen=True):
    """Answers `GetNames`."""

    names: tuple[NameEntry, ...] = ()
    timers: tuple[TimerEntry, ...] = ()
    sockets: tuple[SocketEntry, ...] = ()
    names_total: Count = 0
    timers_total: Count = 0
    tables: tuple[TableEntry, ...] = ()
    tables_total: Count = 0


ConsoleKind = Literal["value", "output", "error"]
"""What a text in a console is: the value of an expression, what a process printed, or what went wrong."""


class ConsoleText(Frozen, frozen=True):
    """A piece of what a console shows."""

    kind: ConsoleKind
    text: Text


class ConsoleState(Answer, tag="console", frozen=True):
    """Answers what is asked of a console: who evaluates, whether it is at work, and what it has shown since.

    `last` is the number of the last of `texts`; `dropped` is how many were lost before the first of them.
    """

    pid: Pid
    evaluating: bool = False
    evaluations: Count = 0
    """How many programs it was given."""
    last: Count = 0
    dropped: Count = 0
    texts: tuple[ConsoleText, ...] = ()


class Completions(Answer, tag="completions", frozen=True):
    """Answers `CompleteConsole`."""

    words: Annotated[tuple[Name, ...], msgspec.Meta(max_length=1_000)] = ()


WaitKind = Literal["reply", "message", "lock", "socket", "timer", "other"]
"""What a process may wait for. ``other`` is a wait of gevent's that says no more."""


class Wait(Frozen, frozen=True):
    """What a process waits for: `what` says more of it.

    `chain` are the processes that it waits for, one behind the other: with `cycle`, the last of them stands in the
    chain already, or is the process itself; else `end` is what the last one waits for, None when it does not wait.
    """

    pid: Pid
    kind: WaitKind
    name: Name = ""
    what: Name = ""
    chain: Annotated[tuple[Related, ...], msgspec.Meta(max_length=1_000)] = ()
    cycle: bool = False
    end: WaitKind | None = None
    end_what: Name = ""
    at: Name | None = None
    """The line of its code at which it waits; None without a stack."""


class Waits(Answer, tag="waits", frozen=True):
    """Answers `GetWaits`: at most `MAX_ROWS` of `total`, those first that wait for others."""

    waits: Annotated[tuple[Wait, ...], msgspec.Meta(max_length=MAX_ROWS)] = ()
    total: Count = 0


TraceKind = Literal[
    "call",
    "reply",
    "failed",
    "given_up",
    "cast",
    "message",
    "received",
    "spawn",
    "exit",
    "signal",
    "down",
    "link",
    "unlink",
    "monitor",
    "demonitor",
    "function",
    "returned",
    "raised",
]
"""What a trace notes. ``failed`` is a call whose server has died, ``given_up`` one whose caller no longer waits.

``down`` is what a monitor delivers, ``signal`` an exit signal. ``returned`` and ``raised`` end a ``function``.
"""


class TraceEvent(Frozen, frozen=True):
    """One thing that a trace has noted: `source` did `what` to `target`. Each is None where it is no process.

    `of` is the number of the event that this one ends: the call of a reply, the sending of a message that was received.
    `seconds` have passed since then. `request` is what requests and messages of one kind have in common.
    """

    id: Count
    time: Moment
    kind: TraceKind
    source: Related | None = None
    target: Related | None = None
    what: Text = ""
    request: Name = ""
    of: Count | None = None
    seconds: Span | None = None
    at: Frame | None = None
    """The line of the program's own code that did it, None where the stack has none."""


class TraceState(Answer, tag="trace", frozen=True):
    """Answers what is asked of a trace: what it has noted since, and whether it goes on.

    `last` is the number of the last of `events`. `dropped` were not noted, because more came than the rate allows;
    `unread` were noted and lost, because they were not asked for in time. Both count from the beginning.
    """

    events: Annotated[tuple[TraceEvent, ...], msgspec.Meta(max_length=MAX_ROWS)] = ()
    last: Count = 0
    noted: Count = 0
    """How many events it has noted by now."""
    dropped: Count = 0
    unread: Count = 0
    processes: Count = 0
    """How many processes it follows; 0 where it follows all of them."""
    running: bool = True
    ending: Text = ""
    """Why it has ended, in a sentence."""


class Cluster(Answer, tag="cluster", frozen=True):
    """Answers `GetCluster`: the name of this node, empty without one, and the others, by name."""

    name: Name = ""
    nodes: Annotated[tuple[ClusterNode, ...], msgspec.Meta(max_length=MAX_ROWS)] = ()
    total: Count = 0


class Done(Answer, tag="done", frozen=True):
    """A command was carried out; `sentence` says what was done, `value` a call's reply, `event` the log's entry."""

    sentence: Text = ""
    value: Text | None = None
    event: Count | None = None


class Failed(Answer, tag="failed", frozen=True):
    """The node could not do it, or would not; `why` is a sentence for a person."""

    why: Text
    kind: Literal["noproc", "bad_request", "read_only", "timeout", "unsupported", "error"] = "error"


AnyAnswer: TypeAlias = (
    Stats
    | Window
    | Details
    | Events
    | Plan
    | Lints
    | Names
    | Memory
    | ProcessMemory
    | ConsoleState
    | Completions
    | TraceState
    | Waits
    | Cluster
    | Done
    | Failed
)
"""Every answer there is."""


class Reply(Frozen, frozen=True):
    """The answer to the request of that number."""

    id: Count
    answer: AnyAnswer
