"""The protocol between a node's endpoint and its observers.

A connection carries frames: four bytes of length (big endian), then one msgpack value of at most
`MAX_REQUEST` bytes towards the node and `MAX_REPLY` bytes from it. The client speaks first, with a `Hello`;
the node answers with a `Welcome`, or with a `Refused` and closes. After that every `Request` gets exactly one
`Reply` with the same `id`, in order. The node never speaks unasked: observers pull what they show.

Times are seconds since the epoch unless a name says otherwise, sizes are bytes, pids are text (``<0.17.0>``).
Unknown fields are ignored and new ones have defaults, so that neighbouring versions understand each other.
This module imports msgspec and the standard library alone: both sides of the wire use it.
"""

from __future__ import annotations

import struct
from typing import Annotated, Literal, TypeAlias

import msgspec

PROTOCOL = 1
"""The version of this protocol. A node refuses a client whose version is not its own."""

MAX_REQUEST = 1 << 20
"""Longest frame a node accepts, in bytes. A longer one drops the connection before it is read."""

MAX_REPLY = 32 << 20
"""Longest frame an observer accepts, in bytes."""

MAX_ROWS = 2_000
"""Most rows one window may ask for."""

NOT_SHOWN = "(not shown)"
"""Stands for a text that observers of the node are not shown."""

Status = Literal["running", "runnable", "waiting", "suspended", "exiting", "restarting", "stopped"]
"""What a row's process does. The last two are children of a supervisor that have no process at the moment."""

Sort = Literal[
    "tree",
    "name",
    "pid",
    "status",
    "message_queue_len",
    "messages_in",
    "messages_out",
    "memory",
    "reductions",
    "cpu_time",
    "restarts",
    "started_at",
]
"""What a window is sorted by. ``tree`` is the order in which supervisors started their children."""

Strategy = Literal["one_for_one", "one_for_all", "rest_for_one", "dynamic"]
"""How a supervisor restarts. ``dynamic`` is a one_for_one without an order (DynamicSupervisor)."""


class Frozen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all values on the wire: immutable, and silent about fields that have their default."""


# -- What may stand in a field ------------------------------------------------------------------------------------

# A node's answers come from another process, which may be broken or mean harm. What decodes them refuses a value that
# does not fit its field. Texts of the program itself (names, messages, states) may hold any character; whoever draws
# them makes them safe first.

Pid = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[!-~]*\Z")]
"""A pid, or what stands for one (``g7``): visible ASCII."""

Word = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[ -~]*\Z")]
"""A word of the protocol's own or a version, in printable ASCII."""

Name = Annotated[str, msgspec.Meta(max_length=20_000)]
"""What the program calls something."""

Key = Annotated[str, msgspec.Meta(max_length=200_000)]
"""A place in the tree: the names on the way to it."""

Text = Annotated[str, msgspec.Meta(max_length=4_000_000)]
"""A sentence, a message or a state."""

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""How many, or the number of something."""

Index = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
"""A position in a list, or its length: more rows than any node has."""

Depth = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
"""How deep in a tree."""

Moment = Annotated[float, msgspec.Meta(ge=0, le=1e11)]
"""Seconds since the epoch, up to the year 5138."""

Span = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
"""Seconds that have passed."""

Delay = Annotated[float, msgspec.Meta(ge=-1e12)]
"""Seconds until something; infinity for never."""

# -- Rows ---------------------------------------------------------------------------------------------------------


class Row(Frozen, frozen=True):
    """One line of a tree or of a process list: a process, a child that is not running, a greenlet, or a group of rows.

    `key` names the line for good: a child's place in its tree (``"app/pool/worker-3"``), which survives a restart, or
    the pid of a process under no supervisor. A plain greenlet, which is no process, has a name like ``g7`` for a pid.
    `pid` is None for a child that is not running and for a group.
    `messages_in`, `messages_out` and `reductions` count since the process started; `cpu_time` (seconds of processor
    time) grows only while observers are there, and is None where it was never measured.
    `memory` is an estimate in bytes that was made `memory_age` seconds ago, or None before the first one.
    """

    key: Key
    pid: Pid | None = None
    kind: Literal["supervisor", "worker", "greenlet", "group"] = "worker"
    name: Name = ""
    """What to call it: its registered name, else its label, its child id, its initial call."""
    registered_name: Name | None = None
    label: Name | None = None
    child_id: Name | None = None
    initial_call: Name = ""
    at: Name | None = None
    """Where it is: file, line and function of the innermost frame of the program's own code. None without a stack."""
    status: Status = "waiting"
    message_queue_len: Count = 0
    messages_in: Count = 0
    messages_out: Count = 0
    memory: Count | None = None
    memory_age: Span | None = None
    reductions: Count = 0
    cpu_time: Span | None = None
    restarts: Count = 0
    """How often the child in this place was restarted."""
    started_at: Moment | None = None
    supervisor: Pid | None = None
    """Pid of the supervisor, None for a process under no supervisor."""
    restart: Word | None = None
    """The child spec's restart type: permanent, transient or temporary."""
    # in a tree
    depth: Depth = 0
    child_count: Count = 0
    """How many children it has, running or not. For a group: how many rows it stands for."""
    folded: bool = False
    parent_key: Key | None = None
    """Key of the row this one hangs under, None for a root."""
    context: bool = False
    """Whether, in a tree with a filter, it is shown only because something below it matches."""
    # supervisors
    strategy: Strategy | None = None
    max_restarts: Count | None = None
    max_seconds: Delay | None = None
    restarts_used: Count | None = None
    """Restarts within the last `max_seconds`."""
    restarts_expire_in: Delay | None = None
    """Seconds until the oldest of `restarts_used` leaves the window."""
    not_running: Count = 0
    """Children that have no process at the moment."""
    # trouble
    lints: Annotated[tuple[Word, ...], msgspec.Meta(max_length=100)] = ()
    """Names of the findings that point at this process, e.g. ``hog``."""
    last_failure_at: Moment | None = None
    """When a process in this place, or below it, last ended abnormally."""

    @property
    def is_parent(self) -> bool:
        """Whether rows may hang under it: it is a supervisor or a group."""
        return self.kind in ("supervisor", "group")


