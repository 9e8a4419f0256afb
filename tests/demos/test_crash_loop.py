"""The kitchen that dies of some orders, tested with the plugin that the runtime brings for such tests."""

from __future__ import annotations

import pytest

from demos._stage import named
from demos.crash_loop import EVERY, Orders, tree
from runtime import CallError, ChildSpec, Supervisor, call, whereis
from runtime.sys import get_state
from runtime.testing import Reports, TestClock, assert_restarted, start_supervised

pytest_plugins = ["runtime.testing"]


def test_an_order_is_priced_and_one_that_is_not_on_the_menu_ends_the_server(reports: Reports) -> None:
    start_supervised(named(Orders, "orders"))
    assert call("orders", "soup") == 5
    assert get_state("orders") == {"total": 5}
    before = whereis("orders")
    with pytest.raises(CallError):
        call("orders", "no such dish")
    assert reports.assert_crash(KeyError, "no such dish")
    assert assert_restarted("orders") != before
    assert get_state("orders") == {"total": 0}


def test_every_fifth_order_ends_it_and_a_burst_ends_its_supervisor(clock: TestClock, reports: Reports) -> None:
    start_supervised(ChildSpec(id="restaurant", start=(tree,), type="supervisor"))
    kitchen = whereis("kitchen")
    order = EVERY + 0.02
    clock.advance(order * 74.5)
    assert len(reports.crashes) >= 10
    assert whereis("kitchen") == kitchen
    clock.advance(order * 2)
    assert assert_restarted("kitchen") != kitchen
    assert whereis("orders") is not None


def test_a_supervisor_that_allows_no_restart_gives_up_at_the_first(reports: Reports) -> None:
    start_supervised(Supervisor.child_spec([named(Orders, "orders")], max_restarts=0, name="kitchen"))
    before = whereis("kitchen")
    with pytest.raises(CallError):
        call("orders", "no such dish")
    assert assert_restarted("kitchen") != before
    assert "shutdown" in [report.fields.get("context") for report in reports.all]
