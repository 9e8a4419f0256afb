"""Group U, our own: what the given transcripts leave open. The BEAM's side is `beam/supervisors.erl`."""

from collections.abc import Callable
from typing import Any

from runtime import (
    ANY,
    IGNORE,
    ChildSpec,
    Exit,
    Pid,
    StartError,
    Supervisor,
    alive,
    call,
    cast,
    delete_child,
    exit,
    flag,
    flush,
    link,
    receive,
    register,
    restart_child,
    self_,
    send,
    start_child,
    terminate_child,
    unregister,
    whereis,
    which_children,
)
from tests.conformance.actors import Sup, Worker, start_sup, sup_spec, worker
from tests.conformance.gates import client, held, named, open_gate, outcome, release
from tests.conformance.harness import (
    Log,
    answer,
    ask,
    attempt,
    child,
    counts,
    current,
    down_after,
    idle,
    kids,
    log,
    settle,
    spec,
    started,
    stop_sup,
)
from tests.conformance.harness import crash as crash_quietly


def workers(*ids: str) -> list[ChildSpec]:
    """Plain workers with those ids."""
    return [worker(id) for id in ids]


def crash(sup: Pid, id: str, reason: Any) -> None:
    """Crash a child between two lines that say so and what it came to."""
    log("---", "crash", id)
    crash_quietly(sup, id, reason)
    log("kids", kids(sup))


def watched(id: str, children: list[Any], **flags: Any) -> Pid:
    """Start a supervisor that main can watch: linked to main, which traps."""
    flag(trap_exit=True)
    return start_sup(id, children, **flags)


def fate(sup: Pid) -> None:
    """What became of a supervisor that main is linked to."""
    log("alive", alive(sup))
    log("mailbox", flush())


def _refuse(reason: Any) -> Pid:
    raise StartError(reason)


def u52_start_failure_rolls_back(log: Log) -> None:
    flag(trap_exit=True)
    failing = worker("bad", init=[("stop", "nope"), ("error", "oops"), ("exit", "gone"), ("stop", "normal")])
    for bad in (*[failing] * 4, spec("bad", (_refuse, "unwilling"))):
        children = [*workers("c1", "c2"), bad, *workers("c4")]
        log("start_link", started(Sup.start_link, ("sup", children, {})))
    inner = sup_spec("inner", [*workers("i1"), worker("worse", then=("stop", "nope")), *workers("i2")])
    top: Any = ("top", [*workers("d1"), inner, *workers("d2")], {})
    log("nested", started(Sup.start_link, top))
    flush()
    sup = watched("sup2", workers("e1"))
    for failing_child in (worker("late", init=[("stop", "nope")]), inner):
        _, why = attempt(start_child, sup, failing_child)
        log("start_child", why)
        log("kids", kids(sup))
    stop_sup(sup)


def u54_refusals(log: Log) -> None:
    sup = watched("sup", workers("a", "b"))
    log("start_running", answer(start_child, sup, worker("a")))
    log("restart_running", answer(restart_child, sup, "a"))
    log("delete_running", answer(delete_child, sup, "a"))
    log("terminate", answer(terminate_child, sup, "a"))
    log("terminate_again", answer(terminate_child, sup, "a"))
    log("kids", kids(sup), counts(sup))
    log("start_present", answer(start_child, sup, worker("a")))
    log("restart", restart_child(sup, "a"))
    terminate_child(sup, "a")
    log("delete", answer(delete_child, sup, "a"))
    for request in (terminate_child, restart_child, delete_child):
        for id in ("a", "nobody"):
            log(request.__name__, answer(request, sup, id))
    log("start_after_delete", start_child(sup, worker("a")))
    log("start_temporary", start_child(sup, worker("t", restart="temporary")))
    log("terminate_temporary", answer(terminate_child, sup, "t"))
    log("and_then", answer(restart_child, sup, "t"), answer(delete_child, sup, "t"))
    log("kids", kids(sup))
    stop_sup(sup)
    log("dead", attempt(start_child, sup, worker("z")))
    log("dead", attempt(terminate_child, sup, "a"))
    log("unknown", attempt(which_children, "nobody_here"))


