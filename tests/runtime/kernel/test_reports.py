"""Reports as text."""

from __future__ import annotations

import logging
from types import FunctionType
from typing import Any

from runtime import GenServer
from runtime.kernel.reports import Report
from runtime.terms.crash import Crash


def _crash() -> Crash:
    try:
        raise KeyError("port")
    except KeyError as error:
        return Crash.from_exception(error)


def test_a_report_of_an_exception_begins_with_it_its_place_and_its_line() -> None:
    crash = _crash()
    fields = {"pid": 1, "reason": crash, "stacktrace": crash.stacktrace}
    lines = Report("server_terminated", logging.ERROR, fields).text().splitlines()
    place = f"test_reports.py:{crash.stacktrace[-1].line} in _crash"
    assert lines[0].startswith("server terminated: KeyError: 'port' (")
    assert lines[0].endswith(f"{place})")
    assert lines[1:4] == ['    raise KeyError("port")', "  pid: 1", "  stacktrace:"]
    assert lines[4].endswith(place)
    assert len(lines) == 5


def test_a_report_of_an_exception_without_a_stack_begins_with_the_exception() -> None:
    text = Report("crash_report", logging.ERROR, {"reason": Crash("KeyError", "'port'"), "stacktrace": []}).text()
    assert text == "crash report: KeyError: 'port'"


def test_other_reports_have_a_line_for_each_field() -> None:
    text = Report("supervisor_report", logging.ERROR, {"reason": "killed", "start": (Report.text, 1)}).text()
    assert text.splitlines()[:2] == ["supervisor report", "  reason: killed"]


def test_a_start_is_shown_as_a_program_writes_it() -> None:
    lost: Any = FunctionType(_crash.__code__, {}, "lost")
    lost.__module__ = 5
    start = (_crash, GenServer.start_link, _crash, 1, "x", lost)
    (_, text) = Report("supervisor_report", logging.ERROR, {"start": start}).text().splitlines()
    here = f"{__name__}._crash"
    assert text == f"  start: ({here}, GenServer.start_link, {here}, 1, 'x', {lost})"
