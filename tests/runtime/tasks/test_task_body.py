"""What the process of a task runs."""

import logging

import pytest

from runtime import Pid, Task, TaskSupervisor, flag, process_info, receive, send, sleep, spawn_task
from tests.support.in_node import in_node
from tests.support.kept_reports import kept_reports


def waits() -> None:
    receive("go")


def fails() -> None:
    raise ValueError("no luck")


def _initial_call(pid: Pid) -> tuple[str, str]:
    """What the process's information and its dictionary say."""
    info = process_info(pid, "initial_call", "dictionary")
    assert info is not None
    return info["initial_call"], info["dictionary"]["$initial_call"]


@in_node
def test_a_task_shows_the_programs_function_as_its_initial_call() -> None:
    supervisor = TaskSupervisor.start_link()
    assert supervisor is not None
    waiting = (
        spawn_task(waits).pid,
        Task.start(waits),
        TaskSupervisor.start_child(supervisor, waits),
        TaskSupervisor.async_(supervisor, waits).pid,
        TaskSupervisor.async_nolink(supervisor, waits).pid,
    )
    for pid in waiting:
        assert _initial_call(pid) == (f"{__name__}.waits", f"{__name__}.waits")
        send(pid, "go")


def _fails_with(what: str, code: int = 0) -> None:
    raise ValueError(what)


@in_node
def test_the_report_of_a_task_says_with_which_arguments_it_failed() -> None:
    flag(trap_exit=True)
    supervisor = TaskSupervisor.start_link()
    with kept_reports() as reports:
        Task.start(_fails_with, "soup", code=7)
        spawn_task(_fails_with, "soup", code=7)
        TaskSupervisor.start_child(supervisor, _fails_with, "soup", code=7)
        TaskSupervisor.async_nolink(supervisor, _fails_with, "soup", code=7)
        sleep(0.1)
    told = [report.fields for report in reports if report.kind == "task_terminating"]
    assert len(told) == 4
    for fields in told:
        assert fields["function"] == f"{__name__}._fails_with"
        assert (fields["arguments"], fields["keyword_arguments"]) == (["soup"], {"code": 7})


def test_the_reports_of_a_task_name_the_programs_function(caplog: pytest.LogCaptureFixture) -> None:
    @in_node
    def fail_twice() -> None:
        flag(trap_exit=True)
        supervisor = TaskSupervisor.start_link()
        for task in (spawn_task(fails), TaskSupervisor.async_nolink(supervisor, fails)):
            receive(lambda message, ref=task.ref: ref in message)

    with caplog.at_level(logging.ERROR, "runtime"):
        fail_twice()
    reports = [record.__dict__["report"] for record in caplog.records]
    crashes = [report.fields["initial_call"] for report in reports if report.kind == "crash_report"]
    tasks = [report.fields["function"] for report in reports if report.kind == "task_terminating"]
    assert crashes == tasks == [f"{__name__}.fails"] * 2
