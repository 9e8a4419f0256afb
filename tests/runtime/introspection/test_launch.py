"""Starting programs to be observed: the launch, the environment, names and sockets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from observer.node.child import Child
from runtime.introspection import wire
from runtime.introspection.address import is_live
from tests.support.nodes import LAUNCH, TREE, ObservedNode, RawClient, eventually, observed

ROOT = Path(__file__).parents[3]


def test_a_name_that_is_taken_is_said_in_a_sentence(node: ObservedNode) -> None:
    with observed(node.path.parent) as second:
        assert second.process.wait(60) == 1
        assert second.logged() == (
            "The program was not started, because it could not be observed: There is a node called node already.\n"
        )
    with node.client() as client:
        assert client.stats().os_pid == node.process.pid


def test_a_socket_that_a_dead_node_has_left_is_taken_over(folder: Path) -> None:
    with observed(folder) as node:
        node.process.kill()
        node.process.wait()
        assert node.path.exists()
    with observed(folder) as node, node.client() as client:
        assert client.stats().os_pid == node.process.pid


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "There is no file "),
        ("import no_such_module", "because an import failed: No module named 'no_such_module'."),
        ("a = = b", "invalid syntax. The program was not started."),
        ("def f():\n    1 / 0\nf()", "ended with ZeroDivisionError: division by zero"),
    ],
)
def test_a_program_that_cannot_run_says_why(folder: Path, source: str | None, said: str) -> None:
    script = folder / "script.py"
    if source is not None:
        script.write_text(source)
    with observed(folder, program=(str(script),)) as node:
        assert node.process.wait(60) == 1
        assert said in node.logged()
        assert "Traceback" not in node.logged()


FAILING = """
from runtime import *
class Counter(GenServer):
    def init(self):
        {}["port"]
run(Supervisor.start_link, [Counter])
"""


TERMINATED_AS_IT_FAILS = """import os, signal, sys
sys.excepthook = lambda *how: os.kill(os.getpid(), signal.SIGTERM)
1 / 0
"""


TERMINATED_WHILE_ITS_HOOK_WAITS = """import os, signal, sys, time
def hook(*how):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1_000)
sys.excepthook = hook
1 / 0
"""


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        (FAILING, "child Counter did not start: KeyError: 'port' (script.py:5 in init)"),
        ("def f():\n    1 / 0\nf()", "ZeroDivisionError: division by zero (script.py:2 in f)"),
        (TERMINATED_AS_IT_FAILS, "ZeroDivisionError: division by zero (script.py:3 in <module>)"),
        (TERMINATED_WHILE_ITS_HOOK_WAITS, "ZeroDivisionError: division by zero (script.py:6 in <module>)"),
        ("import sys\nsys.exit('no disk')", "no disk"),
        ("import sys\nsys.exit(3)", ""),
        ("", ""),
    ],
)
def test_the_observer_of_a_program_is_told_what_it_died_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, cause: str
) -> None:
    (folder / "script.py").write_text(source)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with Child("shop", ["script.py"], environment={"OBSERVER_DIR": str(folder)}) as child:
        child.wait(60)
        assert child.status().cause == cause
    assert child.status().cause == cause


HANDLES_SIGTERM_FROM_ITS_HOOK_ON = """import atexit, os, signal, sys
sys.excepthook = lambda *how: signal.signal(signal.SIGTERM, lambda *how: print("handled", file=sys.stderr))
atexit.register(lambda: os.kill(os.getpid(), signal.SIGTERM))
1 / 0
"""


def test_a_handler_that_a_program_sets_for_its_end_stays(folder: Path) -> None:
    script = folder / "script.py"
    script.write_text(HANDLES_SIGTERM_FROM_ITS_HOOK_ON)
    with observed(folder, program=(str(script),)) as node:
        assert node.process.wait(60) == 1
        assert node.logged() == "handled\n"


def test_a_program_runs_as_if_python_had_been_given_it(folder: Path) -> None:
    script = folder / "script.py"
    script.write_text("import sys\nprint(__name__, sys.argv[1:], sys.path[0], file=sys.stderr)\nsys.exit(7)\n")
    with observed(folder, program=(str(script), "--name", "other")) as node:
        assert node.process.wait(60) == 7
        assert node.logged() == f"__main__ ['--name', 'other'] {folder}\n"


def test_a_program_ends_when_its_lifeline_does(folder: Path) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [*LAUNCH, "--lifeline", str(reader), *TREE],
        env={**os.environ, "OBSERVER_DIR": str(folder)},
        pass_fds=(reader,),
    )
    os.close(reader)
    try:
        eventually(lambda: is_live(folder / "node.sock"))
        with RawClient(folder / "node.sock") as client:
            eventually(lambda: client.stats().names == 5)
        os.close(writer)
        assert process.wait(60) == 143
        assert not (folder / "node.sock").exists()
    finally:
        process.kill()
        process.wait()


# -- Programs of every kind ---------------------------------------------------------------------------------------

PATCHED = """
from gevent import monkey
monkey.patch_all()
import logging, sys
logging.basicConfig()
from tests.support import observed
from runtime import run
run(observed.main)
"""

FORKING = """
import os
from tests.support import observed
from runtime import run
def main():
    if os.fork() == 0:
        print("the child ends", file=__import__("sys").stderr, flush=True)
        raise SystemExit(0)
    observed.main()
run(main)
"""


def test_a_program_that_gevent_has_patched_is_observed_while_it_is_stuck(folder: Path) -> None:
    script = folder / "script.py"
    script.write_text(PATCHED)
    with observed(folder, program=(str(script),)) as node, node.client() as client:
        eventually(lambda: client.stats().names == 5)
        assert client.told_state(client.pid("app/pool/worker-1")).state is not None
        pid = client.tell("app/pool/worker-1", "'hog'")
        eventually(lambda: client.stats().hub_busy_with == pid)
        with node.client(hello=False) as other:
            other.write(b"\xff" * 8)
            assert other.is_hung_up()
        assert isinstance(client.ask(wire.Exit(pid=pid)), wire.Done)
        assert client.pid("app/pool/worker-1") != pid
        eventually(lambda: "dropped an observer" in node.logged())


def test_a_fork_that_ends_leaves_the_socket_alone(folder: Path) -> None:
    script = folder / "script.py"
    script.write_text(FORKING)
    with observed(folder, program=(str(script),)) as node, node.client() as client:
        eventually(lambda: client.stats().names == 5)
        eventually(lambda: "the child ends" in node.logged())
        assert client.pid("app/pool/worker-1")
        assert node.path.exists()


def test_the_environment_switches_introspection_on(folder: Path) -> None:
    environment = {**os.environ, "OBSERVER_DIR": str(folder), "OBSERVER": "1", "OBSERVER_READ_ONLY": "1"}
    process = subprocess.Popen([sys.executable, *TREE], env=environment)
    try:
        eventually(lambda: is_live(folder / "observed.sock"))
        with RawClient(folder / "observed.sock") as client:
            assert client.welcome.os_pid == process.pid
            assert client.welcome.read_only
    finally:
        process.kill()
        process.wait()


def test_without_the_environment_nothing_of_introspection_is_loaded() -> None:
    program = (
        "import sys; from runtime import run; run(lambda: None); "
        "sys.exit(any(m.startswith('runtime.introspection') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
