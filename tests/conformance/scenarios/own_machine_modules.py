"""Group H: state machines that change their class, and what `own_state_machines` leaves open.

The BEAM's side is `beam/statem_modules.erl`.
"""

from typing import Any

from runtime import (
    ChangeCallbackModule,
    EventTimeout,
    From,
    GenStatem,
    Keep,
    NamedTimeout,
    Next,
    NextEvent,
    Pid,
    PopCallbackModule,
    Postpone,
    PushCallbackModule,
    Repeat,
    Reply,
    StateTimeout,
    Stop,
    call,
    cast,
    flush,
    now,
    proc_lib,
    self_,
    send,
    spawn,
    stop,
    sys,
    unlink,
)
from tests.conformance.actors import running
from tests.conformance.harness import Log, current, down_after, log, settle


class Other(GenStatem):
    """Logs as other, and enters no states. An event is what it is called and what the callback returns."""

    who = "other"

    def handle_event(self, kind: Any, event: Any, state: Any) -> Any:
        id, result = event
        log(self.who, id, kind, state)
        return result

    def terminate(self, reason: Any) -> None:
        log("other", "terminate", reason, self.state)


class One(Other):
    """Logs as one, and enters states."""

    who = "one"
    state_enter = True
    repeated = False

    def init(self, first: str, *actions: Any) -> Next:
        self.waiting: list[From] = []
        return Next(first, *actions)

    def handle_event(self, kind: Any, event: Any, state: Any) -> Any:
        if kind == "enter":
            log("one", "enter", event, state)
            return self._entered(state)
        caller = self.caller
        match event:
            case (id, "wait") if caller is not None:
                log("one", id, kind, state)
                self.waiting.append(caller)
                return Keep()
            case (id, ("over", reason, answer)) if caller is not None:
                log("one", id, kind, state)
                return Stop(reason, [*(Reply(other, "everyone") for other in self.waiting), Reply(caller, answer)])
        return super().handle_event(kind, event, state)

    def _entered(self, state: str) -> Any:
        match state:
            case "changes":
                return Keep(ChangeCallbackModule(Other))
            case "repeats":
                before, self.repeated = self.repeated, True
                return Keep() if before else Repeat()
            case "answers":
                return Stop("left", [Reply(other, "bye") for other in self.waiting])
        return None

    def terminate(self, reason: Any) -> None:
        match reason:
            case (why, ChangeCallbackModule()):
                log("terminate", why, self.state)
            case (why, PopCallbackModule()):
                log("terminate", (why, "pop_callback_module"), self.state)
            case _:
                log("terminate", reason, self.state)


def _start(first: str, *actions: Any) -> Pid:
    return current().bind("machine", running(One.start(first, *actions)))


def _send(machine: Pid, id: str, result: Any) -> None:
    cast(machine, (id, result))
    settle(10)


def ev(id: str) -> Any:
    return (id, Keep())


def _ended(log: Log, machine: Pid) -> None:
    log("ended", down_after(machine, lambda: stop(machine)))


def h16_callback_modules(log: Log) -> None:
    m = _start("s1")
    _send(m, "a", Keep(PushCallbackModule(Other), NextEvent("internal", ev("inserted"))))
    _send(m, "b", Next("s2"))
    _send(m, "c", Keep(PopCallbackModule()))
    _send(m, "d", Next("s3"))
    _send(m, "e", Next("s4", ChangeCallbackModule(Other)))
    _send(m, "f", Keep(Postpone()))
    _send(m, "g", Next("s5", ChangeCallbackModule(One), StateTimeout(0.02, ev("late"))))
    settle()
    push = PushCallbackModule(Other)
    _send(m, "h", Keep(push, PushCallbackModule(One), push))
    _send(m, "i", Keep(PopCallbackModule(), PopCallbackModule()))
    _send(m, "j", None)
    log("state", sys.get_state(m)["state"])
    _ended(log, m)
    from_init = _start("s1", ChangeCallbackModule(Other))
    _send(from_init, "k", Next("s2"))
    _ended(log, from_init)


def h17_callback_modules_that_fail(log: Log) -> None:
    m = _start("s1")
    _send(m, "push", Keep(PushCallbackModule(Other)))
    pops = Keep(PopCallbackModule(), PopCallbackModule(), StateTimeout(0, ev("never")))
    why, _ = down_after(m, lambda: _send(m, "pops", pops))
    log("pop_too_often", (why, "pop_callback_module"))
    enters = _start("s1")
    why, _ = down_after(enters, lambda: _send(enters, "enter", Next("changes")))
    log("entering", why)


def h18_absolute_times(log: Log) -> None:
    began = now()

    def at(ms: float) -> float:
        return began + ms / 1000

    m = _start("s1", StateTimeout(at(90), ev("st"), absolute=True))
    _send(m, "set", Keep(NamedTimeout("past", at(-60), ev("past"), absolute=True), EventTimeout(0, ev("zero"))))
    _send(m, "cancelled", Keep(NamedTimeout("a", at(30), ev("never"), absolute=True)))
    _send(m, "cancel", Keep(NamedTimeout("a", "cancel")))
    _send(m, "updated", Keep(NamedTimeout("b", at(60), ev("before"), absolute=True)))
    _send(m, "update", Keep(NamedTimeout("b", "update", ev("updated"))))
    settle(120)
    _ended(log, m)


def h19_replies_of_a_stop(log: Log) -> None:
    m, main = _start("s1"), self_()

    def ask(machine: Pid, tag: str, id: str) -> None:
        spawn(lambda: send(main, (tag, call(machine, (id, "wait")))))
        settle(10)

    for tag in ("one", "two"):
        ask(m, tag, tag)
    log("down", down_after(m, lambda: log("reply", call(m, ("over", ("over", "done", "you"))))))
    settle()
    log("others", sorted(flush()))
    entered = _start("s1")
    ask(entered, "entered", "a")
    log("down", down_after(entered, lambda: _send(entered, "go", Next("answers"))))
    settle()
    log("mailbox", flush())


def h20_entering_a_loop(log: Log) -> None:
    def enter() -> None:
        proc_lib.init_ack()
        proc_lib.enter_loop(One(), Next("s1", StateTimeout(0.02, ev("late")), NextEvent("internal", ev("first"))))

    m = proc_lib.start_link(enter)
    unlink(m)
    settle()
    _send(m, "a", Next("s2"))
    log("state", sys.get_state(m)["state"])
    _ended(log, m)


def h21_repeated_states(log: Log) -> None:
    m = _start("s1")
    _send(m, "a", Repeat(StateTimeout(0.02, ev("late"))))
    _send(m, "p", Keep(Postpone()))
    _send(m, "b", Repeat(NextEvent("internal", ev("inserted"))))
    settle()
    _send(m, "c", Next("repeats"))
    _send(m, "d", Repeat(Postpone()))
    _send(m, "e", Next("s2"))
    _ended(log, m)
