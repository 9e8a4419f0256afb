from __future__ import annotations

from array import array

from runtime import call, exit, start_child, terminate_child, whereis
from runtime.introspection.reading.supervisor_nodes import NO_NODES, SupervisorNodes
from runtime.introspection.threads.pace import Pace
from runtime.kernel.process import Process
from tests.support.in_node import in_node
from tests.support.trees import Idle, start_tree


def _root() -> Process:
    pid = whereis("app")
    assert pid is not None
    assert pid.process is not None
    return pid.process


def _updated(nodes: SupervisorNodes) -> list[str]:
    nodes.update([_root()], Pace())
    return [node.key for node in nodes.walk()]


@in_node
def test_every_supervisor_has_a_node_above_those_below_it() -> None:
    start_tree(pools=2, size=3)
    nodes = SupervisorNodes()
    assert _updated(nodes) == ["app", "app/pool0", "app/pool1", "app/guests"]
    assert nodes.count == 4
    assert [node.child_count for node in nodes.walk()] == [4, 3, 3, 2]
    assert [node.depth for node in nodes.walk()] == [0, 1, 1, 1]


@in_node
def test_those_without_supervisors_below_share_what_says_so() -> None:
    start_tree(pools=2, size=3)
    nodes = SupervisorNodes()
    _updated(nodes)
    assert [node.below is NO_NODES for node in nodes.walk()] == [False, True, True, True]


@in_node
def test_only_a_supervisor_that_has_run_is_read_again() -> None:
    start_tree(pools=1, size=2)
    nodes = SupervisorNodes()
    _updated(nodes)
    before = {node.key: node for node in nodes.walk()}
    start_child("guests", Idle)
    _updated(nodes)
    after = {node.key: node for node in nodes.walk()}
    assert after == before
    assert after["app/guests"].child_count == 3


@in_node
def test_a_supervisor_that_was_restarted_has_a_new_node_in_the_same_place() -> None:
    start_tree(pools=1, size=2)
    nodes = SupervisorNodes()
    _updated(nodes)
    before = {node.key: node for node in nodes.walk()}
    pool = whereis("pool0")
    assert pool is not None
    exit(pool, "kill")
    call("app", "which_children")
    assert _updated(nodes) == [*before]
    assert {node.key: node for node in nodes.walk()}["app/pool0"] is not before["app/pool0"]


@in_node
def test_a_place_is_found_by_its_key_also_when_its_child_does_not_run() -> None:
    start_tree(pools=1, size=2)
    terminate_child("pool0", "w1")
    nodes = SupervisorNodes()
    _updated(nodes)
    found = nodes.find("app/pool0/w0")
    assert found is not None
    assert found.state is not None
    assert nodes.find("app/pool0/w1") is None
    assert nodes.find("app/nothing") is None
    places = {key: child for key, _, child in nodes.places({"app/pool0", "app/pool0/w1", "app/no"}, Pace())}
    assert [*places] == ["app/pool0", "app/pool0/w1"]
    assert places["app/pool0"] is None
    assert places["app/pool0/w1"] is not None
    assert [node.not_running for node in nodes.walk() if node.key == "app/pool0"] == [1]


@in_node
def test_a_child_is_picked_out_by_a_number_that_outlives_its_restart() -> None:
    start_tree(pools=1, size=4, guests=4)
    nodes = SupervisorNodes()
    _updated(nodes)
    for node in nodes.walk():
        if node.key not in ("app/pool0", "app/guests"):
            continue
        second = next(iter(node.children))[1]
        number = array("q", [node.children.number(second, 1)])
        assert second.pid is not None
        exit(second.pid, "kill")
        call(node.process.pid, "which_children")
        assert [child for chunk in node.children.picked(number) for child in chunk] == [second]


@in_node
def test_what_was_read_is_forgotten_a_little_at_a_time() -> None:
    start_tree()
    nodes = SupervisorNodes()
    _updated(nodes)
    nodes.clear(Pace())
    assert [*nodes.walk()] == []
    assert "app" in _updated(nodes)
