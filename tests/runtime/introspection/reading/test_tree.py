from __future__ import annotations

import gc
import random

import pytest
from msgspec.structs import replace

from runtime import (
    ChildSpec,
    DynamicSupervisor,
    Supervisor,
    call,
    exit,
    receive,
    self_,
    sleep,
    spawn,
    start_child,
    terminate_child,
    whereis,
)
from runtime.introspection import wire
from runtime.introspection.answers import client_cache
from runtime.introspection.reading import listing
from runtime.introspection.reading.tree import Section
from runtime.introspection.reading.tree_path import FREE, children_of, path_of
from runtime.kernel.process import Pid
from runtime.supervision.dynamic import DynamicChildren
from tests.support.in_node import in_node
from tests.support.trees import Idle, Observer, start_tree, supervisor

UNFOLDED = {"unfolded": (FREE,)}

pytestmark = pytest.mark.usefixtures("size_of_chunks")


@in_node
def test_any_window_is_a_part_of_the_whole() -> None:
    start_tree()
    observer = Observer()
    for sort in ("tree", "name", "pid", "messages_in"):
        whole = observer.keys(sort=sort, descending=True, **UNFOLDED)
        for _ in range(40):
            offset, limit = random.randrange(30), random.randrange(1, 12)
            window = observer.tree(sort=sort, descending=True, offset=offset, limit=limit, **UNFOLDED)
            assert window.total == len(whole)
            assert [row.key for row in window.rows] == whole[window.offset : window.offset + limit]


@in_node
def test_every_row_is_found_by_its_key_and_by_its_pid() -> None:
    start_tree()
    observer = Observer()
    rows = observer.tree(sort="name", **UNFOLDED).rows
    for index, row in enumerate(rows):
        assert observer.tree(sort="name", anchor=row.key, limit=1, **UNFOLDED).anchor_index == index
        if row.pid is not None:
            window = observer.tree(sort="name", anchor=row.pid, limit=2, follow=True, **UNFOLDED)
            assert window.anchor_index == index
            assert row.key in [each.key for each in window.rows]
    assert observer.tree(anchor="app/nobody").anchor_index is None
    assert observer.tree(anchor="<0.999.0>").anchor_index is None


@in_node
def test_what_is_folded_takes_one_line() -> None:
    start_tree(pools=2, size=3, guests=0)
    observer = Observer()
    assert observer.keys(folded=("app/pool0",)) == [
        "app",
        "app/pool0",
        "app/pool1",
        "app/pool1/w0",
        "app/pool1/w1",
        "app/pool1/w2",
        "app/guests",
        "app/own0",
        FREE,
    ]
    big = observer.tree(fold_over=2)
    assert [row.key for row in big.rows] == ["app", FREE]
    assert big.rows[0].folded
    assert big.rows[0].child_count == 4
    opened = observer.keys(fold_over=2, unfolded=("app", "app/pool1"))
    assert "app/pool1/w0" in opened
    assert "app/pool0/w0" not in opened


@in_node
def test_siblings_are_sorted_and_the_group_comes_last() -> None:
    start_tree(pools=3, size=2, guests=0)
    for _ in range(5):
        call("pool1", "which_children")
    keys = Observer().keys(sort="messages_in", descending=True, folded=("app/pool0", "app/pool1", "app/pool2"))
    assert keys[0] == "app"
    assert keys[1] == "app/pool1"
    assert keys[-1] == FREE


@in_node
def test_a_subtree_is_shown_alone() -> None:
    start_tree()
    rows = Observer().tree(root="app/pool2").rows
    assert [(row.key, row.depth) for row in rows[:2]] == [("app/pool2", 0), ("app/pool2/w0", 1)]
    assert len(rows) == 5
    assert {row.key for row in Observer().tree(root=FREE).rows} >= {FREE}


@in_node
def test_a_filter_keeps_what_is_above_a_match() -> None:
    start_tree()
    window = Observer().tree(filter="name=w1", folded=("app/pool0",))
    assert [row.key for row in window.rows] == [
        "app",
        "app/pool0",
        "app/pool0/w1",
        "app/pool1",
        "app/pool1/w1",
        "app/pool2",
        "app/pool2/w1",
    ]
    assert window.matched == 3
    assert [row.context for row in window.rows] == [True, True, False, True, False, True, False]
    (group, *_) = Observer().tree(filter="name=w1 or app", root="app/pool1").rows
    assert (group.key, group.context) == ("app/pool1", True)


@in_node
def test_a_supervisor_that_matches_itself_is_not_shown_for_what_is_below_it_alone() -> None:
    start_tree()
    rows = Observer().tree(filter="name=pool1 or name=w1").rows
    assert {row.key: row.context for row in rows if row.kind == "supervisor"} == {
        "app": True,
        "app/pool0": True,
        "app/pool1": False,
        "app/pool2": True,
    }


@pytest.mark.usefixtures("lasting")
@in_node
def test_what_a_filter_has_kept_is_followed_through_restarts() -> None:
    start_tree(max_restarts=1_000)
    observer = Observer()
    query = wire.GetTree(filter="not pid=<0.1.0> and (name=w1 or sup=guests)", limit=2_000)
    before = {row.key: row for row in observer.ask(query).rows}
    leaves = [key for key, row in before.items() if row.kind == "worker"]
    assert [key.rpartition("/")[0] for key in leaves] == ["app/pool0", "app/pool1", "app/pool2", *["app/guests"] * 2]
    for key in leaves:
        exit(Pid.parse(str(before[key].pid)), "kill")
    sleep(0.1)
    after = {row.key: row for row in observer.ask(query).rows}
    assert [*after] == [*before]
    assert [after[key].restarts for key in leaves] == [1] * len(leaves)
    for number, key in enumerate(after):
        assert observer.ask(replace(query, anchor=key)).anchor_index == number


