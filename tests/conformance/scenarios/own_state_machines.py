"""Group H: state machines. The BEAM's side is `beam/statem.erl`."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from runtime import (
    IGNORE,
    CallError,
    Crash,
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
    StartError,
    StateTimeout,
    Stop,
    call,
    cast,
    receive,
    self_,
    send,
    spawn,
    stop,
    sys,
)
from tests.conformance.harness import Log, current, down_after, log, settle

Event = tuple[str, Mapping[str, Any]]


def ev(id: str, **results: Any) -> Event:
    return (id, results)


ENTERED = {
    "stops": Stop("from_enter"),
    "leaves": Next("elsewhere"),
    "postpones": Keep(Postpone()),
    "inserts": Keep(NextEvent("internal", ev("never"))),
    "same": Next("same", StateTimeout(0.02, ev("in_same"))),
}
"""What entering a state returns."""


class Machine(GenStatem):
    """Is told with each event what to do in which state, and logs what it handles."""

    def init(self, first: str, *actions: Any) -> Next:
        return Next(first, *actions)

    def handle_event(self, kind: Any, event: Any, state: Any) -> Any:
        if kind == "enter":
            log("enter", event, state)
            return ENTERED.get(state, Keep(StateTimeout(0.02, ev("late"))) if event == "slow" else None)
        id, results = event
        log(id, kind, state)
        match results.get(state, results.get("any")):
            case ("answer", value) if isinstance(self.caller, From):
                return Keep(Reply(self.caller, value))
            case ("answer_and_stop", value, reason):
                return Stop(reason, value)
            case ("insert_call", event):
                return Keep(NextEvent("call", event, self.caller))
            case ("answer", value, state) if isinstance(self.caller, From):
                return Next(state, Reply(self.caller, value))
            case result:
                return result

    def terminate(self, reason: Any) -> None:
        match reason:
            case (str(first), _) if first.startswith("bad_state_enter"):
                reason = first
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


class Door(GenStatem):
    """A door with a code, in the style of one method for each state. The BEAM's side is `beam/statem_functions.erl`."""

    state_enter = True

    def init(self, code: int) -> str:
        self.code = code
        return "locked"

    def locked(self, kind: Any, event: Any) -> Any:
        match kind, event:
            case "enter", before:
                log("locked", "enter", before)
                return None
            case "call", ("enter", code):
                assert self.caller is not None
                log("locked", "right" if code == self.code else "wrong")
                if code == self.code:
                    return Next("open", Reply(self.caller, "welcome"))
                return Keep(Reply(self.caller, "wrong"))
        log("locked", kind, event)
        return Keep(Postpone())

    def open(self, kind: Any, event: Any) -> Any:
        match kind, event:
            case "enter", before:
                log("open", "enter", before)
                return Keep(StateTimeout(0.04, "close"))
            case "state_timeout", "close":
                log("open", "closes")
                return Next("locked")
            case "call", ("change", code):
                assert self.caller is not None
                self.code = code
                return Repeat(Reply(self.caller, "changed"))
            case "call", _:
                assert self.caller is not None
                log("open", "call", event)
                return Keep(Reply(self.caller, event))
            case "cast", "slam":
                return Next("cellar")
        log("open", kind, event)
        return None

    def terminate(self, reason: Any) -> None:
        log("terminate", no_such_state(reason), self.state)


def no_such_state(reason: Any) -> Any:
    return "no_such_state" if isinstance(reason, Crash) and "method for 'cellar'" in reason.message else reason


def ask(door: Pid, question: Any) -> None:
    answer = call(door, question)
    settle(10)
    log("call", answer)


def h08_state_functions(log: Log) -> None:
    door = Door.start(1)
    assert door is not None
    settle()
    ask(door, ("enter", 2))
    send(door, "knock")
    me = self_()
    spawn(lambda: send(me, ("answered", call(door, "walk"))))
    settle()
    ask(door, ("enter", 1))
    log("walks", receive(("answered", str), timeout=1)[1])
    ask(door, ("change", 3))
    settle(150)
    ask(door, ("enter", 1))
    ask(door, ("enter", 3))
    log("down", no_such_state(down_after(door, lambda: cast(door, "slam"))))


