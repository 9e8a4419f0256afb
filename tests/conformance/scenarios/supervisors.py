"""Group U: supervisors."""

from collections.abc import Callable
from typing import Any

from runtime import (
    ChildSpec,
    Exit,
    Pid,
    StartError,
    alive,
    cast,
    check_childspecs,
    count_children,
    delete_child,
    exit,
    flag,
    flush,
    monitor,
    receive,
    restart_child,
    self_,
    start_child,
    terminate_child,
    whereis,
    which_children,
)
from runtime.kernel.clock import now
from tests.conformance.actors import Sup, Worker, start_sup, sup_spec, worker
from tests.conformance.captured import CALLBACK_MODULES
from tests.conformance.harness import (
    Log,
    answer,
    attempt,
    await_down,
    child,
    counts,
    crash,
    down_after,
    kids,
    kill,
    settle,
    spec,
    started,
    stop_sup,
    within,
)


def u01_start_and_stop_order(log: Log) -> None:
    flag(trap_exit=True)
    sup = start_sup("sup", [worker(id) for id in ("c1", "c2", "c3")])
    log("main", "start_link_returned", sup)
    full = [(c.id, c.pid, c.type, [CALLBACK_MODULES[m.__name__] for m in c.modules]) for c in which_children(sup)]
    log("which_children", full)
    log("count_children", counts(sup))
    exit(sup, "shutdown")
    log("mailbox", [receive(Exit)])
    log("call_dead_sup", attempt(which_children, sup))
    empty = start_sup("sup", [])
    log("empty", kids(empty), counts(empty))
    stop_sup(empty)


def u03_child_ignore(log: Log) -> None:
    restarts = {"p": "permanent", "t": "transient", "x": "temporary"}
    ignoring = [worker(id, restart=restart, init=["ignore"]) for id, restart in restarts.items()]
    sup = start_sup("sup", [*ignoring, worker("y")])
    log("kids", kids(sup))
    log("counts", counts(sup))
    restart_child(sup, "p")
    log("restart_ignored", "ok")
    log("kids", kids(sup))
    log("start_child_ignored_permanent", attempt(start_child, sup, worker("q", init=["ignore"])))
    log("start_child_ignored_temporary", attempt(start_child, sup, worker("r", restart="temporary", init=["ignore"])))
    log("kids", kids(sup))
    log("delete_ignored", answer(delete_child, sup, "q"))
    log("kids", kids(sup))
    stop_sup(sup)


def u05_one_for_all(log: Log) -> None:
    sup = start_sup("sup", [worker(f"c{n}") for n in range(1, 5)], strategy="one_for_all", max_restarts=5)
    for id in ("c2", "c1"):
        log("---", "crash", id)
        crash(sup, id)
        log("kids", kids(sup))
    log("---", "stop")
    stop_sup(sup)


def u07_restart_type_by_reason(log: Log) -> None:
    def stops(reason: Any) -> Callable[[Pid], object]:
        return lambda pid: cast(pid, ("stop", reason))

    def signal_then_stop(pid: Pid) -> None:
        exit(pid, "normal")
        cast(pid, ("stop", "normal"))

    causes: list[tuple[Any, Callable[[Pid], object]]] = [
        *((reason, stops(reason)) for reason in ("normal", "shutdown", ("shutdown", "x"), "boom")),
        ("exit_kill", lambda pid: exit(pid, "kill")),
        ("exit_normal_signal_then_stop", signal_then_stop),
    ]
    for restart in ("permanent", "transient", "temporary"):
        for cause, end in causes:
            sup = start_sup("sup", [worker("k", restart=restart, trap=False)], max_restarts=10)
            pid = child(sup, "k")
            down = down_after(pid, lambda end=end, pid=pid: end(pid))  # type: ignore[misc]
            settle()
            numbers = counts(sup)
            log(
                "result",
                restart,
                cause,
                ("down", down),
                _outcome(sup, pid),
                ("specs", numbers["specs"]),
                ("active", numbers["active"]),
            )
            kill(sup)


