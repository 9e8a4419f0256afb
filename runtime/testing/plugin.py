"""The hooks of the plugin: which tests run in a node, and how."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import nullcontext
from types import FunctionType

import pytest
from _pytest.runner import runtestprotocol

from runtime import Down, Exit, ProcessKilled, exit, flag, receive, run, spawn_monitor, use_clock
from runtime.kernel.process import OUTSIDE
from runtime.terms.term import Term
from runtime.testing import supervised
from runtime.testing.leftovers import LeftBehind, Leftovers
from runtime.testing.time import TestClock

FIXTURES = ("start_supervised", "clock", "reports")

_PACKAGE = __name__.rpartition(".")[0]
_MODULES = {
    f"{_PACKAGE}.{name}" for name in ("chaos", "crashing", "mailbox", "plugin", "reports", "supervised", "time")
}
"""Where what a test module imports from this package is defined."""

_running: dict[str, Leftovers] = {}
"""The test that runs now, by its id, and what watches for its leftovers."""


@pytest.fixture(name="start_supervised")
def supervised_fixture() -> Callable[[object], Term]:
    """Return `start_supervised`."""
    return supervised.start_supervised


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line("markers", "node: run this test as a process of a fresh node (runtime.testing)")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run the whole protocol of a test, fixtures included, in a node of its own."""
    if not isinstance(item, pytest.Function) or not _wants_node(item):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    with use_clock(TestClock()) if _is_ours(item, "clock") else nullcontext():  # a node keeps the clock it starts on
        run(_protocol, item, nextitem)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _protocol(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    flag(trap_exit=True)  # what is linked with a fixture may die without ending the run
    supervised.begin()
    _running[item.nodeid] = Leftovers()
    try:
        runtestprotocol(item, nextitem=nextitem)
    finally:
        _running.pop(item.nodeid, None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Call the test function in a process of its own, so that an exit signal ends the test and not the run."""
    if pyfuncitem.nodeid not in _running:
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    raised: list[BaseException | None] = []

    def test() -> None:
        _running[pyfuncitem.nodeid].begin_test()
        try:
            pyfuncitem.obj(**arguments)
        except BaseException as error:
            raised.append(error)
        else:
            _running[pyfuncitem.nodeid].note_test()
            raised.append(None)
        exit("shutdown")  # ends what is linked with the test

    pid, ref = spawn_monitor(test, label=pyfuncitem.name)
    down = receive(Down(ref, object, object), Exit(OUTSIDE, object))
    if isinstance(down, Exit):  # Ctrl-C: the node is told to stop, and with it the run
        exit(pid, "kill")
        raise KeyboardInterrupt
    error = raised[0] if raised else None
    if error is not None and not isinstance(error, ProcessKilled):
        raise error
    if not raised or error is not None:
        reason = down.reason
        pytest.fail(f"an exit signal ended the test's process: {reason}", pytrace=False)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> object:
    """Stop what the test has started under supervision, and fail it for what it leaves behind."""
    leftovers = _running.get(item.nodeid)
    if leftovers is None:
        return (yield)
    supervised.end()
    try:
        result = yield
    except BaseException:
        leftovers.clear()
        raise
    left = ""
    try:
        leftovers.check()
    except LeftBehind as error:
        left = str(error)
    if left:  # not above, where pytest would show both
        pytest.fail(left, pytrace=False)
    return result


def _wants_node(item: pytest.Function) -> bool:
    """Return whether a test runs in a node: a mark, a fixture of ours, or a module that uses this package says so."""
    if inspect.iscoroutinefunction(item.obj):
        return False
    if item.get_closest_marker("node") or any(_is_ours(item, name) for name in FIXTURES):
        return True
    return any(_module_of(value) in _MODULES for value in vars(item.module).values())


def _module_of(value: object) -> str | None:
    """Return where a function or class is defined. Other values are not asked: they run code of the program's own."""
    if type(value) is FunctionType:
        return value.__module__
    if issubclass(type(value), type):
        module: object = type.__getattribute__(value, "__module__")  # past a metaclass of the program's
        return module if isinstance(module, str) else None
    return None


def _is_ours(item: pytest.Function, fixture: str) -> bool:
    definitions = item._fixtureinfo.name2fixturedefs.get(fixture) or ()
    return any(definition.func.__module__ in _MODULES for definition in definitions[-1:])
