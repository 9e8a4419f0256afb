from typing import Any

import pytest

from runtime import CallError, Exit, async_stream, exit, flag, flush, processes, receive, sleep, spawn_link, unlink
from runtime.kernel.clock import now
from tests.support.in_node import in_node


def nap(seconds: Any) -> Any:
    """Sleep so long; what is no number is the reason to fail with."""
    if not isinstance(seconds, float):
        exit(seconds)
    sleep(seconds)
    return seconds


@in_node
def test_outcomes_come_in_the_order_of_the_items() -> None:
    stream = async_stream([0.3, 0.1, 0.2], nap, max_concurrency=3)
    assert [*stream] == [("ok", 0.3), ("ok", 0.1), ("ok", 0.2)]
    assert flush() == []


@in_node
def test_outcomes_come_as_they_are_ready_when_order_does_not_matter() -> None:
    stream = async_stream([0.3, 0.1, 0.2], nap, max_concurrency=3, ordered=False)
    assert [value for _, value in stream] == [0.1, 0.2, 0.3]


@in_node
def test_no_more_tasks_run_at_a_time_than_may() -> None:
    before = now()
    assert len([*async_stream([1.0] * 6, nap, max_concurrency=2)]) == 6
    assert now() - before == pytest.approx(3.0)


@in_node
def test_tasks_start_when_they_are_asked_for() -> None:
    before = len(processes())
    stream = async_stream([60.0] * 10, nap, max_concurrency=2, timeout=None)
    assert len(processes()) == before
    spawn_link(lambda: None)
    next(async_stream([0.1], nap))
    stream.close()  # type: ignore[attr-defined]
    assert len(processes()) == before


@in_node
def test_what_still_runs_when_the_iteration_is_given_up_is_killed() -> None:
    before = len(processes())
    for _ in async_stream([0.1, 60.0, 60.0], nap, max_concurrency=3, timeout=None):
        break
    assert len(processes()) == before


@in_node
def test_a_caller_that_traps_exits_and_gives_up_the_iteration_finds_nothing_of_it_in_its_mailbox() -> None:
    flag(trap_exit=True)
    outcomes = async_stream([0, 0.1, 9], sleep, max_concurrency=3)
    assert next(outcomes) == ("ok", None)
    sleep(1)
    outcomes.close()  # type: ignore[attr-defined]
    assert flush() == []


@in_node
def test_a_task_that_takes_too_long_ends_the_iteration() -> None:
    before = len(processes())
    with pytest.raises(CallError) as caught:
        list(async_stream([0.1, 9.0], nap, timeout=1.0))
    assert (caught.value.reason, caught.value.function) == ("timeout", "stream")
    assert len(processes()) == before


@in_node
def test_a_task_that_takes_too_long_can_be_killed_instead() -> None:
    stream = async_stream([9.0, 0.1], nap, timeout=1.0, on_timeout="kill_task", zip_input_on_exit=True)
    assert [*stream] == [("exit", (9.0, "timeout")), ("ok", 0.1)]


@in_node
def test_a_caller_that_traps_exits_sees_which_tasks_failed() -> None:
    flag(trap_exit=True)
    assert [*async_stream(["boom", 0.1], nap)] == [("exit", "boom"), ("ok", 0.1)]
    assert flush() == []


@in_node
def test_a_caller_that_does_not_trap_exits_dies_with_a_task_that_fails() -> None:
    flag(trap_exit=True)
    pid = spawn_link(lambda: list(async_stream(["boom"], nap)))
    assert receive(Exit, timeout=1) == Exit(pid, "boom")


@pytest.mark.parametrize("options", [{"max_concurrency": 0}, {"on_timeout": "explode"}])
def test_wrong_options_are_refused_at_the_call(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="allowed"):
        async_stream([], nap, **options)


def test_what_is_no_function_and_what_is_no_time_is_refused_at_the_call() -> None:
    with pytest.raises(TypeError, match="a task runs a function, not 5"):
        async_stream([1], 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="number of seconds"):
        async_stream([1], nap, timeout="soon")  # type: ignore[arg-type]


