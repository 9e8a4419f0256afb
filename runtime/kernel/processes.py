"""Processes: starting and ending them, linking and monitoring them, holding them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from greenlet import getcurrent

from runtime.compiled.choice import compiled
from runtime.kernel.body import PlainBody
from runtime.kernel.headroom import ensure_headroom
from runtime.kernel.names import check_name, set_name, whereis
from runtime.kernel.node import (
    Node,
    caller_is_dead,
    current,
    current_process,
    living_caller,
    running_node,
    this_node,
)
from runtime.kernel.other_nodes import is_here, spawn_there
from runtime.kernel.outside import ear_of_caller, new_ear
from runtime.kernel.process import DEAD, OUTSIDE, REMOTE, Destination, Pid, Process, Worker
from runtime.kernel.roles import Body
from runtime.kernel.signals import (
    Down,
    Exit,
    TaggedDown,
    deliver,
    drop_watch,
    exit_signal,
    is_down_of,
    link_processes,
    unlink_processes,
    watch,
)
from runtime.kernel.suspend import hold, take_back
from runtime.kernel.threads import get_ident
from runtime.terms.errors import AlreadyRegisteredError, NoProcessError, ProcessExit
from runtime.terms.isolation import isolate
from runtime.terms.ref import Ref
from runtime.terms.term import Term
from runtime.terms.text import render

PRIORITIES = ("low", "normal", "high", "max")


@compiled("runtime.kernel._kernel")
def spawn(
    fn: Callable[..., Any] | tuple[str, str],
    *args: Any,
    name: str | None = None,
    label: str | None = None,
    node: str | None = None,
    **kwargs: Any,
) -> Pid:
    """Start a process that runs ``fn(*args, **kwargs)``, and return its Pid (OTP: spawn/3).

    `name` registers it before other processes can see it; `label` is what observers call it. Raises
    AlreadyRegisteredError when the name is taken: then nothing is started.

    With `node` it runs on another node (OTP: spawn/4): `fn` is then a function that a Python node can import, or
    ``("module", "function")`` for a BEAM. The caller waits until it has started. Where the node cannot be reached, or
    refuses, the Pid is one of this node that is dead.
    """
    worker = getcurrent()
    if name is None and label is None and node is None and type(worker) is Worker and callable(fn):
        parent = worker.process
        if parent is not None and parent.state is not DEAD:  # the common case, without a detour
            return parent.node.spawn(parent, PlainBody(fn, args, kwargs)).pid
    if node is not None and not is_here(node):
        return spawn_there(node, fn, args, kwargs, name, "spawn")[0]
    return start_plain(current(), fn, args, kwargs, name, label).pid


def spawn_link(
    fn: Callable[..., Any] | tuple[str, str],
    *args: Any,
    name: str | None = None,
    label: str | None = None,
    node: str | None = None,
    **kwargs: Any,
) -> Pid:
    """Start a process like `spawn`, linked with the caller from its first moment (OTP: spawn_link/3).

    With `node` it runs there, as `spawn` says; a node that cannot be reached is an exit signal ``"noconnection"``.
    """
    parent = current_process("spawn_link")
    if node is not None and not is_here(node):
        return spawn_there(node, fn, args, kwargs, name, "link")[0]
    process = start_plain(parent, fn, args, kwargs, name, label)
    try:
        link_processes(parent, process)
    except BaseException:  # it does not run, and the hub ends it: without a call, for which there may be no room
        process.state, process.reason, process.node.half_dead[process] = DEAD, "killed", "killed"
        raise
    return process.pid


@compiled("runtime.kernel._kernel")
def spawn_monitor(
    fn: Callable[..., Any] | tuple[str, str],
    *args: Any,
    name: str | None = None,
    label: str | None = None,
    node: str | None = None,
    **kwargs: Any,
) -> tuple[Pid, Ref]:
    """Start a process like `spawn`, and monitor it from its first moment (OTP: spawn_monitor/3).

    Returns its Pid, and the reference that its `Down` will carry. With `node` it runs there, as `spawn` says; for a
    node that cannot be reached a `Down` ``"noconnection"`` comes.
    """
    parent = current_process("spawn_monitor")
    if node is not None and not is_here(node):
        there, monitored = spawn_there(node, fn, args, kwargs, name, "monitor")
        assert monitored is not None
        return there, monitored
    if name is None and label is None and callable(fn):  # the common case, without a detour
        process = parent.node.spawn(parent, PlainBody(fn, args, kwargs))
    else:
        process = start_plain(parent, fn, args, kwargs, name, label)
    pid = process.pid
    try:
        ref = Ref()
        watch(parent, process, ref, pid)
    except BaseException:  # it does not run, and the hub ends it: without a call, for which there may be no room
        process.state, process.reason, process.node.half_dead[process] = DEAD, "killed", "killed"
        raise
    return pid, ref


def start_plain(
    parent: Process | None,
    fn: object,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    name: str | None = None,
    label: str | None = None,
) -> Process:
    """Make a plain process and put it into the run queue."""
    if not callable(fn):
        raise TypeError(f"a process runs a function, not {render(fn)}")
    return start_process(this_node(), parent, PlainBody(fn, args, kwargs), name, label)


def start_process(node: Node, parent: Process | None, body: Body, name: str | None, label: str | None) -> Process:
    """Make a process for any body, named and labelled, and put it into the run queue."""
    if name is not None:
        check_name(name)
        holder = node.names.get(name)
        if holder is not None:
            raise AlreadyRegisteredError(name, holder.pid)
    process = node.spawn(parent, body)
    try:
        if name is not None:
            set_name(process, name)
        if label is not None:
            process.label = str(label)
        if parent is not None and parent.state is DEAD:  # what a dead process does does not count
            exit_signal(process, OUTSIDE, "kill")
    except BaseException:  # it does not run, and the hub ends it: without a call, for which there may be no room
        process.state, process.reason, process.node.half_dead[process] = DEAD, "killed", "killed"
        raise
    return process


def self_() -> Pid:
    """Return the caller's Pid (OTP: self/0). Raises NotInProcessError outside a process."""
    greenlet = getcurrent()
    if type(greenlet) is Worker and greenlet.process is not None:
        return greenlet.process.pid
    return current_process("self_").pid


