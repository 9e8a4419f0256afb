"""The application controller: the process that starts and stops applications, each under a master of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from runtime.kernel.caught import caught_reason
from runtime.kernel.instrument import emit
from runtime.kernel.mailbox import receive, send
from runtime.kernel.process import Pid
from runtime.kernel.processes import exit, flag, monitor, self_, spawn_link
from runtime.kernel.reports import report
from runtime.kernel.signals import Down, Exit
from runtime.otp.calls import reply
from runtime.otp.gen_server import GenServer
from runtime.otp.returns import NOREPLY, Stop
from runtime.terms.errors import ProcessExit, StartError
from runtime.terms.log import Log
from runtime.terms.pattern import ANY
from runtime.terms.tag import matchable, tagged

logger = Log("runtime.application")

CALLBACKS = 5.0
"""Seconds that the `prep_stop` and `stop` of an application may take when the program ends."""

CONTROLLER = "application_controller"
"""The registered name of the controller."""


class Running:
    """An application that is starting or running: its master, its restart type, and the callers that wait for it."""

    __slots__ = ("callers", "master", "restart_type")

    def __init__(self, master: Pid, restart_type: str, caller: Any) -> None:
        self.master = master
        self.restart_type = restart_type
        self.callers = [caller]

    def may_end(self, reason: Any) -> bool:
        """Return whether the node goes on when this application ends with `reason`.

        For a transient application ``"shutdown"`` is abnormal: a tree that gives up exits with it.
        """
        normal = type(reason) is str and reason == "normal"
        return self.restart_type == "temporary" or (self.restart_type == "transient" and normal)


class ApplicationController(GenServer):
    """Keeps the loaded applications and runs the started ones. See OTP's application_controller.erl.

    It answers as supervisors do, with ``("ok", value)``, ``("refused", reason)`` or ``("failed", reason)``.
    """

    _stops_children = True

    def init(self) -> None:
        """Start without applications."""
        flag(trap_exit=True)
        self.loaded: dict[str, Any] = {}
        self.env: dict[str, dict[str, Any]] = {}
        self.starting: dict[str, Running] = {}
        self.running: dict[str, Running] = {}
        self._requests: dict[str, Callable[..., Any]] = {
            "load": self._load,
            "unload": self._unload,
            "stop": self._stop,
            "applications_of": self._applications_of,
            "which_applications": lambda: ("ok", [*self.running]),
            "loaded_applications": lambda: ("ok", [*self.loaded]),
        }

    def handle_call(self, request: Any, caller: Any) -> Any:
        """Serve a request of the functions in `runtime.application`."""
        match tagged(request):
            case "start", (str(name), restart_type):
                return self._start(name, restart_type, caller)
            case kind, arguments if kind in self._requests and type(request) is tuple:
                return self._requests[kind](*arguments)
        return "refused", ("unknown_request", request)

    def handle_cast(self, message: Any) -> Any:
        """Treat a cast as any unexpected message: the controller takes none."""
        return None

    def _load(self, name: str, application: Any, env: dict[str, Any]) -> Any:
        if name in self.loaded:
            return "refused", ("already_loaded", name)
        self.loaded[name] = application
        self.env[name] = env
        return "ok", None

    def _unload(self, name: str) -> Any:
        if name in self.running or name in self.starting:
            return "refused", ("running", name)
        if self.loaded.pop(name, None) is None:
            return "refused", ("not_loaded", name)
        del self.env[name]
        return "ok", None

    def _applications_of(self, name: str) -> Any:
        application = self.loaded.get(name)
        return ("failed", ("not_loaded", name)) if application is None else ("ok", [*application.applications])

    def _start(self, name: str, restart_type: str, caller: Any) -> Any:
        application = self.loaded.get(name)
        if application is None:
            return "failed", ("not_loaded", name)
        if name in self.running:
            return "failed", ("already_started", name)
        if name in self.starting:
            self.starting[name].callers.append(caller)
            return NOREPLY
        for needed in application.applications:
            other = needed if isinstance(needed, str) else needed.name
            if other not in self.running:
                return "failed", ("not_started", other)
        master = spawn_link(run_master, self_(), name, application, label=f"application {name}")
        self.starting[name] = Running(master, restart_type, caller)
        return NOREPLY

    def _stop(self, name: str) -> Any:
        running = self.running.pop(name, None)
        if running is None:
            return "refused", ("not_started", name)
        end_master(running.master)
        _report_end(name, "stopped", running.restart_type)
        return "ok", None

    def handle_info(self, message: Any) -> Any:
        """Note that a master has started its tree, or has ended."""
        if type(message) is Exit and issubclass(type(message.pid), Pid):
            return self._master_ended(message.pid, message.reason)
        match matchable(message):
            case "started", (str(name),) if name in self.starting:
                running = self.running[name] = self.starting.pop(name)
                report("progress", logging.INFO, application=name, restart_type=running.restart_type)
                for caller in running.callers:
                    reply(caller, ("ok", None))
        return None

    def _master_ended(self, master: Pid, reason: Any) -> Any:
        for name, starting in self.starting.items():
            if starting.master == master:
                del self.starting[name]
                _report_end(name, reason, starting.restart_type)
                for caller in starting.callers:
                    reply(caller, ("failed", reason))
                return None if starting.restart_type == "temporary" else _end_node("start_failure", name, reason)
        for name, running in self.running.items():
            if running.master == master:
                del self.running[name]
                _report_end(name, reason, running.restart_type)
                return None if running.may_end(reason) else _end_node("terminated", name, reason)
        return None

    def shutdown_time(self) -> float:
        """Return the seconds that the applications may take to shut down, infinity for no limit."""
        return sum(_shutdown_time(running.master) for running in [*self.starting.values(), *self.running.values()])

    def terminate(self, reason: Any) -> None:
        """Stop every application, the one started last first."""
        for running in reversed([*self.running.values(), *self.starting.values()]):
            end_master(running.master)


def _shutdown_time(master: Pid) -> float:
    """Return the seconds that one application may take: its tree, and a while for its callbacks."""
    links = () if master.process is None else master.process.links
    trees = [process.tree for process in links if process.tree is not None]
    seconds: float = sum(tree.shutdown_time() for tree in trees if not isinstance(tree, ApplicationController))
    return CALLBACKS + seconds


def _end_node(how: str, name: str, reason: Any) -> Stop:
    """Tell `run` to end the program, and return what ends the controller and with it every application."""
    emit(f"application_{how}", name=name, reason=reason)
    return Stop((f"application_{how}", name, reason))


def _report_end(name: str, reason: Any, restart_type: str) -> None:
    report("application_exited", logging.INFO, application=name, reason=reason, restart_type=restart_type)


# -- The master: a process between the controller and an application's tree -------------------------------------------


def run_master(controller: Pid, name: str, cls: Any) -> None:
    """Start an application's tree, wait until it is told to stop or the tree ends, and call what must be called."""
    flag(trap_exit=True)
    application, top, state = start_tree(cls)
    failure = run_phases(application)
    if failure is not None:
        exit(top, "shutdown")
        receive(Exit(top, ANY))
        exit(failure)
    send(controller, ("started", name))
    message = receive("stop", Exit(top, ANY), Exit(controller, ANY))
    state = _call_back(application.prep_stop, state)
    if isinstance(message, Exit) and message.pid == top:
        _call_back(application.stop, state)
        exit(message.reason)
    exit(top, "shutdown")
    receive(Exit(top, ANY))
    _call_back(application.stop, state)


