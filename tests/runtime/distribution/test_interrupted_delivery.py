"""What comes from another node is delivered once, wherever the handler of a signal raises, and is taken again."""

import dis
import gc
import sys
from collections import deque
from collections.abc import Callable
from copy import copy
from types import CodeType, FrameType, SimpleNamespace
from typing import Any

import pytest

from runtime import (
    Down,
    Exit,
    NodeDown,
    Pid,
    alias,
    flag,
    flush,
    link,
    monitor,
    monitor_nodes,
    receive,
    self_,
    spawn,
    spawn_link,
)
from runtime.distribution.cluster import local_node
from runtime.distribution.incoming import SHORT_ENTRIES, receive_signal
from runtime.distribution.parts import ABSENT
from runtime.distribution.pickled import SHORT_CAST, SHORT_REPLY, SHORT_SEND
from runtime.distribution.remote_node import RemoteNode
from runtime.kernel.node import this_node
from runtime.kernel.signals import put_all
from runtime.otp.calls import From
from runtime.terms.ref import Ref
from tests.support.other_nodes import Other, named


class _Handler:
    """Raises KeyboardInterrupt where a signal's handler may run: once a function has begun, or one of C has ended."""

    def __init__(self, step: int) -> None:
        self.left = step
        self.has_raised = False
        self.last: dict[FrameType, str] = {}

    def trace(self, frame: FrameType, event: str, argument: object) -> Any:
        frame.f_trace_opcodes = True
        if event == "call" and frame.f_back is not None:
            self.last[frame.f_back] = ""  # a function of Python's returns without a look at signals
            self.last[frame] = "RESUME"  # which looks for them, and is not traced itself
        if event == "opcode":
            last, self.last[frame] = self.last.get(frame, ""), _name(frame.f_code, frame.f_lasti)
            if last.startswith(("CALL", "RESUME", "JUMP_BACKWARD")) and last != "CALL_INTRINSIC_1":
                self.left -= 1
                if self.left < 0 and not self.has_raised:
                    self.has_raised = True
                    raise KeyboardInterrupt
        return self.trace


def _name(code: CodeType, offset: int) -> str:
    return dis.opname[code.co_code[offset]]


def _was_interrupted(step: int, function: Callable[..., object], *arguments: object) -> bool:
    handler, before = _Handler(step), sys.gettrace()
    gc.disable()  # else it may strike in a callback of the collector, where Python keeps what is raised
    sys.settrace(handler.trace)
    try:
        function(*arguments)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
        gc.enable()
    return handler.has_raised  # a hook of an instrument keeps what is raised in it


@pytest.mark.parametrize("mailbox", [None, ("first",), deque(["first", "second"])])
@pytest.mark.parametrize("kind", ["put_all", "send", "cast"])
def test_messages_are_there_or_an_exception_is_raised(kind: str, mailbox: Any) -> None:
    for step in range(200):
        process: Any = SimpleNamespace(state=None, messages_in=0, mailbox=copy(mailbox))
        remote: Any = SimpleNamespace(node=SimpleNamespace(names={"name": process}))
        match kind:
            case "put_all":
                is_raised = _was_interrupted(step, put_all, process, ["message"])
            case _:
                number = SHORT_SEND if kind == "send" else SHORT_CAST
                is_raised = _was_interrupted(step, SHORT_ENTRIES[number], remote, (number, "name", ["message"]))
        added = len(process.mailbox or ()) - len(mailbox or ())
        assert added == (0 if is_raised else 1)
        if not is_raised:
            break
    assert step > 0


def _remote(other: Other) -> RemoteNode:
    local = local_node(this_node())
    assert local is not None
    return local.remotes[other.name]


def _connected(other: Other) -> tuple[RemoteNode, Pid]:
    """Connect to another node; return it, and a process of it that waits."""
    other.connect()
    flag(trap_exit=True)
    return _remote(other), spawn(receive, "never", node=other.name)


def _is_taken_again(step: int, function: Callable[..., object], *arguments: object) -> bool:
    """Call it, once more where an exception has ended that; return whether one has."""
    is_struck = _was_interrupted(step, function, *arguments)
    if is_struck:
        function(*arguments)
    return is_struck


@pytest.mark.parametrize("kind", ["down", "exit", "exit2", "alias"])
@named
def test_a_signal_that_is_taken_again_is_delivered_once(other: Other, kind: str) -> None:
    (remote, there), me = _connected(other), self_()
    for step in range(500):
        payload: object = ABSENT
        match kind:
            case "down":
                ref = monitor(there)
                control, expected = (21, there, me, ref, "gone"), Down(ref, there, "gone")
            case "exit":
                link(there)
                control, expected = (3, there, me, "gone"), Exit(there, "gone")  # type: ignore[assignment]
            case "exit2":
                control, expected = (8, there, me, "gone"), Exit(there, "gone")  # type: ignore[assignment]
            case _:
                control, payload = (33, there, alias("reply")), "message"  # type: ignore[assignment]
                expected = payload  # type: ignore[assignment]
        is_struck = _is_taken_again(step, receive_signal, remote, control, payload)
        assert flush() == [expected]
        receive_signal(remote, control, payload)
        assert kind == "exit2" or flush() == []  # what it was for is over
        flush()
        if not is_struck:
            break
    assert step > 2


@named
def test_a_reply_that_is_taken_again_settles_its_call_once(other: Other) -> None:
    (remote, there), me = _connected(other), self_().process
    assert there.process is not None
    assert me is not None
    for step in range(500):
        origin = From(me, there.process)
        origin.begin()
        remote.unsent = None
        entry = (SHORT_REPLY, origin.number, "reply")
        is_struck = _is_taken_again(step, SHORT_ENTRIES[SHORT_REPLY], remote, entry)
        assert origin.outcome == "reply"
        assert origin.number not in remote.local.monitors
        if not is_struck:
            break
    assert step > 2


@named
def test_all_learn_once_that_a_node_is_gone(other: Other) -> None:
    remote, there = _connected(other)
    connection, local = remote.connection, remote.local
    assert connection is not None
    monitor_nodes()
    for step in range(2000):
        refs = [monitor(there) for _ in range(2)]
        link(there)
        is_struck = _is_taken_again(step, local.on_down, connection, "connection_closed")
        told = flush()
        assert told[0] == Exit(there, "noconnection")
        assert {*told[1:3]} == {Down(ref, there, "noconnection") for ref in refs}
        assert told[3:] == [NodeDown(other.name, "connection_closed")]
        assert remote.leaves is None
        remote.connection = connection
        if not is_struck:
            break
    assert step > 10


@named
def test_a_reply_that_comes_again_ends_no_process_that_was_started(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    (remote, there), me = _connected(other), self_()
    linked = spawn_link(receive, "never", node=other.name)
    told: list[object] = []
    monkeypatch.setattr(remote, "signal", lambda control, payload=ABSENT: told.append(control))
    receive_signal(remote, (31, Ref(), me, 1, linked), ABSENT)
    assert told == []
    receive_signal(remote, (31, Ref(), me, 1, there), ABSENT)  # whom nobody waits for, and is linked with
    assert told == [(3, me, there, "noproc")]
