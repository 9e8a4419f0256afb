"""Group H: state machines. The BEAM's side is `beam/statem.erl`."""

from collections.abc import Mapping
from typing import Any

from runtime import (
    CallError,
    EventTimeout,
    From,
    GenStatem,
    Keep,
    NamedTimeout,
    Next,
    NextEvent,
    Pid,
    Postpone,
    Repeat,
    Reply,
    StateTimeout,
    Stop,
    call,
    cast,
    receive,
    self_,
    send,
    spawn,
    stop,
)
from tests.conformance.harness import Log, current, down_after, log, settle

Event = tuple[str, Mapping[str, Any]]


class Machine(GenStatem):
    """Is told with each event what to do in which state, and logs what it handles."""

    def init(self, first: str, *actions: Any) -> Next:
        return Next(first, *actions)

    def handle_event(self, kind: Any, event: Any, state: Any) -> Any:
        if kind == "enter":
            log("enter", event, state)
            return Keep(StateTimeout(0.02, ev("late"))) if event == "slow" else None
        id, results = event
        log(id, kind, state)
        match results.get(state, results.get("any")):
            case ("answer", value) if isinstance(self.caller, From):
                return Keep(Reply(self.caller, value))
            case ("answer", value, state) if isinstance(self.caller, From):
                return Next(state, Reply(self.caller, value))
            case result:
                return result

    def terminate(self, reason: Any) -> None:
        log("terminate", reason, self.state)


class Entering(Machine, id="entering"):
    """A machine whose states are entered."""

    state_enter = True


def machine(first: str, *actions: Any, kind: type[Machine] = Machine) -> Pid:
    pid = kind.start(first, *actions)
    assert pid is not None
    return current().bind("machine", pid)


def do(pid: Pid, id: str, **results: Any) -> None:
    cast(pid, (id, results))


def ev(id: str, **results: Any) -> Event:
    return (id, results)


def ended(pid: Pid) -> None:
    log("ended", down_after(pid, lambda: stop(pid)))


def h01_state_changes_and_postponed_events(log: Log) -> None:
    m = machine("s1")
    do(m, "p1", s1=Keep(Postpone()))
    do(m, "p2", s1=Keep(Postpone()))
    do(m, "q")
    do(m, "same", s1=Next("s1"))
    do(m, "change", s1=Next("s2"))
    do(m, "after_it")
    settle()
    do(m, "p3", s2=Keep(Postpone()), s1=Keep(Postpone()))
    do(m, "p4", s2=Keep(Postpone()))
    do(m, "back", s2=Next("s1"))
    settle()
    do(m, "repeat", s1=Repeat())
    do(m, "over", s1=Next("s3", Postpone()), s3=Next("s4"))
    settle()
    ended(m)


def h02_timeouts(log: Log) -> None:
    m = machine("s1", StateTimeout(0.03, ev("st")), NamedTimeout("name", 0.06, ev("named")))
    settle(100)
    do(
        m,
        "set",
        s1=Keep(StateTimeout(0.03, ev("cancelled_by_change")), NamedTimeout("a", 0.04, ev("survives"))),
    )
    do(m, "change", s1=Next("s2"))
    settle(90)
    do(m, "set", s2=Keep(EventTimeout(0.03, ev("cancelled_by_event"))))
    do(m, "other")
    settle(90)
    do(m, "set", s2=Keep(EventTimeout(0.03, ev("idle"))))
    settle(90)
    do(m, "replace", s2=Keep(NamedTimeout("a", 0.02, ev("replaced")), NamedTimeout("a", 0.04, ev("stays"))))
    settle(90)
    do(m, "cancel", s2=Keep(NamedTimeout("a", 0.02, ev("never")), NamedTimeout("a", None)))
    settle(90)
    do(m, "zero", s2=Keep(StateTimeout(0, ev("now")), NextEvent("internal", ev("inserted"))))
    do(m, "later")
    settle()
    do(m, "change_with", s2=Next("s3", StateTimeout(0.03, ev("in_s3"))))
    do(m, "same", s3=Next("s3"))
    settle(90)
    ended(m)


def h03_inserted_events(log: Log) -> None:
    m = machine("s1", NextEvent("internal", ev("first")))
    settle()
    do(m, "p", s1=Keep(Postpone()))
    settle()
    first = ev("i1", s2=Keep(NextEvent("cast", ev("nested"))))
    do(m, "go", s1=Next("s2", NextEvent("internal", first), NextEvent("info", ev("i2"))))
    do(m, "queued")
    settle()
    ended(m)


def h04_entering_states(log: Log) -> None:
    m = machine("s1", NextEvent("internal", ev("first")), kind=Entering)
    settle()
    do(m, "same", s1=Next("s1"))
    do(m, "go", s1=Next("slow", NextEvent("internal", ev("inserted"))))
    do(m, "on", slow=Next("s3"))
    settle(90)
    do(m, "repeat", s3=Repeat())
    settle()
    ended(m)


def h05_calls_and_ends(log: Log) -> None:
    m = machine("s1")
    log("call", call(m, ev("c1", s1=("answer", "yes"))))
    log("call", call(m, ev("c2", s1=("answer", "moved", "s2"))))
    me = self_()
    waiting = ev("c3", s2=Keep(Postpone()), s3=("answer", "at_last"))
    spawn(lambda: send(me, ("answered", call(m, waiting))))
    settle()
    do(m, "go", s2=Next("s3"))
    log("postponed_call", receive(("answered", str), timeout=1)[1])
    send(m, ("message", {}))
    settle()
    log("stop", down_after(m, lambda: do(m, "stop", s3=Stop("done"))))
    try:
        call(m, ev("c4"))
    except CallError as error:
        log("dead", error.reason)
    n = machine("s1")
    log("bad", down_after(n, lambda: do(n, "bad", s1="nonsense")))