@in_node
def test_no_task_starts_before_the_result_that_is_ready_has_been_handed_out() -> None:
    started: list[int] = []

    def start(item: int) -> int:
        started.append(item)
        return item

    seen = []
    for _, item in async_stream(range(4), start, max_concurrency=1):
        sleep(1.0)
        seen.append((item, [*started]))
    assert seen == [(0, [0]), (1, [0, 1]), (2, [0, 1, 2]), (3, [0, 1, 2, 3])]


@in_node
def test_the_time_of_a_task_is_over_while_the_consumer_is_busy() -> None:
    ended: list[float] = []

    def nap_and_say(seconds: float) -> float:
        sleep(seconds)
        ended.append(seconds)
        return seconds

    outcomes = []
    for outcome in async_stream([0.1, 2.0, 0.1], nap_and_say, max_concurrency=2, timeout=1.0, on_timeout="kill_task"):
        outcomes.append(outcome)
        sleep(4.0)
    assert outcomes == [("ok", 0.1), ("exit", "timeout"), ("ok", 0.1)]
    assert ended == [0.1, 0.1]


@pytest.mark.parametrize("ordered", [True, False])
@in_node
def test_what_is_ready_is_handed_out_before_a_timeout_ends_the_iteration(ordered: bool) -> None:
    before = len(processes())
    seen = []

    def consume_slowly() -> None:
        for outcome in async_stream([0.1, 0.2, 2.0, 0.1], nap, max_concurrency=3, timeout=1.0, ordered=ordered):
            seen.append(outcome)
            sleep(4.0)

    with pytest.raises(CallError):
        consume_slowly()
    assert seen == [("ok", 0.1), ("ok", 0.2)]
    assert (len(processes()), flush()) == (before, [])


@in_node
def test_a_caller_that_traps_exits_gets_no_message_of_a_task_whose_time_was_over() -> None:
    flag(trap_exit=True)
    assert [*async_stream([2.0], nap, timeout=1.0, on_timeout="kill_task")] == [("exit", "timeout")]
    assert flush() == []


@in_node
def test_what_keeps_the_time_ends_with_the_consumer() -> None:
    before = len(processes())

    def consume() -> None:
        next(async_stream([9.0], nap, timeout=20.0))

    consumer = spawn_link(consume)
    sleep(0.5)
    assert len(processes()) == before + 3
    unlink(consumer)
    exit(consumer, "kill")
    sleep(0.5)
    assert len(processes()) == before


@pytest.mark.parametrize("timeout", [None, "infinity"])
@in_node
def test_none_and_infinity_mean_no_limit(timeout: Any) -> None:
    assert [*async_stream([60.0], nap, timeout=timeout)] == [("ok", 60.0)]


@pytest.mark.parametrize(
    "wrong", [{"ordered": 1}, {"zip_input_on_exit": "yes"}, {"max_concurrency": True}, {"timeout": -1}]
)
def test_options_of_a_wrong_kind_are_refused_at_the_call(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        async_stream([], nap, **wrong)


@in_node
def test_keyword_arguments_that_are_no_options_reach_the_function() -> None:
    def join(item: str, between: str, *, end: str) -> str:
        return f"{item}{between}{end}"

    stream = async_stream(["a", "b"], join, "-", max_concurrency=1, end="z")
    assert [*stream] == [("ok", "a-z"), ("ok", "b-z")]


@pytest.mark.parametrize("keyword", ["max_concurency", "shutdown"])
def test_a_keyword_that_neither_the_stream_nor_the_function_knows_is_refused_at_the_call(keyword: str) -> None:
    with pytest.raises(TypeError, match="the options of the stream are max_concurrency, ordered"):
        async_stream([1], abs, **{keyword: 1})  # type: ignore[arg-type]


def test_items_that_cannot_be_iterated_are_refused_at_the_call() -> None:
    with pytest.raises(TypeError, match="takes its items from an iterable, a list for example, not 7"):
        async_stream(7, abs)  # type: ignore[arg-type]
