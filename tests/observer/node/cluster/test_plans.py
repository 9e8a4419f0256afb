"""One plan out of those of several nodes."""

from __future__ import annotations

from observer.node.cluster import plans
from runtime.introspection import wire


def plan(pid: str, **more: object) -> wire.Plan:
    return wire.Plan(sentence=f"kills {pid}", kills=(wire.Related(pid=pid, name="a"),), **more)  # type: ignore[arg-type]


def test_the_plan_of_one_node_is_as_the_node_gave_it() -> None:
    assert plans.of_all([("a@h", plan("<0.1.0>"))]) == plan("<0.1.0>")


def test_the_plans_of_several_nodes_are_one_that_names_them() -> None:
    both = plans.of_all([("a@h", plan("<0.1.0>", assumes=("x",))), ("b@h", plan("<5.1.0>", assumes=("x", "y")))])
    assert isinstance(both, wire.Plan)
    assert both.sentence == "on a@h: kills <0.1.0>; on b@h: kills <5.1.0>"
    assert [each.pid for each in both.kills] == ["<0.1.0>", "<5.1.0>"]
    assert both.assumes == ("x", "y")


def test_a_node_that_gives_no_plan_is_named_with_the_reason_and_one_whose_processes_have_ended_is_not() -> None:
    failed = wire.Failed(why="It is stuck.", kind="error")
    answers = [("a@h", failed), ("b@h", plan("<5.1.0>")), ("c@h", plans.ENDED), ("d@h", wire.Done())]
    told = plans.of_all(answers)
    assert isinstance(told, wire.Plan)
    assert told.sentence == "on a@h: not known (It is stuck); on b@h: kills <5.1.0>; on d@h: not known"
    assert plans.of_all([("c@h", plans.ENDED), ("a@h", failed)]) == failed


def test_processes_have_ended_only_where_every_node_says_so() -> None:
    ended = wire.Failed(why="There is no process <0.1.0>.", kind="noproc")
    assert plans.of_all([("a@h", ended)]) == ended
    assert plans.of_all([("a@h", ended), ("b@h", ended)]) == plans.ENDED
    assert plans.of_all([]) == plans.ENDED
