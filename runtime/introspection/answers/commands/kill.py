"""Carries out `Exit`: sends an exit signal, and says what came of it."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.commands.read import Order
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.resolve import gone
from runtime.introspection.events.event_log import EventLog
from runtime.kernel.plain_greenlet import PlainGreenlet
from runtime.kernel.process import DEAD, OUTSIDE, Process
from runtime.kernel.signals import exit_signal
from runtime.terms.term import Term
from runtime.terms.text import reason_text


def carry_out(order: Order[wire.Exit], node: ObservedNode) -> wire.Done | wire.Failed:
    """Send an exit signal; to a process that holds the hub, by interrupting it."""
    process, reason = order.process, order.value
    done: wire.Done | wire.Failed = node.calls.in_hub(
        lambda: _signal(process, reason, node.log),
        while_waiting=lambda: node.interruptions.request(process, reason),
    )
    event = node.interruptions.take(process)
    if event is None:
        return done
    if process.state is DEAD or isinstance(process, PlainGreenlet):
        return wire.Done(sentence=f"Interrupted {process.pid}, which held the hub, and ended it.", event=event)
    sentence = f"Sent it to {process.pid}, which traps exits, holds the hub, and may never look at it; try kill."
    return wire.Done(sentence=sentence, event=event)


def _signal(process: Process, reason: Term, log: EventLog) -> wire.Done | wire.Failed:
    if process.state is DEAD:
        return gone(str(process.pid))
    event = log.add_kill(process, reason)
    if isinstance(process, PlainGreenlet):
        process.kill()
        return wire.Done(sentence=f"Raised GreenletExit in {process.pid}.", event=event)
    exit_signal(process, OUTSIDE, reason)
    text = f"Sent {reason_text(reason)} to {process.pid}"
    if process.state is not DEAD:
        if process.trap_exit:
            return wire.Done(sentence=f"{text}, which traps exits and has it as a message.", event=event)
        return wire.Done(sentence=f"{text}, which takes no notice of that reason.", event=event)
    return wire.Done(sentence=f"{text}.", event=event)
