"""A process runtime with Erlang's semantics on gevent: processes, servers, supervisors, and hooks to watch them.

Everything public can be imported from here. Names are loaded at first use, so that importing a part of this package
(the wire's types, say) does not load gevent.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runtime.application import Application as Application
    from runtime.application import ApplicationError as ApplicationError
    from runtime.boot import run as run
    from runtime.kernel.clock import MockClock as MockClock
    from runtime.kernel.clock import now as now
    from runtime.kernel.clock import use_clock as use_clock
    from runtime.kernel.info import process_info as process_info
    from runtime.kernel.instrument import Instrument as Instrument
    from runtime.kernel.instrument import install as install
    from runtime.kernel.instrument import remove as remove
    from runtime.kernel.mailbox import alias as alias
    from runtime.kernel.mailbox import flush as flush
    from runtime.kernel.mailbox import receive as receive
    from runtime.kernel.mailbox import send as send
    from runtime.kernel.mailbox import sleep as sleep
    from runtime.kernel.mailbox import unalias as unalias
    from runtime.kernel.names import register as register
    from runtime.kernel.names import registered as registered
    from runtime.kernel.names import unregister as unregister
    from runtime.kernel.names import whereis as whereis
    from runtime.kernel.node import Node
    from runtime.kernel.process import Pid as Pid
    from runtime.kernel.processes import alive as alive
    from runtime.kernel.processes import demonitor as demonitor
    from runtime.kernel.processes import dictionary as dictionary
    from runtime.kernel.processes import exit as exit
    from runtime.kernel.processes import flag as flag
    from runtime.kernel.processes import get_label as get_label
    from runtime.kernel.processes import link as link
    from runtime.kernel.processes import monitor as monitor
    from runtime.kernel.processes import processes as processes
    from runtime.kernel.processes import resume as resume
    from runtime.kernel.processes import self_ as self_
    from runtime.kernel.processes import set_label as set_label
    from runtime.kernel.processes import spawn as spawn
    from runtime.kernel.processes import spawn_link as spawn_link
    from runtime.kernel.processes import spawn_monitor as spawn_monitor
    from runtime.kernel.processes import suspend as suspend
    from runtime.kernel.processes import unlink as unlink
    from runtime.kernel.reports import Report as Report
    from runtime.kernel.send_after import cancel_timer as cancel_timer
    from runtime.kernel.send_after import read_timer as read_timer
    from runtime.kernel.send_after import send_after as send_after
    from runtime.kernel.send_after import start_timer as start_timer
    from runtime.kernel.signals import Down as Down
    from runtime.kernel.signals import Exit as Exit
    from runtime.otp.agent import Agent as Agent
    from runtime.otp.calls import From as From
    from runtime.otp.calls import call as call
    from runtime.otp.calls import cast as cast
    from runtime.otp.calls import reply as reply
    from runtime.otp.child_spec import ChildSpec as ChildSpec
    from runtime.otp.child_spec import SpecError as SpecError
    from runtime.otp.child_spec import check_childspecs as check_childspecs
    from runtime.otp.child_spec import child_spec as child_spec
    from runtime.otp.gen_server import GenServer as GenServer
    from runtime.otp.gen_server import stop as stop
    from runtime.otp.gen_statem import GenStatem as GenStatem
    from runtime.otp.registry import Registry as Registry
    from runtime.otp.requests import check_response as check_response
    from runtime.otp.requests import receive_response as receive_response
    from runtime.otp.requests import send_request as send_request
    from runtime.otp.requests import wait_response as wait_response
    from runtime.otp.returns import IGNORE as IGNORE
    from runtime.otp.returns import NOREPLY as NOREPLY
    from runtime.otp.returns import Continue as Continue
    from runtime.otp.returns import Reply as Reply
    from runtime.otp.returns import Stop as Stop
    from runtime.otp.returns import Timeout as Timeout
    from runtime.otp.statem_returns import EventTimeout as EventTimeout
    from runtime.otp.statem_returns import Keep as Keep
    from runtime.otp.statem_returns import NamedTimeout as NamedTimeout
    from runtime.otp.statem_returns import Next as Next
    from runtime.otp.statem_returns import NextEvent as NextEvent
    from runtime.otp.statem_returns import Postpone as Postpone
    from runtime.otp.statem_returns import Repeat as Repeat
    from runtime.otp.statem_returns import StateTimeout as StateTimeout
    from runtime.supervision.child import ChildInfo as ChildInfo
    from runtime.supervision.dynamic_supervisor import DynamicSupervisor as DynamicSupervisor
    from runtime.supervision.partition_supervisor import PartitionSupervisor as PartitionSupervisor
    from runtime.supervision.requests import count_children as count_children
    from runtime.supervision.requests import delete_child as delete_child
    from runtime.supervision.requests import get_childspec as get_childspec
    from runtime.supervision.requests import restart_child as restart_child
    from runtime.supervision.requests import start_child as start_child
    from runtime.supervision.requests import terminate_child as terminate_child
    from runtime.supervision.requests import which_children as which_children
    from runtime.supervision.supervisor import Supervisor as Supervisor
    from runtime.supervision.supervisor_spec import DynamicSupervisorSpec as DynamicSupervisorSpec
    from runtime.supervision.supervisor_spec import SupervisorSpec as SupervisorSpec
    from runtime.tasks.task import Task as Task
    from runtime.tasks.task import await_ as await_
    from runtime.tasks.task import await_many as await_many
    from runtime.tasks.task import ignore as ignore
    from runtime.tasks.task import shutdown as shutdown
    from runtime.tasks.task import spawn_task as spawn_task
    from runtime.tasks.task import yield_ as yield_
    from runtime.tasks.task import yield_many as yield_many
    from runtime.tasks.task_stream import async_stream as async_stream
    from runtime.tasks.task_supervisor import TaskSupervisor as TaskSupervisor
    from runtime.terms.crash import Crash as Crash
    from runtime.terms.crash import StackFrame as StackFrame
    from runtime.terms.errors import AlreadyRegisteredError as AlreadyRegisteredError
    from runtime.terms.errors import CallError as CallError
    from runtime.terms.errors import NoProcessError as NoProcessError
    from runtime.terms.errors import NotInProcessError as NotInProcessError
    from runtime.terms.errors import ProcessExit as ProcessExit
    from runtime.terms.errors import ProcessKilled as ProcessKilled
    from runtime.terms.errors import ReceiveTimeout as ReceiveTimeout
    from runtime.terms.errors import RuntimeFault as RuntimeFault
    from runtime.terms.errors import StartError as StartError
    from runtime.terms.errors import SupervisorError as SupervisorError
    from runtime.terms.pattern import ANY as ANY
    from runtime.terms.ref import Ref as Ref
    from runtime.terms.ref import TimerRef as TimerRef

_HOMES = {
    "runtime.application": "Application ApplicationError",
    "runtime.boot": "run",
    "runtime.kernel.clock": "MockClock now use_clock",
    "runtime.kernel.info": "process_info",
    "runtime.kernel.instrument": "Instrument install remove",
    "runtime.kernel.mailbox": "alias flush receive send sleep unalias",
    "runtime.kernel.names": "register registered unregister whereis",
    "runtime.kernel.process": "Pid",
    "runtime.kernel.signals": "Down Exit",
    "runtime.kernel.processes": (
        "alive demonitor dictionary exit flag get_label link monitor processes resume self_ set_label spawn spawn_link "
        "spawn_monitor suspend unlink"
    ),
    "runtime.kernel.reports": "Report",
    "runtime.kernel.send_after": "cancel_timer read_timer send_after start_timer",
    "runtime.otp.agent": "Agent",
    "runtime.otp.calls": "From call cast reply",
    "runtime.otp.child_spec": "ChildSpec SpecError check_childspecs child_spec",
    "runtime.otp.gen_server": "GenServer stop",
    "runtime.otp.gen_statem": "GenStatem",
    "runtime.otp.registry": "Registry",
    "runtime.otp.requests": "check_response receive_response send_request wait_response",
    "runtime.otp.returns": "Continue IGNORE NOREPLY Reply Stop Timeout",
    "runtime.otp.statem_returns": "EventTimeout Keep NamedTimeout Next NextEvent Postpone Repeat StateTimeout",
    "runtime.supervision.child": "ChildInfo",
    "runtime.supervision.dynamic_supervisor": "DynamicSupervisor",
    "runtime.supervision.partition_supervisor": "PartitionSupervisor",
    "runtime.supervision.requests": (
        "count_children delete_child get_childspec restart_child start_child terminate_child which_children"
    ),
    "runtime.supervision.supervisor": "Supervisor",
    "runtime.supervision.supervisor_spec": "DynamicSupervisorSpec SupervisorSpec",
    "runtime.tasks.task": "Task await_ await_many ignore shutdown spawn_task yield_ yield_many",
    "runtime.tasks.task_stream": "async_stream",
    "runtime.tasks.task_supervisor": "TaskSupervisor",
    "runtime.terms.crash": "Crash StackFrame",
    "runtime.terms.errors": (
        "AlreadyRegisteredError CallError NoProcessError NotInProcessError ProcessExit ProcessKilled "
        "ReceiveTimeout RuntimeFault StartError SupervisorError"
    ),
    "runtime.terms.pattern": "ANY",
    "runtime.terms.ref": "Ref TimerRef",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}
_MODULES = ("application", "introspection", "sys", "timer")
"""Modules that are themselves part of what is public."""

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"runtime.{name}")
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'runtime' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    if not _hooks_are_set:
        _set_hooks()
    return value


_hooks_are_set = False


def _set_hooks() -> None:
    """Let observers look at every node of a program that runs with ``OBSERVER=1``.

    Done when the first public name is looked up: what only imports the wire's types loads no node.
    """
    from runtime.kernel.node import when_started

    global _hooks_are_set
    _hooks_are_set = True
    when_started(_serve_if_asked)


def _serve_if_asked(node: Node) -> None:
    if os.environ.get("OBSERVER") == "1":
        from runtime.introspection.service import serve_from_environment  # loads what a program alone does not need

        serve_from_environment(node)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
