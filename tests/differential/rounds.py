"""Programs that go round and round through the runtime: code of theirs, which it calls, calls it again.

``python -m tests.differential.rounds ROUND LIMIT KIB DEPTH`` sets the recursion limit, runs one round in a thread of so
many KiB of stack (0: in the main thread), so many calls deep, and prints how it ends, and whether the node goes on.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

from runtime import (
    Down,
    GenServer,
    Pid,
    call,
    cast,
    demonitor,
    exit,
    link,
    monitor,
    receive,
    register,
    run,
    self_,
    send,
    send_after,
    spawn,
    spawn_monitor,
)

Step = Callable[[Any], Any]


class Value:
    """A value that calls the runtime in the middle of each copy, which copies the next one."""

    def __init__(self, step: Step) -> None:
        self.step = step


class Deep(Value):
    def __deepcopy__(self, memo: Any) -> Deep:
        self.step(Deep(self.step))
        return self


class Reduced(Value):
    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        self.step(Reduced(self.step))
        return Reduced, (self.step,)


class Stateful(Value):
    def __getstate__(self) -> dict[str, Any]:
        self.step(Stateful(self.step))
        return {}


class Missing(Value):
    __slots__ = ("none",)

    def __getattr__(self, name: str) -> Any:
        if name == "none":
            self.step(Missing(self.step))
        raise AttributeError(name)


class Server(GenServer):
    """Takes anything."""

    def init(self, *arguments: Any) -> None:
        del arguments

    def handle_call(self, request: Any, caller: Any) -> Any:
        return request


too_deep: list[BaseException] = []
"""What `predicate` has met: a pattern that raises does not match, so nobody else hears of it."""


def predicate(message: Any) -> Any:
    """Receive again, as a pattern."""
    del message
    if too_deep:
        return False
    try:
        return receive(predicate, timeout=0, default=False)
    except RecursionError as error:
        too_deep.append(error)
        raise


def received(value: Any) -> None:
    """Use a pattern that receives."""
    del value
    send(self_(), "")
    receive(predicate, timeout=0, default=None)
    raise too_deep[0]


def steps(sink: Pid) -> dict[str, Step]:
    """Return the calls that may be part of a round, by name."""
    server = Server.start()
    assert server is not None
    return {
        "send": lambda value: send(sink, value),
        "send to itself": lambda value: send(self_(), value),
        "send to a name": lambda value: send("sink", value),
        "cast": lambda value: cast(server, value),
        "call": lambda value: call(server, value),
        "exit": lambda value: exit(sink, value),
        "send_after": lambda value: send_after(sink, value, 10.0),
        "spawn": lambda value: (spawn(send, sink, 1), send(sink, value)),
        "monitor": lambda value: (demonitor(monitor(sink)), send(sink, value)),
        "link": lambda value: (link(sink), send(sink, value)),
        "receive": received,
    }


KINDS = {"": Deep, "reduced ": Reduced, "stateful ": Stateful, "missing ": Missing}

ROUNDS = (
    *("send", "send to itself", "send to a name", "cast", "call", "exit", "send_after", "spawn", "monitor", "link"),
    *("reduced send", "stateful send", "missing send"),
)
"""Names of rounds: a kind of value, and the call that copies it."""


def go(name: str) -> str:
    """Go round until it ends, and say how."""
    sink = spawn(receive, "never")
    register("sink", sink)
    for kind, make in KINDS.items():
        step = steps(sink).get(name.removeprefix(kind)) if name.startswith(kind) else None
        if step is not None:
            try:
                step(make(step))
            except RecursionError:
                return "RecursionError"
            return "ended"
    raise ValueError(name)


def nested(wrap: Step, value: Any, depth: int) -> str:
    """Copy containers in containers, many more than the C stack has room for."""
    for _ in range(depth):
        value = wrap(value)
    try:
        send(spawn(receive, "never"), value)
    except RecursionError:
        return "RecursionError"
    return "sent"


CONTAINERS: dict[str, Step] = {"nested": lambda value: (value,), "nested list": lambda value: [value]}


def at_depth(depth: int, name: str) -> str:
    """Go round, so many calls deep on the C stack."""
    if depth:
        return next(map(at_depth, [depth - 1], [name]))
    return nested(CONTAINERS[name], [], 100_000) if name in CONTAINERS else go(name)


def main(name: str, depth: int) -> None:
    print(at_depth(depth, name))
    spawn_monitor(exit, "well")
    print(receive(Down, timeout=30).reason)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sys.setrecursionlimit(int(sys.argv[2]))
    if int(sys.argv[3]):
        threading.stack_size(int(sys.argv[3]) * 1024)
        thread = threading.Thread(target=run, args=(main, sys.argv[1], int(sys.argv[4])))
        thread.start()
        thread.join()
    else:
        run(main, sys.argv[1], int(sys.argv[4]))
