"""Plain processes that start in step, have a place in a tree, and answer `runtime.sys` (OTP: proc_lib).

Use the functions of this module as OTP's `proc_lib` module. A process says when it is up, and only then does its
supervisor go on::

    from runtime import proc_lib

    def accept(port):
        listener = listen(port)  # when this raises, the start fails
        proc_lib.init_ack()
        while True:
            connection, _ = listener.accept()
            serve(connection)

    ChildSpec(id="acceptor", start=(proc_lib.start_link, accept, 8000))

The end of such a process is reported as a server's is, unless it is ``"normal"`` or a shutdown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, cast

from runtime.kernel.body import PlainBody, exit_reason
from runtime.kernel.headroom import ensure_headroom
from runtime.kernel.mailbox import receive
from runtime.kernel.node import current_process
from runtime.kernel.process import DEAD, Pid, Process, Worker
from runtime.kernel.processes import start_process
from runtime.kernel.reports import crash_report
from runtime.kernel.roles import Body
from runtime.kernel.signals import Exit, finish, link_processes, unlink_processes
from runtime.otp.callbacks import Callbacks
from runtime.otp.calls import SYSTEM, From
from runtime.otp.gen_server import GenServer, give_up_start, lineage_of, outcome_of
from runtime.otp.loop_state import LoopState
from runtime.otp.returns import Continue, Timeout
from runtime.otp.server_loop import enter_server_loop
from runtime.otp.system_messages import State
from runtime.otp.system_messages import handle_system as handle
from runtime.terms.errors import ProcessExit
from runtime.terms.isolation import isolate
from runtime.terms.pattern import ANY
from runtime.terms.reason import is_abnormal, is_atom
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument, seconds_of

_UP = object()
"""What a process acknowledges that has nothing else to say: its Pid."""


class ProcLibBody(PlainBody, eq=False):
    """A function in a process with ancestors, whose abnormal end is reported.

    `origin` is the call in which the starter waits, None once it has been answered or where no one waits.
    """

    origin: From | None = None

    def _run_process(self, process: Process, worker: Worker) -> None:
        """Run the function to its end, or until it becomes a server."""
        try:
            self.function(*self.args, **self.kwargs)
            reason: Term = "normal"
        except _EnterLoop as entered:
            server, then = entered.server, entered.then
            process.body = cast(Body, server)
            enter_server_loop(server, process, worker, then)
            return
        except BaseException as error:
            reason = exit_reason(process, error)
        if process.state is not DEAD and is_abnormal(reason):
            process.node.crashed += 1
            crash_report(process, reason)
        if self.origin is not None:
            starter = self.origin.watcher
            if starter.trap_exit or is_atom(reason, "normal"):
                unlink_processes(starter, process)  # it is told by the StartError
        worker.process = None
        finish(process, reason)


class _EnterLoop(BaseException):
    """Unwinds a process that is to become a server."""

    def __init__(self, server: GenServer, then: Continue | Timeout | None) -> None:
        super().__init__("the process becomes a server")
        self.server = server
        self.then = then


def start_link(fn: Callable[..., Any], *args: Any, timeout: TimeoutArgument = 5.0, **kwargs: Any) -> Any:
    """Run ``fn(*args, **kwargs)`` in a linked process and wait until it calls `init_ack` (OTP: proc_lib:start_link/4).

    Returns the Pid, or what was acknowledged. Raises StartError with the exit reason when the process ends before,
    ``"timeout"`` when that takes more than `timeout` seconds (None, ``"infinity"``: no limit): then it is killed. A
    caller that does not trap exits dies with a process that fails.
    """
    return _start(fn, args, kwargs, timeout, linked=True)


def start(fn: Callable[..., Any], *args: Any, timeout: TimeoutArgument = 5.0, **kwargs: Any) -> Any:
    """Start a process like `start_link`, without the link (OTP: proc_lib:start/4)."""
    return _start(fn, args, kwargs, timeout, linked=False)


def spawn_link(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Pid:
    """Run ``fn(*args, **kwargs)`` in a linked process with ancestors, without waiting (OTP: proc_lib:spawn_link/3).

    Returns its Pid.
    """
    parent = current_process("spawn_link")
    process = _start_process(parent, ProcLibBody(_checked(fn), args, kwargs))
    link_processes(parent, process)
    return process.pid


def init_ack(value: Any = _UP) -> None:
    """Let the starter of the calling process go on: its `start_link` returns `value` (OTP: proc_lib:init_ack/1).

    Without a value it is the Pid. Only the first call counts. Raises ValueError in a process that `start_link` or
    `start` has not started.
    """
    process = current_process("init_ack")
    body = _body_of(process, "init_ack")
    origin, body.origin = body.origin, None
    if origin is not None:
        origin.settle(process.pid if value is _UP else isolate(value))


def init_fail(reason: Term) -> NoReturn:
    """End the calling process with `reason`: its `start_link` raises StartError with it (OTP: proc_lib:init_fail/2)."""
    _body_of(current_process("init_fail"), "init_fail")
    raise ProcessExit(isolate(reason))


def enter_loop(server: GenServer, then: Term = None) -> NoReturn:
    """Make the calling process a server or a state machine (OTP: gen_server:enter_loop/3, gen_statem:enter_loop/4).

    `server` is an object of its class with the attributes that `init` would have set; `init` is not called. `then` is
    what `init` might return: `Continue`, `Timeout` or None; for a state machine its state or ``Next(state, *actions)``.

    The process leaves the function it runs, by an exception that is no `Exception`, so what `finally` and `with` hold
    in it is released: hand on to the server what it needs. Raises ValueError in a process that this module has not
    started, TypeError for a `then` that is not allowed and for a supervisor.
    """
    if not isinstance(server, GenServer):
        raise TypeError(f"enter_loop() takes a GenServer object, such as Counter(), not {render(server)}")
    begins_with = server._become_server(then)
    _body_of(current_process("enter_loop"), "enter_loop")
    raise _EnterLoop(server, begins_with)


def is_system_message(message: object) -> bool:
    """Return whether a message is a request of `runtime.sys`: a pattern for `receive` (OTP: ``{system, _, _}``)."""
    return type(message) is tuple and len(message) == 3 and message[0] is SYSTEM


def handle_system(message: Term, state: State) -> State:
    """Serve a request of `runtime.sys` in a plain process (OTP: sys:handle_system_msg/6).

    `state` is a dict, which is what `sys.get_state` shows and `sys.replace_state` changes, in place; it is returned.
    After `sys.suspend` this returns when the process is resumed. Raises ProcessExit when the request, or the parent's
    end, is to end the process::

        match receive(("job", ANY), proc_lib.is_system_message):
            case ("job", job):
                state["done"] += 1
            case request:
                proc_lib.handle_system(request, state)
    """
    if not is_system_message(message):
        raise TypeError(f"handle_system() takes a message that is_system_message() accepts, not {render(message)}")
    if not isinstance(state, dict):
        raise TypeError(f"handle_system() takes the state as a dict, not {render(state)}")
    process = current_process("handle_system")
    shown = PlainProcess()
    shown.__dict__ = state
    while True:
        stop = handle(shown, process, message[1], message[2])
        if stop is not None:
            raise ProcessExit(stop.reason)
        loop = process.loop
        if type(loop) is not LoopState or loop.debug is None or not loop.debug.suspended:
            return state
        parent = Exit(process.parent, ANY) if process.parent is not None else is_system_message
        message = receive(is_system_message, parent)
        if isinstance(message, Exit):
            raise ProcessExit(message.reason)


class PlainProcess(Callbacks):
    """What `sys` sees of a plain process: its state, as attributes."""

    _behaviour = "plain process"


def _start(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], timeout: TimeoutArgument, linked: bool
) -> Any:
    seconds = seconds_of(timeout)
    parent = current_process("start_link" if linked else "start")
    ensure_headroom()
    body = ProcLibBody(_checked(fn), args, kwargs)
    process = _start_process(parent, body)
    origin = body.origin = From(parent, process)
    try:
        origin.begin()
        if linked:
            link_processes(parent, process)
        else:
            process.detached = True
        return outcome_of(origin, seconds)
    except BaseException:
        give_up_start(parent, process, origin)
        raise


def _start_process(parent: Process, body: ProcLibBody) -> Process:
    process = start_process(parent.node, parent, body, None, None)
    process.ancestors = lineage_of(parent)
    return process


def _checked(fn: Callable[..., Any]) -> Callable[..., Any]:
    if not callable(fn):
        raise TypeError(f"a process runs a function, not {render(fn)}")
    return fn


def _body_of(process: Process, function: str) -> ProcLibBody:
    body = process.body
    if not isinstance(body, ProcLibBody):
        raise ValueError(f"{function}() is for a process that proc_lib has started, with start_link() for example")
    return body
