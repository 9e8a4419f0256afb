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

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Literal

from runtime.application.controller import CONTROLLER, ApplicationController
from runtime.kernel.names import whereis
from runtime.kernel.node import current_process
from runtime.kernel.process import Pid
from runtime.otp.calls import call
from runtime.terms.errors import CallError, StartError, SupervisorError, name_as_public
from runtime.terms.isolation import isolate
from runtime.terms.term import Term

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


name_as_public(ApplicationError)


def load(application: type[Application]) -> None:
    """Make an application known by its name.

    Raises ApplicationError ``("already_loaded", name)``, and TypeError for a class whose `applications` or `env` are
    not what they should be.
    """
    _check(application)
    _ask("load", application)


def unload(application: Term) -> None:
    """Forget an application and its settings.

    Raises ApplicationError ``("running", name)`` or ``("not_loaded", name)``.
    """
    _ask("unload", name_of(application))


def start(application: Term, restart_type: RestartType = "temporary") -> None:
    """Start an application whose dependencies are running; return when its tree has started.

    Raises StartError: ``("not_started", other)``, ``("already_started", name)``, ``("not_loaded", name)``, or
    ``(reason, (class, "start", arguments))`` when its `start` failed. A permanent or transient application that fails
    to start ends the node, as its abnormal end does.
    """
    if restart_type not in ("permanent", "transient", "temporary"):
        raise ValueError(f"restart_type is {restart_type!r}; allowed are 'permanent', 'transient' and 'temporary'")
    _load_class(application)
    _ask("start", name_of(application), restart_type)


def ensure_started(application: Term, restart_type: RestartType = "temporary") -> None:
    """Start an application like `start`, unless it is running already."""
    try:
        start(application, restart_type)
    except StartError as error:
        if error.reason != ("already_started", name_of(application)):
            raise


def ensure_all_started(applications: Term, restart_type: RestartType = "temporary") -> list[str]:
    """Start an application, or a list of them, and first all that they need; return the names of those it started.

    Raises StartError ``(name, reason)`` for the first that fails, after stopping again those it had started:
    ``("db", ("not_loaded", "db"))``, say, or ``("db", ("circular_dependency", ["db", "log", "db"]))``.
    """
    started: list[str] = []
    wanted = applications if isinstance(applications, (list, tuple)) else [applications]
    try:
        for application in wanted:
            _ensure(application, restart_type, started, ())
    except Exception:
        for name in reversed(started):
            with suppress(ApplicationError, CallError):  # it may have ended by itself, or with the node
                stop(name)
        raise
    return started


def _ensure(application: Term, restart_type: RestartType, started: list[str], needed_by: tuple[str, ...]) -> None:
    name = name_of(application)
    if name in needed_by:
        raise StartError((name, ("circular_dependency", [*needed_by, name])))
    _load_class(application)
    if name in which_applications():
        return
    outcome, needed = _request("applications_of", name)
    if outcome == "failed":
        raise StartError((name, needed))
    for other in needed:
        _ensure(other, restart_type, started, (*needed_by, name))
    try:
        start(application, restart_type)
    except StartError as error:
        if error.reason == ("already_started", name):
            return
        raise StartError((name, error.reason)) from None
    started.append(name)


def stop(application: Term) -> None:
    """Stop an application: its `prep_stop`, its tree, its `stop`. Raises ApplicationError ``("not_started", name)``."""
    _ask("stop", name_of(application))


def which_applications() -> list[str]:
    """Return the names of the running applications, in the order of their starts."""
    names: list[str] = _ask("which_applications")
    return names


def loaded_applications() -> list[str]:
    """Return the names of the loaded applications."""
    names: list[str] = _ask("loaded_applications")
    return names


def get_env(application: Term, key: str, default: Term = None) -> Term:
    """Return a setting of a loaded application, or `default` when it has none of that name."""
    return isolate(_settings(application).get(key, default))


def fetch_env(application: Term, key: str) -> Term:
    """Return a setting of a loaded application (Elixir: Application.fetch_env!/2).

    Raises KeyError when it has none of that name, or is not loaded.
    """
    settings = _settings(application)
    if key not in settings:
        raise KeyError(f"the application {name_of(application)!r} has no setting {key!r}, or is not loaded")
    return isolate(settings[key])


def get_application(pid: Pid | None = None) -> str | None:
    """Return the name of the application that a process belongs to: the caller, or `pid` (OTP: get_application/1).

    Returns None for one that no application has started.
    """
    process = current_process("get_application") if pid is None else pid.process
    controller = getattr(whereis(CONTROLLER), "process", None)
    server = None if controller is None else controller.body
    if process is None or not isinstance(server, ApplicationController):
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
    settings: dict[str, Term] = isolate(_settings(application))
    return settings


def put_env(application: Term, key: str, value: Term) -> None:
    """Change a setting of a loaded application. Raises ApplicationError ``("not_loaded", name)``."""
    name = name_of(application)
    if name not in loaded_applications():
        raise ApplicationError(("not_loaded", name))
    _settings(name)[key] = isolate(value)


def delete_env(application: Term, key: str) -> None:
    """Delete a setting of a loaded application; nothing happens when it has none of that name."""
    _settings(application).pop(key, None)


def name_of(application: Term) -> str:
    """Return the name of an Application class, instance or name. Raises TypeError for anything else."""
    if isinstance(application, str):
        return application
    if isinstance(application, Application) or (isinstance(application, type) and issubclass(application, Application)):
        return application.name
    raise TypeError(
        f"{application!r} is not an application; give a subclass of Application or the name of a loaded one"
    )


def _load_class(application: Term) -> None:
    if isinstance(application, type) and name_of(application) not in loaded_applications():
        load(application)


def _check(application: Term) -> None:
    """Raise TypeError, in the caller, for an application that the controller could not work with."""
    if not isinstance(application, type) or not issubclass(application, Application):
        raise TypeError(f"load() takes a subclass of Application, not {application!r}")
    needed = application.applications
    if isinstance(needed, str) or not isinstance(needed, Iterable):
        raise TypeError(f"{application.__name__}.applications is {needed!r}; give a list of classes or names")
    for other in needed:
        name_of(other)
    phases = application.start_phases
    if isinstance(phases, str) or not all(isinstance(phase, tuple) and len(phase) == 2 for phase in phases):
        raise TypeError(f"{application.__name__}.start_phases is {phases!r}; give a list of (phase, args)")
    if not isinstance(application.env, Mapping):
        raise TypeError(f"{application.__name__}.env is {application.env!r}; give a mapping of names to settings")


def _settings(application: Term) -> dict[str, Term]:
    """Return the settings themselves, without a message: an application's `start` may read them."""
    process = getattr(whereis(CONTROLLER), "process", None)
    server = None if process is None else process.body
    return server.env.get(name_of(application), {}) if isinstance(server, ApplicationController) else {}


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
