"""The node: the table of processes and everything they share, on the hub of one thread."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from time import time as wall_time
from typing import Any

from gevent import get_hub
from greenlet import getcurrent

from runtime.compiled.choice import compiled
from runtime.kernel import clock
from runtime.kernel.destinations import no_destination, resolve_tuple
from runtime.kernel.fork import Nowhere
from runtime.kernel.headroom import ensure_headroom
from runtime.kernel.heap_limits import HeapLimits
from runtime.kernel.inbox import Inbox
from runtime.kernel.instrument import hooks
from runtime.kernel.last_ends import LastEnds
from runtime.kernel.lost import Search
from runtime.kernel.process import (
    DEAD,
    NEW,
    RECEIVING,
    RUNNABLE,
    WAITING,
    Destination,
    Pid,
    Process,
    Timer,
    Worker,
    use_table,
)
from runtime.kernel.roles import Body, Cluster
from runtime.kernel.safety_net import SafetyNet
from runtime.kernel.scheduler import TURN, Scheduler
from runtime.kernel.signals import drop_watch, mend, put_once
from runtime.kernel.table import BLOCK
from runtime.kernel.threads import get_ident, take_turns
from runtime.kernel.timers import Timers
from runtime.terms.errors import NotInProcessError, RuntimeFault
from runtime.terms.ref import Ref
from runtime.terms.term import Term
from runtime.terms.time_limit import OutOfTime, within

RESOLVING = 0.5
"""Seconds of processor time that the hub takes to look up a via name for a timer."""


class Node:
    """Processes that share a hub: the table, the names, the scheduler, the timers.

    There is one at a time in an operating-system process, bound to the thread that started it.
    """

    __slots__ = (
        *("__dict__", "__weakref__", "half_dead", "scheduler", "spawned", "table", "timers"),  # what is read most
        *("deaths", "retells", "spreads"),
    )

    def __init__(self) -> None:
        self.hub = get_hub()
        self.thread = get_ident()
        self.started_at = wall_time()
        self.table: dict[int, dict[int, Process]] = {}
        self.names: dict[str, Process] = {}
        self.aliases: dict[int, tuple[Process, str]] = {}
        self.deaths: deque[Process] = deque()  # dead processes whose deaths are still to be told
        self.spreads = False  # whether they are being told
        self.half_dead: dict[Process, Term] = {}  # on whose way off the node an exception has struck, and why they end
        self.retells = False  # whether the hub does again what an exception has left half done
        self.self_calls: deque[tuple[float, Process]] = deque(maxlen=20)
        """The last processes that called themselves, and when (monotonic seconds): observers tell of it."""
        self.last_ends = LastEnds()
        self.closing: list[Callable[[], object]] = []  # called when the node is taken down
        self.looks_after: list[Callable[[], object]] = []  # called before the hub waits, to mend what was cut short
        self.scheduler = Scheduler(self.hub)
        self._search = Search(self.scheduler, self.table)
        self.timers = Timers(self.hub.loop, self.scheduler.wake, self.send_from_timer)
        self.heap_limits = HeapLimits(self.hub.loop)
        self.scheduler.before_batch = self._mend
        self.scheduler.after_batch = self._batch_over
        self._inbox = Inbox(self.hub.loop)  # keeps the loop alive from the first process on
        self._safety_net = SafetyNet(self.hub.loop, self._look_after)
        self.cluster: Cluster | None = None  # the other nodes, once this one has a name
        self.spawned = 0  # how many processes were started, and so the number of the last one
        self.crashed = 0
        self.last_start = 0.0  # of the last server: those that start within a millisecond share the number

    # -- Processes ----------------------------------------------------------------------------------------------

    @property
    def alive(self) -> int:
        """How many processes live."""
        return sum(map(len, [*self.table.values()]))

    @property
    def ended(self) -> int:
        """How many processes have ended."""
        return self.spawned - self.alive

    @compiled("runtime.kernel._kernel", "spawn_process")
    def spawn(self, parent: Process | None, body: Body) -> Process:
        """Start a process that will run `body`, when the caller waits or is over: nothing runs before that.

        It enters the run queue first, where nothing takes it up while it is new, then in one line the table.
        """
        number = self.spawned + 1
        process = Process()  # type: ignore[call-arg]
        # a copy of what set_up() does: a call, whose defaults are not constants, would cost a million of them 5 %
        process.node = self
        process.body = body
        process.parent = None if parent is None else parent.pid
        process.started_at = wall_time()
        process.pid = Pid(number, process)
        process.state = NEW
        process.worker = None
        process.mailbox = None
        process.saved = None
        process.loop = None
        process.needs_cleanup = False
        process.wakes_slowly = False
        process.waiting_for = None
        process.reason = None
        process.links = ()
        process.watchers = None
        process.monitors = None
        process.name = None
        process.trap_exit = False
        process.messages_in = 0
        process.messages_out = 0
        process.reductions = 0
        process.deadline = None
        process.timer_at = None
        process.ancestors = None
        try:
            block = self.table[number // BLOCK]
        except KeyError:
            block = self._open_block(number // BLOCK)
        scheduler = self.scheduler
        if not scheduler.scheduled:
            scheduler.schedule()
        scheduler.ready.append(process)
        while self.spawned >= number:  # a finalizer or the handler of a signal has started one in between
            process.pid = Pid(number := self.spawned + 1, process)
            block = self.table.get(number // BLOCK) or self._open_block(number // BLOCK)
            scheduler.ready.append(process)  # again, which does no harm: as a new one it may have been passed over
        self.spawned, block[number], process.state = number, process, RUNNABLE
        if hooks.spawned:
            for hook in hooks.spawned:
                hook(process)
        return process

    def _open_block(self, number: int) -> dict[int, Process]:
        if not self._inbox.watcher.ref:
            # Until its first process, a program that is only observed runs and ends as it does without a node.
            self._inbox.watcher.ref = True
            self.closing += (take_turns(TURN), self.scheduler.collecting.watch())
            self._safety_net.tighten()
        for old in [n for n in [*self.table] if not self.table.get(n)]:  # the table may change meanwhile
            self.table.pop(old, None)
        return self.table.setdefault(number, {})

    def find(self, number: int) -> Process | None:
        """Return the living process with that number, or None."""
        return self.table.get(number // BLOCK, {}).get(number)

    def find_remains(self, number: int) -> Process | None:
        """Return the dead process of that number whose frames have not ended. From any thread."""
        return next((process for process in [*self.scheduler.remains] if process.pid.id == number), None)

    def processes(self) -> list[Process]:
        """Return every living process, oldest first. May be called from any thread."""
        return [process for block in list(self.table.values()) for process in list(block.values())]

    def resolve(self, dest: Destination) -> Process | None:
        """Return the living process of a Pid, a registered name or a via tuple, or None.

        Raises TypeError for anything else.
        """
        if isinstance(dest, Pid):
            return dest.process
        if type(dest) is tuple:
            return resolve_tuple(self, dest)
        if isinstance(dest, str):
            return self.names.get(dest)
        if dest is None:  # what whereis() returns for an unknown name
            return None
        raise no_destination(dest)

    def send_from_timer(self, timer: Timer) -> None:
        """Deliver a timer's message; it is dropped when no process has the name, or the Pid is dead."""
        process = self._resolve_via(timer.dest) if type(timer.dest) is tuple else self.resolve(timer.dest)
        if process is not None and process.state is not DEAD:
            put_once(process, timer)

    def _resolve_via(self, dest: Destination) -> Process | None:
        """Resolve a via name in the hub. A key whose ``__hash__`` never ends is cut.

        What its registry raises, since its keys are duplicate ones, or the ``__eq__`` of a key does, comes a second
        time; the exception of a signal's handler does not.
        """
        for _ in range(2):
            try:
                return within(RESOLVING, self.resolve, dest)
            except OutOfTime:
                return None
            except Exception:
                continue
        return None

    # -- Aliases ------------------------------------------------------------------------------------------------

    def add_alias(self, process: Process, ref: Ref, kind: str) -> None:
        """Let messages to `ref` reach `process`. `kind` as in `mailbox.alias` and `processes.monitor`."""
        own: dict[int, Ref] = {}
        entry, number = (process, kind), ref.id
        if process.aliases is None:  # after all is made: see `signals.put`
            process.aliases = own
        process.needs_cleanup = True
        self.aliases[number], process.aliases[number] = entry, ref

    def drop_alias(self, process: Process, ref: Ref) -> bool:
        """Switch an alias of `process` off; False when it is not active."""
        aliases, number = process.aliases, ref.id
        if aliases is None or number not in aliases:
            return False
        del self.aliases[number], aliases[number]
        return True

    def end_monitor_alias(self, process: Process, ref: Ref) -> None:
        """Switch the alias off that ends with its monitor."""
        if process.aliases and self.aliases.get(ref.id, (None, ""))[1] in ("demonitor", "reply_demonitor"):
            self.drop_alias(process, ref)

    def use_alias(self, ref: Ref) -> Process | None:
        """Return the process behind an active alias; the first use of a single-shot one switches it off."""
        process, kind = self.aliases.get(ref.id, (None, ""))
        if process is not None and kind in ("reply", "reply_demonitor"):
            self.drop_alias(process, ref)
            if kind == "reply_demonitor":
                drop_watch(process, ref)
        return process

    # -- Other threads ------------------------------------------------------------------------------------------

    def call_soon_threadsafe(self, function: Callable[..., Any], *args: Any) -> None:
        """Run ``function(*args)`` in the hub, soon. For other threads; calls of one thread keep their order.

        It is begun again where the handler of a signal has interrupted it.
        """
        self._inbox.put(function, args)

    # -- Exceptions in the middle of the runtime's own steps ------------------------------------------------------

    def _mend(self) -> None:
        if self.half_dead or self.deaths or self.spreads:
            mend(self)
        if self.scheduler.may_have_lost or self._search.left:
            self._search.go_on()

    def _look_after(self) -> None:
        """See to it that nothing is left half done or waits for a callback that was lost.

        The hub calls this before each wait. Exceptions come between two steps: of a signal's handler, or of no memory.
        """
        scheduler = self.scheduler
        if scheduler.is_forgotten():
            scheduler.schedule()
        self._inbox.look_after()
        scheduler.remains.look_after()
        self.timers.look_after()
        self.heap_limits.look_after()
        for look in self.looks_after:
            look()
        self._mend()  # after what takes no time: an exception may strike it again and again
        scheduler.keep_awake()

    # -- Time -----------------------------------------------------------------------------------------------------

    def _batch_over(self) -> None:
        self._mend()
        if clock.current_clock().mock:
            self.hub.loop.run_callback(self._jump)

    def _jump(self) -> None:
        """Move a mock clock to the next deadline, when every process waits for one of the runtime's own waits."""
        scheduler, waits = self.scheduler, (RECEIVING, WAITING)
        if scheduler.scheduled or any(p.worker is not None and p.state not in waits for p in self.processes()):
            return
        due = self.timers.next_due()
        if due is not None:
            clock.current_clock().advance_to(due)
            self.timers.fire()
            if not scheduler.scheduled:
                self.hub.loop.run_callback(self._jump)

    # -- The end --------------------------------------------------------------------------------------------------

    @property
    def forked(self) -> bool:
        """Whether this is a child of os.fork, where nothing of the node runs."""
        return self.scheduler.forked

    def abandon(self, process: Process | None) -> None:
        """Let nothing of the node run in this child, which `process` has forked (None: code outside any process)."""
        self.heap_limits.close()
        if self.cluster is not None:
            self.cluster.abandon()
        scheduler = self.scheduler
        scheduler.forked = True
        scheduler.ready.clear()
        scheduler.ready = Nowhere()
        scheduler.remains.abandon()
        for other in self.processes():
            if other.worker is not None and other is not process:
                other.worker.process = None  # what it waits for in gevent may come in the child, too
        if process is not None:
            process.state = DEAD
            process.reason = "forked"
            process.mailbox = process.saved = None
            process.needs_cleanup = True
            process.interrupts = 1  # so that its worker runs nothing else

    def close(self) -> None:
        """Drop the hub. Every process must be dead."""
        for hook in [*self.closing]:
            hook()
        self.timers.close()
        self.heap_limits.close()
        self.scheduler.close()
        self._inbox.close()
        self._safety_net.close()