def u56_requests_between_restart_attempts(log: Log) -> None:
    sup = watched("sup", [worker("a"), worker("k", init=["ok"], then="gate"), worker("z")], max_restarts=10)
    cast(child(sup, "k"), ("stop", "boom"))
    second = held("k#2")
    asked: dict[str, Callable[[], Any]] = {
        "kids": lambda: kids(sup),
        "counts": lambda: counts(sup),
        "restart": lambda: answer(restart_child, sup, "k"),
        "delete": lambda: answer(delete_child, sup, "k"),
        "start": lambda: answer(start_child, sup, worker("k")),
    }
    for tag, request in asked.items():
        client(tag, request)
    log("nothing_answered", flush())
    release(second, ("stop", "nope"))
    third = held("k#3")  # before anything is logged: the supervisor and the clients run side by side
    for tag in asked:
        log(tag, outcome(tag))
    client("terminate", lambda: answer(terminate_child, sup, "k"))
    release(third, ("stop", "nope"))
    log("terminate", outcome("terminate"))
    settle()
    log("kids", kids(sup))
    client("restart", lambda: attempt(restart_child, sup, "k"))
    open_gate("k#4", "ok")
    log("restart", outcome("restart"))
    log("kids", kids(sup))
    stop_sup(sup)


def u57_unlinked_child(log: Log) -> None:
    sup = watched("sup", workers("a", "b"))
    b = child(sup, "b")
    log("unlink", call(b, "unlink_from_parent"))
    crash_quietly(sup, "b", "boom")
    log("unnoticed", kids(sup), counts(sup))
    log("b_alive", alive(b))
    log("restart_child", answer(restart_child, sup, "b"))
    log("terminate_child", answer(terminate_child, sup, "b"))
    log("kids", kids(sup))
    again = restart_child(sup, "b")
    log("restart_child", again)
    log("unlink", call(again, "unlink_from_parent"))
    log("unlink", call(child(sup, "a"), "unlink_from_parent"))
    log("terminate_child", answer(terminate_child, sup, "a"), alive(again))
    stop_sup(sup)
    log("b_alive", alive(again))


def u58_slow_init_blocks_requests(log: Log) -> None:
    sup = watched("sup", workers("a"))
    client("start", lambda: attempt(start_child, sup, worker("slow", then="gate")))
    slow = held("slow#1")
    cast(named("a#1"), ("stop", "boom"))
    settle()
    client("kids", lambda: kids(sup))
    log("not_restarted_and_no_answers_yet", flush())
    release(slow, "ok")
    log("start", outcome("start"))
    log("kids", outcome("kids"))
    stop_sup(sup)


def u59_auto_shutdown_all(log: Log) -> None:
    def significant(id: str, restart: str) -> ChildSpec:
        return worker(id, restart=restart, significant=True)

    def all_significant(children: list[ChildSpec]) -> Pid:
        return watched("sup", children, auto_shutdown="all_significant", max_restarts=5)

    children = [
        worker("w"),
        significant("s1", "transient"),
        significant("s2", "temporary"),
        significant("s3", "transient"),
    ]
    log("---", "after_the_last")
    sup = all_significant(children)
    crash(sup, "s2", "boom")
    crash(sup, "s1", "boom")
    crash(sup, "s3", "normal")
    crash(sup, "w", "normal")
    crash_quietly(sup, "s1", ("shutdown", "x"))
    fate(sup)
    log("---", "terminated_by_request")
    asked = all_significant(children)
    for id in ("s1", "s2", "s3"):
        log("terminate_child", answer(terminate_child, asked, id))
    settle()
    log("kids", kids(asked))
    stop_sup(asked)
    log("---", "the_rest_terminated_by_request")
    mixed = all_significant(children)
    for id in ("s1", "s2"):
        log("terminate_child", answer(terminate_child, mixed, id))
    crash_quietly(mixed, "s3", "normal")
    fate(mixed)
    log("---", "added_later")
    empty = all_significant([])
    start_child(empty, significant("s4", "temporary"))
    crash_quietly(empty, "s4", "normal")
    fate(empty)


def _with_parent(children: list[ChildSpec]) -> tuple[Pid, Pid]:
    """A process that main can end, and the supervisor whose parent it is."""
    parent = idle("parent")

    def begin() -> Pid:
        flag(trap_exit=True)
        return start_sup("sup", children)

    sup = ask(parent, begin)
    assert isinstance(sup, Pid)
    return parent, sup


