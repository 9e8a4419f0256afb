"""The processes that scenarios are played with: Worker and Sup under supervisors, Srv and Plain alone."""

from typing import Any

from runtime import (
    IGNORE,
    NOREPLY,
    ChildSpec,
    GenServer,
    Pid,
    Stop,
    Supervisor,
    SupervisorSpec,
    exit,
    flag,
    self_,
    sleep,
    unlink,
)
from tests.conformance.gates import gate
from tests.conformance.harness import current, info, log


class Fault(Exception):
    """What a callback raises when a scenario says `error R`; its message is R."""


class Actor(GenServer):
    """A server whose init is known not to ignore, so that starting it always gives a pid."""

    @classmethod
    def start(cls, *args: Any, **options: Any) -> Pid:
        return running(super().start(*args, **options))

    @classmethod
    def start_link(cls, *args: Any, **options: Any) -> Pid:
        return running(super().start_link(*args, **options))


def running(pid: Pid | None) -> Pid:
    """The pid of a server that did not choose to be ignored."""
    assert pid is not None
    return pid


class Worker(GenServer):
    """A server for supervisors' children: each start takes the next incarnation name and logs what it does.

    Options: `trap` (default True), `init` (a list: what the n-th start does) and `then` (what later ones do), `quiet`,
    `term_delay` (seconds), `term_gate` (wait there for main), `term_exit` (a reason). What a start does: `"ok"`,
    `"ignore"`, `("stop", R)`, `("error", R)`, `("exit", R)`, `("delay", seconds)`, `"gate"` (what main then says).
    """

    def init(self, id: str, options: dict[str, Any]) -> Any:
        flag(trap_exit=options.get("trap", True))
        self.name, nth = current().incarnation(id)
        self.options = options
        behaviours = options.get("init", [])
        behaviour = behaviours[nth - 1] if nth <= len(behaviours) else options.get("then", "ok")
        return self._begin(behaviour)

    def _begin(self, behaviour: Any) -> Any:
        match behaviour:
            case "gate":
                log(self.name, "init_begin")
                return self._begin(gate(self.name))
            case "ok":
                log(self.name, "start")
            case "delay", seconds:
                log(self.name, "init_begin")
                sleep(seconds)
                log(self.name, "start")
            case _:
                log(self.name, "init", behaviour)
        match behaviour:
            case "ignore":
                return IGNORE
            case "stop", reason:
                return Stop(reason)
            case "error", reason:
                raise Fault(reason)
            case "exit", reason:
                exit(reason)
        return None

    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case "ping":
                return "pong"
            case "name":
                return self.name
            case "unlink_from_parent":
                unlink(info(self_(), "parent"))
                return "ok"
            case _:
                raise Fault(request)

    def handle_cast(self, message: Any) -> Any:
        match message:
            case "stop", reason:
                return Stop(reason)
            case "error", reason:
                raise Fault(reason)
            case _:
                log(self.name, "info", message)
        return None

    def handle_info(self, message: Any) -> None:
        log(self.name, "info", message)

    def terminate(self, reason: Any) -> None:
        if not self.options.get("quiet"):
            log(self.name, "terminate", reason)
        if "term_delay" in self.options:
            sleep(self.options["term_delay"])
            log(self.name, "cleanup_done")
        if self.options.get("term_gate"):
            gate(self.name)
            log(self.name, "cleanup_done")
        if "term_exit" in self.options:
            exit(self.options["term_exit"])


def worker(
    id: str, *, restart: Any = "permanent", shutdown: Any = 5.0, significant: Any = False, **options: Any
) -> ChildSpec:
    """A child spec of a Worker; `options` are the Worker's."""
    return ChildSpec(
        id=id, start=(Worker.start_link, id, options), restart=restart, shutdown=shutdown, significant=significant
    )


class Sup(Supervisor):
    """A supervisor whose every start takes the next incarnation name and logs it."""

    def init(self, arg: tuple[str, list[Any], dict[str, Any]]) -> SupervisorSpec:
        id, children, flags = arg
        name, _ = current().incarnation(id)
        log(name, "init")
        return SupervisorSpec(children, **{"max_restarts": 1, "max_seconds": 5.0, **flags})


def start_sup(id: str, children: list[Any], *, name: str | None = None, **flags: Any) -> Pid:
    """Start a Sup linked to the caller; `flags` are SupervisorSpec's, intensity 1 in 5 s where they say nothing."""
    pid = Sup.start_link((id, children, flags), name=name)
    assert pid is not None
    return pid


def sup_spec(
    id: str,
    children: list[Any],
    *,
    restart: Any = "permanent",
    shutdown: Any = "infinity",
    significant: bool = False,
    **flags: Any,
) -> ChildSpec:
    """A child spec of a Sup; `flags` are SupervisorSpec's."""
    return ChildSpec(
        id=id,
        start=(Sup.start_link, (id, children, flags)),
        restart=restart,
        shutdown=shutdown,
        type="supervisor",
        significant=significant,
    )


class Srv(Actor):
    """A server whose requests say what it shall do; it starts with the state 0 and logs under its name."""

    def init(self, name: str, options: dict[str, Any] | None = None) -> Any:
        current().bind(name, self_())
        self.name = name
        self.options = options or {}
        self.state = 0
        if "trap" in self.options:
            flag(trap_exit=self.options["trap"])
        return self.options.get("init")

    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case "ping":
                return "pong"
            case "get":
                return self.state
            case "stop", reason:
                return Stop(reason)
            case "stop", reason, farewell:
                return Stop(reason, reply=farewell)
            case "sleep", seconds, value:
                sleep(seconds)
                return value
            case "error" | "exit", _:
                _fail(request)
        return NOREPLY

    def handle_cast(self, message: Any) -> Any:
        match message:
            case "stop", reason:
                return Stop(reason)
            case "error" | "exit", _:
                _fail(message)
            case "inc":
                self.state += 1
            case "set", value:
                self.state = value
            case _:
                log(self.name, "cast", message)
        return None

    def handle_info(self, message: Any) -> Any:
        log(self.name, "info", message)

    def handle_continue(self, term: Any) -> Any:
        log(self.name, "continue", term)

    def terminate(self, reason: Any) -> None:
        log(self.name, "terminate", reason)


class Plain(Actor):
    """A minimal server that holds one value, its start argument, and logs under `srv` or the name it is bound to."""

    def init(self, state: Any) -> None:
        self.state = state

    @property
    def name(self) -> str:
        """The logical name of the process this runs in."""
        return current().names.get(self_(), "srv")

    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case "get":
                return self.state
            case "set", value:
                old, self.state = self.state, value
                return ("was", old)
            case "stop", reason:
                return Stop(reason)
            case "eval", function:
                return function()
            case "error" | "exit", _:
                _fail(request)
        return NOREPLY

    def handle_cast(self, message: Any) -> Any:
        match message:
            case "set", value:
                self.state = value
            case "add", number:
                self.state += number
            case "log", value:
                log(self.name, "cast", value)
            case "stop", reason:
                return Stop(reason)
            case "error" | "exit", _:
                _fail(message)
        return None

    def handle_info(self, message: Any) -> None:
        log(self.name, "info", message)

    def code_change(self, old: Any, extra: Any) -> None:
        self.state = ("changed", old, self.state, extra)

    def terminate(self, reason: Any) -> None:
        log(self.name, "terminate", reason, ("state", self.state))


def _fail(request: tuple[str, Any]) -> None:
    kind, reason = request
    if kind == "exit":
        exit(reason)
    raise Fault(reason)
