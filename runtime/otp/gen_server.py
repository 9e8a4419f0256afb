"""GenServer: a process that keeps a state and answers calls, casts and messages, one at a time.

A server without work has no stack: it is its object, its mailbox and its place in the table. The callbacks are run by
`runtime.otp.server_loop`.
"""

from __future__ import annotations

from inspect import signature
from typing import Any, ClassVar, cast

from runtime.compiled.choice import compiled
from runtime.kernel.headroom import ensure_headroom
from runtime.kernel.names import check_name, set_name
from runtime.kernel.node import Node, current, current_process, running_node
from runtime.kernel.outside import from_outside
from runtime.kernel.process import DEAD, REMOTE, Destination, Pid, Process
from runtime.kernel.processes import demonitor
from runtime.kernel.roles import NameTable
from runtime.kernel.signals import kill, link_processes, unlink_processes, watch
from runtime.otp.callbacks import Callbacks
from runtime.otp.calls import PENDING, SYSTEM, Failure, From, await_down
from runtime.otp.child_spec import FIELDS, MISSING, ChildSpec, SpecError, StartOfClass
from runtime.otp.returns import IGNORE
from runtime.otp.server_loop import Starting, run_server
from runtime.otp.start_options import set_options, take_options
from runtime.terms.errors import AlreadyRegisteredError, CallError, StartError
from runtime.terms.isolation import isolate
from runtime.terms.reason import is_atom, is_same
from runtime.terms.ref import Ref
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument, seconds_of

SAME_TIME = 0.001
"""Seconds within which servers start at the same time, as far as is said of them: they share the number."""


class GenServer(Callbacks):
    """Base class of servers (OTP: gen_server). Override the callbacks you need; the state is the object itself.

    `init` may return None, `IGNORE`, `Stop`, `Continue` or `Timeout`; what `handle_call` returns is the reply, unless
    it is `NOREPLY`, `Reply`, `Stop`, `Continue` or `Timeout`; the other callbacks return None, `Stop`, `Continue` or
    `Timeout`. Anything else ends the server with ``("bad_return_value", value)``.
    """

    _stops_children = False
    """Whether it ends its children before itself, in its own time: true of supervisors."""

    _own_options: ClassVar[dict[str, Term]] = {}
    """Fields of the child spec that the class itself has set."""

    _spec_options: ClassVar[dict[str, Term]] = {}
    """Those, and the ones of the classes it is made of, without their ids."""

    def __init_subclass__(
        cls,
        *,
        id: Any = MISSING,
        restart: Any = MISSING,
        shutdown: Any = MISSING,
        type: Any = MISSING,
        significant: Any = MISSING,
        **kwargs: Term,
    ) -> None:
        """Set fields of the child spec for all servers of a class: ``class Worker(GenServer, restart="transient")``.

        Raises SpecError for a value that is not allowed.
        """
        try:
            super().__init_subclass__(**kwargs)
        except TypeError as error:
            if not kwargs:
                raise
            allowed = "allowed are id, restart, shutdown, type and significant"
            raise TypeError(f"class {cls.__name__} is made with {', '.join(kwargs)}; {allowed}: {error}") from None
        given = {"id": id, "restart": restart, "shutdown": shutdown, "type": type, "significant": significant}
        cls._own_options = {field: value for field, value in given.items() if value is not MISSING}
        inherited: dict[str, Term] = {}
        for base in reversed(cls.__mro__[1:]):  # each class's own, so that a mixin does not hide those of another base
            inherited |= vars(base).get("_own_options", {})
        inherited.pop("id", None)
        cls._spec_options = inherited | cls._own_options
        ChildSpec(**{"id": cls.__name__, "start": (cls.start_link,), **cls._spec_options})  # a check, where it stands

    @classmethod
    def start_link(
        cls, *args: Term, name: Destination = None, timeout: TimeoutArgument = None, **kwargs: Term
    ) -> Pid | None:
        """Start a server linked with the caller and wait until `init` is done (OTP: gen_server:start_link/4).

        `name` is a str, ``("via", registry, key)`` or ``("via", registry, key, value)``. Returns its Pid, None when
        `init` returned `IGNORE`. Raises StartError with why `init` failed, ``("already_started", pid)`` when the name
        is taken, ``"timeout"`` when `init` took more than `timeout` seconds. A caller that does not trap exits dies
        with a server that fails.

        `priority` and `debug` among the keyword arguments are options of the start, unless `init` names them:
        ``priority="high"`` as in `flag`, and ``debug=["trace", "statistics", ("log", 10), ("log_to_file", path),
        ("install", key, fn, state)]`` switches on what the functions of `runtime.sys` do, before the first message.
        """
        return start_server(cls, args, kwargs, name, timeout, link=True)

    @classmethod
    def start(
        cls, *args: Term, name: Destination = None, timeout: TimeoutArgument = None, **kwargs: Term
    ) -> Pid | None:
        """Start a server without a link (OTP: gen_server:start/4); otherwise as `start_link`."""
        return start_server(cls, args, kwargs, name, timeout, link=False)

    @classmethod
    def start_monitor(
        cls, *args: Term, name: Destination = None, timeout: TimeoutArgument = None, **kwargs: Term
    ) -> tuple[Pid, Ref] | None:
        """Start a server and monitor it in one step (OTP: gen_server:start_monitor/4); not linked.

        Returns its Pid and the reference of the monitor, None when `init` returned `IGNORE`. No `Down` comes of a start
        that fails. Otherwise as `start_link`.
        """
        ref = Ref()
        try:
            pid = start_server(cls, args, kwargs, name, timeout, link=False, ref=ref)
        except BaseException:
            demonitor(ref, flush=True)
            raise
        if pid is None:
            demonitor(ref, flush=True)
            return None
        return pid, ref

    @classmethod
    def child_spec(cls, *args: Term, **kwargs: Term) -> ChildSpec:
        """Return the `ChildSpec` by which a supervisor starts this server with these arguments.

        The class's own options count (``class Worker(GenServer, restart="transient")``). To change the spec of one
        child, write ``child_spec((Worker, 1), id="a")``. Raises SpecError for a field of the spec among `kwargs`, which
        are for `init`, unless `init` takes it.
        """
        if kwargs:
            _refuse_fields(cls, args, kwargs)
        start = (_Start(cls, kwargs), *args) if kwargs else (cls.start_link, *args)
        return ChildSpec(**{"id": cls.__name__, "start": start, **cls._spec_options})

    # Those that follow are the runtime's.

    _run_process = run_server


