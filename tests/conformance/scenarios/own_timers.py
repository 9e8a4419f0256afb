"""Group T, our own: timers that do more than send one message. The BEAM's side is `beam/timers.erl`."""

from typing import Any

from runtime import alive, exit, flag, flush, monitor, register, self_, send, sleep, spawn_monitor, timer, unregister
from tests.conformance.harness import Log, ask, attempt, await_down, idle, info, kill, settle


def _kind(result: tuple[str, Any]) -> str:
    """Whether an attempt came off: OTP says `ok` and something, or `error` and why."""
    return result[0]


def t01_intervals(log: Log) -> None:
    a = idle("a")
    own = timer.send_interval(self_(), "tick", 0.06)
    settle(210)
    timer.cancel(own)
    log("every_interval", flush())
    register("listener", a)
    by_name = timer.send_interval("listener", _do_nothing, 0.06)
    settle(90)
    unregister("listener")
    register("listener", self_())
    settle(200)
    log("when_the_name_moves", ["tick" for _ in flush()], _messages_in(a))
    unregister("listener")
    settle(120)
    register("listener", self_())
    settle(110)
    log("after_a_time_without_the_name", ["tick" for _ in flush()])
    kill(a)
    flush()
    settle(120)
    log("when_its_first_holder_is_dead", flush())
    log("cancelled", _kind(attempt(timer.cancel, by_name)))
    log("to_the_dead", _kind(attempt(timer.send_interval, a, "tick", 0.06)))
    log("negative", _kind(attempt(timer.send_interval, self_(), "tick", -1)))


def _do_nothing() -> None:
    """What an idle process does with a tick."""


def _messages_in(pid: Any) -> int:
    found: int = info(pid, "messages_in")
    return found


def t02_functions(log: Log) -> None:
    main = self_()

    def caller() -> None:
        timer.apply_interval(0.06, send, main, "again")
        timer.apply_after(0.3, send, main, "once")
        settle(150)

    _, ref = spawn_monitor(caller)
    await_down(ref)
    log("caller_is_dead", flush())
    settle(300)
    log("apply_interval_ends_with_it_and_apply_after_does_not", flush())

    def run_slowly() -> None:
        send(main, "begun")
        sleep(10)

    slow = timer.apply_interval(0.06, run_slowly)
    settle(210)
    timer.cancel(slow)
    log("runs", len(flush()))
    failing = timer.apply_interval(0.06, lambda: exit("oops"))
    settle(210)
    timer.cancel(failing)
    log("a_failing_run_ends_nothing", flush())
    timer.apply_after(0, send, main, "soon")
    settle()
    log("at_once", flush())
    log("no_function", _kind(attempt(timer.apply_after, 0.01, 7)))


def t03_exit_signals(log: Log) -> None:
    a, b, c = (idle(name) for name in "abc")
    refs = [monitor(pid) for pid in (a, b)]
    timer.exit_after(a, "boom", 0.06)
    timer.kill_after(b, 0.12)
    timer.cancel(timer.kill_after(c, 0.06))
    settle(200)
    log("ended", [await_down(ref) for ref in refs], alive(c))
    t = idle("t")
    ask(t, lambda: flag(trap_exit=True))
    timer.exit_after(t, "boom", 0.01)
    timer.exit_after(t, "normal", 0.07)
    settle(130)
    log("trapped", [message.reason for message in info(t, "messages")])
    timer.kill_after(t, 0.01)
    log("kill", await_down(monitor(t)))
    timer.exit_after(t, "boom", 0.01)
    settle()
    d = idle("d")
    timer.exit_after(d, "normal", 0.01)
    settle()
    log("normal_ends_nobody", alive(d))


def t04_cancel(log: Log) -> None:
    main = self_()
    once = timer.apply_after(0.06, send, main, "once")
    often = timer.send_interval(main, "tick", 0.06)
    a = idle("a")
    log("by_another", [_kind(ask(a, lambda ref=ref: attempt(timer.cancel, ref))) for ref in (once, often)])  # type: ignore[misc]
    settle(150)
    log("nothing_came", flush())
    log("a_wrong_one", _kind(attempt(timer.cancel, "wrong")))
