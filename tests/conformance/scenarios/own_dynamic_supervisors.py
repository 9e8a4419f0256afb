"""Group X, our own: supervisors as Elixir has them. The BEAM's side is `beam/dynamic_supervisors.exs`."""

from typing import Any

from runtime import (
    IGNORE,
    ChildSpec,
    DynamicSupervisor,
    DynamicSupervisorSpec,
    PartitionSupervisor,
    Pid,
    Registry,
    Supervisor,
    TaskSupervisor,
    alive,
    cast,
    exit,
    flag,
    flush,
    link,
    restart_child,
    start_child,
    stop,
    sys,
    terminate_child,
    whereis,
    which_children,
)
from tests.conformance.actors import Worker, sup_spec, worker
from tests.conformance.gates import client, held, open_gate, outcome, release
from tests.conformance.harness import (
    Log,
    answer,
    ask,
    attempt,
    counts,
    crash,
    current,
    down_after,
    idle,
    log,
    settle,
    started,
)
from tests.conformance.scenarios.elixir import named_exception, sorted_kids, started_pid


def name(pid: Any) -> str:
    """The logical name of a process."""
    return current().names[pid]


def gave_up(sup: Pid) -> None:
    """What became of a supervisor that main is linked to."""
    log("alive", alive(sup))
    log("mailbox", flush())


def dynamic(**options: Any) -> Pid:
    """Start a dynamic supervisor that main can watch: linked to main, which traps."""
    flag(trap_exit=True)
    return current().bind("dyn", started_pid(DynamicSupervisor.start_link(**options)))


def put_down(sup: Pid) -> None:
    """End the children of a dynamic supervisor, one after another."""
    for pid in sorted((info.pid for info in which_children(sup)), key=name):
        terminate_child(sup, pid)


def x50_dynamic_supervisor_restart_types(log: Log) -> None:
    sup = dynamic()
    for restart in ("permanent", "transient", "temporary"):
        for reason in ("normal", ("shutdown", "x")):
            pid = start_child(sup, worker(restart, restart=restart))
            down = down_after(pid, lambda pid=pid, reason=reason: cast(pid, ("stop", reason)))  # type: ignore[misc]
            settle()
            log(restart, reason, down)
            log("kids", sorted_kids(sup), counts(sup))
            put_down(sup)
    log("---", "gives_up")
    start_child(sup, worker("other", restart="temporary"))
    start_child(sup, worker("k", restart="transient"))
    for _ in range(2):
        for info in which_children(sup):
            if name(info.pid).startswith("k#"):
                cast(info.pid, ("stop", "boom"))
        settle()
        gave_up(sup)


def x51_dynamic_supervisor_between_attempts(log: Log) -> None:
    sup = dynamic(max_restarts=10, max_children=2)
    pid = start_child(sup, worker("k", init=["ok"], then="gate"))
    start_child(sup, worker("other"))
    cast(pid, ("stop", "boom"))
    second = held("k#2")
    client("kids", lambda: sorted_kids(sup))
    client("counts", lambda: counts(sup))
    client("start", lambda: answer(start_child, sup, worker("full")))
    log("no_answers_yet", flush())
    release(second, ("stop", "nope"))
    for tag in ("kids", "counts", "start"):
        log(tag, outcome(tag))
    third = held("k#3")
    client("terminate", lambda: answer(terminate_child, sup, pid))
    release(third, ("error", "nope"))
    log("terminate_by_its_last_pid", outcome("terminate"))
    settle()
    log("kids", sorted_kids(sup), counts(sup))
    start_child(sup, worker("now_there_is_room"))
    log("kids", sorted_kids(sup))
    log("counts", counts(sup))
    put_down(sup)


def x52_dynamic_supervisor_start_child_waits_for_init(log: Log) -> None:
    sup = dynamic()
    client("slow", lambda: attempt(start_child, sup, worker("slow", then="gate")))
    slow = held("slow#1")
    client("next", lambda: attempt(start_child, sup, worker("next")))
    client("kids", lambda: sorted_kids(sup))
    log("no_answers_yet", flush())
    release(slow, "ok")
    for tag in ("slow", "next", "kids"):
        log(tag, outcome(tag))
    client("failing", lambda: answer(start_child, sup, worker("failing", then="gate")))
    open_gate("failing#1", ("exit", "gone"))
    log("failing", outcome("failing"))
    log("kids", sorted_kids(sup))
    for _ in range(2):
        log("name_taken", started(DynamicSupervisor.start_link, name="x52")[0])
    pid = start_child("x52", worker("by_name"))
    log("by_name", pid, sorted_kids("x52"))
    log("stop", answer(stop, "x52"), whereis("x52"))
    put_down(sup)


def x53_dynamic_supervisor_of_supervisors(log: Log) -> None:
    top = dynamic(max_restarts=1)
    children = [worker("w1"), worker("w2")]
    pid = start_child(top, sup_spec("inner", children, max_restarts=0))
    log("kids", sorted_kids(top), counts(top))
    crash(pid, "w1", "boom")
    log("kids", sorted_kids(top))
    (again,) = (info.pid for info in which_children(top))
    log("terminate_child", answer(terminate_child, top, again))
    log("kids", sorted_kids(top))
    last = start_child(top, sup_spec("inner", children, restart="temporary", max_restarts=0))
    crash(last, "w2", "boom")
    log("kids", sorted_kids(top), counts(top))