GREENLETS = "~greenlets"
"""Key of the group of greenlets that are no processes."""


class NodeStats(Frozen, frozen=True):
    """The figures of a whole node, for the header. Counters run since the node started."""

    name: Name
    time: Moment
    """When this was taken, by the node's clock."""
    started_at: Moment
    os_pid: Count
    process_count: Count = 0
    greenlet_count: Count = 0
    """Greenlets of gevent's own that are no processes."""
    supervisor_count: Count = 0
    run_queue: Count = 0
    messages: Count = 0
    """Messages delivered."""
    reductions: Count = 0
    spawned: Count = 0
    exited: Count = 0
    crashed: Count = 0
    restarted: Count = 0
    rss: Count = 0
    """Resident memory of the operating-system process, in bytes."""
    cpu_time: Span = 0.0
    hub_lag: Span = 0.0
    """Seconds by which the hub last answered late; while it is stuck, for how long it has been."""
    hub_busy_with: Pid | None = None
    """While the hub is stuck: the pid that holds it, or ``"?"`` when it is no process of the node."""
    hub_busy_at: Name | None = None
    """While the hub is stuck: file, line and function it is in."""
    timers: Count = 0
    names: Count = 0
    remains: Count = 0
    """Dead processes whose frames have not finished unwinding."""
    events_dropped: Count = 0
    last_event: Count = 0
    lint_count: Count = 0
    read_only: bool = False
    scope: Text | None = None
    """A note when figures are not exact, e.g. when a node is so big that it is walked in parts."""


# -- Requests -----------------------------------------------------------------------------------------------------


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
    group_by: Literal["", "label", "supervisor", "initial_call"] = ""
    offset: int = 0
    limit: int = 60
    anchor: str | None = None
    follow: bool = False


class GetPlaces(Query, tag="places", frozen=True):
    """Ask who stands in these places of the tree now (their keys, at most `MAX_ROWS`). Answered by `Window`.

    It has a row for every place that there is, in no order. Unlike the lists, it is made anew every time.
    """

    keys: tuple[str, ...]


class GetProcess(Query, tag="process", frozen=True):
    """Ask for everything about one process. Answered by `Details`, or `Failed` when the pid is gone.

    `messages` is how many of the mailbox's first messages to show. `state` asks for the state too (a server's, with a
    time limit of one second, never blocking the node).
    """

    pid: str
    messages: int = 10
    state: bool = False


class GetEvents(Query, tag="events", frozen=True):
    """Ask for events with an id above `after`, oldest first; a negative `after` asks for the last `limit`.

    `pid` or `key` keeps the events of one process, or of one place of the tree. Answered by `Events`.
    """

    after: int = 0
    limit: int = 200
    pid: str | None = None
    key: str | None = None


class GetPlan(Query, tag="plan", frozen=True):
    """Ask what killing `pid`, and the `others` with it, would do, without doing it. Answered by `Plan`.

    Others that are gone are left out; `Failed` when `pid` is.
    """

    pid: str
    others: tuple[str, ...] = ()


class GetLints(Query, tag="lints", frozen=True):
    """Ask for everything that looks wrong. Answered by `Lints`."""


