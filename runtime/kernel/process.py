"""One process from its three sides: its name (`Pid`), its record (`Process`) and the greenlet it runs on (`Worker`)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from gevent.exceptions import BlockingSwitchOutError
from greenlet import greenlet
from msgspec import Struct

from runtime.compiled.choice import compiled
from runtime.terms.immutable import immutable
from runtime.terms.ordered import ordered
from runtime.terms.own_repr import bounded
from runtime.terms.pattern import Matching
from runtime.terms.ref import Ref, TimerRef, next_number
from runtime.terms.term import Term
from runtime.terms.text import render

if TYPE_CHECKING:
    from contextvars import Context

    from runtime.kernel.node import Node
    from runtime.kernel.roles import Body, Tree, Waiter, Watcher

NEW = 0
"""Being made: nothing sees it yet."""
RUNNABLE = 1
"""In the run queue, or on its way there."""
RUNNING = 2
"""On a worker's stack: running, or blocked in something of gevent's."""
RECEIVING = 3
"""Waits for a message: the next one wakes it. A server without work is in this state and has no worker."""
WAITING = 4
"""Waits for something other than a message: a reply, the end of a sleep."""
DEAD = 5
"""Dead for every other process; its frames may still be unwinding."""
REMOTE = 6
"""A process of another node: what is done to it here goes there as a signal."""

_find_process: Callable[[int], Process | None] | None = None
_find_remote: Callable[[int, int, int], Pid | None] | None = None


def use_table(find: Callable[[int], Process | None] | None) -> None:
    """Say how to find the living process of a number, so that a pid read from text leads to it."""
    global _find_process
    _find_process = find


def use_remote_table(find: Callable[[int, int, int], Pid | None] | None) -> None:
    """Say how to find the Pid of another node's process, by the numbers that it prints."""
    global _find_remote
    _find_remote = find


_PID = re.compile(r"<(\d{1,10})\.(\d{1,18})\.(\d{1,10})>")


@immutable
@ordered
class Pid(Struct, frozen=True, eq=False, gc=False):  # without collector: a process's end cuts the cycle of the two
    """Names one process for good: never used again for another one.

    Immutable, hashable, ordered by age; prints as ``<0.17.0>`` (node, number, serial), which `parse` reads back.
    `node` is 0 for this node.
    """

    id: int
    process: Process | None = None
    """The runtime's own way to the process, None once it is dead. Not for programs."""
    node: ClassVar[int] = 0
    serial: ClassVar[int] = 0

    @classmethod
    def parse(cls, text: str) -> Pid:
        """Read ``<0.17.0>``. Raises ValueError for anything else."""
        if not isinstance(text, str) or not (found := _PID.fullmatch(text)):
            raise ValueError(f"{render(text)} is not a pid; one looks like <0.17.0>")
        node, number, serial = map(int, found.groups())
        return _restore_pid(node, number, serial)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Pid):
            return NotImplemented
        return self.id == other.id and self.node == other.node and self.serial == other.serial

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Pid):
            return NotImplemented
        return (self.node, self.id, self.serial) < (other.node, other.id, other.serial)

    def __hash__(self) -> int:
        return self.id

    @bounded
    def __repr__(self) -> str:
        return f"<{self.node}.{self.id}.{self.serial}>"

    def __copy__(self) -> Pid:
        return self

    def __deepcopy__(self, memo: object) -> Pid:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_pid, (self.node, self.id, self.serial)


@immutable
class ForeignPid(Pid, frozen=True, eq=False):
    """A Pid of another node, or of another life of this one.

    `process` stands for the process there; it is None where the node is not known, and then no message arrives.
    """

    node: int = 0  # type: ignore[misc]  # an instance's own here
    serial: int = 0  # type: ignore[misc]


OUTSIDE = Pid(0)
"""The sender of a signal that comes from no process."""


forget_process = vars(Pid)["process"].__set__
"""``forget_process(pid, None)`` cuts the way from a pid to its process, which has died."""