def h09_ends_while_entering(log: Log) -> None:
    for state in ("same", "stops", "leaves", "postpones", "inserts"):
        m = machine("s1", kind=Entering)
        settle()

        def enter(m: Pid = m, state: str = state) -> None:
            do(m, "go", s1=Next(state))
            settle(90)
            with suppress(CallError):
                stop(m)

        match down_after(m, enter):
            case (reason, _):
                log(state, reason)
            case reason:
                log(state, reason)


def h10_stop_and_reply(log: Log) -> None:
    m = machine("s1")
    me = self_()

    def ask() -> None:
        try:
            call(m, ev("waits", s1=Keep(Postpone())))
        except CallError as error:
            send(me, ("waits", error.reason))

    spawn(ask)
    settle()
    log("down", down_after(m, lambda: log("reply", call(m, ev("over", s1=("answer_and_stop", "bye", "done"))))))
    log("waits", receive(("waits", str), timeout=1)[1])


def h11_sys(log: Log) -> None:
    m = machine("s1")
    log("state", sys.get_state(m)["state"])
    do(m, "p", s1=Keep(Postpone()))
    settle()
    sys.replace_state(m, lambda state: {**state, "state": "s2"})
    do(m, "in_s2")
    settle()
    do(m, "go", s2=Next("s3", StateTimeout(0.02, ev("while_held"))))
    settle(1)
    sys.suspend(m)
    do(m, "held")
    settle(90)
    log("resume")
    sys.resume(m)
    settle()
    ended(m)


class Beginning(Machine, id="beginning"):
    """A machine whose `init` returns what it is given."""

    def init(self, returned: Any) -> Any:
        return returned


def begins(returned: Any) -> Any:
    try:
        pid = Beginning.start(returned)
    except StartError as error:
        return ("error", error.reason)
    if pid is None:
        return "ignore"
    settle()
    stop(pid)
    return "ok"


def h12_what_init_returns(log: Log) -> None:
    log("ignore", begins(IGNORE))
    log("stop", begins(Stop("why")))
    log("action", begins(Next("s1", NextEvent("internal", ev("inserted")), StateTimeout(0, ev("zero")))))
    log(begins(Keep())[1][0])
    log("nothing", begins(None)[1][0])


def h14_replies(log: Log) -> None:
    m = machine("s1")
    try:
        call(m, ev("unanswered"), timeout=0.03)
    except CallError as error:
        log("timeout", error.reason)
    inserted = ev("inserted", s1=("answer", "of_the_insertion"))
    log("inserted", call(m, ev("asks", s1=("insert_call", inserted))))
    log("call", call(m, ev("then", s1=("answer", "yes", "s2"))))
    try:
        call("nobody", "x")
    except CallError as error:
        log("noproc", error.reason)
    log("ended", down_after(m, lambda: stop(m, "over", 1.0)))


def h15_inserted_events_of_every_kind(log: Log) -> None:
    m = machine("s1")
    kinds = ("cast", "info", "internal", "timeout", "state_timeout", ("timeout", "name"))
    do(m, "go", s1=Keep(*(NextEvent(kind, ev(id)) for kind, id in zip(kinds, "abcdef", strict=True))))
    settle()
    third = ev("third", s1=Keep(NextEvent("internal", ev("fourth"))))
    first = ev("first", s1=Keep(NextEvent("internal", ev("second"))))
    do(m, "p", s1=Keep(Postpone()))
    do(m, "nest", s1=Keep(NextEvent("internal", first), NextEvent("internal", third)))
    do(m, "go", s1=Next("s2", NextEvent("internal", ev("before_the_postponed"))))
    settle()
    ended(m)