def x54_supervisor_defaults(log: Log) -> None:
    flag(trap_exit=True)
    sup = log.bind("sup", started_pid(Supervisor.start_link([worker("a"), worker("b")])))
    for number in range(1, 5):
        log("---", number)
        crash(sup, "a", "boom")
    gave_up(sup)
    empty = log.bind("empty", started_pid(Supervisor.start_link([], strategy="one_for_all")))
    log("counts", counts(empty))
    log("stop", answer(stop, empty), flush())
    other = log.bind("other", started_pid(Supervisor.start_link([worker("c")])))
    log("stop", answer(stop, other, "boom"), flush())
    log("stop_dead", attempt(stop, other))


def x64_partition_supervisor(log: Log) -> None:
    flag(trap_exit=True)

    def start(partitions: int) -> Pid | None:
        child = ChildSpec(id="part", start=(Worker.start_link, {}))
        return PartitionSupervisor.start_link(
            child, partitions=partitions, name="x64", with_arguments=lambda args, n: [f"part{n}", *args]
        )

    def via(key: Any) -> Pid | None:
        return whereis(("via", "x64", key))

    def children() -> list[Any]:
        return sorted((info.id, info.pid, info.type) for info in which_children("x64"))

    log.bind("x64", started_pid(start(3)))
    log("partitions", PartitionSupervisor.partitions("x64"), counts("x64"))
    log("children", children())
    log("by_integer", [via(key) for key in (0, 1, 2, 3, 7, -4)])
    log("by_term_is_stable", via("user") == via("user"))
    log("cast", answer(cast, ("via", "x64", 4), ("stop", "boom")))
    settle()
    log("children", children())
    log("same_partition", via(4))
    log("conflict", started(start, 3)[1])
    log("no_partitions", named_exception(start, 0))
    log("stop", answer(stop, "x64"), whereis("x64"))


def x67_dynamic_supervisor_restarts_with_same_arguments(log: Log) -> None:
    sup = dynamic(extra_arguments=["extra"], max_restarts=5)
    options = {"init": ["ok", ("stop", "nope"), "ignore"]}
    spec = ChildSpec(id="w", start=(Worker.start_link, options))
    pid = start_child(sup, spec)
    log("kids", sorted_kids(sup))
    cast(pid, ("stop", "boom"))
    settle()
    log("ignored_at_restart", sorted_kids(sup), counts(sup))
    again = start_child(sup, spec)
    log("restart_child", down_after(again, lambda: exit(again, "kill")))
    settle()
    log("kids", sorted_kids(sup))
    stranger = idle("stranger")
    ask(stranger, lambda: link(sup))
    log("stranger", down_after(stranger, lambda: exit(stranger, "boom")), alive(sup))
    put_down(sup)


def x73_supervisors_with_via_names(log: Log) -> None:
    """A BEAM's ids are ``[registry, key]``, ours are the names as they are given; both are shown by the key."""
    flag(trap_exit=True)
    Registry.start_link("unique", name="x73")

    def via(key: str) -> tuple[str, str, str]:
        return ("via", "x73", key)

    children = [
        *(DynamicSupervisor.child_spec(name=via(f"DynamicSupervisor{n}")) for n in (1, 2)),
        *(TaskSupervisor.child_spec(name=via(f"TaskSupervisor{n}")) for n in (1, 2)),
        *(
            PartitionSupervisor.child_spec(worker("w", quiet=True), partitions=1, name=via(f"PartitionSupervisor{n}"))
            for n in (1, 2)
        ),
    ]
    sup = started_pid(Supervisor.start_link(children))

    def ids() -> list[tuple[str, str]]:
        return [(info.id[2], info.type) for info in reversed(which_children(sup))]

    log("ids", ids())
    log("terminate_child", answer(terminate_child, sup, via("DynamicSupervisor1")))
    log("by_name", whereis(via("DynamicSupervisor1")), whereis(via("DynamicSupervisor2")) is not None)
    again = answer(start_child, sup, DynamicSupervisor.child_spec(name=via("DynamicSupervisor2")))
    assert again[1][0] == "already_started"
    restart_child(sup, via("DynamicSupervisor1"))
    log("restart_child", "ok")
    log("ids", ids())


class Versioned(DynamicSupervisor):
    """A dynamic supervisor whose init returns what `version` makes."""

    version: Any = None

    def init(self) -> Any:
        return type(self).version()


def x76_change_code_of_a_dynamic_supervisor(log: Log) -> None:
    def change(version: Any) -> Any:
        Versioned.version = staticmethod(version)
        sys.suspend(sup)
        result = attempt(sys.change_code, sup, Versioned, 1, "extra")
        sys.resume(sup)
        return "ok" if result == ("ok", None) else result

    def start(id: str) -> str:
        outcome: str = attempt(start_child, sup, worker(id))[0]
        return outcome

    flag(trap_exit=True)
    Versioned.version = staticmethod(lambda: DynamicSupervisorSpec(max_children=2, max_restarts=1))
    sup = log.bind("dyn", started_pid(Versioned.start_link()))
    log("started", *map(start, "abc"))
    log("changed", change(lambda: DynamicSupervisorSpec(max_children=3, max_restarts=5)), *map(start, "cd"))
    log("ignored", change(lambda: IGNORE))
    log("wrong", change(lambda: "wrong"))
    log("invalid_strategy", change(lambda: DynamicSupervisorSpec(strategy="none")))  # type: ignore[arg-type]
    log("invalid_max_children", change(lambda: DynamicSupervisorSpec(max_children=-1)))
    for _ in range(3):
        a = next(info.pid for info in which_children(sup) if name(info.pid).startswith("a"))
        cast(a, ("stop", "boom"))
        settle()
    log("fewer", change(lambda: DynamicSupervisorSpec(max_children=1)), start("e"))
    log("kids", sorted_kids(sup))
    put_down(sup)
