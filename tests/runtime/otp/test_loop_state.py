"""What a server's loop has to look at is there only while it is needed: a waiting server is small."""

from __future__ import annotations

from runtime import call, self_, sys
from runtime.kernel.process import Process
from runtime.otp.loop_state import LoopState, drop_idle_loop, loop_of
from runtime.otp.returns import Continue
from tests.support.in_node import in_node
from tests.support.trees import Idle


def _me() -> Process:
    process = self_().process
    assert process is not None
    return process


@in_node
def test_it_is_made_at_its_first_use_and_dropped_when_nothing_is_in_it() -> None:
    me = _me()
    assert me.loop is None
    drop_idle_loop(me)
    loop = loop_of(me)
    assert loop_of(me) is loop is me.loop
    drop_idle_loop(me)
    assert me.loop is None


@in_node
def test_it_stays_while_anything_is_in_it() -> None:
    me = _me()
    values = {"pending": Continue("go on"), "timing": 0.0, "debug": object(), "reports_unexpected": True}
    for name, value in values.items():
        loop = loop_of(me)
        setattr(loop, name, value)
        drop_idle_loop(me)
        assert me.loop is loop, name
        setattr(loop, name, False if name == "reports_unexpected" else None)
        drop_idle_loop(me)
        assert me.loop is None, name


@in_node
def test_a_server_has_one_only_while_something_is_switched_on() -> None:
    pid = Idle.start_link()
    assert pid is not None
    process = pid.process
    assert process is not None
    call(pid, "hello")
    kept = [process.loop]
    for flag in (True, False):
        sys.trace(pid, flag)
        kept.append(process.loop)
    assert [type(loop) for loop in kept] == [type(None), LoopState, type(None)]
