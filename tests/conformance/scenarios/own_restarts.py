"""Group U, our own: which children are started again, and when a supervisor gives up. See `beam/supervisors.erl`."""

from typing import Any

from runtime import (
    ChildSpec,
    Pid,
    alive,
    cast,
    delete_child,
    flag,
    restart_child,
    start_child,
    sys,
    terminate_child,
    unlink,
)
from tests.conformance.actors import Worker, start_sup, sup_spec, worker
from tests.conformance.gates import client, held, outcome, release
from tests.conformance.harness import (
    Log,
    answer,
    child,
    counts,
    current,
    down_after,
    kids,
    settle,
    stop_sup,
)
from tests.conformance.harness import crash as crash_quietly
from tests.conformance.scenarios.own_supervisors import crash, fate, watched, workers


def u50_one_for_one_crashes(log: Log) -> None:
    sup = watched("sup", workers("c1", "c2", "c3", "c4"), max_restarts=5)
    for id in ("c2", "c4", "c1"):
        crash(sup, id, "boom")
    stop_sup(sup)


def u51_rest_for_one_crashes(log: Log) -> None:
    sup = watched("sup", workers("c1", "c2", "c3", "c4"), strategy="rest_for_one", max_restarts=5)
    for id in ("c2", "c4", "c1", "c3"):
        crash(sup, id, "boom")
    stop_sup(sup)


def u53_what_counts_against_the_intensity(log: Log) -> None:
    log("---", "shared_by_all_children")
    shared = watched("sup", workers("c1", "c2", "c3"), max_restarts=2)
    crash_quietly(shared, "c1", "boom")
    crash_quietly(shared, "c3", "normal")
    log("alive", alive(shared))
    crash_quietly(shared, "c2", ("shutdown", "x"))
    fate(shared)
    log("---", "zero")
    zero = watched("sup", workers("c1", "c2"), max_restarts=0)
    crash_quietly(zero, "c1", "boom")
    fate(zero)
    log("---", "what_does_not_count")
    free = watched("sup", [worker("p"), worker("t", restart="transient"), worker("x", restart="temporary")])
    for _ in range(3):
        terminate_child(free, "p")
        restart_child(free, "p")
    crash_quietly(free, "t", "normal")
    restart_child(free, "t")
    crash_quietly(free, "t", "shutdown")
    crash_quietly(free, "x", "boom")
    log("kids", kids(free))
    crash_quietly(free, "p", "boom")
    log("alive", alive(free))
    crash_quietly(free, "p", "boom")
    fate(free)
    log("---", "a_group_counts_once")
    group = watched("sup", workers("g1", "g2", "g3"), strategy="one_for_all")
    crash_quietly(group, "g2", "boom")
    log("alive", alive(group))
    crash_quietly(group, "g2", "boom")
    fate(group)


def u55_group_restart_of_finished_and_temporary(log: Log) -> None:
    restarts = {"first": "transient", "t": "transient", "x": "temporary", "y": "temporary"}
    children = [worker(id, restart=restarts.get(id, "permanent")) for id in ("first", "p", "t", "x", "y", "k")]
    for strategy in ("one_for_all", "rest_for_one"):
        log("---", strategy)
        sup = watched("sup", children, strategy=strategy, max_restarts=5)
        crash(sup, "x", "boom")
        crash(sup, "first", "normal")
        crash(sup, "t", "normal")
        log("terminate_child", answer(terminate_child, sup, "k"))
        crash(sup, "p", "boom")
        crash(sup, "t", "boom")
        stop_sup(sup)


def u61_position_of_restarted_and_added(log: Log) -> None:
    sup = watched("sup", workers("c1", "c2", "c3"), strategy="rest_for_one", max_restarts=5)
    terminate_child(sup, "c1")
    restart_child(sup, "c1")
    log("restarted_keeps_its_place", kids(sup))
    terminate_child(sup, "c2")
    delete_child(sup, "c2")
    start_child(sup, worker("c2"))
    start_child(sup, worker("c4"))
    log("added_again_is_last", kids(sup))
    crash(sup, "c2", "boom")
    crash(sup, "c3", "boom")
    stop_sup(sup)


def u62_escalation_loses_added_children(log: Log) -> None:
    for restart in ("permanent", "transient", "temporary"):
        log("---", restart)
        top = watched("top", [sup_spec("inner", workers("fixed"), restart=restart, max_restarts=0), worker("w")])
        start_child(child(top, "inner"), worker("added"))
        log("inner_kids", kids(child(top, "inner")))
        crash_quietly(child(top, "inner"), "fixed", "boom")
        log("kids", kids(top))
        for id, pid in kids(top):
            if id == "inner" and pid is not None:
                log("inner_kids", kids(pid))
        stop_sup(top)


