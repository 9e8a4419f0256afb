from typing import Any

import pytest

from runtime import IGNORE, Agent, CallError, Exit, StartError, flag, receive, self_, sleep, whereis
from tests.support.in_node import in_node


@in_node
def test_an_agent_holds_a_value() -> None:
    agent = Agent.start_link(lambda first: first, 1)
    Agent.update(agent, lambda value, more: value + more, 2)
    assert Agent.get(agent, lambda value: value) == 3
    assert Agent.get_and_update(agent, lambda value: (value, value * 10)) == 3
    Agent.cast(agent, lambda value: value + 1)
    assert Agent.get(agent, lambda value, divisor: value % divisor, 10) == 1


@in_node
def test_functions_run_in_the_agent() -> None:
    agent = Agent.start_link(lambda: None)
    assert Agent.get(agent, lambda _: self_()) == agent


@in_node
def test_the_value_cannot_be_changed_from_outside() -> None:
    agent = Agent.start_link(lambda: [1])
    Agent.get(agent, lambda value: value).append(2)
    assert Agent.get(agent, lambda value: value) == [1]


@in_node
def test_a_function_that_takes_too_long_harms_the_caller_alone() -> None:
    agent = Agent.start_link(lambda: 1)
    with pytest.raises(CallError) as caught:
        Agent.get(agent, lambda _: sleep(1.0), timeout=0.5)
    assert caught.value.reason == "timeout"
    assert Agent.get(agent, lambda value: value) == 1


@in_node
def test_a_function_that_fails_crashes_the_agent() -> None:
    flag(trap_exit=True)
    agent = Agent.start_link(lambda: 0)
    with pytest.raises(CallError) as caught:
        Agent.get(agent, lambda value: 1 / value)
    assert caught.value.reason.exception == "ZeroDivisionError"
    assert receive(Exit).pid == agent


@in_node
def test_an_update_that_gives_no_pair_crashes_the_agent() -> None:
    agent = Agent.start(lambda: 0)
    with pytest.raises(CallError) as caught:
        Agent.get_and_update(agent, lambda _: "garbage")  # type: ignore[arg-type,return-value]
    assert caught.value.reason == ("bad_return_value", "garbage")


@in_node
def test_an_agent_whose_first_value_fails_does_not_start() -> None:
    with pytest.raises(StartError) as caught:
        Agent.start(int, "x")
    assert caught.value.reason.exception == "ValueError"


@in_node
def test_a_stopped_agent_frees_its_name() -> None:
    Agent.start_link(lambda: 0, name="agent")
    Agent.stop("agent")
    assert whereis("agent") is None
    with pytest.raises(CallError) as caught:
        Agent.stop("agent")
    assert caught.value.reason == "noproc"


@in_node
def test_what_is_no_function_is_refused_at_the_call() -> None:
    agent = Agent.start_link(lambda: 0)
    with pytest.raises(TypeError, match="an agent runs functions, not 7"):
        Agent.get(agent, 7)  # type: ignore[arg-type]
    for start in (Agent.start, Agent.start_link):
        with pytest.raises(TypeError, match="an agent runs functions, not 7"):
            start(7)
        with pytest.raises(TypeError, match="an agent runs functions, not None"):
            start()
    assert Agent.get(agent, lambda value: value) == 0


class Reluctant(Agent[int]):
    """An agent that wants to ignore its start, which agents cannot."""

    def init(self, *args: Any) -> Any:
        return IGNORE


@in_node
def test_an_agent_does_not_ignore_its_start() -> None:
    for start in (Reluctant.start_link, Reluctant.start):
        with pytest.raises(StartError) as refused:
            start()
        assert refused.value.reason == ("bad_return_value", IGNORE)
