"""The caches, tested with the plugin that the runtime brings for such tests."""

from __future__ import annotations

from demos._stage import named
from demos.leak import BOUND, PAGE, Cache, tree
from runtime import CallError, ChildSpec, call, process_info, whereis
from runtime.sys import get_state
from runtime.testing import Reports, TestClock, assert_restarted, start_supervised

pytest_plugins = ["runtime.testing"]


def test_a_page_is_made_once_and_kept() -> None:
    cache = start_supervised(Cache)
    assert [call(cache, number) for number in (1, 2, 1)] == [PAGE] * 3
    assert [*get_state(cache)["pages"]] == [1, 2]
    info = process_info(cache, "memory")
    assert info is not None
    assert info["memory"] > 2 * PAGE


def test_one_with_a_bound_is_killed_when_it_outgrows_it_and_starts_again_empty(reports: Reports) -> None:
    before = start_supervised(named(Cache, "bounded", 100_000))
    for number in range(1_000):
        try:
            call("bounded", number)
        except CallError:
            break
        process_info(before, "memory")  # which is when the growth is seen, if not before
    assert assert_restarted("bounded") != before
    assert get_state("bounded")["pages"] == {}


def test_the_reader_asks_both_for_something_new_again_and_again(clock: TestClock) -> None:
    start_supervised(ChildSpec(id="tree", start=(tree,), type="supervisor"))
    clock.advance(1)
    assert BOUND > 20 * PAGE
    for cache, pages in (("cache", (19, 20)), ("bounded_cache", (9, 10))):
        assert len(get_state(cache)["pages"]) in pages
        assert whereis(cache) is not None
