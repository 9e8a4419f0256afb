"""A process runtime with Erlang's semantics on gevent: processes, servers, supervisors, and hooks to watch them.

Everything public can be imported from here. Names are loaded at first use, so that importing a part of this package
(the wire's types, say) does not load gevent.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runtime.agent import Agent as Agent
    from runtime.api import ANY as ANY
    from runtime.api import alias as alias
    from runtime.api import alive as alive
    from runtime.api import cancel_timer as cancel_timer
    from runtime.api import demonitor as demonitor
    from runtime.api import dictionary as dictionary
    from runtime.api import exit as exit
    from runtime.api import flag as flag
    from runtime.api import flush as flush
    from runtime.api import link as link
    from runtime.api import monitor as monitor
    from runtime.api import process_info as process_info
    from runtime.api import processes as processes
    from runtime.api import read_timer as read_timer
    from runtime.api import receive as receive
    from runtime.api import register as register
    from runtime.api import registered as registered
    from runtime.api import resume as resume
    from runtime.api import run as run
    from runtime.api import self_ as self_
    from runtime.api import send as send
    from runtime.api import send_after as send_after
    from runtime.api import sleep as sleep
    from runtime.api import spawn as spawn
    from runtime.api import spawn_link as spawn_link
    from runtime.api import spawn_monitor as spawn_monitor
    from runtime.api import start_timer as start_timer
    from runtime.api import suspend as suspend
    from runtime.api import unalias as unalias
    from runtime.api import unlink as unlink
    from runtime.api import unregister as unregister
    from runtime.api import whereis as whereis
    from runtime.application import Application as Application
    from runtime.application import ApplicationError as ApplicationError
    from runtime.calls import From as From
    from runtime.calls import call as call
    from runtime.calls import cast as cast
    from runtime.calls import check_response as check_response
    from runtime.calls import receive_response as receive_response
    from runtime.calls import reply as reply
    from runtime.calls import send_request as send_request
    from runtime.calls import wait_response as wait_response
    from runtime.child_spec import ChildSpec as ChildSpec
    from runtime.child_spec import SpecError as SpecError
    from runtime.child_spec import check_childspecs as check_childspecs
    from runtime.clock import MockClock as MockClock
    from runtime.clock import now as now
    from runtime.clock import use_clock as use_clock
    from runtime.crash import Crash as Crash
    from runtime.crash import StackFrame as StackFrame
    from runtime.dynamic_supervisor import DynamicSupervisor as DynamicSupervisor
    from runtime.errors import AlreadyRegisteredError as AlreadyRegisteredError
    from runtime.errors import CallError as CallError
    from runtime.errors import NoProcessError as NoProcessError
    from runtime.errors import NotInProcessError as NotInProcessError
    from runtime.errors import ProcessExit as ProcessExit
    from runtime.errors import ProcessKilled as ProcessKilled
    from runtime.errors import ReceiveTimeout as ReceiveTimeout
    from runtime.errors import RuntimeFault as RuntimeFault
    from runtime.errors import StartError as StartError
    from runtime.errors import SupervisorError as SupervisorError
    from runtime.gen_server import GenServer as GenServer
    from runtime.gen_server import stop as stop
    from runtime.instrument import Instrument as Instrument
    from runtime.instrument import install as install
    from runtime.instrument import remove as remove
    from runtime.outcomes import IGNORE as IGNORE
    from runtime.outcomes import NOREPLY as NOREPLY
    from runtime.outcomes import Continue as Continue
    from runtime.outcomes import Reply as Reply
    from runtime.outcomes import Stop as Stop
    from runtime.outcomes import Timeout as Timeout
    from runtime.partition_supervisor import PartitionSupervisor as PartitionSupervisor
    from runtime.pid import Down as Down
    from runtime.pid import Exit as Exit
    from runtime.pid import Pid as Pid
    from runtime.pid import Ref as Ref
    from runtime.pid import TimerRef as TimerRef
    from runtime.registry import Registry as Registry
    from runtime.reports import Report as Report
    from runtime.supervision.child import ChildInfo as ChildInfo
    from runtime.supervision.requests import count_children as count_children
    from runtime.supervision.requests import delete_child as delete_child
    from runtime.supervision.requests import get_childspec as get_childspec
    from runtime.supervision.requests import restart_child as restart_child
    from runtime.supervision.requests import start_child as start_child
    from runtime.supervision.requests import terminate_child as terminate_child
    from runtime.supervision.requests import which_children as which_children
    from runtime.supervisor import Supervisor as Supervisor
    from runtime.supervisor_spec import DynamicSupervisorSpec as DynamicSupervisorSpec
    from runtime.supervisor_spec import SupervisorSpec as SupervisorSpec
    from runtime.task import Task as Task
    from runtime.task import await_ as await_
    from runtime.task import await_many as await_many
    from runtime.task import ignore as ignore
    from runtime.task import shutdown as shutdown
    from runtime.task import spawn_task as spawn_task
    from runtime.task import yield_ as yield_
    from runtime.task import yield_many as yield_many
    from runtime.task_stream import async_stream as async_stream
    from runtime.task_supervisor import TaskSupervisor as TaskSupervisor

_HOMES = {
    "runtime.agent": "Agent",
    "runtime.api": (
        "ANY alias alive cancel_timer demonitor dictionary exit flag flush link monitor process_info processes "
        "read_timer receive register registered resume run self_ send send_after sleep spawn spawn_link "
        "spawn_monitor start_timer suspend unalias unlink unregister whereis"
    ),
    "runtime.application": "Application ApplicationError",
    "runtime.calls": "From call cast check_response receive_response reply send_request wait_response",
    "runtime.child_spec": "ChildSpec SpecError check_childspecs",
    "runtime.clock": "MockClock now use_clock",
    "runtime.crash": "Crash StackFrame",
    "runtime.dynamic_supervisor": "DynamicSupervisor",
    "runtime.errors": (
        "AlreadyRegisteredError CallError NoProcessError NotInProcessError ProcessExit ProcessKilled "
        "ReceiveTimeout RuntimeFault StartError SupervisorError"
    ),
    "runtime.gen_server": "GenServer stop",
    "runtime.instrument": "Instrument install remove",
    "runtime.outcomes": "IGNORE NOREPLY Continue Reply Stop Timeout",
    "runtime.partition_supervisor": "PartitionSupervisor",
    "runtime.pid": "Down Exit Pid Ref TimerRef",
    "runtime.registry": "Registry",
    "runtime.reports": "Report",
    "runtime.supervision.child": "ChildInfo",
    "runtime.supervision.requests": (
        "count_children delete_child get_childspec restart_child start_child terminate_child which_children"
    ),
    "runtime.supervisor": "Supervisor",
    "runtime.supervisor_spec": "DynamicSupervisorSpec SupervisorSpec",
    "runtime.task": "Task await_ await_many ignore shutdown spawn_task yield_ yield_many",
    "runtime.task_stream": "async_stream",
    "runtime.task_supervisor": "TaskSupervisor",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}
_MODULES = ("application", "introspection", "sys")
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
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
