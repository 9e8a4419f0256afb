"""The dashboard on a real second process: one that is killed, that hangs in a busy loop, that ends."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from observer.app import ObserverApp
from observer.model.settings import Settings
from observer.node.child import Child, ChildNode
from observer.widgets.process_table import ProcessTable
from tests.support.shown import shown

PROGRAM = """
import os
import sys
import time
from runtime import ChildSpec, Supervisor, receive, run, sleep, spawn_link

def worker():
    while True:
        receive()

def hog():
    while True:
        match receive():
            case "spin":
                end = time.monotonic() + 60
                while time.monotonic() < end:
                    pass
            case "leave":
                print("last words", file=sys.stderr, flush=True)
                os._exit(3)

def main():
    children = [ChildSpec(id=name, start=(spawn_link, fn)) for name, fn in (("one", worker), ("hog", hog))]
    Supervisor.start_link(children, name="top")
    sleep(1000)

run(main)
"""

TRIES = 3_000
"""How often it is looked for something to appear, a twentieth of a second apart, before it is given up."""


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    """A program with a supervisor, a worker, and one that hangs or ends when it is told to."""
    monkeypatch.setenv("OBSERVER_DIR", str(tmp_path / "nodes"))
    (tmp_path / "nodes").mkdir(mode=0o700)
    script = tmp_path / "program.py"
    script.write_text(PROGRAM, encoding="utf-8")
    root = str(Path(__file__).parents[3])
    with Child("program", [str(script)], [], {"OBSERVER": "1", "PYTHONPATH": root}) as started:
        assert started.wait_until_listening(), "\n".join(started.stderr())
        yield started


class Seat:
    """A person in front of the dashboard."""

    def __init__(self, app: ObserverApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    def text(self) -> str:
        return shown(self.app)

    async def until(self, seen: Callable[[str], bool]) -> str:
        """Watch the screen until it shows what is expected; give what it shows."""
        for _ in range(TRIES):
            if seen(text := self.text()):
                return text
            await self.pilot.pause(0.05)
        pytest.fail(f"It never appeared. The last screen:\n{self.text()}")


@asynccontextmanager
async def seated(child: Child) -> AsyncIterator[Seat]:
    app = ObserverApp(ChildNode(child), Settings(interval=0.1))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        seat = Seat(app, pilot)
        await seat.until(lambda text: "── hog" in text)
        yield seat


def pid_of(text: str, name: str) -> str:
    """Return the pid in a row of the tree, or "" where there is none."""
    line = next((line for line in text.splitlines() if f"── {name}" in line), "")
    return line.partition("<")[2].partition(">")[0]


async def test_a_kill_is_seen_on_the_screen_with_the_new_process(child: Child) -> None:
    async with seated(child) as seat:
        before = pid_of(seat.text(), "one")
        await seat.pilot.press("j", "x")
        await seat.until(lambda text: "restarts 1" in text and "Kill  ⏎" in text)
        await seat.pilot.press("enter")
        # What happened may be known a look before the row that it has changed.
        text = await seat.until(lambda text: "one restarted" in text and pid_of(text, "one") not in ("", before))
        assert "was sent kill by an observer" in text


async def test_a_process_that_is_shown_alone_is_followed_through_a_restart(child: Child) -> None:
    async with seated(child) as seat:
        await seat.pilot.press("j", "enter")
        await seat.until(lambda text: "Process    one <" in text)
        before = seat.app.observed.record.events.last
        await seat.pilot.press("X")
        text = await seat.until(lambda text: "one restarted" in text)
        new = text.partition("→ ")[2].partition(">")[0]
        await seat.until(lambda text: f"Process    one {new}>" in text)
        assert seat.app.observed.record.events.last > before


async def test_a_hub_that_hangs_is_told_and_the_one_that_holds_it_can_be_killed(child: Child) -> None:
    async with seated(child) as seat:
        await seat.pilot.press("j", "j")
        row = seat.app.screen.query_one(ProcessTable).row
        assert row is not None
        assert row.name == "hog"
        await seat.pilot.press("m", *"spin", "enter")
        text = await seat.until(lambda text: "HUB STUCK" in text)
        assert f"held by {row.pid}" in text
        await seat.pilot.press("X")
        text = await seat.until(lambda text: "hog restarted" in text and "HUB STUCK" not in text)
        assert "● live" in text


async def test_the_end_of_the_program_is_told_with_its_status_and_last_words(child: Child) -> None:
    async with seated(child) as seat:
        await seat.pilot.press("j", "j", "m", *"leave", "enter")
        # What the program has written is read by a thread, which may come to it after the end is known.
        text = await seat.until(lambda text: "The program ended" in text and "last words" in text)
        assert "exit status 3" in text
        assert "── one" in text
        await seat.pilot.press("O")
        await seat.until(lambda text: "last words" in text)


async def test_a_program_that_is_killed_from_outside_is_told_with_the_signal(child: Child) -> None:
    async with seated(child) as seat:
        welcome = seat.app.observed.record.welcome
        assert welcome is not None
        os.kill(welcome.os_pid, signal.SIGKILL)
        await seat.until(lambda text: "The program was ended by SIGKILL" in text)