def u63_simple_one_for_one_restart_types(log: Log) -> None:
    def simple(restart: str, max_restarts: int) -> Pid:
        template = ChildSpec(id="w", start=(Worker.start_link,), restart=restart)  # type: ignore[arg-type]
        return watched("sup", [template], strategy="simple_one_for_one", max_restarts=max_restarts)

    for restart in ("permanent", "transient", "temporary"):
        log("---", restart)
        sup = simple(restart, 3)
        a, b = (start_child(sup, [id, {"quiet": True}]) for id in ("a", "b"))
        down = [down_after(a, lambda a=a: cast(a, ("stop", "normal")))]  # type: ignore[misc]
        down.append(down_after(b, lambda b=b: cast(b, ("stop", "boom"))))  # type: ignore[misc]
        settle()
        log("down", down)
        log("kids", sorted(current().names[pid] for _, pid in kids(sup)), counts(sup))
        stop_sup(sup)
    log("---", "gives_up")
    sup = simple("permanent", 2)
    start_child(sup, ["c", {"quiet": True}])
    d = start_child(sup, ["d", {"init": ["ok"], "then": ("stop", "nope")}])
    cast(d, ("stop", "boom"))
    settle()
    fate(sup)


def u64_exits_that_come_together(log: Log) -> None:
    for strategy in ("one_for_one", "one_for_all", "rest_for_one"):
        log("---", strategy)
        sup = watched("sup", workers("c1", "c2", "c3", "c4"), strategy=strategy)
        ending = [child(sup, id) for id in ("c3", "c1", "c4")]
        sys.suspend(sup)
        for pid in ending:
            down_after(pid, lambda pid=pid: cast(pid, ("stop", "boom")))  # type: ignore[misc]
        sys.resume(sup)
        settle()
        if alive(sup):
            log("kids", kids(sup))
            stop_sup(sup)
        else:
            fate(sup)


def u65_group_restart_gives_up(log: Log) -> None:
    for strategy, fails, victim in (
        ("one_for_all", "all2", "c1"),
        ("rest_for_one", "rest2", "c1"),
        ("rest_for_one", "own2", "own2"),
    ):
        log("---", strategy)
        children = [worker("c1"), worker(fails, init=["ok"], then=("error", "oops")), worker("c3")]
        sup = watched("sup", children, strategy=strategy, max_restarts=2)
        crash_quietly(sup, victim, "boom")
        fate(sup)


def _start_unlinked(children: list[ChildSpec], strategy: str) -> Pid:
    """Start a supervisor from a process that goes on without it."""
    flag(trap_exit=True)
    sup = start_sup("sup", children, strategy=strategy)
    unlink(sup)
    return sup


def u70_child_dies_while_siblings_start(log: Log) -> None:
    cases: list[tuple[str, str, Any]] = [
        ("one_for_one", "slow1", "ok"),
        ("one_for_all", "slow2", "ok"),
        ("one_for_one", "slow3", ("stop", "nope")),
    ]
    for strategy, slow, verdict in cases:
        log("---", strategy, verdict)
        children = [worker("fast"), worker(slow, init=["gate"])]
        client("start", lambda children=children, strategy=strategy: _start_unlinked(children, strategy))  # type: ignore[misc]
        waiting = held(f"{slow}#1")
        (fast,) = (pid for pid, name in log.names.items() if name.startswith("fast#") and alive(pid))
        log("fast_down", down_after(fast, lambda fast=fast: cast(fast, ("stop", "boom"))))  # type: ignore[misc]
        release(waiting, verdict)
        result = outcome("start")
        settle()
        log("start", result)
        if result[0] == "ok":
            sup = result[1]
            log("kids", kids(sup))
            crash_quietly(sup, "fast", "boom")
            log("alive", alive(sup))


def u72_terminate_child_in_groups(log: Log) -> None:
    for strategy in ("one_for_all", "rest_for_one"):
        log("---", strategy)
        sup = watched("sup", workers("c1", "c2", "c3"), strategy=strategy)
        log("terminate_child", answer(terminate_child, sup, "c1"))
        settle()
        log("others_stay", kids(sup))
        crash_quietly(sup, "c2", "boom")
        log("kids", kids(sup))
        log("terminate_child", answer(terminate_child, sup, "c3"))
        log("delete_child", answer(delete_child, sup, "c3"))
        crash_quietly(sup, "c2", "boom")
        fate(sup)
