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
    from runtime.child_spec import ChildSpec as ChildSpec
    from runtime.child_spec import SpecError as SpecError
    from runtime.child_spec import check_childspecs as check_childspecs
    from runtime.dynamic_supervisor import DynamicSupervisor as DynamicSupervisor
    from runtime.partition_supervisor import PartitionSupervisor as PartitionSupervisor
    from runtime.registry import Registry as Registry
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
    "runtime.api": (
        "ANY alias alive cancel_timer demonitor dictionary exit flag flush link monitor process_info processes "
        "read_timer receive register registered resume run self_ send send_after sleep spawn spawn_link spawn_monitor "
        "start_timer suspend unalias unlink unregister whereis"
    ),
    "runtime.clock": "MockClock use_clock",
    "runtime.crash": "Crash StackFrame",
    "runtime.errors": (
        "AlreadyRegisteredError CallError NoProcessError NotInProcessError ProcessExit ProcessKilled ReceiveTimeout "
        "RuntimeFault StartError SupervisorError"
    ),
    "runtime.gen_server": (
        "Continue From GenServer IGNORE NOREPLY Reply Stop Timeout call cast check_response receive_response "
        "reply send_request stop wait_response"
    ),
    "runtime.instrument": "Instrument install remove",
    "runtime.pid": "Down Exit Pid Ref TimerRef",
    "runtime.reports": "Report",
    "runtime.agent": "Agent",
    "runtime.application": "Application ApplicationError",
    "runtime.child_spec": "ChildSpec SpecError check_childspecs",
    "runtime.dynamic_supervisor": "DynamicSupervisor",
    "runtime.partition_supervisor": "PartitionSupervisor",
    "runtime.registry": "Registry",
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

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'runtime' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
