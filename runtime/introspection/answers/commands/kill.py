"""Carries out `Exit`: sends an exit signal, and says what came of it rather than what was sent.

A process may be dead and still have frames that run: a `finally` that takes its time, or one that swallows its kill.
These remains can be killed again, which stops them.
"""

from __future__ import annotations

import time

from runtime.introspection import wire
from runtime.introspection.answers.commands.read import Order
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.resolve import gone
from runtime.introspection.reading.stack import place_in_code
from runtime.kernel.plain_greenlet import PlainGreenlet
from runtime.kernel.process import DEAD, OUTSIDE, Process
from runtime.kernel.signals import exit_signal
from runtime.kernel.threads import sleep
from runtime.terms.reason import is_atom
from runtime.terms.term import Term
from runtime.terms.text import reason_text

SETTLES_WITHIN = 0.5
"""Seconds that are waited for the frames of a killed process to end, before they are said to run on."""

PERIOD = 0.01
"""Seconds between two looks at them."""


def carry_out(order: Order[wire.Exit], node: ObservedNode) -> wire.Done | wire.Failed:
    """Send an exit signal; to a process that holds the hub, by interrupting it."""
    process, reason = order.process, order.value
    if process.state is DEAD:
        return _kill_again(process, node)
    if isinstance(process, PlainGreenlet) and process.is_main:
        why = f"{process.pid} is the main greenlet, in which the program runs. To end the program, send it SIGTERM."
        return wire.Failed(why=why, kind="unsupported")
    sent: wire.Done | wire.Failed = node.calls.in_hub(
        lambda: _signal(process, reason, node),
        while_waiting=lambda: node.interruptions.request(process, reason),
    )
    event = node.interruptions.take(process)
    if event is not None:
        if process.state is not DEAD and not isinstance(process, PlainGreenlet):
            sentence = (
                f"Sent it to {process.pid}, which traps exits, holds the hub, and may never look at it; try kill."
            )
            return wire.Done(sentence=sentence, event=event)
        return wire.Done(sentence=_what_became_of(process, reason, "It held the hub and was interrupted."), event=event)
    if isinstance(sent, wire.Failed) or sent.sentence:
        return sent
    return wire.Done(sentence=_what_became_of(process, reason), event=sent.event)


def _signal(process: Process, reason: Term, node: ObservedNode) -> wire.Done | wire.Failed:
    """Send it; the answer has a sentence only where the process lives on."""
    if process.state is DEAD:
        return gone(str(process.pid))
    event = node.log.add_kill(process, reason)
    if isinstance(process, PlainGreenlet):
        node.greenlets.expect_end(process)
        process.kill()
        return wire.Done(event=event)
    exit_signal(process, OUTSIDE, reason)
    if process.state is DEAD:
        return wire.Done(event=event)
    text = f"Sent {reason_text(reason)} to {process.pid}"
    if process.trap_exit:
        return wire.Done(sentence=f"{text}, which traps exits and has it as a message.", event=event)
    return wire.Done(sentence=f"{text}, which takes no notice of that reason.", event=event)


def _what_became_of(process: Process, reason: Term, how: str = "") -> str:
    """Say whether a process that was killed is gone, or is still cleaning up."""
    done = f"Killed {process.pid}" if is_atom(reason, "kill") else f"Ended {process.pid} with {reason_text(reason)}"
    deadline = time.monotonic() + SETTLES_WITHIN
    while not _is_over(process) and time.monotonic() < deadline:
        sleep(PERIOD)
    if not _is_over(process):
        what = "it is still cleaning up" if isinstance(process, PlainGreenlet) else _remains_text(process)
        done = f"{done}: {what}"
    return f"{done}. {how}".rstrip()


def _is_over(process: Process) -> bool:
    """Return whether nothing of it runs any more."""
    if isinstance(process, PlainGreenlet):
        return process.worker is None or process.worker.dead
    return process.worker is None


def _remains_text(process: Process) -> str:
    where = _place_of(process)
    return f"it has ended for all others, and its frames are still cleaning up{where}; kill it again to stop them"


def _place_of(process: Process) -> str:
    """Return where the frames of a process are, as words that follow others; empty when that is not known."""
    place = place_in_code(process)
    return f" at {place}" if place else ""


def _kill_again(process: Process, node: ObservedNode) -> wire.Done | wire.Failed:
    """Stop the frames of a process that has ended."""
    where = _place_of(process)

    def stop() -> wire.Done:
        scheduler = node.node.scheduler
        if scheduler.remains.stop(process):
            end = "they have ended now"
        elif process in scheduler.remains:  # they have swallowed the exception, and wait for something again
            end = "they wait again, and are interrupted from time to time"
        else:
            end = "they are not run any more"
        event = node.log.add_action(process, "stopped the frames of")
        text = f"{process.pid} had ended already; its frames were still running{where}: {end}."
        return wire.Done(sentence=text, event=event)

    done: wire.Done | wire.Failed = node.calls.in_hub(stop)
    return done
