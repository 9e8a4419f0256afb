"""Black boxes: each demo's fault is named when its box is opened, and programs that fail or hang leave one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from textual.pilot import Pilot

from observer.app import ObserverApp
from observer.model.settings import Settings
from observer.node.client import Client
from observer.node.recorded.node import RecordedClient, RecordedNode
from observer.node.recorded.recording import RecordedFile
from observer.screens.tree_screen import TreeScreen
from observer.widgets.finding_line import FindingLine
from runtime.introspection import wire
from runtime.introspection.recording import files, looks
from runtime.introspection.recording.entries import header_of
from tests.support.instrumented import OBSERVED
from tests.support.nodes import eventually, observed
from tests.support.shown import shown

FAULTS = {
    "crash_loop": "crash_loop",
    "deadlock": "deadlock",
    "hog": "hog",
    "leak": "memory_grows",
    "overload": "mailbox_grows",
}
"""The demos with a fault, and the finding that names it."""

LONG_HOG = """
from demos import hog
from demos._stage import play
hog.WORK = 1_000.0
play(hog.session, hog.tree)
"""
"""The hog, which computes until it is ended: a busy machine may hardly run it in the three seconds of the demo."""

FAILING = """
import glob, os, sys, time
from runtime.introspection.black_box import black_box
black_box.LIMIT = 50.0  # that of a busy machine,
black_box.APART = 0.0 if sys.argv[1] == "fail" else 1_000.0  # on which a failure may be told long after what it did
from runtime import GenServer, Supervisor, run, sleep
class Till(GenServer):
    def init(self): raise KeyError("port")
def fail():
    sleep(0.1)
    raise ValueError("no such\\x1b[31m dish")
def give_up():
    from runtime import ChildSpec, cast
    class Cook(GenServer):
        def init(self): pass
        def handle_cast(self, message): raise KeyError(message)
    cook = ChildSpec("cook", (lambda: Cook.start_link(name="cook"),))
    Supervisor.start_link([cook], name="kitchen", max_restarts=0)
    cast("cook", "soup")
    sleep(30)
def hang():
    from runtime.preemption import stall
    stall.MOSTLY = 0.0  # on a busy machine it has mostly waited for its turn when the box is written
    until = time.monotonic() + 50
    while time.monotonic() < until and not glob.glob(os.environ["OBSERVER_DIR"] + "/black-boxes/*.observed"):
        for _ in range(10**6): pass
def wait():
    print("ready", flush=True)
    sleep(30)
if __name__ == "__main__":
    run(globals()[sys.argv[1]], **({"black_box": sys.argv[2]} if len(sys.argv) > 2 else {}))
"""


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a black box of each of these demos, written once its fault shows. What holds the processor runs alone."""
    found = {}
    for together in (["hog"], [demo for demo in FAULTS if demo != "hog"]):
        with ExitStack() as stack:
            clients = {}
            for demo in together:
                folder = tmp_path_factory.mktemp(demo[:4])
                (folder / "hog.py").write_text(LONG_HOG)
                program = (str(folder / "hog.py"),) if demo == "hog" else ("-m", f"demos.{demo}")
                node = stack.enter_context(observed(folder, program=program))
                clients[demo] = stack.enter_context(Client("node", node.path))
            for demo, client in clients.items():
                found[demo] = tmp_path_factory.mktemp("box") / f"{demo}.observed"
                eventually(lambda client=client, demo=demo: shows_its_fault(client, demo, found[demo]))  # type: ignore[misc]
    return found


def shows_its_fault(client: Client, demo: str, path: Path) -> bool:
    """Write a black box once the fault of a demo shows; whether it is in there, too: it may have passed meanwhile."""
    if FAULTS[demo] not in kinds_of(client):
        return False
    header = header_of(client.welcome, "black_box", "asked for")
    files.write_black_box(path, header, looks.black_box(client.ask, 2.0), time.time())
    with RecordedClient(path) as box:
        return FAULTS[demo] in kinds_of(box)


def kinds_of(client: Client) -> list[str]:
    """Return the kinds of findings that a node, or a recording of one, has now."""
    return [lint.kind for lint in client.expect(wire.Lints, wire.GetLints()).lints]


@pytest.mark.parametrize("demo", FAULTS)
def test_the_black_box_of_a_demo_names_its_fault(boxes: dict[str, Path], demo: str) -> None:
    with RecordedClient(boxes[demo]) as client:
        assert FAULTS[demo] in kinds_of(client)


async def until(pilot: Pilot[None], seen: Callable[[], bool]) -> None:
    """Watch the screen until it shows what is expected."""
    for _ in range(1_000):
        if seen():
            return
        await pilot.pause(0.05)
    pytest.fail(f"It never appeared. The last screen:\n{shown(pilot.app)}")


async def test_an_opened_black_box_names_its_fault_at_home_and_has_all_views(boxes: dict[str, Path]) -> None:
    with RecordedFile(boxes["deadlock"]) as recording:
        app = ObserverApp(RecordedNode(recording), Settings(interval=0.1))
        async with app.run_test(size=(120, 40)) as pilot:
            line = app.screen.query_one(FindingLine)
            await until(pilot, lambda: bool(line.lints))
            assert line.shown is not None
            assert line.shown.kind == "deadlock"
            assert "asked for" in shown(app)
            for key in "234561":
                await pilot.press(key)
                await pilot.pause()
            await pilot.press("j", "x")
            await until(pilot, lambda: bool([*app._notifications]))
            assert [notice.title for notice in app._notifications] == ["Not done"]
            assert isinstance(app.screen, TreeScreen)


