from __future__ import annotations

from runtime import Supervisor, child_spec, receive, register, run, spawn, whereis
from runtime.introspection.reading.tree_path import (
    ChildFinder,
    children_of,
    display_name,
    kind_of,
    name_of,
    parse_pid,
    part_text,
    path_of,
    position_of,
    root_path,
    supervisors_of,
)
from runtime.kernel.process import Process
from tests.support.in_node import in_node
from tests.support.trees import Idle, start_tree, workers


def _process(name: str) -> Process:
    pid = whereis(name)
    assert pid is not None
    assert pid.process is not None
    return pid.process


def _child(supervisor: str, index: int) -> Process:
    children = children_of(_process(supervisor))
    assert children is not None
    pid = [*children.children.values()][index].pid
    assert pid is not None
    assert pid.process is not None
    return pid.process


@in_node
def test_a_path_is_made_of_the_ids_of_a_child_and_of_the_supervisors_above_it() -> None:
    start_tree()
    worker = _child("pool1", 2)
    assert path_of(worker) == "app/pool1/w2"
    assert [process.name for process in supervisors_of(worker)] == ["pool1", "app"]
    position = position_of(worker)
    assert position is not None
    assert (position.supervisor.name, position.child.spec.id) == ("pool1", "w2")


@in_node
def test_a_child_whose_id_is_a_number_is_called_by_what_it_runs_too() -> None:
    Supervisor.start_link([child_spec(Idle, id=3), *workers(1)], name="top")
    numbered, other = _child("top", 0), _child("top", 1)
    assert {name_of(numbered), name_of(other)} == {"3 Idle", "w0"}
    assert path_of(numbered) in ("top/3", "top/w0")


@in_node
def test_a_supervisor_without_a_supervisor_is_called_by_its_name_and_any_other_process_by_its_pid() -> None:
    start_tree()
    pid = spawn(receive)
    assert pid.process is not None
    register("loner", pid)
    assert root_path(_process("app")) == "app"
    assert path_of(pid.process) == str(pid)
    assert display_name(pid.process) == "loner"
    assert position_of(pid.process) is None


@in_node
def test_what_stands_between_slashes_is_quoted() -> None:
    Supervisor.start_link(workers(1, prefix="a/b%"), name="top")
    path = path_of(_child("top", 0))
    assert path == "top/a%2Fb%250"
    assert part_text(path.rpartition("/")[2]) == "a/b%0"


@in_node
def test_a_finder_knows_the_children_of_each_supervisor_and_those_of_none() -> None:
    start_tree()
    finder = ChildFinder()
    for supervisor, index in (("pool0", 0), ("pool0", 1), ("pool1", 3)):
        child = finder.child_of(_child(supervisor, index))
        assert child is not None
        assert child.spec.id == f"w{index}"
        assert finder.supervisor is _process(supervisor)
    loner = spawn(receive)
    assert loner.process is not None
    assert finder.child_of(loner.process) is None
    assert finder.supervisor is None


@in_node
def test_the_kind_of_a_process_is_worker_or_supervisor() -> None:
    start_tree()
    Idle.start(name="idle")
    assert (kind_of(_process("app")), kind_of(_process("idle"))) == ("supervisor", "worker")


def test_the_text_of_a_pid_leads_to_the_process_that_has_it_now() -> None:
    def found() -> bool:
        pid = spawn(receive)
        return (parsed := parse_pid(str(pid))) is not None and parsed.process is pid.process is not None

    assert [run(found) for _ in range(2)] == [True, True]  # the numbers begin anew with each node
    assert parse_pid("<0.1>") is None
