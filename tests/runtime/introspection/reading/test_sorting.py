from __future__ import annotations

from typing import get_args

from runtime import receive, self_, send, spawn
from runtime.introspection import wire
from runtime.introspection.reading.sorting import COLUMNS, GAINING
from runtime.kernel.process import Process
from tests.support.in_node import in_node


def _processes(*labels: str) -> list[Process]:
    found = []
    for label in labels:
        pid = spawn(receive, ("never",), label=label)
        assert pid.process is not None
        found.append(pid.process)
    return found


def test_there_is_a_column_for_all_that_the_wire_lets_lists_be_sorted_by() -> None:
    assert {*COLUMNS} == {*get_args(wire.Sort)} - {"tree"}
    assert {*GAINING} <= {*COLUMNS}


@in_node
def test_each_column_has_one_comparable_figure_a_process() -> None:
    processes = _processes("b", "A", "c")
    for read in COLUMNS.values():
        figures = read(processes)
        assert len(figures) == 3
        assert sorted(figures)


@in_node
def test_names_are_sorted_without_regard_to_case() -> None:
    assert COLUMNS["name"](_processes("b", "A", "c")) == ["b", "a", "c"]


@in_node
def test_mailboxes_are_sorted_by_all_that_waits_in_them() -> None:
    own = self_().process
    assert own is not None
    send(self_(), "one")
    send(self_(), "two")
    assert COLUMNS["message_queue_len"]([own, *_processes("empty")]) == [2, 0]
