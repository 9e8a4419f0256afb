from __future__ import annotations

from runtime import receive, spawn
from runtime.introspection.reading.deltas import Deltas
from runtime.introspection.threads.chunked import ChunkedList
from runtime.introspection.threads.pace import Pace
from runtime.kernel.process import Process
from tests.support.in_node import in_node


def _process() -> Process:
    process = spawn(receive, ("never",)).process
    assert process is not None
    return process


@in_node
def test_a_process_has_gained_what_it_counted_since_it_was_noted_and_a_new_one_everything() -> None:
    old, deltas = _process(), Deltas()
    old.messages_in = 10
    deltas.remember("messages_in", ChunkedList([old]), Pace())
    new = _process()
    old.messages_in, new.messages_in = 13, 7
    assert deltas.column("messages_in")([old, new]) == [3, 7]


@in_node
def test_what_was_noted_of_another_figure_does_not_count() -> None:
    process, deltas = _process(), Deltas()
    process.messages_in, process.messages_out = 10, 4
    deltas.remember("messages_in", ChunkedList([process]), Pace())
    assert deltas.column("messages_out")([process]) == [4]


def test_sums_of_groups_have_gained_what_they_have_more_than_the_last_time() -> None:
    deltas = Deltas()
    assert deltas.of_groups("memory by label", {"a": 5.0}) == {"a": 5.0}
    assert deltas.of_groups("memory by label", {"a": 7.0, "b": 1.0}) == {"a": 2.0, "b": 1.0}
    assert deltas.of_groups("memory by supervisor", {"a": 7.0}) == {"a": 7.0}