def _call_back(callback: Callable[[Any], Any], state: Any) -> Any:
    """Call `prep_stop` or `stop`; one that fails is logged, and the stop goes on."""
    try:
        return callback(state)
    except BaseException as error:
        caught_reason(error)  # goes on unwinding a master that was killed
        logger.exception("%s failed", callback.__qualname__)
        return state


def start_tree(cls: Any) -> tuple[Any, Pid, Any]:
    """Make an application and call its `start`; a failure ends the caller.

    Returns the application, the Pid of its top supervisor and its state.
    """
    where = (cls.__name__, "start", ("normal", cls.args))
    try:
        application = cls()  # here, and not in the controller: it is the program's code
        result = application.start("normal", application.args)  # which its __init__ may have set
    except StartError as error:
        raise ProcessExit((error.reason, where)) from None
    except BaseException as error:
        raise ProcessExit(("bad_return", (where, ("EXIT", caught_reason(error))))) from error
    match result:
        case Pid():
            return application, result, None
        case (Pid() as top, state):
            return application, top, state
        case Stop():
            raise ProcessExit((result.reason, where))
    raise ProcessExit(("bad_return", (where, result)))


def run_phases(application: Any) -> Any:
    """Call `start_phase` for each phase of an application, in order; return why one failed, None when none did."""
    for phase, argument in application.start_phases:
        arguments = (phase, "normal", argument)
        where = (type(application).__name__, "start_phase", arguments)
        try:
            result = application.start_phase(*arguments)
        except StartError as error:
            return error.reason, where
        except BaseException as error:
            return "bad_return_value", (where, ("EXIT", caught_reason(error)))
        if isinstance(result, Stop):
            return result.reason, where
        if result is not None:
            return "bad_return_value", (where, result)
    return None


def end_master(master: Pid) -> None:
    """Tell a master to stop its application, and wait until it has."""
    ref = monitor(master)
    send(master, "stop")
    receive(Down(ref, ANY, ANY))
    receive(Exit(master, ANY), timeout=0, default=None)
