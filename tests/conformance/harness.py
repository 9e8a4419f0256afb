"""The vocabulary scenarios are written in: one log with a total order, logical names, and the transcripts' rendering.

A scenario is a function of one argument, the log. It runs as the process `main` of a fresh node; what it and its
actors log becomes its transcript, one compact JSON array a line. Values are rendered so that a BEAM and we agree:
a process by the logical name bound to it, a tuple like a list, an exception by its message.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import runtime
from runtime import (
    ANY,
    CallError,
    ChildSpec,
    Crash,
    Down,
    Exit,
    NoProcessError,
    Pid,
    ProcessExit,
    Ref,
    StartError,
    SupervisorError,
    alive,
    cast,
    count_children,
    demonitor,
    exit,
    flush,
    monitor,
    process_info,
    receive,
    self_,
    send,
    sleep,
    spawn,
    unlink,
    which_children,
)
from runtime.kernel.clock import MockClock, now, use_clock
from runtime.terms.errors import Unsuccessful

NOTHING = object()


class Log:
    """The transcript of one scenario: its lines so far, who is called what, and how often each id was started."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[Pid, str] = {}
        self._incarnations: defaultdict[str, int] = defaultdict(int)

    def __call__(self, *values: Any) -> None:
        """Record one event; it is in the transcript when this returns."""
        self.lines.append(json.dumps([render(self, value) for value in values], separators=(",", ":"), sort_keys=True))

    def bind(self, name: str, pid: Pid) -> Pid:
        """Call `pid` by `name` from here on; gives the pid back."""
        self.names[pid] = name
        return pid

    def incarnation(self, id: str) -> tuple[str, int]:
        """The name of the next start of `id`, `id#1` first, bound to the caller, and which start it is."""
        self._incarnations[id] += 1
        name = f"{id}#{self._incarnations[id]}"
        self.bind(name, self_())
        return name, self._incarnations[id]


_log = Log()


def log(*values: Any) -> None:
    """Record one event in the running scenario's log; for actors, which are not handed it."""
    _log(*values)


def current() -> Log:
    """The running scenario's log."""
    return _log


def play(scenario: Callable[[Log], None]) -> list[str]:
    """Run a scenario as the process `main` of a fresh node, on a clock that jumps when all wait; returns its lines."""
    global _log
    _log = Log()

    def main() -> list[str]:
        _log.bind("main", self_())
        scenario(_log)
        return [*_log.lines]  # what actors log while the node is stopped is not the scenario's any more

    with use_clock(MockClock()):
        lines: list[str] = runtime.run(main)
    return lines


def render(log: Log, value: Any) -> Any:
    """What stands for `value` in a transcript, as something JSON can hold."""
    match value:
        case None | bool() | int() | str():
            return value
        case Pid():
            return log.names.get(value, "<pid>")
        case Ref():
            return "<ref>"
        case Exit(pid, reason):
            return ["EXIT", render(log, pid), render(log, reason)]
        case Down(_, subject, reason):
            return ["DOWN", "<ref>", "process", render(log, who(subject)), render(log, reason)]
        case Crash():
            return {"error": value.message}
        case BaseException():
            return str(value)
        case (reason, (str() as module, str() as function, list() | tuple())) if module != "failed_to_start_child":
            return {"in": function, "reason": render(log, reason)}
        case dict():
            return {str(key): render(log, item) for key, item in value.items()}
        case list() | tuple():
            return [render(log, item) for item in value]
        case _ if callable(value):
            return "<fun>"
        case _:
            return f"!{type(value).__name__}"


def who(subject: Any) -> Any:
    """The subject of a DOWN as transcripts show it: a pid, or `("name", n)` for a monitor by name."""
    return ("name", subject) if isinstance(subject, str) else subject


# --- what a call comes to ---------------------------------------------------------------------------------------


def attempt(function: Callable[..., Any], *args: Any, none: Any = None, **kwargs: Any) -> Any:
    """`("ok", value)`, `("exit", reason)` or `("error", reason)`: how `function(*args, **kwargs)` ended.

    `none` stands for the value None, where OTP answers `true` or `ok` and Python says nothing.
    """
    try:
        value = function(*args, **kwargs)
    except CallError as error:
        return ("exit", error.exit_reason)
    except ProcessExit as error:
        return ("exit", error.reason)
    except Unsuccessful as error:
        return ("error", error.reason)
    except (ValueError, TypeError, NoProcessError, runtime.AlreadyRegisteredError):
        return ("error", "badarg")
    except Exception as error:
        return ("error", str(error))
    return ("ok", none if value is None else value)