@pytest.mark.usefixtures("lasting")
@in_node
def test_what_has_come_since_the_lines_were_laid_out_takes_the_place_of_none() -> None:
    start_tree(guests=3)
    observer = Observer()
    for sort in ("tree", "pid"):
        observer.cache = client_cache.ClientCache()
        query = wire.GetTree(sort=sort, limit=2_000, unfolded=(FREE,))
        before = observer.ask(query)
        for _ in range(3):
            start_child("guests", Idle)
            spawn(receive)
        after = observer.ask(query)
        assert [row.key for row in after.rows] == [row.key for row in before.rows]
        for offset in range(after.total):
            window = observer.ask(replace(query, offset=offset, limit=2))
            assert [row.key for row in window.rows] == [row.key for row in before.rows][window.offset :][:2]


@in_node
def test_a_child_that_has_ended_for_good_is_known_no_more() -> None:
    start_tree(guests=3, max_restarts=1_000)
    guests = whereis("guests")
    assert guests is not None
    kept = children_of(guests.process)
    assert isinstance(kept, DynamicChildren)
    first, second, third = [*kept.children]
    for _ in range(3):
        exit(next(iter(kept.children)), "kill")
        sleep(0.1)
    assert [kept.first_run_as(pid.id) for pid in (first, second, third)] == [*kept.children.values()]
    terminate_child("guests", [*kept.children][1])
    assert kept.first_run_as(second.id) is None
    exit(whereis("guests"), "shutdown")


@in_node
def test_processes_under_no_supervisor_are_counted_as_they_come_and_go() -> None:
    observer = Observer()
    strays = [spawn(receive) for _ in range(7)]
    for gone in (strays[2], strays[6], None):
        shown = observer.tree(**UNFOLDED).rows
        living = [str(self_()), *[str(pid) for pid in strays if pid.process is not None]]
        assert [row.pid for row in shown[1:]] == living
        assert shown[0].child_count == len(living)
        if gone is not None:
            exit(gone, "kill")
            strays.append(spawn(receive))
            sleep(0.1)


def test_groups_beyond_what_can_be_shown_are_summed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_GROUPS", 3)

    @in_node
    def look() -> None:
        for number in range(6):
            spawn(receive, label=f"label {number}")
        rows = Observer().listing(group_by="label", sort="name", descending=False).rows
        assert sum(row.child_count or 0 for row in rows) == 7
        assert [row.child_count for row in rows if row.name == listing.REST] == [4]
        assert len(rows) == 4

    look()


@in_node
def test_a_child_that_is_not_running_keeps_its_row() -> None:
    start_tree()
    terminate_child("pool0", "w2")
    rows = {row.key: row for row in Observer().tree().rows}
    assert (rows["app/pool0/w2"].pid, rows["app/pool0/w2"].status) == (None, "stopped")
    assert rows["app/pool0"].not_running == 1
    assert rows["app/pool1"].not_running == 0


@in_node
def test_the_tree_follows_restarts_starts_and_ends() -> None:
    start_tree(max_restarts=1_000)
    observer = Observer()
    for _ in range(30):
        pool = random.choice(("pool0", "pool1", "pool2"))
        rows = {row.key: row for row in observer.tree(**UNFOLDED).rows}
        victim = rows[f"app/{pool}/w{random.randrange(4)}"]
        assert victim.pid is not None
        exit(Pid.parse(victim.pid), "kill")
        stray = spawn(lambda: None)
        sleep(0.1)
        now = {row.key: row for row in observer.tree(**UNFOLDED).rows}
        assert now[victim.key].pid not in (None, victim.pid)
        assert now[victim.key].restarts == victim.restarts + 1
        assert {key for key in now if not key.startswith("<")} == {key for key in rows if not key.startswith("<")}
        assert str(stray) not in now


@in_node
def test_a_supervisor_that_is_restarted_is_shown_with_its_new_children() -> None:
    start_tree()
    observer = Observer()
    observer.tree()
    old = whereis("pool1")
    assert old is not None
    exit(old, "kill")
    sleep(0.1)
    rows = {row.key: row for row in observer.tree().rows}
    assert rows["app/pool1"].pid == str(whereis("pool1"))
    assert rows["app/pool1/w3"].supervisor == str(whereis("pool1"))


@in_node
def test_what_is_being_started_stands_in_its_place_already_and_nowhere_else() -> None:
    observer = Observer()
    looks: list[tuple[str, list[str]]] = []

    class Looking(Idle):
        def init(self) -> None:
            process = self_().process
            assert process is not None
            looks.append((path_of(process), observer.keys(**UNFOLDED)))

    pool = supervisor("pool", [ChildSpec(id="w", start=(Looking.start_link,))])
    guests = ChildSpec(id="guests", start=(lambda: DynamicSupervisor.start_link(name="guests"),), type="supervisor")
    Supervisor.start_link([pool, guests], name="app")
    exit(whereis("pool"), "kill")
    call("app", "which_children")
    guest = start_child("guests", Looking)
    kept = [row.key for row in observer.tree().rows if row.key.startswith("app")]
    assert kept == ["app", "app/pool", "app/pool/w", "app/guests", f"app/guests/{guest}"]
    keys = [key for key, _ in looks]
    assert keys == ["app/pool/w", "app/pool/w", str(guest)], "a dynamic child has no place before it is started"
    for _, seen in looks:
        assert [key for key in seen if key.startswith("<")] == [str(self_())]
        assert "pool" not in seen


def test_the_collector_does_not_walk_sections() -> None:
    assert not gc.is_tracked(Section(None, "key", False))
