"""The server part of every supervisor: its state, the requests it serves, the deaths it handles."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator

from runtime.kernel.process import Pid
from runtime.kernel.processes import flag
from runtime.kernel.signals import Exit
from runtime.otp.calls import From
from runtime.otp.child_spec import ChildSpec, SpecError, changed_spec, check_significant, id_from_name
from runtime.otp.gen_server import GenServer
from runtime.otp.returns import IGNORE, NOREPLY, Stop
from runtime.otp.system_messages import ChangeRefused
from runtime.supervision.child import Child
from runtime.supervision.children import TRY_AGAIN, Children
from runtime.supervision.otp_terms import answer_elsewhere
from runtime.supervision.supervisor_spec import DynamicSupervisorSpec, SupervisorSpec
from runtime.terms.errors import StartError
from runtime.terms.isolation import isolate
from runtime.terms.log import Log
from runtime.terms.tag import tagged
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument

logger = Log("runtime.supervisor")


class SupervisorServer(GenServer, type="supervisor", shutdown="infinity"):
    """Base of Supervisor and DynamicSupervisor: a GenServer that keeps `Children`.

    Observers read `strategy`, `max_restarts`, `max_seconds`, `children` (by id or Pid, in start order) and
    `restart_times` (monotonic, within the window) from another thread. `_handling_exit_of` is the process whose death
    the supervisor is handling, None at other times.
    """

    _stops_children = True
    """Tells the node's stop that ending this process ends a tree."""

    strategy: str
    max_restarts: int
    max_seconds: float
    children: dict[Term, Child]
    restart_times: Collection[float]
    kept: Children
    _handling_exit_of: Pid | None = None

    __slots__ = ("_init_arguments",)  # beside the attributes, which are the state that `runtime.sys` shows

    _init_arguments: tuple[tuple[Term, ...], dict[str, Term]]

    @classmethod
    def start_link(cls, *args: Term, name: Term = None, timeout: TimeoutArgument = None, **kwargs: Term) -> Pid | None:
        """Start the supervisor and its children, linked to the caller; return when all of them have started.

        The arguments are those of the class, or of the `init` of a subclass that has one. Raises SpecError when they
        are wrong, and StartError: ``("already_started", pid)``, ``("shutdown", ("failed_to_start_child", id,
        reason))``. Returns None when `init` returned IGNORE.
        """
        args = cls._checked(args, kwargs)
        return super().start_link(*args, name=name, timeout=timeout, **kwargs)

    @classmethod
    def start(cls, *args: Term, name: Term = None, timeout: TimeoutArgument = None, **kwargs: Term) -> Pid | None:
        """Start the supervisor like `start_link`, without the link."""
        args = cls._checked(args, kwargs)
        return super().start(*args, name=name, timeout=timeout, **kwargs)

    @classmethod
    def _checked(cls, args: tuple[Term, ...], kwargs: dict[str, Term]) -> tuple[Term, ...]:
        """Return `args` for the new process; let wrong arguments fail at the call, before there is a process."""
        args = _without_iterators(args)
        if cls.init is SupervisorServer.init:
            try:
                cls._default_spec(*args, **kwargs)
            except SpecError as error:
                raise error.of_start() from None
        return args

    @staticmethod
    @abstractmethod
    def _default_spec(*args: Term, **kwargs: Term) -> SupervisorSpec | DynamicSupervisorSpec:
        """Make what `init` returns of the arguments of `start_link`. Raises SpecError."""

    def init(self, *args: Term, **kwargs: Term) -> Term:
        """Return the supervisor's spec, or IGNORE. A subclass may override this."""
        return self._default_spec(*args, **kwargs)

    @abstractmethod
    def _start_children(self, spec: Term) -> Term:
        """Start the children that `init` asked for; return what `init` of a server returns. Raises StartError."""

    def _begin_process(self, *args: Term, **kwargs: Term) -> Term:
        """Begin in the new process: run `init`, start the children."""
        flag(trap_exit=True)
        self._init_arguments = args, kwargs
        try:
            return self._start_children(self.init(*args, **kwargs))
        except SpecError as error:
            logger.error("%s cannot start: %s", type(self).__name__, error)  # the reason alone does not say what to do
            return Stop(error.start_reason)
        except StartError as error:
            return Stop(error.reason)

    def _become_server(self, then: Term) -> Term:
        """Refuse: a supervisor begins by starting its children."""
        raise TypeError("enter_loop() is for servers; a supervisor is started by its own start_link()")

    def _adopt(self, children: Children) -> None:
        """Keep `children`, and show them to observers."""
        self.kept = children
        self._show()

    def _show(self) -> None:
        children, intensity = self.kept, self.kept.intensity
        self.children = children.children
        self.strategy = children.strategy
        self.max_restarts = intensity.max_restarts
        self.max_seconds = intensity.max_seconds
        self.restart_times = intensity.times

    def handle_call(self, request: Term, caller: From) -> Term:
        """Serve a request. A caller on another node is answered with what travels there."""
        answer = self._serve(request)
        if caller.pid.node == 0:
            return answer
        answer_elsewhere(request, answer, caller)
        return NOREPLY

    def _serve(self, request: Term) -> Term:
        """Return the answer to a request; to one that may be refused it is a `Reply`."""
        kept = self.kept
        match tagged(request):
            case "which_children", ():
                return kept.which_children()
            case "count_children", ():
                return kept.count_children()
            case "start_child", (what,):
                return self._start_child(what)
            case "terminate_child", (key,):
                return kept.terminate_child(key)
            case "restart_child", (id,):
                return kept.restart_child(id)
            case "delete_child", (id,):
                return kept.delete_child(id)
            case "get_childspec", (key,):
                return kept.get_childspec(key)
        return "refused", ("unknown_request", request)

    def _start_child(self, what: Term) -> Term:
        if not issubclass(type(what), self.kept.accepts):
            return "failed", ("invalid_child_spec", what)
        if isinstance(what, ChildSpec):
            try:
                check_significant(what, self.kept.auto_shutdown)
            except SpecError as error:
                return "failed", error.reason
        return self.kept.start_child(what)

    def handle_cast(self, message: Term) -> None:
        """Treat a cast as any unexpected message: a supervisor takes none."""
        self.handle_info(message)

    def handle_info(self, message: Term) -> Term:
        """Handle the death of a child, or try a failed restart again."""
        if type(message) is Exit and issubclass(type(message.pid), Pid):
            self._handling_exit_of = message.pid
            goes_on = self.kept.exited(message.pid, message.reason)
        elif _is_retry(message):
            _, key, old, reason = message
            self._handling_exit_of = old
            goes_on = self.kept.try_again(key, old, reason)
        else:
            logger.error("a supervisor received an unexpected message: %s", render(message, 200))
            goes_on = True
        if goes_on:
            self._handling_exit_of = None
        return None if goes_on else Stop("shutdown")

    def shutdown_time(self) -> float:
        """Return the seconds that its tree may take to shut down, infinity for no limit. From the node's thread."""
        return self.kept.shutdown_time() if hasattr(self, "kept") else 0.0

    def terminate(self, reason: Term) -> None:
        """Stop every child."""
        self.kept.terminate_all()

    def code_change(self, old_version: Term, extra: Term) -> None:
        """Take the flags and the children that `init` returns now; called by `runtime.sys.change_code`.

        `init` is called again with the arguments of the start. A child whose id it returns gets the new spec, which
        counts from its next start. One with a new id is kept without being started, until `restart_child` starts it.
        One whose id it no longer returns goes on. `IGNORE` changes nothing. Semantics: OTP's supervisor.
        """
        args, kwargs = self._init_arguments
        try:
            spec = self.init(*isolate(args), **isolate(kwargs))
            if spec is not IGNORE:
                self._change_children(spec)
        except SpecError as error:
            raise ChangeRefused(("error", self._change_failure(error))) from error
        self._show()

    @abstractmethod
    def _change_children(self, spec: Term) -> None:
        """Take what `init` has returned to a change of the code. Raises ChangeRefused and changes nothing."""

    def _change_failure(self, error: SpecError) -> Term:
        """Return why a change of the code is refused whose `init` has made a wrong spec."""
        return error.reason

    def _saved_state(self) -> dict[str, Term]:
        """Return the attributes themselves: a change that is refused has changed nothing in what they hold."""
        return dict(vars(self))

    @classmethod
    def child_spec(cls, *args: Term, **kwargs: Term) -> ChildSpec:
        """Return the spec by which another supervisor starts this one: permanent, with all the time it needs to stop.

        Its id is the supervisor's name, of either kind, so that two with names stand under one supervisor.
        """
        spec = super().child_spec(*_without_iterators(args), **kwargs)
        return changed_spec(spec, id=id_from_name(kwargs.get("name"), spec.id))


def _is_retry(message: Term) -> bool:
    """Return whether a message may be the one by which a supervisor tells itself to try a restart again."""
    tag, items = tagged(message)
    if tag != TRY_AGAIN or len(items) != 3 or not (items[1] is None or issubclass(type(items[1]), Pid)):
        return False
    try:
        hash(items[0])
    except Exception:  # no child has such a key
        return False
    return True


def _without_iterators(args: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return `args` with lists in place of iterators, which could be read once: a check and each start read them."""
    return tuple([*arg] if isinstance(arg, Iterator) else arg for arg in args)
