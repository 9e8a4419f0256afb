"""The kitchen without a process, tested with the plugin: what its greenlets leave behind would fail a test."""

from __future__ import annotations

import gevent
import pytest
from gevent.queue import Queue

from demos import plain
from demos.plain import SPOILED, SpoiledOrder, cook, session, waiter

pytest_plugins = ["runtime.testing"]

pytestmark = pytest.mark.usefixtures("reports")  # which puts each test in a node


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let orders follow one another at once, and gevent print nothing about spoiled ones."""
    monkeypatch.setattr(plain, "EVERY", 0.001)
    hub = gevent.get_hub()
    monkeypatch.setattr(hub, "NOT_ERROR", (*hub.NOT_ERROR, SpoiledOrder))


def test_a_waiter_who_takes_a_spoiled_order_is_gone_and_the_other_serves_on() -> None:
    orders: Queue[int] = Queue()
    served: list[int] = []
    waiters = [gevent.spawn(waiter, orders, served) for _ in range(2)]
    for order in (1, SPOILED, 3, 4, 5):
        orders.put(order)
    orders.put(StopIteration)  # type: ignore[arg-type]
    gevent.joinall(waiters, timeout=60)
    assert sorted(served) == [1, 3, 4, 5]
    assert [type(each.exception) for each in waiters if each.exception] == [SpoiledOrder]


def test_the_cook_puts_order_after_order_on_the_counter() -> None:
    orders: Queue[int] = Queue()
    cooking = gevent.spawn(cook, orders)
    assert [orders.get(timeout=60) for _ in range(3)] == [1, 2, 3]
    cooking.kill()


def test_the_session_says_who_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    session()
    assert capsys.readouterr().out.splitlines()[-1] == "gone: 1 of 2 waiters, because order 20 is spoiled"
