"""Actions: what an observer may do to a node, carried out in the hub. A node that is read-only refuses them all."""

from __future__ import annotations

from typing import Any

from runtime.introspection import wire
from runtime.introspection.answers.literal import LiteralProblem, read_literal
from runtime.introspection.answers.resolve import addressee, gone
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.events.greenlets import Greenlets
from runtime.introspection.reading.tree_path import child_text, children_of, is_dynamic
from runtime.introspection.threads.node_calls import NodeCalls
from runtime.kernel.mailbox import send
from runtime.kernel.node import Node
from runtime.kernel.plain_greenlet import PlainGreenlet
from runtime.kernel.process import DEAD, OUTSIDE, Process
from runtime.kernel.processes import resume, suspend
from runtime.kernel.signals import exit_signal
from runtime.otp.calls import call, cast
from runtime.preemption.watchdog import Watchdog
from runtime.supervision.child import Child
from runtime.supervision.requests import delete_child, restart_child, terminate_child
from runtime.terms.errors import CallError, StartError, SupervisorError
from runtime.terms.text import reason_text, render

CALL_TIMEOUT = 2.5
"""Seconds that a call sent by an observer waits for its reply."""

Command = wire.Exit | wire.Suspend | wire.Resume | wire.Send | wire.ControlChild
Answer = wire.Done | wire.Failed


class Actions:
    """Carries out the commands of observers."""

    def __init__(self, node: Node, watchdog: Watchdog, log: EventLog, greenlets: Greenlets, read_only: bool) -> None:
        self.node = node
        self.read_only = read_only
        self._watchdog = watchdog
        self._log = log
        self._greenlets = greenlets
        self._errands = NodeCalls(node, watchdog)
        self._interrupted: dict[Process, int] = {}

    def carry_out(self, command: Command) -> Answer:
        """Do what an observer asks for. From any thread; returns within a few seconds."""
        if self.read_only:
            return wire.Failed(why="This node is read-only: it can be watched, and nothing else.", kind="read_only")
        pid = command.supervisor if isinstance(command, wire.ControlChild) else command.pid
        process = addressee(pid, self._greenlets)
        if isinstance(process, wire.Failed):
            return process
        try:
            if isinstance(process, PlainGreenlet):
                return self._to_greenlet(process, command)
            match command:
                case wire.Exit():
                    return self._exit(process, read_literal(command.reason, "reason"))
                case wire.Suspend():
                    return self._in_hub(lambda: self._suspend(process))
                case wire.Resume():
                    return self._in_hub(lambda: self._resume(process))
                case wire.Send():
                    return self._send(process, read_literal(command.message, "message"), command.via)
                case wire.ControlChild():
                    return self._control(process, command)
        except LiteralProblem as problem:
            return wire.Failed(why=str(problem), kind="bad_request")

    def _in_hub(self, function: Any) -> Answer:
        answer: Answer = self._errands.in_hub(function)
        return answer

    # -- Greenlets that are no processes ----------------------------------------------------------------------------

    def _to_greenlet(self, record: PlainGreenlet, command: Command) -> Answer:
        """Kill it, which is all that can be done to it."""
        if isinstance(command, wire.Exit) and read_literal(command.reason, "reason") == "kill":
            return self._exit(record, "kill")
        why = f"{record.pid} is a greenlet and no process: it takes no messages and no signals, and can only be killed."
        return wire.Failed(why=why, kind="bad_request")

    # -- Exit signals -----------------------------------------------------------------------------------------------

    def _exit(self, process: Process, reason: Any) -> Answer:
        """Send an exit signal; to a process that holds the hub, by interrupting it."""

        def interrupt() -> bool:
            watchdog = self._watchdog
            if watchdog.busy_with is process and process not in self._interrupted:
                watchdog.interruption.request(process, reason, self._tell_interruption)
            return process in self._interrupted

        done: Answer = self._errands.in_hub(lambda: self._signal(process, reason), while_waiting=interrupt)
        event = self._interrupted.pop(process, None)
        if event is None:
            return done
        if process.state is DEAD or isinstance(process, PlainGreenlet):
            return wire.Done(sentence=f"Interrupted {process.pid}, which held the hub, and ended it.", event=event)
        sentence = f"Sent it to {process.pid}, which traps exits, holds the hub, and may never look at it; try kill."
        return wire.Done(sentence=sentence, event=event)

    def _signal(self, process: Process, reason: Any) -> Answer:
        if process.state is DEAD:
            return gone(str(process.pid))
        event = self._log.add_kill(process, reason)
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

    def _tell_interruption(self, process: Process, reason: Any) -> None:
        self._interrupted[process] = self._log.add_kill(process, reason)
        if isinstance(process, PlainGreenlet):
            process.is_killed = True

    # -- Suspension -------------------------------------------------------------------------------------------------

    def _suspend(self, process: Process) -> Answer:
        if process.state is DEAD:
            return gone(str(process.pid))
        if not _is_ours(process):
            suspend(process.pid)
        event = self._log.add_action(process, "suspended")
        return wire.Done(sentence=f"{process.pid} runs nothing until it is resumed.", event=event)

    def _resume(self, process: Process) -> Answer:
        if process.state is DEAD:
            return gone(str(process.pid))
        if not _is_ours(process):
            if process.suspended:
                return wire.Failed(
                    why=f"{process.pid} was suspended by a process of the program, which must resume it."
                )
            return wire.Done(sentence=f"{process.pid} was not suspended.")
        resume(process.pid)
        event = self._log.add_action(process, "resumed")
        return wire.Done(sentence=f"{process.pid} goes on.", event=event)

    # -- Messages ---------------------------------------------------------------------------------------------------

    def _send(self, process: Process, message: Any, via: str) -> Answer:
        event: int | None = None

        def deliver() -> Answer:
            nonlocal event
            if process.state is DEAD:
                return gone(str(process.pid))
            event = self._log.add_action(process, f"sent {render(message, 200)} by {via} to")
            if via == "call":
                return wire.Done(event=event)
            (cast if via == "cast" else send)(process.pid, message)
            return wire.Done(sentence=f"Sent it to {process.pid}.", event=event)

        done = self._in_hub(deliver)
        if via != "call" or isinstance(done, wire.Failed):
            return done
        answer: Answer = self._errands.by_process(lambda: self._call(process, message, event))
        return answer

    def _call(self, process: Process, message: Any, event: int | None) -> Answer:
        try:
            reply = call(process.pid, message, timeout=CALL_TIMEOUT)
        except CallError as error:
            if error.reason == "timeout":
                why = f"{process.pid} did not reply within {CALL_TIMEOUT:g} seconds."
                return wire.Failed(why=why, kind="timeout")
            return wire.Failed(why=f"{process.pid} did not reply: {reason_text(error.reason)}.")
        return wire.Done(sentence=f"{process.pid} replied.", value=render(reply, 10_000), event=event)

    # -- Children ---------------------------------------------------------------------------------------------------

    def _control(self, supervisor: Process, command: wire.ControlChild) -> Answer:
        kept = children_of(supervisor)
        if kept is None:
            return wire.Failed(why=f"{supervisor.pid} is no supervisor.", kind="bad_request")

        def work() -> Answer:
            child = next((c for c in [*kept.children.values()] if child_text(c) == command.child_id), None)
            if child is None:
                return wire.Failed(why=f"{supervisor.pid} has no child {command.child_id!r}.", kind="noproc")
            self._log.add_action(supervisor, f"{command.action} of child {command.child_id} of")
            try:
                return _control_child(supervisor, child, command)
            except SupervisorError as error:
                return wire.Failed(why=_refusal(command, error.reason), kind="bad_request")
            except StartError as error:
                return wire.Failed(why=f"{command.child_id} did not start: {reason_text(error.reason)}.")
            except CallError as error:
                return wire.Failed(why=f"The supervisor did not answer: {reason_text(error.reason)}.", kind="noproc")

        answer: Answer = self._errands.by_process(work)
        return answer


