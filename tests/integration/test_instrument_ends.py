"""A program under `observer instrument` ends as it ends without it."""

from __future__ import annotations

import re
import subprocess
from functools import partial
from pathlib import Path

import pytest

from runtime.introspection import program
from tests.support.both_ways import ends_the_same_way, fails_the_same_way, failures_in
from tests.support.instrumented import OBSERVED, PYTHON, environment, instrumented, live, plain

ENDS = {
    "the end of the main greenlet": "import gevent; gevent.spawn(print, 'done'); gevent.sleep(0.1); print('end')",
    "a wait until nothing is left": "import gevent\ngevent.spawn_later(0.1, print, 1)\ngevent.wait()\nprint('end')",
    "a wake-up that cannot come": "from gevent.event import Event\nEvent().wait()",
    "an exit with a text": "import gevent, sys\ngevent.sleep(0)\nsys.exit('no more')",
    "an exit status": "import gevent, sys\ngevent.spawn(sys.exit, 3)\ngevent.sleep(1)",
    "a failure": "import gevent\ngevent.sleep(0)\n{}['x']",
    "a greenlet that fails": "import gevent\ngevent.spawn(lambda: {}['x'])\ngevent.sleep(0.1)",
    "a hook for exceptions": (
        "import sys, gevent\nsys.excepthook = lambda *a: print('HOOK', a[0], repr(a[1].__cause__))\ngevent.sleep(0)\n"
        "try: {}['x']\nexcept KeyError as error: raise RuntimeError('outer') from error"
    ),
    "an interrupt": "import gevent, os, signal\ngevent.sleep(0)\nos.kill(os.getpid(), signal.SIGINT)\ngevent.sleep(5)",
    "a signal": "import gevent, os, signal\ngevent.sleep(0)\nos.kill(os.getpid(), signal.SIGTERM)\ngevent.sleep(5)",
    "a broken pipe": "import os, gevent\ngevent.sleep(0)\nr, w = os.pipe()\nos.close(r)\nos.write(w, b'x')",
    "an early patch": "from gevent import monkey; monkey.patch_all()\nimport time; time.sleep(0.1); print('end')",
    "a late patch": (
        "import time, threading, socket, ssl, logging\nfrom gevent import monkey; monkey.patch_all()\n"
        "threading.Thread(target=lambda: (time.sleep(0.1), print('end'))).start()"
    ),
}

STRUCK = """
import gevent, os, signal
class Over(Exception): pass
hub = gevent.get_hub()
def strike(number, frame):
    is_hub = gevent.getcurrent() is hub
    signal.setitimer(signal.ITIMER_REAL, 2 if is_hub else 0.01)
    if is_hub:
        {0}
signal.signal(signal.SIGALRM, strike)
signal.setitimer(signal.ITIMER_REAL, 0.01)
try:
    gevent.sleep(60)
except Over: print("over")
finally: signal.signal(signal.SIGALRM, signal.SIG_IGN)
"""
"""A signal strikes as soon as the hub runs: where what answers observers is loaded, which takes longer than that.

It strikes again later. The first time may be in a callback of a weak reference, as imports have them: Python prints
what is raised there, and goes on.
"""

ENDS["a fork as soon as the hub runs"] = """
from gevent import monkey; monkey.patch_all()
import gevent, os
def fork():
    child = os.fork()
    print("ended with", os.waitpid(child, 0)[1]) if child else os._exit(gevent.sleep(0.1) or 3)
gevent.spawn(fork).join()
"""

ENDS["what the whole interpreter shares"] = """
import gc, locale, logging, os, signal, sys, threading, warnings
import gevent
gevent.sleep(0.2)
print(sys.getswitchinterval(), sys.getrecursionlimit(), gc.get_threshold(), gc.get_freeze_count(), gc.callbacks)
print(sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook, sys.gettrace(), sys.getprofile())
print([each for each in ("readline", "rlcompleter", "asyncio") if each in sys.modules], locale.setlocale(locale.LC_ALL))
print(logging.root.handlers, logging.root.level, logging.getLoggerClass(), logging.getLogRecordFactory())
print(warnings.filters, [each.name for each in threading.enumerate()], sys.path_hooks, sys.meta_path)
print({each.name: signal.getsignal(each) for each in signal.Signals if each is not signal.SIGURG})
print(signal.getitimer(signal.ITIMER_REAL), signal.getitimer(signal.ITIMER_PROF), signal.pthread_sigmask(0, ()))
print(sorted(key for key in os.environ if not key.startswith(("OBSERVER", "PYTHONPATH"))), os.getcwd())
"""


@pytest.mark.parametrize("code", ENDS.values(), ids=ENDS.keys())
def test_a_program_ends_as_it_ends_without_observation(folder: Path, code: str) -> None:
    status, output, errors = instrumented(folder, code)
    as_it_is = plain(folder, code)
    assert (status, hidden(output), hidden(errors)) == (as_it_is[0], hidden(as_it_is[1]), hidden(as_it_is[2]))
    assert live(folder) == []


STRIKES = ("raise KeyboardInterrupt", "raise SystemExit(3)", "raise Over", "os.kill(os.getpid(), signal.SIGINT)")


@pytest.mark.parametrize("strikes", STRIKES)
def test_what_a_handler_raises_while_the_hub_begins_is_the_programs(folder: Path, strikes: str) -> None:
    code = STRUCK.format(strikes)

    def outcome(observed: bool) -> tuple[int, str, str]:
        status, output, errors = instrumented(folder, code) if observed else plain(folder, code)
        return status, output, hidden(errors)

    ends_the_same_way(outcome)  # the signal may strike the hub before its loop


def hidden(text: str) -> str:
    """Return a text with the addresses of objects and the times taken out."""
    return re.sub(r"0x[0-9a-f]+|\d\d:\d\d:\d\d|\d{4}-\d\d-\d\d", "_", text)


GEVENT_MODULES = ["test__util"]
"""Those of gevent's own tests that look at the hub's class and at trees of greenlets; `test_unchanged` runs others."""

MODULE = """
import runpy, sys
name = sys.argv.pop(1)
sys.argv[0] = name
runpy.run_module("gevent.tests." + name, run_name="__main__", alter_sys=True)
"""


def _failures(folder: Path, module: str, observed: bool) -> frozenset[str]:
    variables = environment(folder)
    done = subprocess.run(
        [PYTHON, "-c", MODULE, module, "-v"],
        env=program.instrumented(variables, "app") if observed else variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return failures_in(done.returncode, done.stdout + done.stderr)


@pytest.mark.parametrize("module", GEVENT_MODULES)
def test_a_module_of_gevents_own_tests_ends_the_same_way(folder: Path, module: str) -> None:
    fails_the_same_way(partial(_failures, folder, module))


def test_a_program_that_goes_on_after_an_interrupt_while_its_hub_begins_is_observed(folder: Path) -> None:
    code = STRUCK.format("raise Over") + OBSERVED + "print('observed')"
    status, output, errors = instrumented(folder, code)
    assert (status, output) == (0, "over\nobserved\n")
    assert "site" not in errors
