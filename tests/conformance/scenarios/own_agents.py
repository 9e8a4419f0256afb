"""Group X, our own: agents. The BEAM's side is `beam/agents.exs`."""

from typing import Any

from runtime import (
    Agent,
    ChildSpec,
    Pid,
    Supervisor,
    alive,
    exit,
    flag,
    flush,
    stop,
    sys,
)
from tests.conformance.harness import (
    Log,
    answer,
    attempt,
    down_after,
    settle,
    started,
)
from tests.conformance.scenarios.elixir import raises, started_pid


def x63_agent_failures(log: Log) -> None:
    flag(trap_exit=True)

    def begin() -> Pid:
        return log.bind("agent", started_pid(Agent.start_link(lambda: 1)))

    def value(agent: Any) -> Any:
        return Agent.get(agent, lambda value: value)

    for function in (Agent.get, Agent.update, Agent.get_and_update):
        agent = begin()
        log(function.__name__, attempt(function, agent, raises))
        log("mailbox", flush())
    agent = begin()
    log("cast", answer(Agent.cast, agent, lambda _: exit("boom")))
    settle()
    log("mailbox", flush(), alive(agent))
    log("cast_dead", answer(Agent.cast, agent, lambda value: value))
    log("start_link_exit", started(Agent.start_link, lambda: exit("boom")))
    alone = log.bind("alone", started_pid(Agent.start(lambda: 5)))
    log("start_unlinked", value(alone), down_after(alone, lambda: exit(alone, "boom")))
    agent = begin()
    log("get_and_update", [Agent.get_and_update(agent, lambda n: (n, n + 1)), value(agent)])
    agent = begin()
    log("stop", answer(Agent.stop, agent, "boom"))
    flush()
    sup = started_pid(Supervisor.start_link([ChildSpec(id="a", start=(_listing, "x63"))]))
    log("update", answer(Agent.update, "x63", lambda items: ["item", *items]), value("x63"))
    log("crash", attempt(Agent.update, "x63", lambda _: exit("boom")))
    settle()
    log("state_after_restart", value("x63"))
    casts = [answer(Agent.cast, "x63", lambda items, n=n: [n, *items]) for n in (1, 2)]
    log("order", *casts, value("x63"))
    log("exception", attempt(Agent.get, "x63", raises)[0])
    log("stop", answer(stop, sup))


def _listing(name: str) -> Pid | None:
    return Agent.start_link(list, name=name)


def x75_change_code_of_an_agent(log: Log) -> None:
    agent = Agent.start_link(lambda: 1)

    def change(extra: Any) -> Any:
        result = attempt(sys.change_code, agent, Agent, None, extra)
        return "ok" if result == ("ok", None) else result

    def value() -> Any:
        return Agent.get(agent, lambda value: value)

    def leaves(value: int, reason: Any) -> None:
        exit(reason)

    log("running", change((lambda value, more: value + more, 5))[1][0])
    sys.suspend(agent)
    log("changed", change((lambda value, more: value + more, 5)))
    log("raises", change((raises, "oops"))[0])
    log("exits", change((leaves, "gone")))
    log("wrong", change("wrong")[0])
    sys.resume(agent)
    log("value", value())
    log("goes_on", answer(Agent.update, agent, lambda value: value + 1), value())
