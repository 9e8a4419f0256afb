"""Where processes are in their code."""

from __future__ import annotations

import gevent

from runtime import call, receive, self_, sleep, spawn
from runtime.introspection.reading.stack import MAX_WALK, frames_of, place_in_code, stack_of
from runtime.terms.crash import MAX_FRAMES, StackFrame
from tests.support.in_node import in_node
from tests.support.trees import Idle

LONG = "x" * 100_000


def _wait_in_here(depth: int = 0) -> None:
    if depth:
        _wait_in_here(depth - 1)
    else:
        receive("never")


@in_node
def test_the_stack_of_a_waiting_process_ends_where_it_waits() -> None:
    process = spawn(_wait_in_here).process
    sleep(0)
    assert process is not None
    stack = stack_of(process)
    assert [frame.function for frame in stack if frame.file == __file__] == ["_wait_in_here"]
    assert stack[0].source == 'receive("never")'
    place = place_in_code(process)
    assert place is not None
    assert place.startswith("test_stack.py:")
    assert place.endswith(" in _wait_in_here")


@in_node
def test_a_process_that_waits_in_gevent_is_shown_at_its_own_line() -> None:
    def rest() -> None:
        gevent.sleep(0.01)

    process = spawn(rest).process
    gevent.sleep(0)
    assert process is not None
    place = place_in_code(process)
    assert place is not None
    assert place.endswith(" in rest")


@in_node
def test_a_server_without_work_has_no_stack_and_no_place() -> None:
    server = Idle.start_link()
    assert server is not None
    call(server, "hello")
    assert server.process is not None
    assert (stack_of(server.process), place_in_code(server.process)) == ((), None)


@in_node
def test_the_process_that_runs_is_seen_where_it_is() -> None:
    process = self_().process
    assert process is not None
    seen = stack_of(process)
    assert any(frame.function == "test_the_process_that_runs_is_seen_where_it_is" for frame in seen)


@in_node
def test_a_deep_stack_is_shown_from_its_inner_end_without_its_middle() -> None:
    process = spawn(_wait_in_here, 300).process
    sleep(0)
    assert process is not None
    stack = stack_of(process)
    assert len(stack) == MAX_FRAMES + 1 < MAX_WALK
    assert stack[-1].function != "_wait_in_here" or "receive" in stack[-1].source  # where it waits
    assert sum("frames ..." in frame.function for frame in stack) == 1


def test_a_frame_whose_names_are_long_is_shown() -> None:
    (frame,) = frames_of([StackFrame(LONG, -1, LONG)])
    assert (len(frame.file), frame.line, len(frame.function)) == (999, 0, 999)
