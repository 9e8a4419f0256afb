"""The public names of `runtime`: the one list that type checkers read and that names are loaded by."""

from . import application as application
from . import cores as cores
from . import erpc as erpc
from . import ets as ets
from . import introspection as introspection
from . import peer as peer
from . import pg as pg
from . import proc_lib as proc_lib
from . import spans as spans
from . import sys as sys
from . import timer as timer
from .application import Application as Application
from .application import ApplicationError as ApplicationError
from .boot.run import run as run
from .compiled.about import About as About
from .compiled.about import about as about
from .distribution.errors import DistributionError as DistributionError
from .distribution.node_monitors import NodeDown as NodeDown
from .distribution.node_monitors import NodeUp as NodeUp
from .distribution.nodes import connect_node as connect_node
from .distribution.nodes import disconnect_node as disconnect_node
from .distribution.nodes import get_cookie as get_cookie
from .distribution.nodes import monitor_node as monitor_node
from .distribution.nodes import monitor_nodes as monitor_nodes
from .distribution.nodes import node as node
from .distribution.nodes import nodes as nodes
from .distribution.nodes import ping as ping
from .distribution.nodes import set_cookie as set_cookie
from .distribution.nodes import start_distribution as start_distribution
from .distribution.nodes import stop_distribution as stop_distribution
from .distribution.remote_procedure import ErpcError as ErpcError
from .kernel.clock import MockClock as MockClock
from .kernel.clock import now as now
from .kernel.clock import use_clock as use_clock
from .kernel.info import process_info as process_info
from .kernel.instrument import Instrument as Instrument
from .kernel.instrument import install_instrument as install_instrument
from .kernel.instrument import remove_instrument as remove_instrument
from .kernel.mailbox import alias as alias
from .kernel.mailbox import flush as flush
from .kernel.mailbox import receive as receive
from .kernel.mailbox import send as send
from .kernel.mailbox import send_nosuspend as send_nosuspend
from .kernel.mailbox import sleep as sleep
from .kernel.mailbox import unalias as unalias
from .kernel.names import register as register
from .kernel.names import registered as registered
from .kernel.names import unregister as unregister
from .kernel.names import whereis as whereis
from .kernel.process import Pid as Pid
from .kernel.processes import alive as alive
from .kernel.processes import demonitor as demonitor
from .kernel.processes import dictionary as dictionary
from .kernel.processes import exit as exit
from .kernel.processes import flag as flag
from .kernel.processes import get_label as get_label
from .kernel.processes import link as link
from .kernel.processes import monitor as monitor
from .kernel.processes import processes as processes
from .kernel.processes import resume as resume
from .kernel.processes import self_ as self_
from .kernel.processes import set_label as set_label
from .kernel.processes import spawn as spawn
from .kernel.processes import spawn_link as spawn_link
from .kernel.processes import spawn_monitor as spawn_monitor
from .kernel.processes import suspend as suspend
from .kernel.processes import unlink as unlink
from .kernel.reports import Report as Report
from .kernel.send_after import cancel_timer as cancel_timer
from .kernel.send_after import read_timer as read_timer
from .kernel.send_after import send_after as send_after
from .kernel.send_after import start_timer as start_timer
from .kernel.signals import Down as Down
from .kernel.signals import Exit as Exit
from .otp.agent import Agent as Agent
from .otp.calls import From as From
from .otp.calls import await_exit as await_exit
from .otp.calls import call as call
from .otp.calls import cast as cast
from .otp.calls import reply as reply
from .otp.child_spec import ChildSpec as ChildSpec
from .otp.child_spec import SpecError as SpecError
from .otp.child_spec import check_childspecs as check_childspecs
from .otp.child_spec import child_spec as child_spec
from .otp.gen_server import GenServer as GenServer
from .otp.gen_server import stop as stop
from .otp.gen_statem import GenStatem as GenStatem
from .otp.registry import Registry as Registry
from .otp.requests import RequestIds as RequestIds
from .otp.requests import check_response as check_response
from .otp.requests import multi_call as multi_call
from .otp.requests import receive_response as receive_response
from .otp.requests import reqids_add as reqids_add
from .otp.requests import reqids_new as reqids_new
from .otp.requests import reqids_size as reqids_size
from .otp.requests import reqids_to_list as reqids_to_list
from .otp.requests import send_request as send_request
from .otp.requests import wait_response as wait_response
from .otp.returns import IGNORE as IGNORE
from .otp.returns import NOREPLY as NOREPLY
from .otp.returns import Continue as Continue
from .otp.returns import Reply as Reply
from .otp.returns import Stop as Stop
from .otp.returns import Timeout as Timeout
from .otp.statem_returns import ChangeCallbackModule as ChangeCallbackModule
from .otp.statem_returns import EventTimeout as EventTimeout
from .otp.statem_returns import Keep as Keep
from .otp.statem_returns import NamedTimeout as NamedTimeout
from .otp.statem_returns import Next as Next
from .otp.statem_returns import NextEvent as NextEvent
from .otp.statem_returns import PopCallbackModule as PopCallbackModule
from .otp.statem_returns import Postpone as Postpone
from .otp.statem_returns import PushCallbackModule as PushCallbackModule
from .otp.statem_returns import Repeat as Repeat
from .otp.statem_returns import StateTimeout as StateTimeout
from .supervision.child import ChildInfo as ChildInfo
from .supervision.dynamic_supervisor import DynamicSupervisor as DynamicSupervisor
from .supervision.partition_supervisor import PartitionSupervisor as PartitionSupervisor
from .supervision.requests import count_children as count_children
from .supervision.requests import delete_child as delete_child
from .supervision.requests import get_callback_module as get_callback_module
from .supervision.requests import get_childspec as get_childspec
from .supervision.requests import restart_child as restart_child
from .supervision.requests import start_child as start_child
from .supervision.requests import terminate_child as terminate_child
from .supervision.requests import which_children as which_children
from .supervision.supervisor import Supervisor as Supervisor
from .supervision.supervisor_spec import DynamicSupervisorSpec as DynamicSupervisorSpec
from .supervision.supervisor_spec import SupervisorSpec as SupervisorSpec
from .tasks.task import Task as Task
from .tasks.task import await_ as await_
from .tasks.task import await_many as await_many
from .tasks.task import ignore_task as ignore_task
from .tasks.task import shutdown_task as shutdown_task
from .tasks.task import spawn_task as spawn_task
from .tasks.task import yield_ as yield_
from .tasks.task import yield_many as yield_many
from .tasks.task_stream import async_stream as async_stream
from .tasks.task_supervisor import TaskSupervisor as TaskSupervisor
from .terms.atom import Atom as Atom
from .terms.crash import Crash as Crash
from .terms.crash import StackFrame as StackFrame
from .terms.errors import AlreadyRegisteredError as AlreadyRegisteredError
from .terms.errors import CallError as CallError
from .terms.errors import NoProcessError as NoProcessError
from .terms.errors import NotInProcessError as NotInProcessError
from .terms.errors import ProcessExit as ProcessExit
from .terms.errors import ProcessKilled as ProcessKilled
from .terms.errors import ReceiveTimeout as ReceiveTimeout
from .terms.errors import RuntimeFault as RuntimeFault
from .terms.errors import StartError as StartError
from .terms.errors import SupervisorError as SupervisorError
from .terms.errors import Unsuccessful as Unsuccessful
from .terms.pattern import ANY as ANY
from .terms.ref import Ref as Ref
from .terms.ref import TimerRef as TimerRef