_SELF: Any = object()


@compiled("runtime.kernel._kernel")
def exit(pid: Any, reason: Any = _SELF) -> bool:
    """``exit(reason)`` ends the caller; ``exit(pid, reason)`` sends an exit signal (OTP: exit/1, exit/2).

    The first raises ProcessExit, which the caller may catch. The second gives True, also for a dead pid: a process that
    does not trap exits dies of any reason but ``"normal"``, one that does receives an `Exit`; nothing escapes
    ``"kill"``. `pid` may be ``(name, node)``, too. May be called from any greenlet and any thread.
    """
    if reason is _SELF:
        current_process("exit")
        raise ProcessExit(isolate(pid))
    if type(pid) is tuple and len(pid) == 2 and isinstance(pid[1], str) and (pid := whereis(pid)) is None:
        return True
    if not isinstance(pid, Pid):
        raise TypeError(f"exit(pid, reason) takes a Pid, not {render(pid)}; whereis(name) finds one by name")
    target = pid.process
    if target is None or caller_is_dead():
        return True
    ensure_headroom()
    sender = current()
    node = target.node
    if node.thread != get_ident():
        node.call_soon_threadsafe(exit_signal, target, OUTSIDE, isolate(reason))
        return True
    exit_signal(target, OUTSIDE if sender is None else sender.pid, isolate(reason))
    if sender is not None and sender.state is DEAD:
        node.scheduler.refuse(sender)
    return True


def link(pid: Pid) -> bool:
    """Link the caller with another process: when one dies, the other gets its reason as a signal (OTP: link/1).

    Returns True. A dead pid raises NoProcessError, or for a caller that traps exits delivers an `Exit` with
    ``"noproc"``. One of another node never raises: the signal comes from there, or is ``"noconnection"``.
    """
    process = current_process("link")
    ensure_headroom()
    other = _process_of(pid, "link")
    if other is None:
        if not process.trap_exit:
            raise NoProcessError(pid, f"{pid} is dead; only a living process can be linked")
        deliver(process, Exit(pid, "noproc"))
    elif other is not process:
        link_processes(process, other)
    return True