def _refuse_fields(cls: type[GenServer], args: tuple[Term, ...], kwargs: dict[str, Term]) -> None:
    """Raise SpecError for keyword arguments that are meant for the child spec: `init` would get them, and fail."""
    parameters = signature(cls.init).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for field in kwargs.keys() & FIELDS - parameters.keys():
        called = f"({', '.join([cls.__name__, *map(repr, args)])})" if args else cls.__name__
        raise SpecError(
            ("invalid_child_spec", {field: kwargs[field]}),
            f"{cls.__name__}.init() takes no {render(field)}; to change the child spec, write "
            f"child_spec({called}, {field}={render(kwargs[field])})",
        )


class _Start(StartOfClass):
    """Starts a server with keyword arguments; a named callable, so that child specs compare and print well."""

    __slots__ = ("kwargs",)

    def __init__(self, cls: type[GenServer], kwargs: dict[str, Term]) -> None:
        self.cls = cls
        self.kwargs = kwargs

    def __call__(self, *args: Term) -> Pid | None:
        pid: Pid | None = self.cls.start_link(*args, **self.kwargs)
        return pid

    def __repr__(self) -> str:
        return f"{self.cls.__name__}.start_link"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Start) and (self.cls, self.kwargs) == (other.cls, other.kwargs)

    __hash__ = None  # type: ignore[assignment]


