"""A pytest plugin for supervised code: each test is a process in a node of its own, as with Elixir's ExUnit.

Switch it on in a test module or in the root ``conftest.py``::

    pytest_plugins = ["runtime.testing"]

A test runs in a node when its module imports something from here, when it asks for one of the fixtures, or when it is
marked ``@pytest.mark.node``. Other tests run as always. `runtime/TESTING.md` shows everything with examples.

May import every other part of the runtime. Needs pytest, which is told by the next word not to rewrite assertions here:
PYTEST_DONT_REWRITE
"""

from runtime.testing.chaos import chaos
from runtime.testing.crashing import Crashed, NotRestarted, assert_restarted, crash
from runtime.testing.leftovers import LeftBehind
from runtime.testing.mailbox import assert_receive, refute_receive
from runtime.testing.plugin import (
    pytest_configure,
    pytest_pyfunc_call,
    pytest_runtest_protocol,
    pytest_runtest_teardown,
    supervised_fixture,
)
from runtime.testing.reports import Reports, reports_fixture
from runtime.testing.supervised import start_supervised, stop_supervised
from runtime.testing.time import TestClock, clock_fixture

__all__ = [
    "Crashed",
    "LeftBehind",
    "NotRestarted",
    "Reports",
    "TestClock",
    "assert_receive",
    "assert_restarted",
    "chaos",
    "clock_fixture",
    "crash",
    "pytest_configure",
    "pytest_pyfunc_call",
    "pytest_runtest_protocol",
    "pytest_runtest_teardown",
    "refute_receive",
    "reports_fixture",
    "start_supervised",
    "stop_supervised",
    "supervised_fixture",
]