def answer(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What OTP's function of the same name returns: `ok` where ours returns None, `("error", reason)` where it raises
    StartError or SupervisorError, else the value."""
    try:
        value = function(*args, **kwargs)
    except (StartError, SupervisorError) as error:
        return ("error", error.reason)
    return "ok" if value is None else value


def started(function: Callable[..., Pid | None], *args: Any, **kwargs: Any) -> Any:
    """What OTP's start function returns: `("ok", pid)`, `"ignore"` or `("error", reason)`."""
    try:
        pid = function(*args, **kwargs)
    except StartError as error:
        return ("error", error.reason)
    return "ignore" if pid is None else ("ok", pid)


# --- main's steps -----------------------------------------------------------------------------------------------


def settle(ms: float = 60) -> None:
    """Let what was sent so far be handled."""
    sleep(ms / 1000)


def within(started_at: float, low: float, high: float) -> str:
    """Whether from low to high milliseconds passed since `started_at`, a value of `now()`."""
    passed = (now() - started_at) * 1000
    if passed < low:
        return "too_early"
    return "on_time" if passed <= high else "too_late"


def mailbox() -> list[Any]:
    """All messages that wait for the caller, which takes them."""
    return flush()


def await_down(ref: Ref, timeout: float = 5) -> Any:
    """Wait for the DOWN of that monitor; returns its reason."""
    return receive(lambda m: isinstance(m, Down) and m.ref == ref, timeout=timeout).reason


def down_after(pid: Pid, cause: Callable[[], Any]) -> Any:
    """Monitor `pid`, let `cause` happen, wait for the DOWN; returns its reason."""
    ref = monitor(pid)
    cause()
    return await_down(ref)


def crash(sup: Pid | str, id: str, reason: Any = "boom") -> None:
    """Let the child with that id stop with a reason, and what follows happen."""
    cast(child(sup, id), ("stop", reason))
    settle()


def child(sup: Pid | str, id: str) -> Pid:
    """The pid of the running child with that id."""
    (pid,) = (info.pid for info in which_children(sup) if info.id == id)
    assert isinstance(pid, Pid), f"{id} does not run: {pid}"
    return pid


def kids(sup: Pid | str) -> list[tuple[Any, Any]]:
    """(id, pid or None or "restarting") of each child, in the order of which_children."""
    return [(info.id, info.pid) for info in which_children(sup)]


def counts(sup: Pid | str) -> dict[str, int]:
    """count_children as a plain dict."""
    return dict(count_children(sup))


def stop_sup(sup: Pid) -> None:
    """End a supervisor the caller started with an exit signal `shutdown` and log why it ended."""
    ref = monitor(sup)
    unlink(sup)
    exit(sup, "shutdown")
    log("main", "sup_down", await_down(ref))


def kill(pid: Pid) -> None:
    """Unlink and kill a process, and wait until it is gone."""
    unlink(pid)
    if alive(pid):
        down_after(pid, lambda: exit(pid, "kill"))


def idle(name: str, spawn: Callable[..., Pid] = spawn, **options: Any) -> Pid:
    """Start a process with that logical name that waits in receive and runs each function it is sent."""
    return current().bind(name, spawn(_obey, **options))


def ask(pid: Pid, function: Callable[[], Any]) -> Any:
    """Have an idle process run a function; returns what it returned there."""
    asker, ref = self_(), monitor(pid)
    send(pid, lambda: send(asker, ("answer", ref, function())))
    _, _, value = receive(("answer", ref, ANY), timeout=5)
    demonitor(ref, flush=True)
    return value


def exits(pid: Pid, reason: Any) -> Any:
    """Have an idle process exit by itself; returns the reason a monitor saw, when all it caused is over."""
    seen = down_after(pid, lambda: send(pid, lambda: exit(reason)))
    settle(10)
    return seen


def info(pid: Pid, item: str) -> Any:
    """One item of a living process's process_info."""
    found = process_info(pid, item)
    assert found is not None
    return found[item]


def _obey() -> None:
    while True:
        receive(callable)()


def shown(values: Iterable[Any]) -> list[Any]:
    """A list of values as transcripts show them, sorted."""
    return sorted((render(current(), value) for value in values), key=json.dumps)


def spec(id: str, start: tuple[Any, ...], **options: Any) -> ChildSpec:
    """A child spec with the scenarios' defaults: permanent, worker, shutdown 5 s, not significant."""
    return ChildSpec(id=id, start=start, **options)