def _restore_pid(node: int, id: int, serial: int) -> Pid:
    if node == 0 and serial == 0 and _find_process is not None:
        process = _find_process(id)
        if process is not None:
            return process.pid
    if node != 0 and _find_remote is not None:
        remote = _find_remote(node, id, serial)
        if remote is not None:
            return remote
    return Pid(id) if node == serial == 0 else ForeignPid(id, node=node, serial=serial)


Destination: TypeAlias = (
    "Pid | Ref | str | tuple[str, str] | tuple[str, Destination, Term] | tuple[str, Destination, Term, Term] | None"
)
"""What can be sent to: a Pid, an alias, a registered name, ``(name, node)``, ``("via", registry, key)``.

None stands for a name that no process has, which `whereis` returns.
"""


class Timer:
    """A message to be sent at `due` (monotonic seconds) to a process or to a name, which is looked up then."""

    __slots__ = ("dest", "due", "is_sent", "message", "ref")

    def __init__(self, ref: TimerRef, due: float, dest: Destination, message: Term) -> None:
        self.ref = ref
        self.due = due
        self.dest = dest
        self.message = message
        self.is_sent = False


LinkDict: TypeAlias = "dict[Process, tuple[Process] | None]"
Links: TypeAlias = "LinkDict | tuple[Process, ...]"


class Rare:
    """What most processes never set: class attributes are the defaults, an instance dict appears with the first one."""

    __slots__ = ("__dict__",)

    label: str | None = None
    via: tuple[Any, ...] | None = None
    """The name it was started with when that is no registered one: ``("via", registry, key)``."""
    dictionary: dict[Any, Any] | None = None
    context: Context | None = None
    """The context variables of a process that has no worker."""
    suspended: bool = False
    suspenders: dict[Process | None, int] | None = None
    """Which processes hold it, and how often; None stands for code outside any process."""
    suspending: dict[Process, bool] | None = None
    """The processes that it holds."""
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
    unexpected: object | None = None
    """Messages that a server has dropped; `runtime.otp.unexpected` knows their type."""
    detached: bool = False
    """Started without a link: it goes on when its parent ends."""
    lineage: tuple[Any, ...] | None = None
    """The ancestors of its children, kept once asked for."""
    cause: Pid | None = None
    """The process whose exit signal ended it."""
    unannounced: bool = False
    """True between a death by signal and the delivery of EXIT and DOWN, while the frames unwind."""
    gives_way: bool = False
    """Dead, its frames were held up while they computed, and wait for their next turn."""
    is_stopped: bool = False
    """Dead, and its frames are never run again: they swallowed every exception."""
    computed_for: float = 0.0
    """Seconds that its frames have computed since its death."""
    interrupts: int = 0
    """How often its frames were told to unwind."""
    refusals: int = 0
    """How often its frames asked the runtime for something after its death."""
    memory: int | None = None
    memory_at: float = 0.0
    mailbox_peak: int = 0
    cpu_time: float = 0.0


