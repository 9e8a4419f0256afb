from typing import Any

import gevent
import pytest

from runtime import (
    CallError,
    Exit,
    Pid,
    Registry,
    StartError,
    Supervisor,
    TaskSupervisor,
    alive,
    await_,
    dictionary,
    exit,
    flag,
    flush,
    receive,
    self_,
    send,
    sleep,
    spawn,
    spawn_link,
    stop,
    sys,
    which_children,
    yield_,
)
from tests.support.in_node import in_node


def started(**flags: Any) -> Pid:
    """A task supervisor."""
    pid = TaskSupervisor.start_link(**flags)
    assert pid is not None
    return pid


@in_node
def test_a_supervised_tasks_result_is_waited_for() -> None:
    sup = started()
    assert await_(TaskSupervisor.async_(sup, lambda a: a + 1, 1)) == 2
    assert await_(TaskSupervisor.async_nolink(sup, lambda a: a + 1, 2)) == 3
    sleep(0.01)
    assert TaskSupervisor.tasks(sup) == []
    running = TaskSupervisor.async_(sup, sleep, 1)
    assert TaskSupervisor.children(sup) == [running.pid]


@in_node
def test_a_task_that_is_not_linked_harms_no_other_process_when_it_fails() -> None:
    sup = started()
    task = TaskSupervisor.async_nolink(sup, exit, "boom")
    assert yield_(task) == ("exit", "boom")
    with pytest.raises(CallError) as caught:
        await_(TaskSupervisor.async_nolink(sup, exit, "bang"))
    assert caught.value.reason == "bang"


@in_node
def test_a_task_that_is_linked_ends_its_caller_when_it_fails() -> None:
    sup = started()
    flag(trap_exit=True)
    caller = spawn_link(lambda: await_(TaskSupervisor.async_(sup, exit, "boom")))
    assert receive(Exit, timeout=1) == Exit(caller, "boom")
    assert alive(sup)


@in_node
def test_tasks_are_not_restarted_unless_they_are_told_to_be() -> None:
    main, sup = self_(), started(max_restarts=2)
    flag(trap_exit=True)

    def run(word: str) -> None:
        send(main, word)
        exit("boom")

    TaskSupervisor.start_child(sup, run, "once")
    sleep(0.01)
    assert flush() == ["once"]
    TaskSupervisor.start_child(sup, run, "again", restart="transient")
    sleep(0.01)
    assert flush() == ["again", "again", "again", Exit(sup, "shutdown")]


@in_node
def test_no_more_tasks_run_than_may() -> None:
    sup = started(max_children=1)
    TaskSupervisor.start_child(sup, sleep, 60.0)
    for start in (TaskSupervisor.start_child, TaskSupervisor.async_, TaskSupervisor.async_nolink):
        with pytest.raises(StartError) as caught:
            start(sup, sleep, 1.0)
        assert caught.value.reason == "max_children"


@in_node
def test_stopping_the_supervisor_shuts_its_tasks_down() -> None:
    sup = started()
    task = TaskSupervisor.async_nolink(sup, sleep, 60.0)
    stop(sup)
    assert yield_(task) == ("exit", "shutdown")


@in_node
def test_a_supervised_task_knows_its_supervisor_and_who_called_for_it() -> None:
    sup = started(name="tasks")
    ancestors, callers = await_(
        TaskSupervisor.async_(sup, lambda: (dictionary()["$ancestors"], dictionary()["$callers"]))
    )
    assert ancestors == ["tasks", self_()]
    assert callers == [self_()]


@in_node
def test_a_task_whose_caller_dies_before_giving_it_work_ends_quietly() -> None:
    sup = started()
    caller = spawn(lambda: TaskSupervisor.async_nolink(sup, sleep, 60.0))
    exit(caller, "kill")
    sleep(0.01)
    assert TaskSupervisor.tasks(sup) == []


@in_node
def test_a_stream_can_run_under_a_supervisor() -> None:
    sup = started()
    flag(trap_exit=True)
    assert [*TaskSupervisor.async_stream(sup, [1, 2], lambda n: n * 10)] == [("ok", 10), ("ok", 20)]
    stream = TaskSupervisor.async_stream_nolink(sup, ["boom", "bang"], exit, max_concurrency=1)
    assert [*stream] == [("exit", "boom"), ("exit", "bang")]
    assert flush() == []


@in_node
def test_what_is_no_function_is_refused_at_the_call() -> None:
    sup = started()
    for begin in (TaskSupervisor.async_, TaskSupervisor.async_nolink, TaskSupervisor.start_child):
        with pytest.raises(TypeError, match="a task runs a function"):
            begin(sup, 7)  # type: ignore[arg-type]


@pytest.mark.parametrize("stream", [TaskSupervisor.async_stream, TaskSupervisor.async_stream_nolink])
@in_node
def test_a_stream_refuses_a_wrong_shutdown_at_the_call(stream: Any) -> None:
    supervisor = TaskSupervisor.start_link()
    for wrong in ("unknown", -1, True):
        with pytest.raises(ValueError, match="allowed are seconds"):
            stream(supervisor, [1], abs, shutdown=wrong)
    for allowed in (None, "infinity", "brutal_kill", 1.0):
        assert [*stream(supervisor, [-1], abs, shutdown=allowed)] == [("ok", 1)]


@in_node
def test_task_supervisors_with_names_in_a_registry_stand_under_one_supervisor() -> None:
    Registry.start_link("unique", name="names")
    names = [("via", "names", key) for key in ("a", "b")]
    supervisor = Supervisor.start_link([TaskSupervisor.child_spec(name=name) for name in names])
    assert {info.id for info in which_children(supervisor)} == set(names)
    assert await_(TaskSupervisor.async_(names[1], abs, -1)) == 1


def describe(thing: str, *, colour: str = "no colour") -> str:
    return f"{colour} {thing}"


@in_node
def test_keyword_arguments_reach_the_function() -> None:
    supervisor = TaskSupervisor.start_link()
    assert await_(TaskSupervisor.async_(supervisor, describe, "hat", colour="red")) == "red hat"
    assert await_(TaskSupervisor.async_nolink(supervisor, describe, "hat", colour="red", shutdown=1.0)) == "red hat"
    TaskSupervisor.start_child(supervisor, lambda to, **said: send(to, said), self_(), colour="red")
    assert receive(dict) == {"colour": "red"}
    for stream in (TaskSupervisor.async_stream, TaskSupervisor.async_stream_nolink):
        outcomes = [*stream(supervisor, ["hat", "coat"], describe, max_concurrency=1, colour="red")]
        assert outcomes == [("ok", "red hat"), ("ok", "red coat")]


@in_node
def test_a_misspelled_option_of_a_stream_is_refused_at_the_call() -> None:
    supervisor = TaskSupervisor.start_link()
    with pytest.raises(TypeError, match=r"'max_concurency'; the options of the stream are max_concurrency, .*shutdown"):
        TaskSupervisor.async_stream(supervisor, ["hat"], describe, max_concurency=1)


@in_node
def test_a_task_whose_owner_has_given_up_waiting_for_it_ends_as_soon_as_it_has_started() -> None:
    supervisor = started()
    sys.suspend(supervisor)
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.01):
        TaskSupervisor.async_(supervisor, receive)
    sys.resume(supervisor)
    sleep(0.1)
    assert TaskSupervisor.tasks(supervisor) == []
    own = self_().process
    assert own is not None
    assert (own.links, own.monitors or {}, own.aliases or {}) == ((supervisor.process,), {}, {})
