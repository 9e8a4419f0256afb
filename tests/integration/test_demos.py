"""The demos' sessions: what they print alone, and that they go on and end well when they are watched."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import demos

NAMES = sorted(path.stem for path in Path(demos.__path__[0]).glob("[!_]*.py"))

SESSIONS = {
    "cluster": """\
        Three nodes, this one and two with surveys:
        3 surveys on left
        3 surveys on right
        left was killed, and its surveys went on:
        6 surveys on right
        left is back, with three surveys again.
        A partner on left and one on right are linked. The wire between the two is cut:
        the partner on left got one Exit and one Down: ['noconnection', 'noconnection']
        the partner on right got one Exit and one Down: ['noconnection', 'noconnection']
        The wire is mended, and they are linked again.
        """,
    "chat": """\
        [Ada] * Ada joins
        [Bob] * Bob joins
        [Charles] * Charles joins
        [Ada] Ada: Hello, everybody!
        [Bob] Ada: Hello, everybody!
        [Charles] Ada: Hello, everybody!
        [Ada] Bob: Hi Ada.
        [Bob] Bob: Hi Ada.
        [Charles] Bob: Hi Ada.
        [Ada] Charles: Is this thing on?
        [Bob] Charles: Is this thing on?
        [Charles] Charles: Is this thing on?
        """,
    "connection": """\
        [connection] connecting
        [connection] connected
        WHO IS THERE?
        the server hangs up
        [connection] waiting for 0.1 seconds
        [connection] connecting
        [connection] waiting for 0.2 seconds
        [connection] connecting
        [connection] waiting for 0.4 seconds
        and answers again, for a question that has waited
        [connection] connecting
        [connection] connected
        HOW ARE YOU?
        """,
    "counter": """\
        start
        increment
        get
        Current count: 1
        start under a supervisor
        increment
        get
        Current count: 1
        kill
        get
        Current count: 0
        """,
    "crash_loop": """\
        tea: 2
        no such dish: call to orders failed: KeyError: 'no such dish'
        soup: 5
        no such dish: call to orders failed: KeyError: 'no such dish'
        cake: 4
        """,
    "deadlock": """\
        move from savings to cheque: failed
        move from cheque to savings: failed
        """,
    "plain": """\
        served: [1, 3]
        gone: 1 of 2 waiters, because order 20 is spoiled
        """,
    "strategies": """\
        one_for_one: killed one_b, started again: one_b
        one_for_all: killed all_b, started again: all_a, all_b, all_c
        rest_for_one: killed rest_b, started again: rest_b, rest_c
        fragile: killed glass, started again: glass
        fragile: killed glass, started again: glass, shelf
        fragile: killed glass, started again: glass
        fragile: killed glass, started again: cupboard, glass, shelf
        """,
    "web_shop": """\
        PUT /carts/ada/tea -> 200 {'tea': 2}
        kill cart
        kill catalogue
        GET /carts/ada -> 200 {'tea': 2}
        kill connection 0
        kill connection 1
        kill connection 2
        kill connection 3
        PUT /orders/ada -> 200 {'id': 'ada', 'total': 900, 'lines': {'tea': 2}}
        kill web
        PUT /orders/ada -> 200 {'id': 'ada', 'total': 900, 'lines': {'tea': 2}}
        kill database
        kill shopping
        GET /orders/ada -> 200 {'id': 'ada', 'total': 900, 'lines': {'tea': 2}}
        """,
}
"""What demos print whose sessions hold no measurement."""


def played(name: str, *arguments: str) -> str:
    """Play a demo's session in a process of its own and give what it printed."""
    environment = {key: value for key, value in os.environ.items() if key != "OBSERVER"}
    done = subprocess.run(
        [sys.executable, "-m", f"demos.{name}", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def figures(text: str) -> list[list[float]]:
    """Return the numbers of each line."""
    return [[float(number) for number in re.findall(r"\d+(?:\.\d+)?", line)] for line in text.splitlines()]


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_prints_its_lines_and_ends(name: str) -> None:
    assert played(name).split("\n") == [line.strip() for line in SESSIONS[name].split("\n")]


def test_the_hog_makes_a_short_nap_a_long_one() -> None:
    ((asked, got),) = figures(played("hog"))
    assert asked < 0.1 < got


def test_the_leak_grows_with_every_page() -> None:
    sizes = [size for _, size in figures(played("leak"))]
    assert sizes == sorted(set(sizes))
    assert len(sizes) == 4


def test_the_overload_session_leaves_work_waiting() -> None:
    waiting = [waits for _, waits in figures(played("overload"))]
    assert len(waiting) == 4
    assert waiting[-1] > waiting[0] > 0


def test_the_swarm_is_as_large_as_it_was_asked_to_be() -> None:
    assert played("swarm", "--processes", "300").startswith("300 servers, 303 processes with their supervisors\n")


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_swarm_of_no_size_is_refused_with_a_sentence(number: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demos.swarm", f"--processes={number}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "--processes" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_demo_begins_its_page_with_one_line_and_says_what_to_try(name: str) -> None:
    page = Path(demos.__path__[0], f"{name}.py").read_text(encoding="utf-8").split('"""')[1]
    first, blank, *rest = page.split("\n")
    assert first.endswith(".")
    assert not blank
    assert "In the observer" in " ".join(rest)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "plain"])
def test_a_watched_demo_goes_on_until_it_is_told_to_stop(name: str, tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", WATCHED, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OBSERVER": "1", "OBSERVER_DIR": str(tmp_path)},
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "the tree stands\n"
        child.send_signal(signal.SIGTERM)
        _, errors = child.communicate(timeout=300)
    assert (child.returncode, errors) == (128 + signal.SIGTERM, "")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_the_plain_one_goes_on_too_and_ends_without_a_traceback(number: int, status: int, tmp_path: Path) -> None:
    environment = {**os.environ, "OBSERVER": "1", "OBSERVER_DIR": str(tmp_path)}
    command, pipe = [sys.executable, "-c", LASTING], subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment, bufsize=0) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"it goes on\n"
        child.send_signal(number)
        try:
            _, errors = child.communicate(timeout=300)
        finally:
            child.kill()  # what ignores the signal would keep the test from its end
    assert child.returncode == status
    assert b"Traceback" not in errors


WATCHED = """\
import runpy, sys
from demos import _stage

def hold(tree, hold=_stage.hold):
    def announced():
        top = tree()
        print("the tree stands", flush=True)
        return top
    hold(announced)

_stage.hold = hold
sys.argv = sys.argv[1:]
runpy.run_module("demos." + sys.argv[0], run_name="__main__", alter_sys=True)  # peers import it, too
"""
"""Runs a demo as ``python -m`` does, and says when its tree has started."""


LASTING = """\
import runpy, threading
threading.Timer(2, print, ("it goes on",), {"flush": True}).start()  # no greenlet, which the signal might strike
runpy.run_module("demos.plain", run_name="__main__")
"""
"""Runs the plain demo, and says when it has gone on for longer than its session takes."""