def _ends(parent: Pid, reason: Any) -> None:
    if reason == "killed":
        exit(parent, "kill")
    else:
        send(parent, lambda: exit(reason))


def u60_parents_and_strangers(log: Log) -> None:
    for reason in ("normal", "shutdown", ("shutdown", "x"), "boom", "kill", "killed"):
        log("---", "parent_ends", reason)
        parent, sup = _with_parent(workers("c1", "c2"))
        log("sup_down", down_after(sup, lambda parent=parent, reason=reason: _ends(parent, reason)))  # type: ignore[misc]
    log("---", "strangers")
    _, sup = _with_parent(workers("c1", "c2"))
    for signal in ("normal", "shutdown", "boom"):
        exit(sup, signal)
    stranger = idle("stranger")
    ask(stranger, lambda: link(sup))
    log("stranger_down", down_after(stranger, lambda: send(stranger, lambda: exit("boom"))))
    send(sup, "surprise")
    settle()
    log("kids", kids(sup))
    terminate_child(sup, "c2")
    log("sup_down", down_after(sup, lambda: exit(sup, "kill")))
    settle()


class Ignoring(Supervisor):
    """A supervisor that has nothing to supervise."""

    def init(self, id: str) -> Any:
        name, _ = current().incarnation(id)
        log(name, "init")
        return IGNORE


def u66_supervisor_that_ignores(log: Log) -> None:
    flag(trap_exit=True)
    log("start_link", started(Ignoring.start_link, "none"))
    flush()
    none = ChildSpec(id="none", start=(Ignoring.start_link, "none"), type="supervisor")
    top = watched("top", [worker("a"), none, worker("b")])
    log("kids", kids(top), counts(top))
    log("restart_child", attempt(restart_child, top, "none"))
    log("delete_child", answer(delete_child, top, "none"))
    stop_sup(top)


def u67_hung_child_holds_up_the_group(log: Log) -> None:
    children = [worker("a"), worker("hung", term_gate=True), worker("c")]
    sup = watched("sup", children, strategy="one_for_all")
    cast(child(sup, "c"), ("stop", "boom"))
    hung = held("hung#1")
    client("kids", lambda: kids(sup))
    log("a_still_alive", alive(named("a#1")))
    log("no_answer_yet", flush())
    release(hung, "ok")
    log("kids", outcome("kids"))
    exit(sup, "shutdown")
    open_gate("hung#2", "ok")
    log("sup_exit", receive(Exit(sup, str), timeout=5).reason)


def _named_worker(id: str, name: str) -> ChildSpec:
    return spec(id, (lambda: Worker.start_link(id, {}, name=name),))


def u68_named_children_come_back(log: Log) -> None:
    def names() -> tuple[Pid | None, Pid | None]:
        return whereis("u68_n1"), whereis("u68_n2")

    children = [_named_worker("n1", "u68_n1"), _named_worker("n2", "u68_n2")]
    sup = watched("sup", children, strategy="one_for_all", max_restarts=5)
    log("names", *names())
    first = child(sup, "n1")
    down_after(first, lambda: exit(first, "kill"))
    settle()
    log("names", *names())
    log("terminate_child", answer(terminate_child, sup, "n1"), whereis("u68_n1"))
    register("u68_n1", self_())
    log("name_taken", answer(restart_child, sup, "n1"))
    log("kids", kids(sup))
    unregister("u68_n1")
    log("restart_child", restart_child(sup, "n1"), whereis("u68_n1"))
    stop_sup(sup)
    log("names", *names())


def u69_stopped_while_a_child_restarts(log: Log) -> None:
    for id, verdict in (("k", "ok"), ("f", ("stop", "nope"))):
        log("---", verdict)
        sup = watched("sup", [worker("a"), worker(id, init=["ok"], then="gate")], max_restarts=5)
        cast(child(sup, id), ("stop", "boom"))
        waiting = held(f"{id}#2")
        exit(sup, "shutdown")
        client("kids", lambda sup=sup: kids(sup))  # type: ignore[misc]
        log("still_there", alive(sup))
        release(waiting, verdict)
        log("kids", outcome("kids"))
        log("sup_exit", receive(Exit(sup, ANY), timeout=5).reason)
