"""Answers the questions of a console: opens it, evaluates, shows what came of it, completes, interrupts."""

from __future__ import annotations

import time
from typing import Any

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.commands import kill
from runtime.introspection.answers.commands.read import Order
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.resolve import RefusedError
from runtime.introspection.console.console import Console, syntax_report
from runtime.introspection.console.vocabulary import vocabulary
from runtime.introspection.threads.pace import Pace
from runtime.kernel.process import DEAD
from runtime.kernel.threads import sleep

LONGEST_WAIT = 1.0
"""Seconds for which a reader may wait for something new."""

PERIOD = 0.005
"""Seconds between two looks for something new."""

Answer = wire.ConsoleState | wire.Failed


def open_console(query: wire.OpenConsole, node: ObservedNode, client: ClientCache, pace: Pace) -> Answer:
    """Open this client's console, or answer how the one is doing that it has."""
    if node.permissions.read_only:
        raise _refused("This node is read-only: it can be watched, and has no console.")
    if not node.permissions.state:
        raise _refused("This node does not show what processes hold (--no-state), and a console would.")
    if client.console is None:
        names = vocabulary()  # here, since it loads modules, which would hold the hub for a while
        opened = node.calls.in_hub(lambda: _open(node, names))
        if isinstance(opened, wire.Failed):
            return opened
        client.console = opened
    return _state(client.console, client.console.transcript.last)


def evaluate(query: wire.Evaluate, node: ObservedNode, client: ClientCache, pace: Pace) -> Answer:
    """Have the console evaluate what was typed. The answer does not wait for what comes of it."""
    console = _console(client)
    after = console.transcript.last
    try:
        program = console.compile(query.source)
    except (SyntaxError, ValueError) as error:
        console.transcript.write("error", syntax_report(error))
        return _state(console, after)
    begun = node.calls.in_hub(lambda: console.evaluate(program))
    if isinstance(begun, wire.Failed):
        return begun
    if not begun:
        return wire.Failed(why="The console is still busy with what was typed before: interrupt it.", kind="error")
    return _state(console, after)


def read_console(query: wire.ReadConsole, node: ObservedNode, client: ClientCache, pace: Pace) -> Answer:
    """Answer what is new in the console. With `wait`, answers when there is something or the evaluation is over."""
    console = _console(client)
    deadline = time.monotonic() + min(query.wait, LONGEST_WAIT)
    while console.evaluating and console.transcript.last <= query.after and time.monotonic() < deadline:
        sleep(PERIOD)
    return _state(console, query.after)


def complete(query: wire.CompleteConsole, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.AnyAnswer:
    """Answer with what a name can be completed to."""
    console = _console(client)
    found = node.calls.by_process(lambda: console.completions(query.text), limit=LONGEST_WAIT)
    return found if isinstance(found, wire.Failed) else wire.Completions(words=tuple(found))


def interrupt(query: wire.InterruptConsole, node: ObservedNode, client: ClientCache, pace: Pace) -> Answer:
    """End what the console evaluates, also when it holds the hub."""
    console = _console(client)
    process = console.process
    if console.evaluating and process is not None and process.state is not DEAD:
        done = kill.carry_out(Order(wire.Exit(pid=str(process.pid)), process, "kill"), node)
        if isinstance(done, wire.Failed):
            return done
    return _state(console, console.transcript.last)


def close_console(node: ObservedNode, client: ClientCache) -> None:
    """Close the console of a client that has left, if it had one. From any thread."""
    console = client.console

    def close() -> None:
        if console in node.consoles:
            node.consoles.remove(console)
            console.close()

    if console is not None:
        node.node.call_soon_threadsafe(close)


def _open(node: ObservedNode, names: dict[str, Any]) -> Console:
    console = Console(node.node, names)
    console.open()
    node.consoles.append(console)
    assert console.process is not None
    node.log.add_action(console.process, "opened a console:")
    return console


def _console(client: ClientCache) -> Console:
    if client.console is None:
        raise RefusedError(wire.Failed(why="This observer has opened no console.", kind="bad_request"))
    return client.console


def _refused(why: str) -> RefusedError:
    return RefusedError(wire.Failed(why=why, kind="read_only"))


def _state(console: Console, after: int) -> wire.ConsoleState:
    evaluating = console.evaluating  # first: what an evaluation shows is there before it is over
    last, dropped, texts = console.transcript.after(after)
    process = console.process
    return wire.ConsoleState(
        pid="" if process is None else str(process.pid),
        evaluating=evaluating,
        evaluations=console.evaluations,
        last=last,
        dropped=dropped,
        texts=texts,
    )
