"""Which processes have no supervisor; found again and again without a look at all of them."""

from __future__ import annotations

import gc

import pytest

from runtime import Supervisor, exit, receive, self_, sleep, spawn, whereis
from runtime.introspection.reading import unsupervised
from runtime.introspection.reading.unsupervised import Block, TopLevel
from runtime.introspection.threads.pace import Pace
from runtime.kernel.node import this_node
from tests.support.in_node import in_node
from tests.support.trees import start_tree, workers


def _seen(top: TopLevel) -> tuple[list[str], list[str]]:
    top.update(Pace())
    free = top.free()
    found = [str(process.pid) for chunk in free for process in chunk]
    assert len(found) <= len(free)
    return [str(process.pid) for process in top.roots()], found


@in_node
def test_roots_are_supervisors_and_all_others_without_one_are_free() -> None:
    top = TopLevel(this_node())
    app = start_tree(pools=2, size=2, guests=2)
    other = Supervisor.start_link(workers(2), name="other")
    free = [str(spawn(receive)) for _ in range(3)]
    assert _seen(top) == ([str(app), str(other)], [str(self_()), *free])


@in_node
def test_what_comes_and_goes_is_noticed() -> None:
    top = TopLevel(this_node())
    first = spawn(receive)
    app = Supervisor.start_link(workers(2), name="app")
    assert _seen(top) == ([str(app)], [str(self_()), str(first)])
    second = spawn(receive)
    exit(first, "kill")
    sleep(0)
    assert _seen(top) == ([str(app)], [str(self_()), str(second)])


@in_node
def test_the_orphans_of_a_killed_supervisor_are_free_and_its_successors_children_are_not() -> None:
    top = TopLevel(this_node())
    start_tree(pools=1, size=2, guests=0)
    before = _seen(top)
    exit(whereis("pool0"), "kill")
    sleep(0.1)
    assert _seen(top) == before


@in_node
def test_a_block_in_which_nothing_has_changed_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    update = Block.update

    def counted(self: Block, block: dict[int, object], pace: Pace) -> None:
        looked.append(len(block))
        update(self, block, pace)  # type: ignore[arg-type]

    monkeypatch.setattr(Block, "update", counted)
    monkeypatch.setattr(unsupervised, "SETTLED", 0.0)
    gc.collect()
    top = TopLevel(this_node())
    pids = [spawn(receive) for _ in range(5_000)]
    blocks = len(this_node().table)
    assert blocks > 1
    _seen(top)
    assert len(looked) == blocks
    looked.clear()
    _seen(top)
    assert len(looked) == 1  # the newest, which is still filled
    looked.clear()
    exit(pids[0], "kill")
    sleep(0)
    _seen(top)
    assert len(looked) == 2


@in_node
def test_what_was_found_is_forgotten_and_found_again() -> None:
    top = TopLevel(this_node())
    app = start_tree(pools=1)
    before = _seen(top)
    top.clear(Pace())
    assert (top.roots(), [*top.free()]) == ([], [])
    assert _seen(top) == before
    assert before[0] == [str(app)]