def _outcome(sup: Pid, before: Pid) -> str:
    match kids(sup):
        case []:
            return "removed"
        case [(_, None)]:
            return "kept_not_running"
        case [(_, pid)] if pid != before:
            return "restarted"
    return "unchanged"


def u09_intensity_window_slides(log: Log) -> None:
    flag(trap_exit=True)
    sup = start_sup("sup", [worker("c")], max_restarts=1, max_seconds=1.0)
    crash(sup, "c")
    log("alive", alive(sup))
    for _ in range(2):
        settle(2200)
        crash(sup, "c")
        log("alive_after_window", alive(sup))
    log("second_within_window", down_after(sup, lambda: crash(sup, "c")))


def u11_nested_escalation(log: Log) -> None:
    flag(trap_exit=True)
    inner = sup_spec("inner", [worker("w1"), worker("w2")])
    top = start_sup("top", [worker("w0"), inner], strategy="one_for_all")
    for number, id in enumerate(("w1", "w1", "w2", "w2"), start=1):
        log("---", "crash", number)
        crash(child(top, "inner"), id)
        if number == 2:
            log("top_alive", alive(top))
            log("kids", kids(top), kids(child(top, "inner")))
    log("top_alive", alive(top))
    log("mailbox", flush())


def u13_shutdown_modes(log: Log) -> None:
    children = [
        worker("graceful", shutdown=1.0, term_delay=0.03),
        worker("too_slow", shutdown=0.06, term_delay=0.4),
        worker("brutal", shutdown="brutal_kill"),
        worker("not_trapping", shutdown=1.0, trap=False),
        worker("infinite", shutdown="infinity", term_delay=0.15),
        worker("exits_other", term_exit="odd"),
    ]
    sup = start_sup("sup", children)
    monitors = [(id, monitor(pid)) for id, pid in kids(sup)]
    started_at = now()
    stop_sup(sup)
    log("total", within(started_at, 235, 700))
    for id, ref in monitors:
        log("down", id, await_down(ref))
    settle(500)
    log("no_late_cleanup")


def u15_restart_keeps_failing(log: Log) -> None:
    flag(trap_exit=True)
    failing = worker("b", init=["ok"], then=("stop", "boom"))
    sup = start_sup("sup", [worker("a"), failing, worker("c")], max_restarts=4)
    crash(sup, "b")
    log("alive", alive(sup))
    log("mailbox", flush())
    recovering = worker("d", init=["ok", ("stop", "boom"), ("error", "boom")])
    sup2 = start_sup("sup2", [recovering], max_restarts=4)
    crash(sup2, "d")
    log("recovered", kids(sup2))
    stop_sup(sup2)


def u17_group_restart_where_other_child_fails(log: Log) -> None:
    for strategy in ("one_for_all", "rest_for_one"):
        log("---", strategy)
        options: dict[str, Any] = {"c3": {"init": ["ok", ("stop", "nope"), ("stop", "nope")]}}
        children = [worker(f"{id}_{strategy}", **options.get(id, {})) for id in ("c1", "c2", "c3", "c4")]
        sup = start_sup(f"sup_{strategy}", children, strategy=strategy, max_restarts=5)
        log("---", strategy, "crash_c2")
        crash(sup, f"c2_{strategy}")
        log("kids", kids(sup))
        stop_sup(sup)


def u19_auto_shutdown_any(log: Log) -> None:
    flag(trap_exit=True)

    def any_significant(restart: str) -> Pid:
        children = [worker("w"), worker("sig", restart=restart, significant=True), worker("plain", restart="transient")]
        return start_sup("sup", children, auto_shutdown="any_significant", max_restarts=5)

    def result(sup: Pid) -> None:
        log("result", ("alive", kids(sup)) if alive(sup) else "dead")

    def ended(sup: Pid) -> None:
        result(sup)
        log("exit_msg", receive(Exit))

    log("---", "nonsignificant_exit")
    sup = any_significant("transient")
    crash(sup, "plain", "normal")
    result(sup)
    log("---", "significant_transient_abnormal")
    crash(sup, "sig", "boom")
    result(sup)
    log("---", "significant_transient_normal")
    crash(sup, "sig", "normal")
    ended(sup)
    log("---", "significant_temporary_abnormal")
    sup = any_significant("temporary")
    crash(sup, "sig", "boom")
    ended(sup)
    log("---", "significant_terminated_by_api")
    sup = any_significant("transient")
    log(answer(terminate_child, sup, "sig"))
    settle()
    result(sup)
    stop_sup(sup)
    log("---", "significant_shutdown_reason")
    sup = any_significant("transient")
    crash(sup, "sig", ("shutdown", "done"))
    ended(sup)


