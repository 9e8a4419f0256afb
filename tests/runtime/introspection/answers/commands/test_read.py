"""A command is read into an order first; what may not be done, or makes no sense, is refused there."""

from __future__ import annotations

import gevent
import pytest

from runtime import receive, self_, spawn
from runtime.introspection import wire
from runtime.introspection.answers.commands.read import read_order
from runtime.introspection.answers.observed_node import Permissions
from runtime.introspection.answers.resolve import RefusedError
from tests.support.in_node import in_node
from tests.support.trees import Observer


def _refused(command: wire.Query, observer: Observer) -> wire.Failed:
    with pytest.raises(RefusedError) as refused:
        read_order(command, observer.node)
    return refused.value.answer


@in_node
def test_an_order_has_the_process_and_the_value_of_the_literal() -> None:
    pid = spawn(receive)
    node = Observer().node
    assert read_order(wire.Exit(pid=str(pid), reason="('shutdown', 1)"), node)[1:] == (pid.process, ("shutdown", 1))
    message = f"{{'to': {self_()}}}"
    assert read_order(wire.Send(pid=str(pid), message=message), node).value == {"to": self_()}
    assert read_order(wire.Suspend(pid=str(pid)), node)[1:] == (pid.process, None)
    command = wire.ControlChild(supervisor=str(pid), child_id="w", action="start")
    assert read_order(command, node).process is pid.process


@in_node
def test_what_is_no_literal_is_refused_with_what_it_was_to_be() -> None:
    me = str(self_())
    observer = Observer()
    for command, what in (
        (wire.Exit(pid=me, reason="boom("), "The reason is not a Python literal"),
        (wire.Send(pid=me, message="__import__('os')"), "The message is not a Python literal"),
    ):
        answer = _refused(command, observer)
        assert answer.kind == "bad_request"
        assert answer.why.startswith(what)


@in_node
def test_a_read_only_node_refuses_before_it_looks_at_anything() -> None:
    observer = Observer(permissions=Permissions(read_only=True))
    for command in (wire.Exit(pid="nonsense"), wire.Suspend(pid=str(self_()))):
        answer = _refused(command, observer)
        assert answer == wire.Failed(
            why="This node is read-only: it can be watched, and nothing else.", kind="read_only"
        )


@in_node
def test_a_greenlet_can_be_killed_and_nothing_else() -> None:
    observer = Observer()
    observer.greenlets.switch_on()
    greenlet = gevent.spawn(gevent.sleep, 60)
    assert str(read_order(wire.Exit(pid="g1"), observer.node).process.pid) == "g1"
    for command in (wire.Exit(pid="g1", reason="'boom'"), wire.Send(pid="g1", message="1"), wire.Suspend(pid="g1")):
        answer = _refused(command, observer)
        assert answer.kind == "bad_request"
        assert answer.why.startswith("g1 is a greenlet and no process")
    greenlet.kill()
    observer.greenlets.switch_off()
