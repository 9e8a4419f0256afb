from hypothesis import given
from hypothesis import strategies as st

from runtime.supervision.restart_intensity import RestartIntensity


def test_as_many_restarts_as_allowed_are_within_the_budget_and_one_more_is_not() -> None:
    intensity = RestartIntensity(2, 5.0)
    assert [intensity.add(t) for t in (0.0, 1.0, 2.0)] == [True, True, False]


def test_a_restart_leaves_the_window_after_its_time() -> None:
    intensity = RestartIntensity(1, 5.0)
    assert intensity.add(0.0)
    assert intensity.add(5.1)
    assert [*intensity.times] == [5.1]


def test_no_restart_is_allowed_with_an_intensity_of_zero() -> None:
    assert not RestartIntensity(0, 5.0).add(0.0)


@given(
    st.lists(st.integers(0, 50), max_size=60).map(sorted),
    st.integers(0, 5),
    st.integers(1, 20),
)
def test_the_budget_is_exceeded_exactly_when_too_many_restarts_lie_within_the_window(
    times: list[int], allowed: int, window: int
) -> None:
    intensity = RestartIntensity(allowed, window)
    for index, time in enumerate(times):
        recent = [t for t in times[: index + 1] if t >= time - window]
        assert intensity.add(time) == (len(recent) <= allowed)
        assert [*intensity.times] == recent


def test_a_budget_that_is_changed_counts_the_restarts_so_far_within_its_own_window() -> None:
    intensity = RestartIntensity(1, 5.0)
    assert intensity.add(0.0)
    intensity.change(2, 100.0)
    assert [intensity.add(time) for time in (50.0, 90.0)] == [True, False]
