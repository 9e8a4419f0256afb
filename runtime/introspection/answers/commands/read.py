"""Reads a command: what its literal says, whom it is for, and whether it may be carried out at all."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar, cast

from runtime.introspection import wire
from runtime.introspection.answers.literal import LiteralError, read_literal
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.resolve import RefusedError, addressee
from runtime.kernel.plain_greenlet import PlainGreenlet
from runtime.kernel.process import Process
from runtime.terms.term import Term

C = TypeVar("C", bound=wire.Query)


class Order(NamedTuple, Generic[C]):
    """What an observer wants done: the command, the process it is for, and the value of its literal, if it has one."""

    command: C
    process: Process
    value: Term = None


def refuse_when_read_only(node: ObservedNode) -> None:
    """Raise RefusedError on a node where observers change nothing."""
    if node.permissions.read_only:
        why = "This node is read-only: it can be watched, and nothing else."
        raise RefusedError(wire.Failed(why=why, kind="read_only"))


def read_order(command: wire.Query, node: ObservedNode) -> Order[wire.Query]:
    """Return what is to be done. Raises RefusedError for what may not be done, or makes no sense."""
    refuse_when_read_only(node)
    pid = cast(str, getattr(command, "supervisor", None) or getattr(command, "pid", ""))
    process = addressee(pid, node, with_remains=isinstance(command, wire.Exit))
    value: Term = None
    try:
        match command:
            case wire.Exit():
                value = read_literal(command.reason, "reason")
            case wire.Send():
                value = read_literal(command.message, "message")
    except LiteralError as problem:
        raise RefusedError(wire.Failed(why=str(problem), kind="bad_request")) from None
    if isinstance(process, PlainGreenlet) and not (isinstance(command, wire.Exit) and value == "kill"):
        why = f"{process.pid} is a greenlet and no process: it takes no messages or signals, and can only be killed."
        raise RefusedError(wire.Failed(why=why, kind="bad_request"))
    return Order(command, process, value)
