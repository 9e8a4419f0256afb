"""The reports that a test causes: crashes, failed children, restarts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime import Instrument, Report, install_instrument, remove_instrument
from runtime.terms.crash import Crash
from runtime.terms.text import render


class Reports(Instrument):
    """What was reported during a test, oldest first. `all` holds every Report."""

    def __init__(self) -> None:
        self.all: list[Report] = []

    def reported(self, report: Report) -> None:
        """Keep a report."""
        self.all.append(report)

    @property
    def crashes(self) -> list[Crash]:
        """The crashes of processes, each once, oldest first."""
        found = {id(crash): crash for report in self.all if (crash := _crash_of(report)) is not None}
        return list(found.values())  # one crash has several reports: the server's, the process's, the child's

    def assert_crash(self, exception: str | type[BaseException], message: str = "") -> Crash:
        """Return the first crash of that exception whose message contains `message`; its reports leave `all`.

        `exception` is a class, or its name. Raises AssertionError, with the crashes there were, when none fits.
        """
        name = exception if isinstance(exception, str) else exception.__qualname__
        for crash in self.crashes:
            if f".{crash.exception}".endswith(f".{name}") and message in crash.message:
                self.all[:] = [report for report in self.all if _crash_of(report) is not crash]
                return crash
        there = "; ".join(map(str, self.crashes)) or "no process crashed"
        raise AssertionError(f"there was no crash of {name}{f' with {render(message)}' if message else ''}: {there}")


def _crash_of(report: Report) -> Crash | None:
    reason = report.fields.get("reason")
    return reason if isinstance(reason, Crash) else None


@pytest.fixture(name="reports")
def reports_fixture() -> Iterator[Reports]:
    """Collect the reports of the test and return them."""
    collected = Reports()
    install_instrument(collected)
    try:
        yield collected
    finally:
        remove_instrument(collected)
