"""A plain gevent program ends the same way whether it is observed or not."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.support.both_ways import fails_the_same_way, failures_in
from tests.support.nodes import LAUNCH

WATCHED = "from runtime import introspection; introspection.serve('plain')\n"

MODULE = """
import runpy, sys
name = sys.argv.pop(1)
sys.argv[0] = name
runpy.run_module("gevent.tests." + name, run_name="__main__", alter_sys=True)
"""

GEVENT_MODULES = [
    "test__api",
    "test__ares_timeout",
    "test__backdoor",
    "test__close_backend_fd",
    "test__compat",
    "test__contextvars",
    "test__core",
    "test__core_async",
    "test__core_callback",
    "test__core_watcher",
    "test__event",
    "test__events",
    "test__exc_info",
    "test__greenio",
    "test__greenlet",
    "test__greenletset",
    "test__greenness",
    "test__hub",
    "test__hub_join",
    "test__hub_join_timeout",
    "test__import_wait",
    "test__iwait",
    "test__joinall",
    "test__local",
    "test__loop_callback",
    "test__monkey",
    "test__nondefaultloop",
    "test__order",
    "test__queue",
    "test__select",
    "test__selectors",
    "test__semaphore",
    "test__signal",
    "test__sleep0",
    "test__socketpair",
]
"""gevent's own tests, which come with it: those that take a few seconds at most."""


def end_of(folder: Path, program: str, *arguments: str, observed: bool) -> tuple[int, str, str]:
    """Run a program and return its exit status, its output and its errors."""
    done = subprocess.run(
        [sys.executable, "-c", (WATCHED if observed else "") + program, *arguments],
        env={**os.environ, "OBSERVER_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def both_ends(folder: Path, program: str) -> list[tuple[int, str, str]]:
    """Run a program plain and observed, and return how each ended."""
    return [end_of(folder, program, observed=observed) for observed in (False, True)]


def test_waiting_until_nothing_is_left_to_do_comes_to_an_end(folder: Path) -> None:
    program = "import gevent\ngevent.spawn_later(0.2, print, 'done')\ngevent.wait()\nprint('end')"
    plain, observed = both_ends(folder, program)
    assert plain == observed == (0, "done\nend\n", "")


def test_a_wake_up_that_can_never_come_raises_loop_exit(folder: Path) -> None:
    plain, observed = both_ends(folder, "from gevent.event import Event\nEvent().wait()")
    assert plain[0] == observed[0] == 1
    assert "LoopExit" in plain[2]
    assert "LoopExit" in observed[2]


def test_a_node_with_processes_waits_for_what_threads_will_send_it(folder: Path) -> None:
    program = """
import threading
from runtime import receive, run, self_, send
def main():
    me = self_()
    threading.Timer(0.3, send, (me, "late")).start()
    print(receive())
run(main)
"""
    assert both_ends(folder, program) == [(0, "late\n", "")] * 2


def test_greenlets_have_no_links_but_the_programs_own(folder: Path) -> None:
    program = "import gevent\ng = gevent.spawn(gevent.sleep, 0)\nprint(g.has_links())\ng.join()\nprint(g.has_links())"
    assert both_ends(folder, program) == [(0, "False\nFalse\n", "")] * 2


def test_the_hub_may_be_destroyed(folder: Path) -> None:
    program = "import gevent\ngevent.sleep(0)\ngevent.get_hub().destroy(destroy_loop=True)\nprint('end')"
    assert both_ends(folder, program) == [(0, "end\n", "")] * 2


def launched(folder: Path, program: str) -> tuple[int, str, str]:
    """Run a program under the launch, as ``observer run`` does."""
    script = folder / "script.py"
    script.write_text(program)
    done = subprocess.run(
        [*LAUNCH, str(script)],
        env={**os.environ, "OBSERVER_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_hook_for_exceptions_of_the_programs_own_is_called_under_the_launch(folder: Path) -> None:
    program = (
        "import sys\n"
        "def hook(kind, error, trace):\n"
        "    print(kind.__name__, repr(error.__cause__), trace.tb_frame.f_code.co_filename.rpartition('/')[2])\n"
        "sys.excepthook = hook\n"
        "try:\n    {}['x']\n"
        "except KeyError as error:\n    raise RuntimeError('outer') from error\n"
    )
    assert launched(folder, program) == (1, "RuntimeError KeyError('x') script.py\n", "")


def test_the_launch_shows_what_led_to_the_last_exception(folder: Path) -> None:
    program = "try:\n    {}['x']\nexcept KeyError as error:\n    raise RuntimeError('outer') from error\n"
    status, _, said = launched(folder, program)
    assert status == 1
    assert said.index("KeyError: 'x'") < said.index("was the direct cause of") < said.index("RuntimeError: outer")


def _failures(folder: Path, module: str, observed: bool) -> frozenset[str]:
    """Return the tests of a module that fail, and how it ended where it came to no verdict."""
    status, output, errors = end_of(folder, MODULE, module, "-v", observed=observed)
    return failures_in(status, output + errors)


@pytest.mark.parametrize("module", GEVENT_MODULES)
def test_a_module_of_gevents_own_tests_ends_the_same_way(folder: Path, module: str) -> None:
    fails_the_same_way(partial(_failures, folder, module))
