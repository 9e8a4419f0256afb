"""Carries out `ControlChild`: starts, restarts, terminates or deletes a supervisor's child."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.commands.read import Order
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.reading.tree_path import child_text, children_of, is_dynamic
from runtime.introspection.threads.racy_read import values
from runtime.kernel.process import Pid
from runtime.supervision.child import Child
from runtime.supervision.requests import delete_child, restart_child, terminate_child
from runtime.terms.errors import CallError, StartError, SupervisorError
from runtime.terms.term import Term
from runtime.terms.text import reason_text, render

Outcome = wire.Done | wire.Failed


def carry_out(order: Order[wire.ControlChild], node: ObservedNode) -> Outcome:
    """Do it, in a process of its own, since the supervisor is asked as by any other process."""
    supervisor, command = order.process, order.command
    name = command.child_id
    kept = children_of(supervisor)
    if kept is None:
        return wire.Failed(why=f"{supervisor.pid} is no supervisor.", kind="bad_request")

    def work() -> Outcome:
        child = next((each for each in values(kept.children) if child_text(each) == name), None)
        if child is None:
            return wire.Failed(why=f"{supervisor.pid} has no child {render(name)}.", kind="noproc")
        node.log.add_action(supervisor, f"{command.action} of child {name} of")
        try:
            return _control(supervisor.pid, child, command)
        except SupervisorError as error:
            return wire.Failed(why=_refusal(name, error.reason), kind="bad_request")
        except StartError as error:
            return wire.Failed(why=f"{name} did not start: {node.log.shown(error.reason)}.")
        except CallError as error:
            return wire.Failed(why=f"The supervisor did not answer: {reason_text(error.reason)}.", kind="noproc")

    outcome: Outcome = node.calls.by_process(work)
    return outcome


def _control(supervisor: Pid, child: Child, command: wire.ControlChild) -> Outcome:
    name = command.child_id
    key = child.at if is_dynamic(child) else child.spec.id
    if is_dynamic(child) and command.action != "terminate":
        why = f"{name} has no id, as a dynamic supervisor's children have none: it can be terminated, or killed."
        return wire.Failed(why=why, kind="bad_request")
    match command.action:
        case "terminate":
            terminate_child(supervisor, key)
            return wire.Done(sentence=f"{name} has ended and is not restarted.")
        case "delete":
            delete_child(supervisor, key)
            return wire.Done(sentence=f"{name} is no child of {supervisor} any more.")
        case "restart" if child.at is not None:
            terminate_child(supervisor, key)
    started = restart_child(supervisor, key)
    return wire.Done(sentence=f"{name} was started, as {started}.")


def _refusal(name: str, reason: Term) -> str:
    match reason:
        case "running":
            return f"{name} is running; terminate it first."
        case "restarting":
            return f"{name} is being restarted; terminate it first."
        case "not_found":
            return f"{name} is no child of the supervisor any more."
    return f"The supervisor refused: {reason_text(reason)}."
