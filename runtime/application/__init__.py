"""Applications: trees that are started and stopped as one thing, with a name, settings, and others they need.

Use the functions of this module as OTP's `application` module::

    class Chat(Application):
        name = "chat"
        applications = (Database,)
        env = {"port": 4000}

        def start(self, start_type, args):
            return ChatSupervisor.start_link()

    application.ensure_all_started(Chat)

They take an Application class, which is loaded at its first use, or the name of a loaded one. They need a running node.

May import `runtime.otp` and what lies below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Literal

from runtime.application.controller import CONTROLLER, ApplicationController
from runtime.kernel.names import whereis
from runtime.kernel.node import current, current_process, running_node
from runtime.kernel.outside import from_outside
from runtime.kernel.process import Pid
from runtime.otp.calls import call
from runtime.otp.requests import receive_response, reqids_new, send_request
from runtime.terms.errors import CallError, StartError, SupervisorError, name_as_public
from runtime.terms.isolation import isolate
from runtime.terms.term import Term
from runtime.terms.text import render

RestartType = Literal["permanent", "transient", "temporary"]
"""What the end of an application means for the node.

``"permanent"``: the node ends. ``"transient"``: it ends unless the application ended with ``"normal"``, which a tree
that gives up does not. ``"temporary"``: nothing.
"""


class Application:
    """Base of applications. A subclass says what is started; an instance keeps nothing between start and stop.

    `applications` are the classes or names of those that must be running first. See OTP's application(3).
    """

    name: str = ""
    """The application's name; by default that of the class."""
    description: str = ""
    applications: Iterable[Term] = ()
    env: Mapping[str, Term] = {}
    """Settings, for `get_env`."""
    args: Term = ()
    """The second argument of `start`."""
    start_phases: Iterable[tuple[str, Term]] = ()
    """Steps that follow the start of the tree, as ``(phase, args)``: `start_phase` is called for each."""

    def __init_subclass__(cls, **kwargs: Term) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = cls.__name__

    def start(self, start_type: str, args: Term) -> Term:
        """Start the tree; return the Pid of its top supervisor, or ``(Pid, state)``. `start_type` is ``"normal"``.

        To fail, raise StartError or return ``Stop(reason)``.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a start() that starts its tree")

    def start_phase(self, phase: str, start_type: str, args: Term) -> Term:
        """Do one of `start_phases`, when the tree has started; the application has started after the last.

        To fail, raise StartError or return ``Stop(reason)``: then the tree is stopped again.
        """
        raise NotImplementedError(f"{type(self).__name__} has start_phases, but no start_phase()")

    def prep_stop(self, state: Term) -> Term:
        """Prepare for the stop of the tree; return the state for `stop`."""
        return state

    def stop(self, state: Term) -> None:
        """Clean up after the tree has stopped."""


class ApplicationError(SupervisorError):
    """The application controller refused: `reason` is e.g. ``("already_loaded", name)``, ``("not_started", name)``."""

    _who = "application controller"


name_as_public(ApplicationError)


def load(application: type[Application]) -> None:
    """Make an application known by its name (OTP: application:load/1).

    Raises ApplicationError ``("already_loaded", name)``, and TypeError for a class whose `name`, `applications`,
    `start_phases` or `env` are not what they should be.
    """
    _check(application)
    _ask("load", application.name, application, dict(application.env))


def unload(application: Term) -> None:
    """Forget an application and its settings.

    Raises ApplicationError ``("running", name)`` or ``("not_loaded", name)``.
    """
    _ask("unload", name_of(application))


def start(application: Term, restart_type: RestartType = "temporary") -> None:
    """Start an application whose dependencies are running; return when its tree has started (OTP: start/2).

    Raises StartError: ``("not_started", other)``, ``("already_started", name)``, ``("not_loaded", name)``, or
    ``(reason, (class, "start", arguments))`` when its `start` failed. A permanent or transient application that fails
    to start ends the node, as its abnormal end does.
    """
    _check_restart_type(restart_type)
    _load_class(application)
    _ask("start", name_of(application), restart_type)


def ensure_started(application: Term, restart_type: RestartType = "temporary") -> None:
    """Start an application like `start`, unless it is running already."""
    try:
        start(application, restart_type)
    except StartError as error:
        if error.reason != ("already_started", name_of(application)):
            raise


def _check_restart_type(restart_type: object) -> None:
    if restart_type not in ("permanent", "transient", "temporary"):
        raise ValueError(
            f"restart_type is {render(restart_type)}; allowed are 'permanent', 'transient' and 'temporary'"
        )


def ensure_all_started(
    applications: Term, restart_type: RestartType = "temporary", mode: Literal["serial", "concurrent"] = "serial"
) -> list[str]:
    """Start an application, or a list of them, and first all that they need; return the names of those it started.

    The `mode` ``"serial"`` starts one after another. ``"concurrent"`` starts each as soon as all that it needs are
    running, so that slow ones wait for none but those. Raises StartError ``(name, reason)`` for the first that fails,
    after stopping again those it had started: ``("db", ("not_loaded", "db"))``, say, or ``("db",
    ("circular_dependency", ["db", "log", "db"]))``. OTP: application:ensure_all_started/3, since OTP 26.
    """
    _check_restart_type(restart_type)
    if mode not in ("serial", "concurrent"):
        raise ValueError(f"mode is {render(mode)}; allowed are 'serial' and 'concurrent'")
    if current() is None and running_node() is not None:
        again = partial(ensure_all_started, applications, restart_type, mode)
        return from_outside("ensure_all_started", again)
    started: list[str] = []
    wanted = applications if isinstance(applications, (list, tuple)) else [applications]
    try:
        if mode == "concurrent":
            _start_concurrently(wanted, restart_type, started)
        else:
            for application in wanted:
                _ensure(application, restart_type, started, ())
    except Exception:
        for name in reversed(started):
            with suppress(ApplicationError, CallError):  # it may have ended by itself, or with the node
                stop(name)
        raise
    return started


def _needs(application: Term, needed_by: tuple[str, ...]) -> list[Term] | None:
    """Return what an application needs, None when it is running."""
    name = name_of(application)
    if name in needed_by:
        raise StartError((name, ("circular_dependency", [*needed_by, name])))
    _load_class(application)
    if name in which_applications():
        return None
    outcome, needed = _request("applications_of", name)
    if outcome == "failed":
        raise StartError((name, needed))
    return [*needed]


def _ensure(application: Term, restart_type: RestartType, started: list[str], needed_by: tuple[str, ...]) -> None:
    name, needed = name_of(application), _needs(application, needed_by)
    if needed is None:
        return
    for other in needed:
        _ensure(other, restart_type, started, (*needed_by, name))
    try:
        start(application, restart_type)
    except StartError as error:
        if error.reason == ("already_started", name):
            return
        raise StartError((name, error.reason)) from None
    started.append(name)


def _start_concurrently(wanted: Iterable[Term], restart_type: RestartType, started: list[str]) -> None:
    """Start applications that do not run; add those that were started to `started`, also when another has failed."""
    left: dict[str, set[str]] = {}
    for application in wanted:
        _note_needs(application, left, ())
    requests, failure = reqids_new(), None
    while True:
        for name in [] if failure else [name for name, needed in left.items() if not needed]:
            del left[name]
            requests = send_request(_controller(), ("start", name, restart_type), name, requests)
        answer = receive_response(requests)
        if isinstance(answer, str):  # all were answered
            break
        outcome, name, requests = answer
        match outcome:
            case ("reply", ("ok", _)):
                started.append(name)
            case ("reply", ("failed", ("already_started", already))) if already == name:
                pass
            case ("reply", (_, reason)) | ("error", (reason, _)):
                failure = failure or StartError((name, reason))
        for needed in left.values():
            needed.discard(name)
    if failure is not None:
        raise failure


def _note_needs(application: Term, left: dict[str, set[str]], needed_by: tuple[str, ...]) -> None:
    """Note for an application that is to be started, and for those it needs, which have to run before."""
    name, needed = name_of(application), _needs(application, needed_by)
    if needed is None or name in left:
        return
    for other in needed:
        _note_needs(other, left, (*needed_by, name))
    left[name] = {name_of(other) for other in needed} & left.keys()


def stop(application: Term) -> None:
    """Stop an application: its `prep_stop`, its tree, its `stop` (OTP: application:stop/1).

    Raises ApplicationError ``("not_started", name)``.
    """
    _ask("stop", name_of(application))


def which_applications() -> list[str]:
    """Return the names of the running applications, in the order of their starts (OTP: which_applications/0)."""
    names: list[str] = _ask("which_applications")
    return names


def loaded_applications() -> list[str]:
    """Return the names of the loaded applications."""
    names: list[str] = _ask("loaded_applications")
    return names


def get_env(application: Term, key: str, default: Term = None) -> Term:
    """Return a setting of an application (Elixir: Application.get_env/3).

    Returns `default` when it has none of that name, or is not loaded.
    """
    _load_class(application)
    return isolate(_settings(application).get(key, default))


def fetch_env(application: Term, key: str) -> Term:
    """Return a setting of a loaded application (Elixir: Application.fetch_env!/2).

    Raises KeyError when it has none of that name, or is not loaded.
    """
    _load_class(application)
    settings = _settings(application)
    if key not in settings:
        raise KeyError(f"the application {render(name_of(application))} has no setting {render(key)}, or is not loaded")
    return isolate(settings[key])


def get_application(pid: Pid | None = None) -> str | None:
    """Return the name of the application that a process belongs to: the caller, or `pid` (OTP: get_application/1).

    Returns None for one that no application has started. Raises TypeError for what is not a Pid.
    """
    if not (pid is None or isinstance(pid, Pid)):
        raise TypeError(f"get_application() takes a Pid, not {render(pid)}; whereis(name) finds one by name")
    process = current_process("get_application") if pid is None else pid.process
    server = _controller_server()
    if process is None or server is None:
        return None
    names = {running.master: name for name, running in [*server.starting.items(), *server.running.items()]}
    while process is not None:
        for above in (process.pid, process.parent, *(process.ancestors or ())):
            if isinstance(above, Pid) and above in names:
                return names[above]
        process = None if process.parent is None else process.parent.process
    return None


def get_all_env(application: Term) -> dict[str, Term]:
    """Return all settings of a loaded application."""
    _load_class(application)
    settings: dict[str, Term] = isolate(_settings(application))
    return settings


def put_env(application: Term, key: str, value: Term) -> None:
    """Change a setting of a loaded application (OTP: set_env/3). Raises ApplicationError ``("not_loaded", name)``."""
    _load_class(application)
    name = name_of(application)
    if name not in loaded_applications():
        raise ApplicationError(("not_loaded", name))
    _settings(name)[key] = isolate(value)


def delete_env(application: Term, key: str) -> None:
    """Delete a setting of a loaded application; nothing happens when it has none of that name."""
    _load_class(application)
    _settings(application).pop(key, None)


def name_of(application: Term) -> str:
    """Return the name of an Application class, instance or name. Raises TypeError for anything else."""
    if isinstance(application, str):
        return application
    if isinstance(application, Application) or (isinstance(application, type) and issubclass(application, Application)):
        return application.name
    raise TypeError(
        f"{render(application)} is not an application; give a subclass of Application or the name of a loaded one"
    )


def _load_class(application: Term) -> None:
    if isinstance(application, type):
        name, controller = name_of(application), _controller_server()
        if controller is None or name not in controller.loaded:
            load(application)


def _check(application: Term) -> None:
    """Raise TypeError, in the caller, for an application that the controller could not work with."""
    if not isinstance(application, type) or not issubclass(application, Application):
        raise TypeError(f"load() takes a subclass of Application, not {render(application)}")
    if not isinstance(application.name, str):
        raise TypeError(f"{application.__name__}.name is {render(application.name)}; give a str")
    needed = application.applications
    if isinstance(needed, str) or not _is_listed(needed):
        raise TypeError(f"{application.__name__}.applications is {render(needed)}; give a list of classes or names")
    for other in needed:
        name_of(other)
    phases = application.start_phases
    if (
        isinstance(phases, str)
        or not _is_listed(phases)
        or not all(isinstance(phase, tuple) and len(phase) == 2 for phase in phases)
    ):
        raise TypeError(f"{application.__name__}.start_phases is {render(phases)}; give a list of (phase, args)")
    if not isinstance(application.env, Mapping):
        raise TypeError(f"{application.__name__}.env is {render(application.env)}; give a mapping of names to settings")


def _is_listed(values: object) -> bool:
    """Return whether values can be read again and again; those of an iterator would be there once."""
    return isinstance(values, Iterable) and not isinstance(values, Iterator)


def _settings(application: Term) -> dict[str, Term]:
    controller = _controller_server()
    return {} if controller is None else controller.env.get(name_of(application), {})


def _controller_server() -> ApplicationController | None:
    """Return the controller, to read without a message: it waits while applications stop, which may read settings."""
    process = getattr(whereis(CONTROLLER), "process", None)
    server = None if process is None else process.body
    return server if isinstance(server, ApplicationController) and "loaded" in vars(server) else None


def _ask(request: str, *arguments: Term) -> Term:
    outcome, value = _request(request, *arguments)
    if outcome == "refused":
        raise ApplicationError(value)
    if outcome == "failed":
        raise StartError(value)
    return value


def _request(request: str, *arguments: Term) -> tuple[str, Term]:
    answer: tuple[str, Term] = call(_controller(), (request, *arguments), timeout=None)
    return answer


def _controller() -> Term:
    pid = whereis(CONTROLLER)
    if pid is None:
        try:
            pid = ApplicationController.start(name=CONTROLLER)
        except StartError as error:
            match error.reason:
                case ("already_started", running):  # by another process, meanwhile
                    return running
            raise
    return pid