@dataclass(slots=True, eq=False, repr=False)
class Process(Rare):
    """One process of a node: what the scheduler, the signals and the observers know of it.

    A field that is declared here is a slot of every process, set by ``__init__`` to its default.

    Two flags keep what is rare off the common ways. `needs_cleanup`: its end or its next worker must look after
    something (`timers`, `aliases`, `suspending`, `dictionary`, `context`, `interrupts`). `wakes_slowly`: waking it
    takes more than the run queue (`suspended`, `priority`).
    """

    node: Node
    body: Body
    """What it runs; None once it is dead and its frames are over."""
    parent: Pid | None
    started_at: float
    """When it was started, in seconds since 1970."""
    pid: Pid = field(init=False)
    """Set by `Node.spawn`, at once: the two refer to each other."""
    state: int = field(init=False, default=NEW)
    worker: Worker | None = field(init=False, default=None)
    """The greenlet that holds its stack, None while it has none."""
    mailbox: deque[Term] | tuple[Term] | None = field(init=False, default=None)
    """The messages that wait: a tuple around a single one, a deque of several, None or empty when there is no message.

    A deque takes 600 bytes, and most mailboxes never hold two messages. `signals.put`, `next_message` and
    `drop_message` know these shapes.
    """
    saved: deque[Term] | None = field(init=False, default=None)
    """Messages that the last selective receive has refused; they are older than all of the mailbox."""
    loop: object | None = field(init=False, default=None)
    """What a server's loop has to look at besides messages; `runtime.otp.server_loop` knows its type."""
    needs_cleanup: bool = field(init=False, default=False)
    wakes_slowly: bool = field(init=False, default=False)
    waiting_for: Waiter | None = field(init=False, default=None)
    """The call it waits in."""
    reason: Term = field(init=False, default=None)
    """Why it died."""
    links: Links = field(init=False, default=())
    """The processes it is linked to: a tuple of up to two, or the keys of a dict.

    The values are for `link_processes`: the `links` of one that has this link alone, which all such ones share.
    """
    watchers: dict[int, Watcher] | None = field(init=False, default=None)
    """What learns of its death, by the numbers of references; None while empty."""
    monitors: dict[int, Process] | None = field(init=False, default=None)
    """The processes it monitors, by the numbers of references; None while empty."""
    name: Any = field(init=False, default=None)
    trap_exit: bool = field(init=False, default=False)
    messages_in: int = field(init=False, default=0)
    messages_out: int = field(init=False, default=0)
    reductions: int = field(init=False, default=0)
    """How often it was given a turn."""
    deadline: float | None = field(init=False, default=None)
    """When the wait it is in ends at the latest."""
    timer_at: float | None = field(init=False, default=None)
    """When the entry comes due that it has among the timers."""
    ancestors: tuple[Any, ...] | None = field(init=False, default=None)
    """Names or Pids of its parent, its parent's parent and so on; None for a plain process."""

    @bounded
    def __repr__(self) -> str:
        return f"Process({self.pid}{f' {self.name}' if self.name else ''})"

    @property
    def initial_call(self) -> str:
        """What it was started with, as ``module.function``."""
        return self.body.initial_call

    # -- The mailbox --------------------------------------------------------------------------------------------

    @property
    def known_as(self) -> Any:
        """What reports call it: its registered name, the via name it was started with, or its Pid."""
        return self.name or self.via or self.pid

    @property
    def message_queue_len(self) -> int:
        """How many messages wait."""
        mailbox, saved = self.mailbox, self.saved
        return (len(mailbox) if mailbox else 0) + (len(saved) if saved else 0)

    def messages(self, limit: int | None = None) -> list[Term]:
        """Return the first `limit` messages that wait, oldest first."""
        waiting = [*(self.saved or ()), *(self.mailbox or ())]
        return waiting if limit is None else waiting[:limit]

    def next_message(self) -> Term:
        """Take the oldest message out of a mailbox that has one. `receive` and a server's turn have copies of this."""
        mailbox = self.mailbox
        message = mailbox[0]  # type: ignore[index]
        if type(mailbox) is tuple and self.mailbox is mailbox:
            self.mailbox = None
        else:  # no call, after which a handler that raises would lose it
            del self.mailbox[0]  # type: ignore[union-attr]
        return message

    def put_back(self, messages: list[Term]) -> None:
        """Put messages that were taken out back to where they were, before all others."""
        if messages and self.state is not DEAD:
            self.saved_for, self.saved_before = None, next_number()
            self.saved = deque((*messages, *(self.saved or ())))

    def drop_message(self, is_unwanted: Callable[[Term], bool]) -> None:
        """Take the first message out that `is_unwanted` accepts, if there is one."""
        for messages in (self.saved, self.mailbox):
            for index, message in enumerate([*(messages or ())]):  # others may come meanwhile
                if is_unwanted(message):
                    if type(messages) is tuple and self.mailbox is messages:
                        self.mailbox = None
                    else:  # a deque, or one by now
                        del (self.mailbox if type(messages) is tuple else messages)[index]  # type: ignore[union-attr]
                    return

    # -- Links --------------------------------------------------------------------------------------------------

    @property
    def tree(self) -> Tree | None:
        """Its body where ending the process ends a tree, else None."""
        body: Any = self.body
        return body if getattr(body, "_stops_children", False) else None

    def links_for(self, other: Process) -> tuple[Links, LinkDict]:
        """Return what `links` becomes with `other` among them, and the dict that `other` has to be put into.

        A tuple holds up to two links, which most processes have: then that dict is of no use. A dict, in order, holds
        more.
        """
        links = self.links
        if isinstance(links, dict):
            return links, links
        if other in links:
            return links, {}
        if len(links) < 2:
            return (*links, other), {}
        more: LinkDict = dict.fromkeys(links)
        return more, more

    def links_without(self, other: Process) -> tuple[Links, LinkDict]:
        """Return what `links` becomes without `other`, and the dict that `other` has to be deleted from."""
        links = self.links
        if isinstance(links, dict):
            return links, links if other in links else {other: None}
        return tuple(p for p in links if p is not other), {other: None}

    def drop_link(self, other: Process) -> None:
        """Forget one half of a link."""
        while other in (links := self.links):
            kept, from_these = self.links_without(other)
            if self.links is links:  # see `signals.put`
                self.links = kept
                from_these.pop(other)


