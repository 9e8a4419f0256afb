"""The record of one process: what the scheduler, the signals and the observers know of it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from runtime.kernel.pid import Pid, Ref

if TYPE_CHECKING:
    from contextvars import Context

    from runtime.kernel.node import Node
    from runtime.kernel.scheduler import Worker
    from runtime.kernel.timers import Timer
    from runtime.otp.calls import From
    from runtime.otp.returns import Continue
    from runtime.otp.system_messages import Debug
    from runtime.terms.pattern import Matching

RUNNABLE = 1
"""In the run queue, or on its way there."""
RUNNING = 2
"""On a worker's stack: running, or blocked in something of gevent's."""
RECEIVING = 3
"""Waits for a message: the next one wakes it. A server without work is in this state and has no worker."""
WAITING = 4
"""Waits for something other than a message: a reply, the end of a sleep."""
DEAD = 5
"""Dead for everybody; its frames may still be unwinding."""


class Rare:
    """What most processes never set: class attributes are the defaults, an instance dict appears with the first one."""

    __slots__ = ()

    label: str | None = None
    via: tuple[Any, ...] | None = None
    """The name it was started with when that is no registered one: ``("via", registry, key)``."""
    dictionary: dict[Any, Any] | None = None
    context: Context | None = None
    suspended: bool = False
    suspenders: dict[Process | None, int] | None = None
    """Who holds it, and how often; None stands for outside any process."""
    suspending: set[Process] | None = None
    """Whom it holds."""
    timers: dict[int, Timer] | None = None
    """Timers that will send to it."""
    held: bool = False
    """While suspended: it was woken and must go on when it is resumed."""
    priority: str = "normal"
    max_heap_size: int | None = None
    saved_before: int = 0
    """A number that no reference had yet when the last of `saved` came in."""
    saved_for: Matching | None = None
    """The patterns that refused what is in `saved`."""
    aliases: dict[int, Ref] | None = None
    debug: Debug | None = None
    """What `runtime.sys` has switched on for a server: suspension, statistics, tracing."""
    pending: Continue | None = None
    """A server's continuation that runs before its next message."""
    timing: float | None = None
    """The seconds of a timeout that a server's callback has set and that no message has cancelled."""
    detached: bool = False
    """Started without a link: its parent's end is none of its business."""
    lineage: tuple[Any, ...] | None = None
    """The ancestors of its children, kept once asked for."""
    cause: Pid | None = None
    """Whose exit signal ended it."""
    unannounced: bool = False
    """True between a death by signal and the delivery of EXIT and DOWN, while the frames unwind."""
    interrupts: int = 0
    """How often its frames were told to unwind."""
    refusals: int = 0
    """How often its frames asked the runtime for something after its death."""
    memory: int | None = None
    memory_at: float = 0.0
    mailbox_peak: int = 0
    cpu_time: float = 0.0


class Process(Rare):
    """One process of a node.

    `body` is what it runs: an object with ``run_process(process, worker)`` and `initial_call`. `worker` is the greenlet
    that holds its stack, None while it has none. `links` are the processes it is linked to; `monitors` (Ref number →
    target) and `watchers` (number → who is told of its death) are None while empty. `mailbox` is a tuple around a
    single message, a deque of several, None or empty when none waits: a deque takes 600 bytes, and most mailboxes never
    hold two. `saved` are messages that the last selective receive has refused; they are older than all of the mailbox.
    `waiting_for` is the call it waits in, `reason` why it died.

    Three flags keep what is rare off the common ways. `special`: a server has something besides messages to look at
    (`pending`, `timing`, `debug`). `burdened`: there is something that its end or its next worker must heed (`timers`,
    `aliases`, `suspending`, `context`, `interrupts`). `unusual`: waking it takes more than the run queue (`suspended`,
    `priority`).
    """

    __slots__ = (
        "__dict__",
        "ancestors",
        "body",
        "burdened",
        "deadline",
        "links",
        "mailbox",
        "messages_in",
        "messages_out",
        "monitors",
        "name",
        "node",
        "parent",
        "pid",
        "reason",
        "reductions",
        "saved",
        "special",
        "started_at",
        "state",
        "timer_at",
        "trap_exit",
        "unusual",
        "waiting_for",
        "watchers",
        "worker",
    )

    node: Node
    body: Any
    pid: Pid
    parent: Pid | None
    state: int
    worker: Worker | None
    mailbox: deque[Any] | tuple[Any] | None
    saved: deque[Any] | None
    special: bool
    burdened: bool
    unusual: bool
    waiting_for: From | None
    reason: Any
    links: dict[Process, None] | tuple[Process, ...]
    watchers: dict[int, Any] | None
    monitors: dict[int, Any] | None
    name: Any
    trap_exit: bool
    messages_in: int
    messages_out: int
    reductions: int
    deadline: float | None
    timer_at: float | None
    started_at: float
    ancestors: tuple[Any, ...] | None

    def __repr__(self) -> str:
        return f"Process({self.pid}{f' {self.name}' if self.name else ''})"

    @property
    def initial_call(self) -> str:
        """What it was started with, as ``module.function``."""
        text: str = self.body.initial_call
        return text

    @property
    def known_as(self) -> Any:
        """What reports call it: its registered name, the via name it was started with, or its Pid."""
        return self.name or self.via or self.pid

    @property
    def message_queue_len(self) -> int:
        """How many messages wait."""
        mailbox, saved = self.mailbox, self.saved
        return (len(mailbox) if mailbox else 0) + (len(saved) if saved else 0)

    def messages(self, limit: int | None = None) -> list[Any]:
        """Give the first `limit` messages that wait, oldest first."""
        waiting = [*(self.saved or ()), *(self.mailbox or ())]
        return waiting if limit is None else waiting[:limit]

    def add_link(self, other: Process) -> None:
        """Note one half of a link. A tuple holds up to two, which most processes have; a dict, in order, more."""
        links = self.links
        if isinstance(links, tuple):
            if other in links:
                return
            if len(links) < 2:
                self.links = (*links, other)
            else:
                self.links = {**dict.fromkeys(links), other: None}
        else:
            links[other] = None

    def drop_link(self, other: Process) -> None:
        """Forget one half of a link."""
        links = self.links
        if isinstance(links, tuple):
            if other in links:
                self.links = tuple(p for p in links if p is not other)
        else:
            links.pop(other, None)
