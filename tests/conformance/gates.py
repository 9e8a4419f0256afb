"""Points at which a scenario holds its actors, and requests that main does not wait for.

With these a scenario decides what happens while a process is busy, without a word about time: the process stands at its
gate, main does what it wants to do meanwhile, and opens.
"""

from collections.abc import Callable
from typing import Any

from runtime import ANY, Pid, receive, self_, send, spawn
from tests.conformance.harness import attempt, current, settle


def gate(name: Any) -> Any:
    """Tell main that `name` stands here, and wait; gives the verdict it is let through with."""
    send(_main(), ("at_gate", name, self_()))
    _, verdict = receive(("gate_open", ANY))
    return verdict


def held(name: Any) -> Pid:
    """Wait until `name` stands at its gate; gives the process."""
    _, _, pid = receive(("at_gate", name, Pid), timeout=5)
    assert isinstance(pid, Pid)
    return pid


def release(pid: Pid, verdict: Any) -> None:
    """Let a process that stands at its gate through."""
    send(pid, ("gate_open", verdict))


def open_gate(name: Any, verdict: Any) -> None:
    """Wait until `name` stands at its gate, and let it through."""
    release(held(name), verdict)


def client(tag: str, request: Callable[[], Any]) -> None:
    """Make a request from a process of its own; `outcome(tag)` waits for what `attempt` makes of it."""
    spawn(lambda: send(_main(), ("outcome", tag, attempt(request))))
    settle()


def outcome(tag: str) -> Any:
    """Wait for what came of a client's request."""
    _, _, result = receive(("outcome", tag, ANY), timeout=5)
    return result


def _main() -> Pid:
    return named("main")


def named(name: str) -> Pid:
    """The process with that logical name."""
    (pid,) = (pid for pid, known in current().names.items() if known == name)
    return pid
