"""Which restarts count against a supervisor's budget."""

from __future__ import annotations

from runtime import Supervisor, exit, sleep, which_children
from runtime.introspection.answers.restart_budget import budget_used
from runtime.introspection.reading.tree_path import children_of
from tests.support.in_node import in_node
from tests.support.trees import workers


@in_node
def test_restarts_count_until_they_leave_the_window() -> None:
    top = Supervisor.start_link(workers(1), max_restarts=3, max_seconds=10.0)
    assert top is not None
    kept = children_of(top.process)
    assert kept is not None
    used = []
    for seconds in (0, 6, 5, 11):
        sleep(seconds)
        used.append(budget_used(kept))
        exit(which_children(top)[0].pid, "kill")
        sleep(0)
    assert used == [0, 1, 1, 0]
    assert budget_used(kept) == 1