def u21_auto_shutdown_nested_and_invalid(log: Log) -> None:
    flag(trap_exit=True)
    leaf = worker("leaf", restart="transient", significant=True)
    inner = sup_spec("inner", [leaf], restart="transient", significant=True, auto_shutdown="any_significant")
    top = start_sup("top", [worker("other"), inner], auto_shutdown="any_significant")
    crash(child(top, "inner"), "leaf", "normal")
    log("top_alive", alive(top))
    log("mailbox", flush())
    significant = _mapping("w", restart="transient", significant=True)
    permanent = _mapping("w", significant=True)
    unsure = _mapping("w", restart="transient", significant="maybe_")
    log("significant_but_never", _refused("bad", [significant]))
    log("significant_permanent", _refused("bad", [permanent], auto_shutdown="any_significant"))
    log("bad_flag", _refused("bad", [], auto_shutdown="sometimes"))
    log("bad_significant", _refused("bad", [unsure], auto_shutdown="any_significant"))


def _mapping(id: str, **fields: Any) -> dict[str, Any]:
    """A child spec that was not checked yet."""
    return {"id": id, "start": (Worker.start_link, id, {}), **fields}


def _refused(id: str, children: list[Any], **flags: Any) -> Any:
    """What starting a Sup with these children comes to; what else it left in the mailbox is thrown away."""
    result = started(Sup.start_link, (id, children, flags))
    flush()
    return result


def u23_bad_specs_and_flags(log: Log) -> None:
    flag(trap_exit=True)
    w = _mapping("w")
    x = {**w, "id": "x"}
    specs: list[tuple[str, list[Any]]] = [
        ("duplicate_id", [w, w]),
        ("missing_id", [{"start": w["start"]}]),
        ("missing_start", [{"id": "w"}]),
        ("bad_restart", [_mapping("w", restart="sometimes")]),
        ("bad_shutdown", [_mapping("w", shutdown=-1)]),
        ("bad_type", [_mapping("w", type="wrker")]),
        ("bad_start", [{"id": "w", "start": "nope"}]),
        ("not_a_spec", ["nope"]),
    ]
    for tag, children in specs:
        log(tag, _refused("sup", children))
    flags: list[tuple[str, dict[str, Any]]] = [
        ("bad_strategy", {"strategy": "all_for_none"}),
        ("bad_intensity", {"max_restarts": -1}),
        ("bad_period", {"max_seconds": 0}),
    ]
    for tag, wrong in flags:
        log(tag, _refused("sup", [], **wrong))
    log("simple_with_no_spec", _refused("sup", [], strategy="simple_one_for_one"))
    _, (kind, two) = _refused("sup", [w, x], strategy="simple_one_for_one")
    log(
        "simple_with_two",
        ("error", (kind, [{"id": s["id"], "start": ("cw", "start_link", [s["start"][1]])} for s in two])),
    )
    log("check_ok", answer(check_childspecs, [w, x]))
    log("check_dup", answer(check_childspecs, [w, w]))