class GetNames(Query, tag="names", frozen=True):
    """Ask for registered names, registries, timers pending and open sockets. Answered by `Names`.

    `filter` is a text that is in what is given: a name, a pid, a registry, a message, an address; in either case.
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
    """Do something to a supervisor's child: `child_id` as the row says it. Answered by `Done`."""

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
)
"""Every question and command there is."""


class Request(Frozen, frozen=True):
    """A question with a number that its reply will carry."""

    id: int
    query: AnyQuery


# -- Replies ------------------------------------------------------------------------------------------------------


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


class Frame(Frozen, frozen=True):
    """One frame of a stack."""

    file: Name
    line: Count
    function: Name
    source: Text = ""


class Related(Frozen, frozen=True):
    """A process that another one is related to, with what to call it."""

    pid: Pid
    name: Name = ""


class Sender(Frozen, frozen=True):
    """Who sends to a process: `rate` messages a second, from the line `at` of its code.

    `pid` is None for what no process sends: a timer, another thread.
    """

    rate: Span
    pid: Pid | None = None
    name: Name = ""
    at: Frame | None = None


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
    state: Text | None = None
    state_note: Text = ""
    """Why there is no state, in a sentence: not asked for, not a server, busy, redacted, switched off."""
    withheld: bool = False
    """Whether messages, state and dictionary are not shown on this node (--no-state)."""
    dictionary: dict[Text, Text] = {}
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


class Events(Answer, tag="events", frozen=True):
    """Answers `GetEvents`. `dropped` events were lost from the front of the bounded log; `last` is the newest id."""

    events: tuple[Event, ...] = ()
    dropped: Count = 0
    last: Count = 0


class Plan(Answer, tag="plan", frozen=True):
    """Answers `GetPlan`: what a kill would do, worked out from links, strategy and budget.

    `kills` are the processes that would end, `restarts` those that would come back; `gives_up` the supervisors that
    would go down; `sentence` says it all in one line; `assumes` is what was taken for granted, a sentence each.
    """

    sentence: Text
    kills: tuple[Related, ...] = ()
    restarts: tuple[Related, ...] = ()
    gives_up: tuple[Related, ...] = ()
    assumes: tuple[Text, ...] = ()


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


class NameEntry(Frozen, frozen=True):
    """A registered name: `registry` is empty for the node's own names."""

    name: Name
    pid: Pid
    registry: Name = ""


class TimerEntry(Frozen, frozen=True):
    """A pending timer: `due_in` seconds, for a pid or a name; `name` is what to call the process of a pid."""

    due_in: Delay
    dest: Name
    message: Text
    name: Name = ""


class SocketEntry(Frozen, frozen=True):
    """An open socket of the observed program; `pid` and `name` when it is known which process holds it."""

    fd: int
    family: Word
    local: Name
    remote: Name = ""
    status: Word = ""
    pid: Pid | None = None
    name: Name = ""


class Names(Answer, tag="names", frozen=True):
    """Answers `GetNames`."""

    names: tuple[NameEntry, ...] = ()
    timers: tuple[TimerEntry, ...] = ()
    sockets: tuple[SocketEntry, ...] = ()
    names_total: Count = 0
    timers_total: Count = 0


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
    Stats | Window | Details | Events | Plan | Lints | Names | ConsoleState | Completions | Done | Failed
)
"""Every answer there is."""


class Reply(Frozen, frozen=True):
    """The answer to the request of that number."""

    id: Count
    answer: AnyAnswer


# -- Frames -------------------------------------------------------------------------------------------------------

HEADER = struct.Struct("!I")
"""The length that stands before every frame."""

encoder = msgspec.msgpack.Encoder()
"""Encodes any value of this module."""

decode_hello = msgspec.msgpack.Decoder(Hello).decode
decode_welcome = msgspec.msgpack.Decoder(Welcome | Refused).decode
decode_request = msgspec.msgpack.Decoder(Request).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode


def frame(value: Frozen) -> bytes:
    """Return `value` as one frame, its length in front.

    A program's texts and numbers may be such that no frame can hold them: a file name that is not UTF-8 has characters
    that UTF-8 cannot say, and an integer may be longer than 64 bits. The first are escaped, the second cut to the
    nearest one that fits, here and nowhere else.
    """
    try:
        body = encoder.encode(value)
    except (UnicodeEncodeError, OverflowError):
        body = encoder.encode(_sayable(msgspec.to_builtins(value)))
    return HEADER.pack(len(body)) + body


def _sayable(value: object) -> object:
    match value:
        case str():
            return printable(value)
        case int():
            return max(-(2**63), min(value, 2**63 - 1))
        case dict():
            return {_sayable(key): _sayable(item) for key, item in value.items()}
        case list() | tuple():
            return [_sayable(item) for item in value]
    return value


def printable(text: str) -> str:
    """Return `text` with every character that UTF-8 cannot say escaped: ``caf\\udce9.txt``."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