@compiled("runtime.kernel._kernel")
def start_server(
    cls: type[GenServer],
    args: tuple[Term, ...],
    kwargs: dict[str, Term],
    name: Destination,
    timeout: TimeoutArgument,
    link: bool,
    ref: Ref | None = None,
) -> Pid | None:
    """Start a server of any class and wait for its `init`. With `ref` it is monitored under that reference."""
    seconds = None if timeout is None else seconds_of(timeout)
    if not link and ref is None and current() is None:
        return from_outside("start", lambda: start_server(cls, args, kwargs, name, timeout, link), StartError, seconds)
    parent = current_process("start_link" if link else "start" if ref is None else "start_monitor")
    ensure_headroom()
    options, kwargs = take_options(cls.init, kwargs) if kwargs else ({}, kwargs)
    node = parent.node
    starting = Starting(cls, args, kwargs)
    server = node.spawn(parent, starting)
    origin: From | None = None
    try:
        server.ancestors = lineage_of(parent)
        if 0.0 <= server.started_at - node.last_start < SAME_TIME:
            server.started_at = node.last_start
        else:
            node.last_start = server.started_at
        origin = starting.origin = From(parent, server)
        origin.begin()
        if name is not None:
            _take_name(node, server, name)
        if link:
            link_processes(parent, server)
        elif ref is None:
            server.detached = True  # as in OTP, unlike a server that is monitored by its starter
        if ref is not None:
            watch(parent, server, ref, server.pid)
        if options:
            set_options(server, options)
        return None if outcome_of(origin, seconds) is IGNORE else server.pid
    except BaseException as error:
        give_up_start(parent, server, origin)
        if isinstance(error, AlreadyRegisteredError):
            raise StartError(("already_started", error.pid)) from None
        raise


def outcome_of(origin: From, timeout: float | None) -> Term:
    """Wait for the outcome of a start and return it. Raises StartError when it failed, or took too long."""
    watcher = origin.watcher
    outcome = origin.wait(None if timeout is None else watcher.node.timers.wait(watcher, timeout))
    if outcome is PENDING:
        raise StartError("timeout")
    if type(outcome) is Failure:
        raise StartError(outcome.reason)
    return outcome


def give_up_start(parent: Process, started: Process, origin: From | None) -> None:
    """End a process whose starter will not know its Pid: else it would stay behind, and so would its name.

    When the starter is dead, its links decide, as in OTP.
    """
    if origin is not None:
        origin.forget()
    if started.state is not DEAD and parent.state is not DEAD:
        unlink_processes(parent, started)
        kill(started, "killed", parent.pid)


def lineage_of(parent: Process) -> tuple[Term, ...]:
    """Return the ancestors of a child of `parent`, nearest first: names, or Pids of those without one."""
    first = parent.name or parent.pid
    lineage = parent.lineage
    if lineage is None or (lineage[0] is not first and lineage[0] != first):
        lineage = parent.lineage = (first, *(parent.ancestors or ()))
    return lineage


def _take_name(node: Node, server: Process, name: Destination) -> None:
    if type(name) is tuple and len(name) in (3, 4) and name[0] == "via":
        _, where, key, *value = name  # type: ignore[misc]  # mypy does not look at the length
        registry = node.resolve(where)
        if registry is None or not hasattr(registry.body, "register_name"):
            raise StartError(("noproc", where))
        cast(NameTable, registry.body).register_name(where, key, server.pid, *value)
        server.via = name[:3]
        return
    check_name(name)
    assert isinstance(name, str)
    set_name(server, name)


def node_of(dest: Destination, node: Node) -> Term:
    """Return the name of the other node that a destination is on."""
    if isinstance(dest, Pid) and node.cluster is not None:
        return node.cluster.name_of(dest)
    return dest[1] if isinstance(dest, tuple) and len(dest) == 2 else None


def stop(dest: Destination, reason: Term = "normal", timeout: TimeoutArgument = None) -> None:
    """Have a server terminate with `reason` and wait until it is dead (OTP: gen_server:stop/3).

    Raises CallError: ``"noproc"``, ``"timeout"``, or the actual reason when it is another one.
    """
    seconds = seconds_of(timeout)

    def failure(why: Term) -> CallError:
        return CallError(why, "stop", (dest, reason, timeout), "proc_lib")

    if current() is None:
        if running_node() is None:
            raise failure("noproc")
        from_outside("stop", lambda: stop(dest, reason, timeout), failure, seconds)
        return
    caller = current_process("stop")
    ensure_headroom()
    server = caller.node.resolve(dest)
    if server is None or server is caller:
        raise failure("noproc" if server is None else "calling_self")
    actual = await_down(server, seconds, (SYSTEM, None, ("terminate", isolate(reason))))
    if server.state is REMOTE and is_atom(actual, "noconnection"):
        raise failure((("nodedown", node_of(dest, caller.node)), ("sys", "terminate", (dest, reason, timeout))))
    if actual is PENDING:
        raise failure("timeout")
    if not is_same(actual, reason):
        raise failure(actual)
