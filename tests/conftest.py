"""The order in which tests are imported and begin, and what random examples may take: as long as they like."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# The tests start hundreds of programs. Without bytecode each of them, and each worker, would compile everything anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

LONGEST = ("tests/soak/", "tests/conformance/test_beam.py", "tests/runtime/testing/", "tests/integration/")
"""The tests that last longest. They begin first, so that no process is left with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the tests that last longest to the front."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Keep the tests themselves out of the search for garbage: it would go through thousands of them each time."""
    gc.disable()
    try:
        _import_from_a_place_of_its_own(session.config)
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


def _import_from_a_place_of_its_own(config: pytest.Config) -> None:
    """Import the test modules, where several processes do it: each begins with others and goes round.

    In a new checkout all of them have to be compiled. Processes that import the same modules in the same order compile
    everything at the same time, each for itself. So each compiles its share and finds that of the others compiled.
    """
    worker: dict[str, object] = getattr(config, "workerinput", {})
    if not worker or config.option.ignore or config.args != list(config.getini("testpaths")):
        return
    modules = sorted(Path(__file__).parent.rglob("test_*.py"))
    first = len(modules) * int(str(worker["workerid"]).removeprefix("gw")) // int(str(worker["workercount"]))
    for module in modules[first:] + modules[:first]:
        name = ".".join(("tests", *module.relative_to(Path(__file__).parent).with_suffix("").parts))
        with suppress(Exception, pytest.skip.Exception):  # they are raised once more where tests are collected
            importlib.import_module(name)
