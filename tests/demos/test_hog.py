"""The hog and who suffers from it, tested with the plugin that the runtime brings for such tests."""

from __future__ import annotations

import re

import pytest

from demos import hog
from demos.hog import session, start, tree
from runtime import ChildSpec, process_info, self_, send, whereis, which_children
from runtime.testing import assert_receive, assert_restarted, crash, start_supervised

pytest_plugins = ["runtime.testing"]


def test_no_other_process_runs_while_it_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hog, "REST", 0.0)
    monkeypatch.setattr(hog, "WORK", 0.02)
    worked: list[int] = []
    me = self_()

    def compute(seconds: float) -> None:
        ticks = turns()
        original(seconds)
        worked.append(turns() - ticks)
        send(me, "computed")

    def turns() -> int:
        info = process_info(ticker, "reductions")
        assert info is not None
        taken: int = info["reductions"]
        return taken

    original = hog.compute
    monkeypatch.setattr(hog, "compute", compute)
    ticker = start_supervised(ChildSpec(id="ticker", start=(start, hog.ticker)))
    start_supervised(ChildSpec(id="hog", start=(start, hog.hog)))
    assert_receive("computed", 60.0)
    assert worked[0] == 0


def test_it_is_started_again_when_it_is_killed() -> None:
    top = start_supervised(ChildSpec(id="tree", start=(tree,), type="supervisor"))
    pids = {child.id: child.pid for child in which_children("supervisor")}
    assert whereis("supervisor") == top
    assert assert_restarted(crash(pids["hog"])) != pids["hog"]


def test_a_nap_takes_as_long_as_the_computation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hog, "compute", lambda seconds: original(seconds / 10))
    session()
    found = re.search(r"got one of (\d\.\d+)", capsys.readouterr().out)
    assert found is not None
    assert float(found[1]) >= 0.04


original = hog.compute
