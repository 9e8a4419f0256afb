"""Applications: trees that are started and stopped as one thing, with a name, settings, and others they need.

Use the functions of this module as OTP's `application` module::

    class Chat(Application):
        name = "chat"
        applications = (Database,)
        env = {"port": 4000}

        def start(self, start_type, args):
            return ChatSupervisor.start_link()

    application.ensure_all_started(Chat)

They take an Application class (which is loaded at first use) or the name of a loaded one, and need a running node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runtime.application.controller import CONTROLLER, ApplicationController
from runtime.kernel.names import whereis
from runtime.otp.gen_server import call
from runtime.terms.errors import StartError, SupervisorError
from runtime.terms.isolation import isolate

RestartType = Literal["permanent", "transient", "temporary"]
"""What the end of an application means for all others: they stop; they stop when it was abnormal; nothing."""


class Application:
    """Base of applications. Subclasses say what is started; an instance keeps nothing between start and stop.

    `applications` are those that must be running first: classes, or names. See OTP's application(3).
    """

    name: str = ""
    """What it is called; the class's name by default."""
    description: str = ""
    applications: Iterable[Any] = ()
    env: Mapping[str, Any] = {}
    """Settings, for `get_env`."""
    args: Any = ()
    """What `start` gets as its second argument."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = cls.__name__

    def start(self, start_type: str, args: Any) -> Any:
        """Start the tree; gives the Pid of its top supervisor, or ``(Pid, state)``. `start_type` is ``"normal"``.

        Fails by raising StartError or returning ``Stop(reason)``.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a start() that starts its tree")

    def prep_stop(self, state: Any) -> Any:
        """Called before the tree is stopped; gives the state for `stop`."""
        return state

    def stop(self, state: Any) -> None:
        """Called when the tree has stopped."""


class ApplicationError(SupervisorError):
    """The application controller refused: `reason` is e.g. ``("already_loaded", name)``, ``("not_started", name)``."""


def load(application: type[Application]) -> None:
    """Make an application known by its name. Raises ApplicationError ``("already_loaded", name)``."""
    _ask("load", application)


def unload(application: Any) -> None:
    """Forget an application and its settings.

    Raises ApplicationError ``("running", name)`` or ``("not_loaded", name)``.
    """
    _ask("unload", name_of(application))


def start(application: Any, restart_type: RestartType = "temporary") -> None:
    """Start an application; what it needs must be running. Returns when its tree has started.

    Raises StartError: ``("not_started", other)``, ``("already_started", name)``, ``("not_loaded", name)``, or
    ``(reason, (class, "start", arguments))`` when its `start` failed.
    """
    if restart_type not in ("permanent", "transient", "temporary"):
        raise ValueError(f"restart_type is {restart_type!r}; allowed are 'permanent', 'transient' and 'temporary'")
    _load_class(application)
    _ask("start", name_of(application), restart_type)


def ensure_started(application: Any, restart_type: RestartType = "temporary") -> None:
    """Like `start`, and content when it is running already."""
    try:
        start(application, restart_type)
    except StartError as error:
        if error.reason != ("already_started", name_of(application)):
            raise


def ensure_all_started(applications: Any, restart_type: RestartType = "temporary") -> list[str]:
    """Start an application, or a list of them, with all they need, in order; gives the names of those it started.

    Raises StartError ``(name, reason)`` for the first that fails, after stopping again what it had started.
    """
    started: list[str] = []
    wanted = applications if isinstance(applications, (list, tuple)) else [applications]
    try:
        for application in wanted:
            _ensure(application, restart_type, started, ())
    except StartError:
        for name in reversed(started):
            stop(name)
        raise
    return started


def _ensure(application: Any, restart_type: RestartType, started: list[str], needed_by: tuple[str, ...]) -> None:
    name = name_of(application)
    _load_class(application)
    if name in needed_by:
        raise StartError(("circular_dependency", [*needed_by, name]))
    if name in which_applications():
        return
    for needed in _ask("applications_of", name):
        _ensure(needed, restart_type, started, (*needed_by, name))
    try:
        start(application, restart_type)
    except StartError as error:
        if error.reason == ("already_started", name):
            return
        raise StartError((name, error.reason)) from None
    started.append(name)


def stop(application: Any) -> None:
    """Stop an application: its `prep_stop`, its tree, its `stop`. Raises ApplicationError ``("not_started", name)``."""
    _ask("stop", name_of(application))


def which_applications() -> list[str]:
    """Give the names of those that are running, in the order they were started."""
    names: list[str] = _ask("which_applications")
    return names


def loaded_applications() -> list[str]:
    """Give the names of those that are loaded."""
    names: list[str] = _ask("loaded_applications")
    return names


def get_env(application: Any, key: str, default: Any = None) -> Any:
    """Give a setting of a loaded application, `default` when there is none."""
    return isolate(_settings(application).get(key, default))


def get_all_env(application: Any) -> dict[str, Any]:
    """Give all settings of a loaded application."""
    settings: dict[str, Any] = isolate(_settings(application))
    return settings


def put_env(application: Any, key: str, value: Any) -> None:
    """Change a setting of a loaded application. Raises ApplicationError ``("not_loaded", name)``."""
    name = name_of(application)
    if name not in loaded_applications():
        raise ApplicationError(("not_loaded", name))
    _settings(name)[key] = isolate(value)


def delete_env(application: Any, key: str) -> None:
    """Take a setting of a loaded application away."""
    _settings(application).pop(key, None)


def name_of(application: Any) -> str:
    """Give the name of an Application class, instance or name. Raises TypeError for anything else."""
    if isinstance(application, str):
        return application
    if isinstance(application, Application) or (isinstance(application, type) and issubclass(application, Application)):
        return application.name
    raise TypeError(f"{application!r} is no application; give a subclass of Application or the name of a loaded one")


def _load_class(application: Any) -> None:
    if isinstance(application, type) and name_of(application) not in loaded_applications():
        load(application)


def _settings(application: Any) -> dict[str, Any]:
    """Give the settings themselves, which are read without a message: `start` may want them."""
    process = getattr(whereis(CONTROLLER), "process", None)
    server = None if process is None else process.body
    return server.env.get(name_of(application), {}) if isinstance(server, ApplicationController) else {}


def _ask(request: str, *arguments: Any) -> Any:
    outcome, value = call(_controller(), (request, *arguments), timeout=None)
    if outcome == "refused":
        raise ApplicationError(value)
    if outcome == "failed":
        raise StartError(value)
    return value


def _controller() -> Any:
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
