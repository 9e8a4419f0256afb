"""What the node's thread is doing, looked at from another thread."""

from __future__ import annotations

import sys
from types import FrameType

import pytest

from runtime import run, self_
from runtime.kernel.node import this_node
from runtime.kernel.threads import new_lock, start_thread
from runtime.preemption import hub_stack
from runtime.preemption.hub_stack import HANDLERS, hub_frame, running_process, where


def looked_at_from_a_thread() -> FrameType | None:
    """Return what `hub_frame` gives in a thread while this function waits for it."""
    node, seen, over = this_node(), list[FrameType | None](), new_lock()
    over.acquire()

    def look() -> None:
        seen.append(hub_frame(node))
        over.release()

    start_thread(look, ())
    over.acquire()
    return seen[0]


def test_it_is_in_the_code_of_the_process_that_runs() -> None:
    def main() -> None:
        frame = looked_at_from_a_thread()
        assert frame is not None
        assert frame.f_code is looked_at_from_a_thread.__code__
        process = running_process(frame)
        assert process is not None
        assert process.pid is self_()
        assert where(frame).startswith(f"{__file__}:")
        assert where(frame).endswith("in looked_at_from_a_thread")

    run(main)


def test_outside_any_process_none_runs_and_without_a_frame_it_is_nowhere() -> None:
    assert running_process(sys._getframe()) is None
    assert running_process(None) is None
    assert where(None) == ""


def test_the_handler_of_a_signal_is_no_part_of_what_it_has_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def handler() -> FrameType | None:
        return looked_at_from_a_thread()

    def main() -> str:
        frame = handler()
        return "" if frame is None else frame.f_code.co_name

    assert run(main) == "looked_at_from_a_thread"
    monkeypatch.setattr(hub_stack, "HANDLERS", {*HANDLERS, handler.__code__})
    assert run(main) == "main"
    monkeypatch.setattr(hub_stack, "DEEPEST_HANDLER", 1)
    assert run(main) == "looked_at_from_a_thread"