def unlink(pid: Pid) -> bool:
    """Take the link with another process away, if there is one (OTP: unlink/1). Returns True.

    No `Exit` from it comes after this.
    """
    process = current_process("unlink")
    ensure_headroom()
    other = _process_of(pid, "unlink")
    if other is not None:
        unlink_processes(process, other)
    return True


def _process_of(pid: Any, function: str) -> Process | None:
    if not isinstance(pid, Pid):
        raise TypeError(f"{function}() takes a Pid, not {render(pid)}; whereis(name) finds one by name")
    return pid.process


def monitor(dest: Destination, alias: str | None = None, tag: Term = None) -> Ref:
    """Have one `Down` delivered when `dest`, a Pid or a name, dies; at once with ``"noproc"`` when it is dead already.

    A monitor by name stays with the process that held the name. With `alias` (``"explicit_unalias"``, ``"demonitor"``,
    ``"reply_demonitor"``) the reference can be sent to as well. With a `tag`, ``(tag, ref, pid, reason)`` comes in
    place of the `Down` (OTP: monitor/2, monitor/3). Returns the reference.

    A plain greenlet, or a thread that is not the node's, may monitor too: then `receive`, `flush` and `demonitor` work
    in it until no monitor and no message is left.
    """
    process = current()
    if process is None:
        return new_ear().ask("monitor", lambda: monitor(dest, alias, tag))
    process = current_process("monitor")
    ref = Ref()
    if alias is not None:
        ensure_headroom()
        if alias not in ("explicit_unalias", "demonitor", "reply_demonitor"):
            raise ValueError(
                f"a monitor's alias is 'explicit_unalias', 'demonitor' or 'reply_demonitor', not {render(alias)}"
            )
        process.node.add_alias(process, ref, alias)
    if tag is not None:
        tag = isolate(tag)
    target = process.node.resolve(dest)
    if target is None:
        process.node.end_monitor_alias(process, ref)
        deliver(process, Down(ref, dest, "noproc") if tag is None else TaggedDown(tag, ref, dest, "noproc"))
    elif target is not process:
        watch(process, target, ref, dest, tag)
    return ref


def demonitor(ref: Ref, flush: bool = False, info: bool = False) -> bool:
    """Take a monitor away; with `flush` also a `Down` of it that waits in the mailbox (OTP: demonitor/2).

    Returns True, or with `info` whether the monitor was still there.
    """
    ear = ear_of_caller() if current() is None else None
    if ear is not None:
        return ear.ask("demonitor", lambda: demonitor(ref, flush, info))
    process = current_process("demonitor")
    ensure_headroom()
    if not isinstance(ref, Ref):
        raise TypeError(f"demonitor() takes a Ref that monitor() gave, not {render(ref)}")
    if ref.node != 0:
        raise ValueError(f"{ref} was made on another node; a monitor is taken away where it was set")
    active = end_monitor(process, ref, flush)
    return active if info else True


def end_monitor(process: Process, ref: Ref, flush: bool) -> bool:
    """Take a monitor of `process` away, its alias, and with `flush` its `Down`; whether it was still there.

    All of it, whatever strikes: an exception in between has it done again, which does no harm.
    """
    try:
        return _end_monitor(process, ref, flush)
    except BaseException:
        _end_monitor(process, ref, flush)
        raise


def _end_monitor(process: Process, ref: Ref, flush: bool) -> bool:
    active = drop_watch(process, ref)
    process.node.end_monitor_alias(process, ref)
    if flush and not active:
        process.drop_message(lambda message: is_down_of(ref, message))
    return active


