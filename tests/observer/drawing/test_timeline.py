from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from observer.drawing.timeline import NAME, Lane, draw, lanes
from runtime.introspection.wire import Event


def event(number: int, kind: str = "exit", cause: int | None = None, **more: object) -> Event:
    return Event(id=number, time=100.0 + number, kind=kind, cause=cause, **more)  # type: ignore[arg-type]


def drawn(lane: Lane, cells: int) -> str:
    return "".join(text for text, _ in draw(lane, cells))[NAME:]


def test_lanes_hold_the_mark_that_says_most_and_the_newest_lane_is_first() -> None:
    events: Iterable[Event] = (
        event(1, "exit", key="sup/a", crashed=True),
        event(1, "restart", key="sup/a"),
        event(5, "exit", key="other/x"),
        event(6, "gave_up", key="sup"),
    )
    found = lanes(events, now=110.0, seconds=20.0, cells=20)
    assert [lane.name for lane in found] == ["sup", "other"]
    assert drawn(found[0], 20) == "··········✗↻···⚑····"


def test_marks_of_one_moment_stand_side_by_side_where_there_is_room() -> None:
    def moment(number: int, *kinds: str) -> list[Event]:
        return [event(number, kind, key="sup/a", crashed=True) for kind in kinds]

    story = ("kill", "exit", "restart")
    (lane,) = lanes([*moment(1, *story), *moment(1, *story), *moment(9, *story)], 110.0, 20.0, 20)
    assert drawn(lane, 20) == "··········†✗↻····†✗↻"
    (lane,) = lanes([*moment(1, *story), *moment(2, "exit"), *moment(4, "exit")], 110.0, 20.0, 20)
    assert drawn(lane, 20) == "··········†✗·✗······"


@given(st.lists(st.tuples(st.integers(-9, 10), st.sampled_from(["kill", "exit", "restart", "gave_up"]))))
def test_a_lane_is_never_wider_than_it_should_be(happened: list[tuple[int, str]]) -> None:
    happened.sort()
    for lane in lanes([event(at, kind, key="sup/a") for at, kind in happened], 110.0, 20.0, 20):
        assert len(drawn(lane, 20)) == 20
        assert set(drawn(lane, 20)) != {"·"}
