"""Carries out `Send`: a plain message, a cast, or a call whose reply is shown."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.commands.read import Order
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.resolve import gone
from runtime.kernel.mailbox import send
from runtime.kernel.process import DEAD, Process
from runtime.otp.calls import call, cast
from runtime.terms.errors import CallError
from runtime.terms.term import Term
from runtime.terms.text import render

CALL_TIMEOUT = 2.5
"""Seconds that a call sent by an observer waits for its reply."""

MAX_REPLY_TEXT = 10_000
"""Longest text of a reply, in characters."""

Outcome = wire.Done | wire.Failed


def carry_out(order: Order[wire.Send], node: ObservedNode) -> Outcome:
    """Send the message; a call waits for its reply."""
    process, message, via = order.process, order.value, order.command.via
    sent: Outcome = node.calls.in_hub(lambda: _deliver(process, message, via, node))
    if via != "call" or isinstance(sent, wire.Failed):
        return sent
    replied: Outcome = node.calls.by_process(lambda: _call(process, message, sent.event, node))
    return replied


def _deliver(process: Process, message: Term, via: str, node: ObservedNode) -> Outcome:
    """Log it, and send what waits for no reply."""
    if process.state is DEAD:
        return gone(str(process.pid))
    text = render(message, 200) if node.permissions.state else "a message"
    event = node.log.add_action(process, f"sent {text} by {via} to")
    if via == "cast":
        cast(process.pid, message)
    elif via == "send":
        send(process.pid, message)
    return wire.Done(sentence=f"Sent it to {process.pid}.", event=event)


def _call(process: Process, message: Term, event: int | None, node: ObservedNode) -> Outcome:
    try:
        reply = call(process.pid, message, timeout=CALL_TIMEOUT)
    except CallError as error:
        if error.reason == "timeout":
            why = f"{process.pid} did not reply within {CALL_TIMEOUT:g} seconds."
            return wire.Failed(why=why, kind="timeout")
        return wire.Failed(why=f"{process.pid} did not reply: {node.log.shown(error.reason)}.")
    return wire.Done(sentence=f"{process.pid} replied.", value=render(reply, MAX_REPLY_TEXT), event=event)
