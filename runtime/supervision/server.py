"""The server part of every supervisor: its state, the requests it serves, the deaths it hears of."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from runtime.kernel.pid import Exit, Pid
from runtime.kernel.processes import flag
from runtime.otp.child_spec import ChildSpec, SpecError, check_significant
from runtime.otp.gen_server import GenServer, Stop
from runtime.supervision.child import Child
from runtime.supervision.children import TRY_AGAIN, Children
from runtime.supervision.restart_intensity import RestartIntensity
from runtime.terms.errors import StartError

logger = logging.getLogger("runtime.supervisor")


class SupervisorServer(GenServer):
    """Base of Supervisor and DynamicSupervisor: a GenServer that keeps `Children`.

    Observers read `strategy`, `max_restarts`, `max_seconds`, `children` (by id or pid, in start order) and
    `restart_times` (monotonic, within the window) from another thread. `dealing_with` is whose death it deals with,
    None at other times.
    """

    stops_children = True
    """Tells the node's stop that ending this process ends a tree."""

    strategy: str
    max_restarts: int
    max_seconds: float
    children: dict[Any, Child]
    restart_times: Collection[float]
    kept: Children
    dealing_with: Pid | None = None

    @classmethod
    def start_link(cls, *args: Any, name: Any = None, timeout: float | None = None, **kwargs: Any) -> Pid | None:
        """Start the supervisor and its children, linked to the caller; returns when all of them have started.

        The arguments are those of the class, or of the `init` of a subclass that has one. Raises SpecError when they
        are wrong, and StartError: ``("already_started", pid)``, ``("shutdown", ("failed_to_start_child", id,
        reason))``. None when `init` returned IGNORE.
        """
        cls._check(args, kwargs)
        return super().start_link(*args, name=name, timeout=timeout, **kwargs)

    @classmethod
    def start(cls, *args: Any, name: Any = None, timeout: float | None = None, **kwargs: Any) -> Pid | None:
        """Like `start_link`, without the link."""
        cls._check(args, kwargs)
        return super().start(*args, name=name, timeout=timeout, **kwargs)

    @classmethod
    def _check(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Let wrong arguments fail at the call, before there is a process."""
        if cls.init is SupervisorServer.init:
            try:
                cls.default_spec(*args, **kwargs)
            except SpecError as error:
                raise error.of_start() from None

    @staticmethod
    @abstractmethod
    def default_spec(*args: Any, **kwargs: Any) -> Any:
        """Make of start_link's arguments what an `init` returns. Raises SpecError."""

    def init(self, *args: Any, **kwargs: Any) -> Any:
        """Give the supervisor's spec, or IGNORE. A subclass may have its own."""
        return self.default_spec(*args, **kwargs)

    @abstractmethod
    def keep(self, spec: Any) -> Any:
        """Set `kept` up from what `init` returned; gives what the server's start comes to. Raises StartError."""

    def begin_process(self, *args: Any, **kwargs: Any) -> Any:
        """Start the server: run `init`, start the children."""
        flag(trap_exit=True)
        try:
            return self.keep(self.init(*args, **kwargs))
        except SpecError as error:
            return Stop(error.start_reason)
        except StartError as error:
            return Stop(error.reason)

    def show(self, children: Children) -> None:
        """Keep `children`, and let observers see them."""
        self.kept = children
        self.children = children.children
        self.strategy = children.strategy
        intensity: RestartIntensity = children.intensity
        self.max_restarts = intensity.max_restarts
        self.max_seconds = intensity.max_seconds
        self.restart_times = intensity.times

    def handle_call(self, request: Any, caller: Any) -> Any:
        """Serve a request; one that may be refused is answered with a `Reply`."""
        kept = self.kept
        match request:
            case "which_children":
                return kept.which_children()
            case "count_children":
                return kept.count_children()
            case ("start_child", what):
                return self._start_child(what)
            case ("terminate_child", key):
                return kept.terminate_child(key)
            case ("restart_child", id):
                return kept.restart_child(id)
            case ("delete_child", id):
                return kept.delete_child(id)
            case ("get_childspec", key):
                return kept.get_childspec(key)
        return "refused", ("unknown_request", request)

    def _start_child(self, what: Any) -> Any:
        if not isinstance(what, self.kept.accepts):
            return "failed", ("invalid_child_spec", what)
        if isinstance(what, ChildSpec):
            try:
                check_significant(what, self.kept.auto_shutdown)
            except SpecError as error:
                return "failed", error.reason
        return self.kept.start_child(what)

    def handle_cast(self, message: Any) -> None:
        """Take nothing: a supervisor is not cast to."""
        self.handle_info(message)

    def handle_info(self, message: Any) -> Any:
        """Hear of the death of a child, or try a failed restart again."""
        match message:
            case Exit(pid, reason):
                self.dealing_with = pid
                goes_on = self.kept.exited(pid, reason)
            case (tag, key, old, reason) if tag == TRY_AGAIN:
                self.dealing_with = old
                goes_on = self.kept.try_again(key, old, reason)
            case _:
                logger.error("a supervisor received an unexpected message: %.200r", message)
                goes_on = True
        if goes_on:
            self.dealing_with = None
        return None if goes_on else Stop("shutdown")

    def terminate(self, reason: Any) -> None:
        """End every child."""
        self.kept.terminate_all()

    @classmethod
    def child_spec(cls, *args: Any, **kwargs: Any) -> ChildSpec:
        """Give the spec by which another supervisor starts this one: permanent, with all the time it needs to stop."""
        spec: ChildSpec = super().child_spec(*args, **kwargs)
        name = kwargs.get("name")
        id = name if isinstance(name, str) else spec.id
        return replace(spec, id=id, type="supervisor", shutdown="infinity")
