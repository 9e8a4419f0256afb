"""Groups S and L: system messages, reports, ancestry."""

from collections.abc import Callable
from functools import partial
from typing import Any

from runtime import (
    Pid,
    alive,
    call,
    cast,
    exit,
    flag,
    receive,
    register,
    self_,
    spawn,
    spawn_task,
    sys,
    terminate_child,
    unlink,
)
from runtime.kernel.clock import now
from tests.conformance.actors import Fault, Plain, Sup, start_sup, worker
from tests.conformance.captured import initial_call, reports_during
from tests.conformance.harness import (
    Log,
    answer,
    attempt,
    child,
    down_after,
    idle,
    info,
    kids,
    kill,
    settle,
    spec,
    started,
    stop_sup,
    within,
)


def s01_sys_state(log: Log) -> None:
    def add_five(state: dict[str, Any]) -> dict[str, Any]:
        return {"state": state["state"] + 5}

    def raises(state: dict[str, Any]) -> dict[str, Any]:
        raise Fault("oops")

    srv = log.bind("srv", Plain.start(10))
    log("get_state", sys.get_state(srv)["state"])
    log("replace_state", sys.replace_state(srv, add_five)["state"])
    log("call", call(srv, "get"))
    _, (failed, where, crash) = attempt(sys.replace_state, srv, raises)
    log("replace_fun_raises", ("error", (failed, where, ("error", crash.message))))
    log("state_unchanged", sys.get_state(srv)["state"], ("alive", alive(srv)))
    kill(srv)
    log("dead", attempt(sys.get_state, srv))
    log("unknown_name", attempt(sys.get_state, "no_such_server"))
    log("not_an_otp_process", attempt(sys.get_state, idle("plain"), timeout=0.05))


def s03_sys_status_and_debug(log: Log) -> None:
    srv = log.bind("srv", Plain.start("hello", name="s03"))
    status, pid, module, (pdict, state, parent, debug, misc) = sys.get_status("s03")
    # The BEAM names gen_server there; a Python server's class says more.
    log(
        status,
        pid,
        ("module", {"Plain": "gen_server"}[module]),
        state,
        ("parent_is_self", parent == srv),
        ("debug", debug),
    )
    log("pdict_keys", sorted(pdict))
    log("state_in_status", misc["state"]["state"])
    linked = Plain.start_link(1)
    log("parent_of_linked", sys.get_status(linked)[3][2])
    unlink(linked)
    log("stats_off", ("ok", sys.statistics(srv, "get")))
    log("stats_on", sys.statistics(srv, True) or "ok")
    call(srv, "get")
    cast(srv, ("set", 2))
    call(srv, "get")
    statistics = sys.statistics(srv, "get")
    log("stats", *[(key, statistics[key]) for key in ("messages_in", "messages_out")])
    log("stats_keys", list(statistics))
    log("stats_disable", sys.statistics(srv, False) or "ok", ("ok", sys.statistics(srv, "get")))
    sys.log(srv, True)
    cast(srv, ("set", 3))
    call(srv, "get")
    log("event_log", [event[0] for event in sys.get_log(srv)])
    sys.log(srv, False)
    seen: list[Any] = []

    def debug_function(count: int, event: Any) -> int:
        seen.append(("dbg", count, event[0]))
        return count + 1

    sys.install(srv, "dbg", debug_function, 1)
    call(srv, "get")
    log("installed_debug_fun_sees", seen)
    sys.remove(srv, "dbg")
    seen.clear()
    call(srv, "get")
    log("after_remove", seen)
    kill(srv)


def s05_suspended_worker_under_supervisor(log: Log) -> None:
    sup = start_sup("sup", [worker("a"), worker("b"), worker("nt", trap=False)])
    a = child(sup, "a")
    sys.suspend(a)
    cast(a, ("stop", "boom"))
    settle()
    log("queued_stop_not_handled", kids(sup))
    log("terminate_child", answer(terminate_child, sup, "a"))
    log("kids", kids(sup))
    sys.suspend(child(sup, "b"))
    sys.suspend(child(sup, "nt"))
    start = now()
    stop_sup(sup)
    log("quick", within(start, 0, 1000))


def _ancestry(pid: Pid) -> Any:
    dictionary = info(pid, "dictionary")
    return (dictionary.get("$ancestors"), initial_call(dictionary.get("$initial_call")))


def l01_ancestors_and_initial_call(log: Log) -> None:
    register("l01_main", self_())
    a = log.bind("a", Plain.start_link("a", name="l01_a"))
    b = log.bind("b", call(a, ("eval", lambda: Plain.start_link("b"))))
    c = log.bind("c", call(b, ("eval", lambda: Plain.start("c"))))
    log("a", _ancestry(a))
    log("b", _ancestry(b))
    log("c_started_without_link", _ancestry(c))
    log("main", _ancestry(self_()))
    sup = start_sup("sup", [spec("p", (Plain.start_link, "p"))])
    log("supervisor", _ancestry(sup)[1])
    log("supervised_child", _ancestry(child(sup, "p")))
    task = spawn_task(receive)
    log("proc_lib_spawn", info(task.pid, "dictionary")["$ancestors"])
    log("plain_spawn", _ancestry(spawn(receive)))


def l03_supervisor_reports(log: Log) -> None:
    flag(trap_exit=True)
    children = [
        worker("p"),
        worker("t", restart="transient"),
        worker("x", restart="temporary"),
        worker("late", shutdown=0.05, term_delay=0.2),
        worker("odd", term_exit="odd_reason"),
    ]
    sups = []

    def report(tag: str, cause: Callable[[], Any], **flags: Any) -> None:
        for level, kind, fields in reports_during(cause) or [("no_reports", "", {})]:
            log(tag, _line(level, kind, fields))

    report("start", lambda: sups.append(start_sup("l03", children, name="l03", max_restarts=3)))
    (sup,) = sups
    for tag, id, reason in [
        ("permanent_exits_normal", "p", "normal"),
        ("transient_exits_normal", "t", "normal"),
        ("temporary_exits_boom", "x", "boom"),
    ]:
        report(tag, partial(cast, child(sup, id), ("stop", reason)))
    report("shutdown", lambda: down_after(sup, lambda: exit(sup, "shutdown")))
    _start_failure(log)
    sup = start_sup("l03", [worker("z")], name="l03", max_restarts=0)
    report("intensity_exceeded", lambda: down_after(sup, lambda: cast(child(sup, "z"), ("stop", "boom"))))


def _start_failure(log: Log) -> None:
    children = [worker("ok1"), worker("bad", init=[("stop", "nope")])]
    result: list[Any] = []
    reports = reports_during(lambda: result.append(started(Sup.start_link, ("l03", children, {}), name="l03")))
    log("start_link", result[0])
    for report in sorted(reports, key=lambda report: report[:2]):
        log("start_failure", _line(*report))


def _line(level: str, kind: str, fields: dict[str, Any]) -> Any:
    if kind == "":
        return level
    if kind == "progress":
        return (kind, fields["supervisor"], fields["child"])
    if kind == "crash_report":
        fields = {**fields, "queue_len": fields["message_queue_len"]}
        del fields["message_queue_len"]
    if kind == "server_terminated":
        fields = {**fields, "state": (fields["state"]["name"], _milliseconds(fields["state"]["options"]))}
    return (level, kind, fields)


def _milliseconds(options: dict[str, Any]) -> dict[str, Any]:
    return {name: int(value * 1000) if name == "term_delay" else value for name, value in options.items()}