_running: Node | None = None


def running_node() -> Node | None:
    """Return the node of this operating-system process, or None when none has been started."""
    return _running


def this_node() -> Node:
    """Return the node, starting it on this thread's hub at first use.

    Raises RuntimeFault in a thread that is not the node's.
    """
    global _running
    node = _running
    if node is None:
        node = _running = Node()
        use_table(node.find)
        for hook in _started_hooks:
            hook(node)
    elif node.thread != get_ident():
        raise RuntimeFault("this works in the node's thread only; from others use send(), call() or what asks a server")
    return node


def close_node(node: Node) -> None:
    """Take the node down for good; the next use starts another one."""
    global _running
    if _running is node:
        _running = None
        use_table(None)
    node.close()


def _leave_behind() -> None:
    """Leave the node to the parent, in the child of a fork."""
    global _running
    if _running is not None:
        process = current()
        _running.abandon(process)
        if process is None:
            _running = None
            use_table(None)


os.register_at_fork(after_in_child=_leave_behind)

_started_hooks: list[Callable[[Node], None]] = []


def when_started(hook: Callable[[Node], None]) -> None:
    """Have `hook(node)` called for every node that starts, and now for one that runs."""
    _started_hooks.append(hook)
    if _running is not None:
        hook(_running)


def current() -> Process | None:
    """Return the process that the caller runs in, None outside any."""
    greenlet = getcurrent()
    return greenlet.process if type(greenlet) is Worker else None


def current_process(function: str) -> Process:
    """Return the calling process. Where every call begins that only a process can make.

    Raises NotInProcessError outside a process, and ProcessKilled in one that is dead.
    """
    greenlet = getcurrent()
    process = greenlet.process if type(greenlet) is Worker else None
    if process is None:
        raise NotInProcessError(function)
    if process.state is DEAD:
        process.node.scheduler.refuse(process)
    return process


def living_caller() -> Process | None:
    """Return the calling process, None outside any. Where calls begin that change something and need no process.

    Raises ProcessKilled in a process that is dead: nothing that the dead do counts. Raises RecursionError when the
    stack has no room for the call.
    """
    greenlet = getcurrent()
    process = greenlet.process if type(greenlet) is Worker else None
    if process is not None and process.state is DEAD:
        process.node.scheduler.refuse(process)
    ensure_headroom()
    return process


def caller_is_dead() -> bool:
    """Return whether the caller is a dead process. `send`, `cast`, `exit` with a pid and `reply` then do nothing.

    They never tell whether they had an effect, so a dead process gets no answer from them either; everything else
    raises ProcessKilled.
    """
    process = current()
    return process is not None and process.state is DEAD