set_up = Process.__init__
"""``set_up(Process(), node, body, parent, started_at)`` makes a process."""

del Process.__init__  # ``Process(...)`` would enter the interpreter anew for each, and a million may be made in a row


class Worker(greenlet):
    """A greenlet that runs one process after another. `process` is the one on its stack."""

    __slots__ = ("held", "local_links", "process")

    def __init__(self, run: Callable[..., None], hub: greenlet) -> None:
        super().__init__(run, hub)
        self.process: Process | None = None
        self.local_links: list[Callable[[Any], None]] | None = None
        self.held: tuple[Any, ...] | None = None

    def rawlink(self, callback: Callable[[Any], None]) -> None:
        """Have `callback` called when the process ends: `gevent.local` clears what it keeps for a greenlet."""
        self.local_links = [*(self.local_links or ()), callback]

    def unlink(self, callback: Callable[[Any], None]) -> None:
        """Take back `rawlink`."""
        with suppress(ValueError):
            (self.local_links or []).remove(callback)

    @compiled("runtime.kernel._kernel", "switch_worker")
    def switch(self, *args: Any) -> Any:
        """Resume from a gevent wait; a suspended process is held. What was meant for a former process does nothing."""
        process = self.process
        if process is None:
            return None
        if process.suspended:
            self.held = args
            self._stop_watching()
            return None
        return greenlet.switch(self, *args)

    def switch_out(self) -> None:
        """Refuse a wait that would not end, of a finalizer: raise BlockingSwitchOutError. For gevent."""
        process = self.process
        if process is None:
            raise BlockingSwitchOutError("a finalizer of what a process has left behind cannot wait")
        if process.node.scheduler.collecting:
            process.node.scheduler.collecting.refuse_wait()

    def _stop_watching(self) -> None:
        """Let a socket that a suspended process waits for be quiet: a ready one would call the hub without end."""
        frame = self.gr_frame
        waiting_for = frame.f_locals.get("self") if frame is not None else None
        reads = frame is not None and frame.f_code.co_name.startswith(("recv", "accept"))
        watcher = getattr(waiting_for, "_read_event" if reads else "_write_event", None)
        if watcher is not None:
            watcher.stop()

    @compiled("runtime.kernel._kernel", "throw_worker")
    def throw(self, *args: Any) -> Any:
        """Raise in the process, as gevent's timeouts do; what was meant for a former process does nothing."""
        return None if self.process is None else greenlet.throw(self, *args)

    def wipe(self) -> None:
        """Let nothing of the last process reach the next: context variables, greenlet-local values."""
        self.gr_context = None
        links, self.local_links = self.local_links or (), None
        for callback in links:
            callback(self)


worker_slot = vars(Worker)["process"]
"""Where a worker keeps its process: an observer may put a property in the attribute's place."""