def u25_simple_one_for_one(log: Log) -> None:
    flag(trap_exit=True)
    template = ChildSpec(id="w", start=(Worker.start_link,))
    sup = start_sup("sup", [template], strategy="simple_one_for_one", max_restarts=5)

    def add(id: str, **options: Any) -> Pid:
        pid = start_child(sup, [id, options])
        assert isinstance(pid, Pid)
        return pid

    def named_kids() -> list[tuple[Any, Any]]:
        return sorted(kids(sup), key=lambda kid: log.names[kid[1]])

    log("empty", kids(sup), counts(sup))
    a, b, c = add("a"), add("b"), add("c", term_delay=0.02)
    log("ids_are_undefined", named_kids())
    log("counts", counts(sup))
    log("terminate_by_id", answer(terminate_child, sup, "a"))
    log("restart_child", answer(restart_child, sup, "a"))
    log("delete_child", answer(delete_child, sup, "a"))
    log("terminate_by_pid", answer(terminate_child, sup, a), alive(a))
    log("terminate_dead_pid", answer(terminate_child, sup, a))
    log("terminate_foreign_pid", answer(terminate_child, sup, self_()))
    cast(b, ("stop", "boom"))
    settle()
    log("restarted_with_same_args", [pid for _, pid in named_kids()])
    log("start_ignored", attempt(start_child, sup, ["ig", {"init": ["ignore"]}]))
    log("start_error", attempt(start_child, sup, ["er", {"init": [("stop", "boom")]}]))
    log("counts", counts(sup))
    (b2,) = (pid for _, pid in kids(sup) if pid != c)
    for pid in (b2, c):
        terminate_child(sup, pid)
    for id, delay in (("d", 0.4), ("e", 0.1), ("f", 0.25)):
        add(id, term_delay=delay, quiet=True)
    started_at = now()
    exit(sup, "shutdown")
    log("sup_exit", receive(Exit).reason)
    log("parallel_shutdown", within(started_at, 395, 720))


def _with_extra(id: str) -> tuple[Pid | None, str]:
    return Worker.start_link(id, {}), "extra_info"


def u27_extra_return_and_nonpid(log: Log) -> None:
    sup = start_sup("sup", [spec("e", (_with_extra, "e"))])
    log("kids", kids(sup))
    log("start_child", *start_child(sup, spec("f", (_with_extra, "f"))))
    terminate_child(sup, "e")
    log("restart_child", *restart_child(sup, "e"))
    crash(sup, "f")
    log("kids", kids(sup))
    stop_sup(sup)


def u29_deep_tree_shutdown_order(log: Log) -> None:
    s1 = sup_spec("s1", [worker("a1"), worker("a2")])
    s3 = sup_spec("s3", [worker("d1"), worker("d2")])
    s2 = sup_spec("s2", [worker("b1"), s3, worker("b2")])
    top = start_sup("top", [s1, worker("w1"), s2, worker("w2")])
    log("counts_top", dict(count_children(top)))
    log("---", "stop")
    stop_sup(top)


def _start_named(id: str, name: str) -> Pid | None:
    return Worker.start_link(id, {}, name=name)


def u31_supervisor_names(log: Log) -> None:
    flag(trap_exit=True)
    named = spec("k", (_start_named, "u31_k", "u31_k"))
    sup = start_sup("u31", [named], name="u31", max_restarts=5)
    log("by_name", kids("u31"))
    log("conflict", started(Sup.start_link, ("u31", [], {}), name="u31"))
    log("child_name_conflict", _failure(start_child, "u31", spec("k2", (_start_named, "u31_k", "u31_k"))))
    exit(child("u31", "k"), "kill")
    settle()
    log("restarted_under_same_name", whereis("u31_k"))
    log("kids", kids("u31"))
    stop_sup(sup)
    log("names_free", whereis("u31"), whereis("u31_k"))


def _failure(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return ("ok", function(*args))
    except StartError as error:
        return ("error", error.reason)


def u33_inner_supervisor_shutdown_time(log: Log) -> None:
    def tree(shutdown: Any) -> Pid:
        inner = sup_spec("inner", [worker("first"), worker("slow", term_delay=0.7)], shutdown=shutdown)
        return start_sup("top", [inner])

    log("---", "default_infinity")
    stop_sup(tree("infinity"))
    log("---", "inner_limited_to_100ms")
    top = tree(0.1)
    inner = monitor(child(top, "inner"))
    stop_sup(top)
    log("inner_down", await_down(inner))
    settle(1000)
