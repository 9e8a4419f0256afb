"""Groups S and L, our own: what the given transcripts leave open. The BEAM's side is `beam/sys_and_reports.erl`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from runtime import (
    IGNORE,
    GenServer,
    Pid,
    Stop,
    alive,
    call,
    cast,
    exit,
    flag,
    flush,
    monitor,
    register,
    self_,
    send,
    spawn,
    sys,
)
from tests.conformance.actors import Fault, Srv, start_sup, worker
from tests.conformance.captured import bare, kinds_during, reports_during
from tests.conformance.harness import (
    Log,
    answer,
    ask,
    attempt,
    await_down,
    child,
    down_after,
    exits,
    idle,
    kill,
    settle,
)
from tests.conformance.scenarios.own_gen_server import Ending, Setting, Waiting, await_exit


def s51_suspend_and_resume(log: Log) -> None:
    srv = Srv.start("srv")
    log("suspend", answer(sys.suspend, srv), answer(sys.suspend, srv))
    cast(srv, "one")
    send(srv, "two")
    log("call", attempt(call, srv, "ping", timeout=0.04))
    cast(srv, ("set", 5))
    log("state_while_suspended", sys.get_state(srv)["state"])
    log("resume", answer(sys.resume, srv), answer(sys.resume, srv))
    log("state", call(srv, "get"))
    settle()
    log("no_late_reply", flush())
    log("dead", attempt(sys.suspend, idle("a"), timeout=0.03))
    log("unknown", attempt(sys.resume, "no_such_name"))


class Changing(Srv):
    """A Srv whose state a code change replaces, unless its extra is `fail`."""

    def code_change(self, old: Any, extra: Any) -> None:
        if extra == "fail":
            raise Fault("oops")
        self.state: Any = ("changed", old, self.state, extra)


def s52_change_code(log: Log) -> None:
    srv = Changing.start("srv")
    sys.suspend(srv)
    log("changed", answer(sys.change_code, srv, Changing, 1, "extra"))
    log("state", sys.get_state(srv)["state"])
    log("fails", attempt(sys.change_code, srv, Changing, 2, "fail")[0])
    log("state_after_a_failure", sys.get_state(srv)["state"])
    sys.resume(srv)
    log("goes_on", call(srv, "ping"), alive(srv))
    log("running", attempt(sys.change_code, srv, Changing, 3, "extra")[0])
    log("state", call(srv, "get"))


def s58_change_code_of_a_running_server(log: Log) -> None:
    srv = Changing.start("srv")
    _, (why, (request, _, version, extra)) = attempt(sys.change_code, srv, Changing, 3, "extra")
    log("refused", why, request, version, extra)
    log("goes_on", call(srv, "ping"))


def s53_terminate(log: Log) -> None:
    flag(trap_exit=True)
    a = Srv.start_link("a")
    log("terminate", answer(sys.terminate, a, "boom"), await_exit(a))
    b = Srv.start_link("b")
    sys.suspend(b)
    cast(b, "never_seen")
    log("while_suspended", answer(sys.terminate, b, "normal"), await_exit(b))
    log("dead", attempt(sys.terminate, b, "normal"))
    log("mailbox", flush())


def s54_replace_state(log: Log) -> None:
    def changed(change: Callable[[int], int]) -> Any:
        return sys.replace_state(srv, lambda state: {**state, "state": change(state["state"])})["state"]

    def raises(state: int) -> int:
        raise Fault("oops")

    srv = Srv.start("srv")
    sys.suspend(srv)
    log("suspended", changed(lambda state: state + 7))
    log("fails", attempt(changed, raises)[0])
    log("kept", sys.get_state(srv)["state"])
    sys.resume(srv)
    log("call", call(srv, "get"), alive(srv))
    cast(srv, "inc")
    log("after_an_earlier_cast", changed(lambda state: state * 2))
    log("mailbox", flush())


def s55_signals_to_a_suspended_server(log: Log) -> None:
    def suspended(name: str, trap: bool) -> tuple[Pid, Pid]:
        parent = idle("parent")
        ask(parent, lambda: flag(trap_exit=True))
        srv = ask(parent, lambda: Srv.start_link(name, {"trap": trap}))
        sys.suspend(srv)
        return parent, srv

    _, a = suspended("a", trap=True)
    log("kill", down_after(a, lambda: exit(a, "kill")))
    _, b = suspended("b", trap=False)
    log("not_trapping", down_after(b, lambda: exit(b, "boom")))
    parent, c = suspended("c", trap=True)
    log("parents_shutdown", down_after(c, lambda: ask(parent, lambda: exit(c, "shutdown"))))
    _, d = suspended("d", trap=True)
    exit(d, "boom")
    settle()
    log("strangers_exit_waits", alive(d))
    sys.resume(d)
    log("handled_after_resume", call(d, "ping"))
    parent, e = suspended("e", trap=True)
    ref = monitor(e)
    kill(parent)
    log("parent_killed", await_down(ref))


def s56_status(log: Log) -> None:
    srv = Srv.start("srv", name="s56")

    def shape() -> None:
        _, pid, module, (_, state, parent, debug, _) = sys.get_status("s56")
        log(pid, {"Srv": "gen_server"}[module], state, parent == pid, debug)

    shape()
    sys.suspend(srv)
    shape()
    sys.resume(srv)
    shape()
    log("dead", attempt(sys.get_status, "no_such_name"))
    log("timeout", attempt(sys.get_status, idle("a"), timeout=0.03))


def s57_debug_functions(log: Log) -> None:
    main, srv = self_(), Srv.start("srv")

    def sees(tag: str) -> Callable[[int, Any], int]:
        def saw(count: int, event: Any) -> int:
            send(main, (tag, count, event[0]))
            return count + 1

        return saw

    def once(state: int, event: Any) -> str:
        send(main, ("two", event[0]))
        return "done"

    def fails(state: int, event: Any) -> None:
        send(main, "three")
        raise Fault("oops")

    sys.install(srv, "one", sees("one"), 1)
    sys.install(srv, "one", sees("never"), 1)
    cast(srv, "inc")
    call(srv, "get")
    log("cast_and_call", flush())
    send(srv, "info")
    attempt(call, srv, "never_answered", timeout=0.02)
    settle()
    log("info_and_an_unanswered_call", flush())
    sys.install(srv, "two", once, 0)
    sys.remove(srv, "one")
    call(srv, "get")
    log("done_ends_it", flush())
    sys.install(srv, "three", fails, 0)
    call(srv, "get")
    call(srv, "get")
    log("a_failure_ends_it", flush(), alive(srv))
    sys.install(srv, "four", sees("four"), 1)
    sys.statistics(srv, True)
    sys.no_debug(srv)
    call(srv, "get")
    log("no_debug", flush(), ("ok", sys.statistics(srv, "get")))


def l51_which_ends_are_reported(log: Log) -> None:
    ends = [
        ("stop", "normal"),
        ("stop", "shutdown"),
        ("stop", ("shutdown", "x")),
        ("stop", "boom"),
        ("error", "boom"),
        ("exit", "boom"),
        ("exit", "normal"),
        ("exit", "shutdown"),
    ]
    for end in ends:
        log(end, kinds_during(partial(cast, Srv.start("srv"), end)))
    for reason in ("boom", "kill"):
        for trap in (False, True):
            kinds = kinds_during(partial(exit, Srv.start("srv", {"trap": trap}), reason))
            log("signal", reason, trap, kinds)

    def parents_exit() -> None:
        parent = idle("parent")
        ask(parent, lambda: Srv.start_link("srv", {"trap": True}))
        exits(parent, "boom")

    log("parents_exit", kinds_during(parents_exit))


def l52_plain_processes(log: Log) -> None:
    def raises(message: str = "boom") -> None:
        raise Fault(message)

    def raises_and_catches() -> None:
        attempt(raises)

    ends: list[tuple[str, Callable[[], Any]]] = [
        ("returns", lambda: None),
        ("exits", lambda: exit("boom")),
        ("raises", raises),
        ("raises_and_catches", raises_and_catches),
        ("killed", lambda: exit(self_(), "kill")),
    ]
    for tag, end in ends:
        log(tag, kinds_during(partial(spawn, end)))
    log(*reports_during(lambda: spawn(raises, "oops")))


class BadInfo(Setting):
    """A server that one kind of message breaks."""

    def handle_info(self, message: Any) -> None:
        raise Fault("boom")


def l53_what_a_server_report_says(log: Log) -> None:
    def says(srv: Pid, cause: Callable[[Pid], Any]) -> None:
        cast(srv, ("set", 7))
        (level, kind, fields), *_ = reports_during(lambda: cause(srv))
        log(level, kind, {**fields, "state": fields["state"]["state"]})

    says(Srv.start("a"), lambda srv: cast(srv, ("error", "boom")))
    says(Srv.start("b"), lambda srv: attempt(call, srv, ("exit", "boom")))
    says(BadInfo.start("c"), lambda srv: send(srv, "bad"))
    says(Srv.start("d", name="l53_d"), lambda srv: cast(srv, ("stop", ("bad", 1))))
    says(Srv.start("e"), lambda srv: attempt(call, srv, ("stop", "boom", "farewell")))


def l54_what_a_crash_report_says(log: Log) -> None:
    register("l54_main", self_())

    def report(trap: bool, name: str | None) -> None:
        parent = idle("parent")
        register("l54_parent", parent)
        ask(parent, lambda: flag(trap_exit=trap))
        srv = ask(parent, lambda: Waiting.start_link("srv", {"trap": trap}, name=name))

        def provoke() -> None:
            cast(srv, "wait")
            send(srv, "unread")
            send(srv, "go")

        reports = reports_during(provoke)
        (fields,) = (fields for _, kind, fields in reports if kind == "crash_report")
        for key in ("class", "reason", "registered_name", "ancestors", "messages", "message_queue_len"):
            log(key, fields[key])
        for key in ("links", "trap_exit", "neighbours"):
            log(key, fields[key])
        kill(parent)

    report(False, None)
    log("---", "trapping_and_named")
    report(True, "l54_srv")


class Starts(GenServer):
    """A server whose init is the function it is given."""

    def init(self, start: Callable[[], Any]) -> Any:
        return start()


def l55_failed_starts(log: Log) -> None:
    def raises() -> None:
        raise Fault("oops")

    inits: list[tuple[str, Callable[[], Any]]] = [
        ("stop_boom", lambda: Stop("boom")),
        ("stop_normal", lambda: Stop("normal")),
        ("stop_shutdown", lambda: Stop("shutdown")),
        ("ignore", lambda: IGNORE),
        ("raises", raises),
        ("exits", lambda: exit("gone")),
    ]
    for tag, init in inits:
        log(tag, kinds_during(partial(attempt, Starts.start, init)))


def l56_terminate_that_fails(log: Log) -> None:
    def raises(reason: Any) -> None:
        raise Fault("oops")

    def shown(tag: str, terminate: Callable[[Any], Any], reason: Any) -> None:
        srv = Ending.start("srv", {"terminate": terminate})
        reports = reports_during(lambda: cast(srv, ("stop", reason)))
        log(tag, [(kind, bare(fields["reason"])) for _, kind, fields in reports])

    shown("stop_normal_raises", raises, "normal")
    shown("stop_boom_raises", raises, "boom")
    shown("stop_normal_exits", lambda reason: exit("other"), "normal")


def l57_supervisor_report_order(log: Log) -> None:
    def show(cause: Callable[[], Any]) -> None:
        for level, kind, fields in reports_during(cause):
            keys = ["child"] if kind == "progress" else ["child", "child_pid", "context", "reason"]
            log(level, kind, {key: fields[key] for key in keys if key in fields})

    flag(trap_exit=True)
    sup = start_sup("sup", [worker("a"), worker("b")])
    log("---", "kill")
    show(lambda: exit(child(sup, "a"), "kill"))
    log("---", "one_too_many")
    show(lambda: cast(child(sup, "b"), ("stop", "boom")))
    log("mailbox", flush())
