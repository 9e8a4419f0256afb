from math import nan
from typing import Any

import pytest

from runtime import (
    CallError,
    Down,
    Exit,
    Pid,
    Supervisor,
    Task,
    alive,
    await_,
    await_many,
    dictionary,
    exit,
    flag,
    flush,
    ignore_task,
    monitor,
    process_info,
    receive,
    self_,
    send,
    shutdown_task,
    sleep,
    spawn,
    spawn_task,
    which_children,
    yield_,
    yield_many,
)
from tests.support.in_node import in_node


def slow(seconds: float, value: Any = "done") -> Any:
    """What a task that takes its time runs."""
    sleep(seconds)
    return value


@in_node
def test_a_tasks_result_is_waited_for() -> None:
    assert await_(spawn_task(lambda a, b: a + b, 1, b=2)) == 3
    assert flush() == []


@in_node
def test_a_result_and_the_end_of_the_task_arrive_as_messages() -> None:
    task = spawn_task(lambda: "hello")
    sleep(0.01)
    assert flush() == [(task.ref, "hello"), Down(task.ref, task.pid, "normal")]


@in_node
def test_a_task_that_fails_ends_a_caller_that_does_not_trap_exits() -> None:
    owner = spawn(lambda: await_(spawn_task(exit, "boom")))
    ref = monitor(owner)
    assert receive(Down) == Down(ref, owner, "boom")


@in_node
def test_waiting_for_a_task_that_fails_gives_its_reason() -> None:
    flag(trap_exit=True)
    task = spawn_task(exit, "boom")
    with pytest.raises(CallError) as caught:
        await_(task)
    assert caught.value.reason == "boom"
    assert caught.value.function == "await"
    assert flush() == [Exit(task.pid, "boom")]


@in_node
def test_a_late_result_reaches_no_mailbox() -> None:
    task = spawn_task(slow, 1.0)
    with pytest.raises(CallError) as caught:
        await_(task, 0.5)
    assert caught.value.reason == "timeout"
    assert alive(task.pid)
    sleep(1.0)
    assert flush() == []


@in_node
def test_a_task_belongs_to_who_started_it() -> None:
    task = spawn_task(slow, 0.1)
    main = self_()

    def try_it() -> None:
        with pytest.raises(ValueError, match="belongs to"):
            await_(task)
        send(main, "refused")

    spawn(try_it)
    assert receive("refused", timeout=1) == "refused"
    assert await_(task) == "done"


@in_node
def test_several_results_come_in_the_order_of_their_tasks() -> None:
    tasks = [spawn_task(slow, seconds, seconds) for seconds in (0.3, 0.1, 0.2)]
    assert await_many(tasks) == [0.3, 0.1, 0.2]
    assert flush() == []


@in_node
def test_several_tasks_share_one_timeout() -> None:
    tasks = [spawn_task(slow, seconds) for seconds in (0.4, 0.8)]
    with pytest.raises(CallError) as caught:
        await_many(tasks, 0.6)
    assert (caught.value.reason, caught.value.function) == ("timeout", "await_many")
    sleep(1.0)
    assert flush() == []


@in_node
def test_the_first_of_several_tasks_that_fails_is_told() -> None:
    flag(trap_exit=True)
    with pytest.raises(CallError) as caught:
        await_many([spawn_task(slow, 0.1), spawn_task(exit, "boom")])
    assert caught.value.reason == "boom"


@in_node
def test_looking_for_a_task_leaves_it_to_be_awaited() -> None:
    task = spawn_task(slow, 1.0)
    assert yield_(task, 0.5) is None
    assert yield_(task, 1.0) == ("ok", "done")


@in_node
def test_looking_for_a_task_that_failed_gives_its_reason() -> None:
    flag(trap_exit=True)
    assert yield_(spawn_task(exit, "boom")) == ("exit", "boom")


@in_node
def test_several_tasks_can_be_looked_for() -> None:
    quick, late = spawn_task(slow, 0.1), spawn_task(slow, 1.0)
    assert yield_many([quick, late], 0.5) == [(quick, ("ok", "done")), (late, None)]
    assert yield_many([late], 0.0, on_timeout="kill_task") == [(late, None)]
    assert not alive(late.pid)
    with pytest.raises(ValueError, match="allowed are 'nothing'"):
        yield_many([], on_timeout="explode")  # type: ignore[arg-type]


@in_node
def test_a_task_can_be_shut_down() -> None:
    task = spawn_task(slow, 60.0)
    assert shutdown_task(task) is None
    assert not alive(task.pid)
    assert flush() == []


@in_node
def test_shutting_down_a_task_that_has_finished_gives_its_result() -> None:
    task = spawn_task(slow, 0.1)
    sleep(0.2)
    assert shutdown_task(task) == ("ok", "done")


@in_node
def test_shutting_down_a_task_that_has_failed_gives_its_reason() -> None:
    flag(trap_exit=True)
    task = spawn_task(exit, "boom")
    sleep(0.1)
    assert shutdown_task(task) == ("exit", "boom")


@in_node
def test_a_task_that_will_not_shut_down_is_killed() -> None:
    def stubborn() -> None:
        flag(trap_exit=True)
        sleep(60.0)

    task = spawn_task(stubborn)
    sleep(0.1)
    assert shutdown_task(task, 0.5) == ("exit", "killed")
    task = spawn_task(stubborn)
    sleep(0.1)
    assert shutdown_task(task, "brutal_kill") is None
    with pytest.raises(ValueError, match="allowed are seconds"):
        shutdown_task(spawn_task(slow, 0.1), "soon")  # type: ignore[arg-type]


