"""What the dashboard's tests share: a fixed time zone, and a way to run the app without waiting for time to pass."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from unittest.mock import Mock

import pytest
from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.notifications import Notification
from textual.pilot import Pilot

from observer import app
from observer.app import ObserverApp
from observer.model.poller import Lost
from observer.model.settings import Settings
from observer.node import discovery
from observer.node.client import Client
from observer.node.cluster import whole_cluster
from observer.node.connection import Connection
from tests.support.fake_node import FakeClock, FakeNode
from tests.support.idle import wait_for_idle
from tests.support.shown import shown

SELDOM = Settings(interval=60.0)
"""Settings under which the app looks only when something asks it to, so that tests say when."""


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day are the same on every machine."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def pauses_until_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every pause of a pilot last until the app has done all that it has to do."""
    for module in ("textual.pilot", "textual.app"):
        monkeypatch.setattr(f"{module}.wait_for_idle", wait_for_idle)


@pytest.fixture(autouse=True)
def stays_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no dashboard unfreeze the tests themselves: each search for garbage would go through them again."""
    monkeypatch.setattr("observer.app.gc", Mock())


@pytest.fixture(autouse=True)
def draws_what_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the screen where a test looks at it, and no frame between: without a terminal nobody sees those."""
    render_update = Compositor.render_update

    def render_if_looked_at(self: Compositor, full: bool = False, **options: Any) -> Any:
        if full:
            return render_update(self, full, **options)
        visible_screen_stack.set(options.get("screen_stack") or [])
        self._dirty_regions.clear()
        return None

    monkeypatch.setattr(Compositor, "render_update", render_if_looked_at)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for answers as long as a busy machine takes. A test of what is done without one sets a limit itself."""
    monkeypatch.setattr(app, "PATIENCE", 5.0)
    monkeypatch.setattr(whole_cluster, "PATIENCE", 60.0)
    monkeypatch.setattr(whole_cluster, "ANSWER_TIMEOUT", 60.0)
    monkeypatch.setattr(discovery, "PROBE_TIMEOUT", 60.0)
    for kind in (Client, Connection):
        monkeypatch.setattr(kind.__init__, "__defaults__", (60.0, 60.0))


@pytest.fixture(autouse=True)
def keeps_notifications(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no notification go before a test has looked at it, however long the machine takes until then."""
    monkeypatch.setattr(Notification, "time_left", 3600.0)


@pytest.fixture(autouse=True)
def seldom_collects() -> Iterator[None]:
    """Search for garbage less often: a dashboard makes so many objects that a sixth of the time would go into it."""
    usual = gc.get_threshold()
    gc.set_threshold(10_000, 20, 10)
    yield
    gc.set_threshold(*usual)


class Driver:
    """A running dashboard on a fake node."""

    def __init__(self, app: ObserverApp, node: FakeNode, pilot: Pilot[None]) -> None:
        self.app, self.node, self.pilot = app, node, pilot

    async def press(self, *keys: str) -> None:
        """Press keys and let everything settle that follows from them."""
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        """Wait until no message and no question is on its way."""
        for _ in range(3):
            await self.pilot.pause()

    async def look(self, times: int = 1) -> None:
        """Have the app look at the node."""
        for _ in range(times):
            await self.app.observed.poller.look()
            await self.settle()

    def lose(self, why: str) -> None:
        """Have the app learn that the node is lost, and keep it lost."""
        self.node.lose(why)
        self.app.take(Lost(why))

    async def shows(self, expected: str) -> bool:
        """Say whether something appears on the screen, now or once everything that is under way is done."""
        for _ in range(3_000):
            if expected in self.text():
                return True
            await self.pilot.pause()
        return False

    def text(self) -> str:
        """Return what stands on the screen."""
        return shown(self.app)


Drive = Callable[..., AbstractAsyncContextManager[Driver]]


@pytest.fixture
def drive() -> Drive:
    """Return a context in which the dashboard runs on a node."""

    @asynccontextmanager
    async def running(
        node: FakeNode, size: tuple[int, int] = (120, 40), settings: Settings = SELDOM
    ) -> AsyncIterator[Driver]:
        app = ObserverApp(node, settings, FakeClock())
        async with app.run_test(size=size, notifications=True) as pilot:
            driver = Driver(app, node, pilot)
            await driver.settle()
            await driver.look()
            yield driver

    return running
