"""Carries out `Suspend` and `Resume`. All observers count as one suspender of a process."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.commands.read import Order
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.resolve import gone
from runtime.introspection.events.event_log import EventLog
from runtime.kernel import processes
from runtime.kernel.process import DEAD, Process

Outcome = wire.Done | wire.Failed


def suspend(order: Order[wire.Suspend], node: ObservedNode) -> Outcome:
    """Let a process run nothing until it is resumed."""
    outcome: Outcome = node.calls.in_hub(lambda: _suspend(order.process, node.log))
    return outcome


def resume(order: Order[wire.Resume], node: ObservedNode) -> Outcome:
    """Let a process that an observer has suspended run again."""
    outcome: Outcome = node.calls.in_hub(lambda: _resume(order.process, node.log))
    return outcome


def _suspend(process: Process, log: EventLog) -> Outcome:
    if process.state is DEAD:
        return gone(str(process.pid))
    if not _is_suspended_by_observers(process):
        processes.suspend(process.pid)
    event = log.add_action(process, "suspended")
    return wire.Done(sentence=f"{process.pid} runs nothing until it is resumed.", event=event)


def _resume(process: Process, log: EventLog) -> Outcome:
    if process.state is DEAD:
        return gone(str(process.pid))
    if not _is_suspended_by_observers(process):
        if process.suspended:
            return wire.Failed(why=f"{process.pid} was suspended by a process of the program, which must resume it.")
        return wire.Done(sentence=f"{process.pid} was not suspended.")
    processes.resume(process.pid)
    event = log.add_action(process, "resumed")
    return wire.Done(sentence=f"{process.pid} goes on.", event=event)


def _is_suspended_by_observers(process: Process) -> bool:
    """Return whether an observer has suspended a process: None among its suspenders stands for code in no process."""
    suspenders = process.suspenders
    return process.suspended and suspenders is not None and None in suspenders