def _control_child(supervisor: Process, child: Child, command: wire.ControlChild) -> Answer:
    """Do it, in a process of an errand."""
    name, pid = command.child_id, supervisor.pid
    key = child.at if is_dynamic(child) else child.spec.id
    if is_dynamic(child) and command.action != "terminate":
        why = f"{name} has no id, as a dynamic supervisor's children have none: it can be terminated, or killed."
        return wire.Failed(why=why, kind="bad_request")
    match command.action:
        case "terminate":
            terminate_child(pid, key)
            return wire.Done(sentence=f"{name} has ended and is not restarted.")
        case "delete":
            delete_child(pid, key)
            return wire.Done(sentence=f"{name} is no child of {pid} any more.")
        case "restart" if child.at is not None:
            terminate_child(pid, key)
    started = restart_child(pid, key)
    return wire.Done(sentence=f"{name} was started, as {started}.")


def _refusal(command: wire.ControlChild, reason: Any) -> str:
    name = command.child_id
    match reason:
        case "running":
            return f"{name} is running; terminate it first."
        case "restarting":
            return f"{name} is being restarted; terminate it first."
        case "not_found":
            return f"{name} is no child of the supervisor any more."
    return f"The supervisor refused: {reason_text(reason)}."


def _is_ours(process: Process) -> bool:
    """Whether a process is suspended by an observer, which counts as nobody in particular."""
    suspenders = process.suspenders
    return process.suspended and suspenders is not None and None in suspenders
