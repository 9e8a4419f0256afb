"""Going back in time in a real terminal: a node that runs, a recording of it, and a black box."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from observer.node.recorded.node import RecordedClient
from runtime.introspection import wire
from tests.support.nodes import observed
from tests.support.tmux import WITHOUT_TMUX, Screen

pytestmark = WITHOUT_TMUX


def observer(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the observer in a folder of sockets."""
    environment = {**os.environ, "OBSERVER_DIR": str(folder), "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    command = [sys.executable, "-m", "tests.support.patient", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_a_node_is_gone_back_in_recorded_replayed_and_dumped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(folder))
    recording, box = folder / "shop.observed", folder / "box.observed"
    with observed(folder, program=("-m", "demos.crash_loop")):
        with Screen(folder, "attach", "node") as screen:
            screen.shows("● live")
            screen.shows(r"orders restarted")
            while not re.search(r"◷ \d\d:\d\d:\d\d", screen.text()):
                screen.keys("[")  # nothing is remembered in the first second
                screen.shows("restaurant")
            screen.shows(r"\[ \] step .*\| now")
            screen.keys("j", "x")
            screen.shows("Not done")
            screen.keys("|")
            screen.shows("● live")
            screen.keys("q")
        done = observer(folder, "record", "node", "-o", str(recording), "--for", "5s")
        assert (done.returncode, done.stdout.strip()) == (0, str(recording)), done.stderr
        assert "ended: its time was over" in done.stderr
        again = observer(folder, "record", "node", "-o", str(recording), "--for", "5s")
        assert again.returncode == 1
        assert "--force" in again.stderr
        done = observer(folder, "dump", "node", "-o", str(box), "--for", "0")
        assert (done.returncode, done.stdout.strip()) == (0, str(box)), done.stderr
    with RecordedClient(box) as client:
        assert "orders" in [row.name for row in client.expect(wire.Window, wire.GetProcesses()).rows]
    with Screen(folder, "open", str(box)) as screen:
        screen.shows("Black box of .*asked for with")
        screen.shows(r"orders")
        screen.keys("4")
        screen.shows("KeyError: 'no such dish'")
        screen.keys("q")
        screen.shows("left with 0")
    with Screen(folder, "replay", str(recording)) as screen:
        first = screen.shows(r"◷ (\d\d:\d\d:\d\d)")[1]
        screen.shows("its time was over")
        screen.keys("]")
        screen.shows(rf"◷ (?!{first})\d\d:\d\d:\d\d")
        screen.keys("4")
        screen.shows("KeyError: 'no such dish'")
        screen.keys("q")
        screen.shows("left with 0")