def failing(folder: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """Start the program that fails as it is told to."""
    script = folder / "shop.py"
    script.write_text(FAILING)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVER")}
    environment = {**inherited, "OBSERVER_DIR": str(folder), **more}
    return subprocess.Popen(
        [sys.executable, str(script), *arguments], env=environment, text=True, stdout=-1, stderr=subprocess.DEVNULL
    )


def left(folder: Path) -> list[Path]:
    """Return the black boxes that were left in a folder of sockets."""
    return sorted((folder / "black-boxes").glob("*.observed"))


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("fail", "the program failed: ValueError: no such"),
        ("give_up", "supervisor kitchen gave up: its child cook ended with KeyError: 'soup'"),
        ("hang", "the hub has been held for "),
    ],
)
def test_a_program_that_fails_or_hangs_leaves_one(folder: Path, fault: str, says: str) -> None:
    hang = {"OBSERVER_BLACK_BOX_HANG": "1"} if fault == "hang" else {}  # so does a program that the system does not run
    with failing(folder, fault, OBSERVER="1", **hang) as program:
        program.wait(300)
    (path,) = left(folder)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.name.startswith(f"shop@{program.pid}-")
    with RecordedClient(path) as client:
        assert says in client.told
        assert "\x1b" not in client.told
        rows = client.expect(wire.Window, wire.GetProcesses()).rows
        if fault == "give_up":
            assert "kitchen" in [row.name for row in rows]
        if fault == "hang":
            assert {"hog", "starved"} & set(kinds_of(client))  # which of the two, the machine's load decides


def test_none_is_written_unless_it_is_wanted(folder: Path) -> None:
    for more in ({}, {"OBSERVER": "1", "OBSERVER_BLACK_BOX": "0"}):
        with failing(folder, "fail", **more) as program:
            program.wait(300)
    assert left(folder) == []


def test_run_writes_one_where_it_is_told_to_without_an_observer(folder: Path) -> None:
    with failing(folder, "fail", str(folder / "mine.observed")) as program:
        program.wait(300)
    with RecordedClient(folder / "mine.observed") as client:
        assert client.welcome.node == "shop"
        assert client.expect(wire.Events, wire.GetEvents(after=-1)).events[-1].crashed
    assert [*folder.glob("*.sock")] == []


def test_a_folder_that_was_asked_for_does_not_fill_up(folder: Path) -> None:
    mine = folder / "mine"
    mine.mkdir()
    for number in range(30):
        old = mine / f"shop@{number}-20260101-000000.observed"
        old.write_bytes(b"x")
        os.utime(old, (number, number))
    with failing(folder, "fail", f"{mine}/") as program:
        program.wait(300)
    assert len([*mine.iterdir()]) == 20
    assert not (mine / "shop@10-20260101-000000.observed").exists()


def test_a_signal_asks_for_one(folder: Path) -> None:
    with failing(folder, "wait", OBSERVER="1", OBSERVER_BLACK_BOX_SIGNAL="USR2") as program:
        assert program.stdout is not None
        program.stdout.readline()
        program.send_signal(signal.SIGUSR2)
        (path,) = eventually(lambda: left(folder))
        program.terminate()
    with RecordedClient(path) as client:
        assert "asked for with SIGUSR2" in client.told
        assert [row.name for row in client.expect(wire.Window, wire.GetProcesses()).rows] == ["main"]


@pytest.mark.parametrize("arguments", [(), ("mine.observed",)])
def test_what_is_not_shown_is_not_kept(folder: Path, arguments: tuple[str, ...]) -> None:
    hidden = {"OBSERVER_NO_STATE": "1", "OBSERVER_NO_EXCEPTION_TEXTS": "1"}
    hidden |= {} if arguments else {"OBSERVER": "1"}
    with failing(folder, "give_up", *(str(folder / name) for name in arguments), **hidden) as program:
        program.wait(300)
    (path,) = [*left(folder), *folder.glob("*.observed")]
    with RecordedClient(path) as client:
        kept = [client.ask(query) for query in (wire.GetEvents(after=-1), wire.GetTree(), wire.GetNames())]
        assert "soup" not in client.told + repr(kept)
        assert "KeyError" in client.told


def test_any_program_of_gevent_leaves_one(folder: Path) -> None:
    code = "import gevent; gevent.spawn(gevent.sleep, 90)\n" + OBSERVED
    code += "from runtime.introspection.black_box import black_box\nblack_box.LIMIT = 50.0\nraise RuntimeError('plain')"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVER")}
    command = [sys.executable, "-m", "observer", "instrument", "--name", "any", "--", sys.executable, "-c", code]
    subprocess.run(
        command, env={**inherited, "OBSERVER_DIR": str(folder)}, capture_output=True, timeout=300, check=False
    )
    with RecordedClient(left(folder)[0]) as client:
        assert "the program failed: RuntimeError: plain" in client.told
        assert client.expect(wire.Window, wire.GetProcesses()).total == 2
