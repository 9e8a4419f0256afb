"""The last ends of processes with a name."""

from __future__ import annotations

import pytest

from runtime import await_exit, exit, self_, sleep, spawn
from runtime.kernel import last_ends
from runtime.kernel.last_ends import NamedEnd
from runtime.kernel.node import this_node
from tests.support.in_node import in_node


@in_node
def test_ends_are_remembered_with_who_brought_them_about_and_the_oldest_are_forgotten() -> None:
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(last_ends, "MOST", 2)
    pids = []
    for name, reason in (("a", "kill"), ("b", ["large"]), ("c", "boom")):
        pid = spawn(sleep, 60, name=name)
        pids.append(pid)
        exit(pid, reason)
        await_exit(pid)
    await_exit(spawn(sleep, 0))
    monkeypatch.undo()
    assert this_node().last_ends == {
        pids[1].id: NamedEnd("b", None, self_()),
        pids[2].id: NamedEnd("c", "boom", self_()),
    }