__all__ = [
    "ANY",
    "IGNORE",
    "NOREPLY",
    "About",
    "Agent",
    "AlreadyRegisteredError",
    "Application",
    "ApplicationError",
    "Atom",
    "CallError",
    "ChangeCallbackModule",
    "ChildInfo",
    "ChildSpec",
    "Continue",
    "Crash",
    "DistributionError",
    "Down",
    "DynamicSupervisor",
    "DynamicSupervisorSpec",
    "ErpcError",
    "EventTimeout",
    "Exit",
    "From",
    "GenServer",
    "GenStatem",
    "Instrument",
    "Keep",
    "MockClock",
    "NamedTimeout",
    "Next",
    "NextEvent",
    "NoProcessError",
    "NodeDown",
    "NodeUp",
    "NotInProcessError",
    "PartitionSupervisor",
    "Pid",
    "PopCallbackModule",
    "Postpone",
    "ProcessExit",
    "ProcessKilled",
    "PushCallbackModule",
    "ReceiveTimeout",
    "Ref",
    "Registry",
    "Repeat",
    "Reply",
    "Report",
    "RequestIds",
    "RuntimeFault",
    "SpecError",
    "StackFrame",
    "StartError",
    "StateTimeout",
    "Stop",
    "Supervisor",
    "SupervisorError",
    "SupervisorSpec",
    "Task",
    "TaskSupervisor",
    "Timeout",
    "TimerRef",
    "Unsuccessful",
    "about",
    "alias",
    "alive",
    "async_stream",
    "await_",
    "await_exit",
    "await_many",
    "call",
    "cancel_timer",
    "cast",
    "check_childspecs",
    "check_response",
    "child_spec",
    "connect_node",
    "count_children",
    "delete_child",
    "demonitor",
    "dictionary",
    "disconnect_node",
    "exit",
    "flag",
    "flush",
    "get_callback_module",
    "get_childspec",
    "get_cookie",
    "get_label",
    "ignore_task",
    "install_instrument",
    "link",
    "monitor",
    "monitor_node",
    "monitor_nodes",
    "multi_call",
    "node",
    "nodes",
    "now",
    "ping",
    "process_info",
    "processes",
    "read_timer",
    "receive",
    "receive_response",
    "register",
    "registered",
    "remove_instrument",
    "reply",
    "reqids_add",
    "reqids_new",
    "reqids_size",
    "reqids_to_list",
    "restart_child",
    "resume",
    "run",
    "self_",
    "send",
    "send_after",
    "send_nosuspend",
    "send_request",
    "set_cookie",
    "set_label",
    "shutdown_task",
    "sleep",
    "spawn",
    "spawn_link",
    "spawn_monitor",
    "spawn_task",
    "start_child",
    "start_distribution",
    "start_timer",
    "stop",
    "stop_distribution",
    "suspend",
    "terminate_child",
    "unalias",
    "unlink",
    "unregister",
    "use_clock",
    "wait_response",
    "whereis",
    "which_children",
    "yield_",
    "yield_many",
]