def flag(**flags: Any) -> Any:
    """Set one of the caller's flags and give its previous value (OTP: process_flag/2).

    ``trap_exit=True`` makes exit signals arrive as messages; ``max_heap_size=BYTES`` ends the process with the reason
    ``"killed"``, and an error report, when the estimate of its memory passes that (None, ``"infinity"``: never);
    ``priority="high"`` (``"low"``, ``"normal"``, ``"max"``) lets it go first.
    """
    process = current_process("flag")
    ensure_headroom()
    if len(flags) != 1:
        raise TypeError("flag() sets one flag at a time: trap_exit=, max_heap_size= or priority=")
    ((name, value),) = flags.items()
    if name == "trap_exit":
        if not isinstance(value, bool):
            raise TypeError(f"trap_exit is True or False, not {render(value)}")
    elif name == "max_heap_size":
        value = None if value == "infinity" else value
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise TypeError(f"max_heap_size is a number of bytes or None, not {render(value)}")
        if value is not None and value <= 0:
            raise ValueError(f"max_heap_size is a positive number of bytes, not {value}")
    elif name == "priority":
        if value not in PRIORITIES:
            raise ValueError(f"priority is one of {', '.join(PRIORITIES)}, not {render(value)}")
    else:
        raise TypeError(f"there is no flag {render(name)}; there are trap_exit, max_heap_size and priority")
    before = getattr(process, name)
    setattr(process, name, value)
    if name == "max_heap_size" and value is not None:
        process.node.heap_limits.watch(process)
    elif name == "priority":
        process.wakes_slowly = value != "normal" or process.suspended
    return before


def alive(pid: Pid) -> bool:
    """Return whether the process lives. False from the moment an exit signal has ended it (OTP: is_process_alive/1)."""
    return _local_process_of(pid, "alive") is not None


def processes() -> list[Pid]:
    """Return the Pids of all living processes, oldest first (OTP: processes/0)."""
    node = running_node()
    return [] if node is None else [process.pid for process in node.processes()]


def dictionary() -> dict[Any, Any]:
    """Return the caller's process dictionary, a dict that no other process sees (OTP: put/2, get/1)."""
    return dictionary_of(current_process("dictionary"))


def dictionary_of(process: Process) -> dict[Any, Any]:
    """Return a process's dictionary, made now if it has none; a process of proc_lib has its ancestry in it."""
    if process.dictionary is None:
        made: dict[Any, Any] = {}
        if process.ancestors is not None:
            made.update({"$ancestors": list(process.ancestors), "$initial_call": process.initial_call})
        if process.dictionary is None:  # no finalizer has made one meanwhile
            process.dictionary = made
        process.needs_cleanup = True
    return process.dictionary


def set_label(label: object) -> None:
    """Set what observers and reports call the caller, beside its name (OTP: proc_lib:set_label/1).

    The label is shown as text; None takes it away.
    """
    current_process("set_label").label = None if label is None else str(label)


def get_label(pid: Pid) -> str | None:
    """Return the label of a process, None when it has none or is dead (OTP: proc_lib:get_label/1)."""
    process = _local_process_of(pid, "get_label")
    return None if process is None else process.label


def suspend(pid: Pid) -> bool:
    """Hold a process: it receives messages and runs nothing until `resume` (OTP: suspend_process/1). Returns True.

    Suspensions count: each needs a `resume` of the same suspender, and those of a process end with it. One that is
    blocked in something of gevent's is held when that is over. Raises ValueError for the caller itself and
    NoProcessError for a dead pid.
    """
    holder = living_caller()
    process = _living(pid, "suspend")
    if getcurrent() is process.worker:
        raise ValueError("a process cannot suspend itself: no other could resume it from here")
    hold(process, holder)
    return True


def resume(pid: Pid) -> bool:
    """Take one suspension of the caller's back; the last one lets the process go on (OTP: resume_process/1).

    Returns True. Raises ValueError when the caller has not suspended it, and NoProcessError for a dead pid.
    """
    holder = living_caller()
    process = _living(pid, "resume")
    if not take_back(process, holder):
        raise ValueError(f"{pid} is not suspended from here; only who suspended a process can resume it")
    return True


def _local_process_of(pid: Any, function: str) -> Process | None:
    process = _process_of(pid, function)
    if process is not None and process.state is REMOTE:
        raise ValueError(f"{pid} is a process of another node; erpc.call(node({pid}), {function}, ...) asks there")
    return process


def _living(pid: Any, function: str) -> Process:
    process = _local_process_of(pid, function)
    if process is None:
        raise NoProcessError(pid, f"{pid} is dead; {function}() takes a living process")
    return process
