"""What `runtime` offers: one list, which a change has to change on purpose."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

import runtime

NAMES = [
    "ChangeCallbackModule",
    "PopCallbackModule",
    "PushCallbackModule",
    "Unsuccessful",
    "await_exit",
    "RequestIds",
    "reqids_add",
    "reqids_new",
    "reqids_size",
    "reqids_to_list",
    "get_callback_module",
    "GenStatem",
    "EventTimeout",
    "Keep",
    "NamedTimeout",
    "Next",
    "NextEvent",
    "Postpone",
    "Repeat",
    "StateTimeout",
    "ANY",
    "About",
    "about",
    "Agent",
    "Atom",
    "DistributionError",
    "ErpcError",
    "NodeDown",
    "NodeUp",
    "connect_node",
    "disconnect_node",
    "monitor_node",
    "monitor_nodes",
    "multi_call",
    "node",
    "nodes",
    "ping",
    "set_cookie",
    "start_distribution",
    "stop_distribution",
    "AlreadyRegisteredError",
    "Application",
    "ApplicationError",
    "CallError",
    "ChildInfo",
    "ChildSpec",
    "Continue",
    "Crash",
    "Down",
    "DynamicSupervisor",
    "DynamicSupervisorSpec",
    "Exit",
    "From",
    "GenServer",
    "IGNORE",
    "Instrument",
    "MockClock",
    "NOREPLY",
    "NoProcessError",
    "NotInProcessError",
    "PartitionSupervisor",
    "Pid",
    "ProcessExit",
    "ProcessKilled",
    "ReceiveTimeout",
    "Ref",
    "Registry",
    "Reply",
    "Report",
    "RuntimeFault",
    "SpecError",
    "StackFrame",
    "StartError",
    "Stop",
    "Supervisor",
    "SupervisorError",
    "SupervisorSpec",
    "Task",
    "TaskSupervisor",
    "Timeout",
    "TimerRef",
    "alias",
    "alive",
    "async_stream",
    "await_",
    "await_many",
    "call",
    "cancel_timer",
    "cast",
    "check_childspecs",
    "check_response",
    "child_spec",
    "count_children",
    "delete_child",
    "demonitor",
    "dictionary",
    "exit",
    "flag",
    "flush",
    "get_childspec",
    "get_cookie",
    "get_label",
    "ignore_task",
    "install_instrument",
    "link",
    "monitor",
    "now",
    "process_info",
    "processes",
    "read_timer",
    "receive",
    "receive_response",
    "register",
    "registered",
    "remove_instrument",
    "reply",
    "restart_child",
    "resume",
    "run",
    "self_",
    "send",
    "send_after",
    "send_nosuspend",
    "send_request",
    "set_label",
    "shutdown_task",
    "sleep",
    "spawn",
    "spawn_link",
    "spawn_monitor",
    "spawn_task",
    "start_child",
    "start_timer",
    "stop",
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


def test_the_public_names_are_these() -> None:
    assert sorted(runtime.__all__) == sorted(NAMES)
    assert {*vars(runtime)["_MODULES"]} == {
        *("application", "cores", "erpc", "ets", "introspection", "peer", "pg", "proc_lib", "spans", "sys", "timer"),
    }


def test_every_public_name_can_be_imported_and_is_kept() -> None:
    for name in runtime.__all__:
        value = getattr(runtime, name)
        assert vars(runtime)[name] is value
    assert set(runtime.__all__) <= set(dir(runtime))


def test_types_and_names_come_from_one_list() -> None:
    stub = Path(str(runtime.__file__)).with_suffix(".pyi").read_text(encoding="utf-8")
    loaded = re.findall(r"^from \.[\w.]* import (\w+) as (\w+)$", stub, re.M)
    assert all(name == again for name, again in loaded)
    listed = re.findall(r'^    "(\w+)",$', stub, re.M)
    assert sorted(name for name, _ in loaded) == sorted([*listed, *vars(runtime)["_MODULES"]])


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="spwan"):
        runtime.spwan  # type: ignore[attr-defined]  # noqa: B018


def test_asking_for_what_does_not_exist_loads_nothing() -> None:
    code = "import runtime, sys; print(hasattr(runtime, 'spwan'), 'gevent' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_public_class_is_found_again_by_its_pickle() -> None:
    for name in NAMES:
        value = getattr(runtime, name)
        if isinstance(value, type):
            assert pickle.loads(pickle.dumps(value)) is value


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ignore", "ignore_task"),
        ("install", "install_instrument"),
        ("remove", "remove_instrument"),
        ("shutdown", "shutdown_task"),
    ],
)
def test_a_name_that_did_not_say_of_what_still_works_and_warns(old: str, new: str) -> None:
    with pytest.warns(DeprecationWarning, match=rf"runtime\.{old} is called runtime\.{new} now"):
        assert getattr(runtime, old) is getattr(runtime, new)
    assert old not in runtime.__all__
    with pytest.warns(DeprecationWarning, match=old) as caught:
        exec(f"from runtime import {old}", {})
    assert {warning.filename for warning in caught} == {"<string>"}


def test_what_carries_a_reason_has_a_public_base() -> None:
    for error in (runtime.CallError, runtime.StartError, runtime.SupervisorError):
        assert issubclass(error, runtime.Unsuccessful)
