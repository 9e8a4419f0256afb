"""Going through time: steps, jumps to failures, and a record that tells another moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from observer.model.observed_node import ObservedNode
from observer.model.rewinding import jump, step
from observer.node.recorded.node import RecordedNode
from observer.node.recorded.recording import Recording
from observer.node.recorded.seen import RewindableNode, Seen
from runtime.introspection import wire
from runtime.introspection.recording.entries import header_of
from tests.support.fake_node import FakeNode, FakeProcess
from tests.support.recordings import WELCOME, figures_at, rows_named


def crash(number: int, time: float) -> wire.Event:
    """Return a crash."""
    return wire.Event(id=number, time=time, kind="exit", pid="<0.1.0>", crashed=True)


@pytest.fixture
def recording() -> Recording:
    """Return moments 100 to 109, with crashes seen at 103 and 107."""
    seen = Seen(WELCOME)
    for second in range(10):
        at = 100.0 + second
        events = [crash(1, 102.5)] if second == 3 else [crash(2, 107.0)] if second == 7 else []
        seen.add(at, rows_named(f"at {second}"))
        seen.add(at, figures_at(at, *events))
    return seen


@pytest.mark.parametrize(
    ("shown", "moments", "then"),
    [(None, -1, 109.0), (None, -3, 107.0), (109.0, 1, None), (105.0, 2, 107.0), (101.0, -5, 100.0), (100.4, 1, 101.0)],
)
def test_a_step_shows_the_moment_before_or_after(
    recording: Recording, shown: float | None, moments: int, then: float | None
) -> None:
    assert step(recording, shown, moments) == then


@pytest.mark.parametrize(
    ("shown", "forward", "then"),
    [
        (None, False, 107.0),
        (107.0, False, 103.0),
        (103.0, False, None),
        (100.0, True, 103.0),
        (103.0, True, 107.0),
        (107.0, True, None),
    ],
)
def test_a_jump_goes_to_where_a_crash_is_seen(
    recording: Recording, shown: float | None, forward: bool, then: float | None
) -> None:
    assert jump(recording, shown, forward) == then


def test_nothing_to_go_to_is_no_failure() -> None:
    empty = Recording(header_of(WELCOME, "recording"))
    assert step(empty, None, -1) is None
    assert jump(empty, None, False) is None


def test_the_record_tells_what_was_known_at_the_moment(recording: Recording) -> None:
    observed = ObservedNode(RecordedNode(recording))
    observed.show(104.2)
    assert observed.shown == 104.0
    assert observed.record.time == 104.0
    assert [event.id for event in observed.record.events] == [1]
    assert observed.record.rows.get("at 4") is not None
    assert observed.record.rows.get("at 5") is None
    observed.show(None)
    assert observed.record.time == 109.0
    assert [event.id for event in observed.record.events] == [1, 2]


async def test_a_node_that_is_watched_can_be_gone_back_in_and_refuses_orders_then() -> None:
    node = FakeNode(FakeProcess("app", "app", "<0.1.0>", kind="supervisor"))
    source = RewindableNode(node, lambda welcome: node)
    observed = ObservedNode(source)
    await source.connect()
    remembering = asyncio.create_task(source.remember())
    try:
        while len(source.recording.times) < 1:
            await asyncio.sleep(0.01)
        assert observed.refusal is None
        observed.show(source.recording.times[0])
        asked = len([query for query in node.asked if isinstance(query, wire.Exit)])
        refused = await observed.order(wire.Exit(pid="<0.1.0>"))
        assert isinstance(refused, wire.Failed)
        assert "go back to now" in refused.why
        assert isinstance(await source.ask(wire.Exit(pid="<0.1.0>")), wire.Failed)
        assert len([query for query in node.asked if isinstance(query, wire.Exit)]) == asked
        observed.show(None)
        assert observed.refusal is None
    finally:
        remembering.cancel()


async def test_another_node_of_that_name_is_remembered_anew(tmp_path: Path) -> None:
    node = FakeNode()
    source = RewindableNode(node, lambda welcome: node)
    await source.connect()
    first = source.recording
    await source.connect()
    assert source.recording is first


async def test_a_trace_can_be_ended_while_an_earlier_moment_is_shown(recording: Recording) -> None:
    node = FakeNode(FakeProcess("app", "app", "<0.1.0>", kind="supervisor"))
    source = RewindableNode(node, lambda welcome: node)
    source.recording, source.shown = recording, 104.0
    assert isinstance(await source.ask(wire.StartTrace()), wire.Failed)
    await source.ask(wire.StopTrace())
    assert node.asked == [wire.StopTrace()]
