from __future__ import annotations

import gc
import random

import pytest
from msgspec.structs import replace

from runtime import (
    call,
    cast,
    sleep,
    suspend,
)
from runtime.introspection import wire
from runtime.introspection.answers import process_window
from runtime.introspection.reading.listing import Group
from runtime.kernel.process import Pid
from tests.support.in_node import in_node
from tests.support.trees import Observer, start_tree

pytestmark = pytest.mark.usefixtures("size_of_chunks")


@in_node
def test_any_window_of_the_list_is_a_part_of_the_whole() -> None:
    start_tree(guests=5)
    observer = Observer()
    for sort in ("name", "status", "memory", "pid", "started_at"):
        for test in ("", "w1 or guests"):
            query = {"sort": sort, "filter": test, "descending": random.random() < 0.5}
            whole = [row.pid for row in observer.listing(**query).rows]
            for _ in range(20):
                offset, limit = random.randrange(30), random.randrange(1, 12)
                window = observer.listing(offset=offset, limit=limit, **query)
                assert window.total == len(whole)
                assert [row.pid for row in window.rows] == whole[window.offset : window.offset + limit]
            for index, pid in enumerate(whole):
                window = observer.listing(anchor=pid, limit=2, follow=True, **query)
                assert window.anchor_index == index
                assert pid in [row.pid for row in window.rows]


@pytest.mark.usefixtures("lasting")
@pytest.mark.parametrize("follow", [True, False])
def test_who_has_changed_since_the_list_was_sorted_is_found_where_it_is_shown(follow: bool) -> None:
    @in_node
    def look() -> None:
        start_tree()
        observer = Observer()
        query = wire.GetProcesses(sort="memory", limit=3, offset=100)
        last = observer.ask(query).rows[-1]
        assert last.pid is not None
        process = Pid.parse(last.pid).process
        assert process is not None
        process.memory = 1_000_000_000
        window = observer.ask(replace(query, anchor=last.pid, follow=follow))
        assert window.anchor_index is not None
        assert window.rows[window.anchor_index - window.offset].pid == last.pid

    look()


@pytest.mark.parametrize("sort", ["messages_in", "message_queue_len"])
def test_the_list_is_sorted_by_what_figures_have_gained(sort: wire.Sort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_window, "DELTA_INTERVAL", 0.0)

    @in_node
    def look() -> None:
        start_tree(pools=1, size=3, guests=0)
        observer = Observer()
        pids = {row.key: row.pid for row in observer.tree().rows}
        first, second = (Pid.parse(pids[f"app/pool0/w{n}"] or "") for n in (0, 1))
        for pid in (first, second):
            suspend(pid)
        for _ in range(9):
            cast(first, "x")
        query = wire.GetProcesses(sort=sort, delta=True, limit=1)
        assert observer.ask(query).rows[0].pid == str(first)
        for _ in range(5):
            cast(second, "x")
        assert observer.ask(query).rows[0].pid == str(second)
        assert observer.listing(sort=sort, limit=1).rows[0].pid == str(first)

    look()


def test_groups_are_sorted_by_what_they_have_gained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_window, "DELTA_INTERVAL", 0.0)

    @in_node
    def look() -> None:
        start_tree(pools=2, size=3, guests=0)
        observer = Observer()
        pids = {row.key: row.pid for row in observer.tree().rows}
        first, second = (Pid.parse(pids[f"app/pool{n}/w0"] or "") for n in (0, 1))
        query = wire.GetProcesses(sort="messages_in", group_by="supervisor", delta=True, filter="sup~pool")
        for _ in range(9):
            cast(first, "x")
        sleep(0.1)
        assert observer.ask(query).rows[0].name == "pool0"
        cast(second, "x")
        sleep(0.1)
        assert observer.ask(query).rows[0].name == "pool1"

    look()


@in_node
def test_gains_count_over_some_time_also_when_a_key_brings_an_extra_look() -> None:
    start_tree(pools=1, size=3, guests=0)
    observer = Observer()
    pids = {row.key: row.pid for row in observer.tree().rows}
    first, second = (Pid.parse(pids[f"app/pool0/w{n}"] or "") for n in (0, 1))
    cast(first, "x")
    query = wire.GetProcesses(sort="messages_in", delta=True, limit=1)
    assert observer.ask(query).rows[0].pid == str(first)
    cast(second, "x")
    assert observer.ask(query).rows[0].pid == str(first)


@pytest.mark.parametrize("follow", [False, True])
def test_the_list_knows_where_its_anchor_stands(follow: bool) -> None:
    @in_node
    def look() -> None:
        start_tree()
        observer = Observer()
        whole = [row.pid for row in observer.listing(sort="pid", descending=True).rows]
        for index in (0, 5, len(whole) - 1):
            window = observer.listing(sort="pid", descending=True, limit=3, anchor=whole[index], follow=follow)
            assert window.anchor_index == index
            assert (whole[index] in [row.pid for row in window.rows]) or not follow

    look()


@in_node
def test_groups_are_counted_and_summed() -> None:
    start_tree(pools=2, size=3, guests=1)
    for name in ("pool0", "pool1"):
        call(name, "which_children")
    rows = {row.name: row for row in Observer().listing(group_by="supervisor", sort="name").rows}
    assert rows["pool0"].child_count == 3
    assert rows["app"].child_count == 4  # two pools, the guests, and a worker
    assert rows["app"].messages_in == 3
    assert rows["guests"].child_count == 1
    assert rows["no supervisor"].child_count == 2


def test_the_collector_does_not_count_groups() -> None:
    gc.disable()
    before = gc.get_count()[0]
    groups = [Group("name") for _ in range(1_000)]
    made = gc.get_count()[0] - before
    gc.enable()
    assert len(groups) == 1_000
    assert made < 100