@in_node
def test_a_task_that_is_let_go_runs_on_alone() -> None:
    task = spawn_task(slow, 0.5)
    assert ignore_task(task) is None
    assert process_info(task.pid, "links") == {"links": []}
    sleep(1.0)
    assert flush() == []


@in_node
def test_tasks_know_who_called_for_them() -> None:
    def callers() -> list[Pid]:
        found: list[Pid] = dictionary()["$callers"]
        return found

    first, inner = await_(spawn_task(lambda: (self_(), await_(spawn_task(callers)))))
    assert inner == [first, self_()]


@in_node
def test_a_task_can_be_a_child() -> None:
    main = self_()
    sup = Supervisor.start_link([(Task, send, main, "ran")])
    assert receive("ran", timeout=1) == "ran"
    sleep(0.01)
    assert which_children(sup) == []


@in_node
def test_a_task_without_a_result_to_wait_for_sends_none() -> None:
    assert alive(Task.start(slow, 1.0))
    pid = Task.start_link(slow, 1.0)
    assert process_info(pid, "links") == {"links": [self_()]}
    sleep(2.0)
    assert flush() == []


@in_node
def test_what_is_no_function_or_no_task_is_refused_at_the_call() -> None:
    with pytest.raises(TypeError, match="a task runs a function, not 7"):
        spawn_task(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes a Task, not 7"):
        await_(7)  # type: ignore[arg-type]


@pytest.mark.parametrize("wait", [await_, yield_, shutdown_task])
@in_node
def test_a_time_that_is_none_is_refused_at_the_call(wait: Any) -> None:
    task = spawn_task(sleep, 60.0)
    for wrong, error in (("soon", (TypeError, ValueError)), (-1, ValueError), (True, TypeError), (nan, ValueError)):
        with pytest.raises(error, match="seconds"):
            wait(task, wrong)
    shutdown_task(task)


@pytest.mark.parametrize("wait", [await_many, yield_many])
@in_node
def test_a_time_for_several_that_is_none_is_refused_at_the_call(wait: Any) -> None:
    for wrong, error in (("soon", TypeError), (-1, ValueError), ([], TypeError)):
        with pytest.raises(error, match="seconds"):
            wait([], wrong)


@pytest.mark.parametrize("no_limit", [None, "infinity"])
@in_node
def test_none_and_infinity_mean_no_limit(no_limit: Any) -> None:
    def late() -> int:
        sleep(100.0)
        return 1

    assert await_(spawn_task(late), no_limit) == 1
    assert await_many([spawn_task(late)], no_limit) == [1]
    assert yield_(spawn_task(late), no_limit) == ("ok", 1)
    assert [outcome for _, outcome in yield_many([spawn_task(late)], no_limit)] == [("ok", 1)]
    assert shutdown_task(spawn_task(late), no_limit) is None


@in_node
def test_what_is_no_task_is_refused_before_any_is_waited_for() -> None:
    task = spawn_task(sleep, 60.0)
    with pytest.raises(TypeError, match="takes a Task, not 7"):
        yield_many([task, 7], 60.0)  # type: ignore[arg-type]
    shutdown_task(task)


@in_node
def test_what_is_not_several_tasks_is_refused_at_the_call() -> None:
    task = spawn_task(sleep, 60.0)
    for wait in (await_many, yield_many):
        with pytest.raises(TypeError, match=r"takes several tasks, in a list for example, not Task"):
            wait(task)  # type: ignore[arg-type]
    shutdown_task(task)


@in_node
def test_as_many_tasks_as_the_limit_says_are_waited_for() -> None:
    tasks = [spawn_task(slow, seconds, seconds) for seconds in (3.0, 1.0, 2.0)]
    found = yield_many(tasks, 10.0, on_timeout="kill_task", limit=2)
    assert [outcome for _, outcome in found] == [None, ("ok", 1.0), ("ok", 2.0)]
    assert await_(tasks[0]) == 3.0
    tasks = [spawn_task(slow, seconds) for seconds in (9.0, 1.0)]
    assert [outcome for _, outcome in yield_many(tasks, 2.0, on_timeout="kill_task", limit=2)] == [None, ("ok", "done")]
    assert not alive(tasks[0].pid)
    for limit in (None, "infinity", 5):
        task = spawn_task(slow, 1.0)
        assert yield_many([task], limit=limit) == [(task, ("ok", "done"))]
    for wrong in (0, -1, True, 1.5):
        with pytest.raises(ValueError, match="a whole number >= 1"):
            yield_many([], limit=wrong)  # type: ignore[arg-type]
    assert flush() == []


@in_node
def test_a_completed_task_has_its_result_and_no_process() -> None:
    value = [1]
    task = Task.completed(value)
    value.append(2)
    assert not alive(task.pid)
    assert await_(task) == [1]
    for end in (shutdown_task, ignore_task):
        with pytest.raises(ValueError, match=r"made by Task\.completed"):
            end(Task.completed(1))
    assert yield_many([Task.completed(1)], on_timeout="kill_task")[0][1] == ("ok", 1)
