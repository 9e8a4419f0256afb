"""Group X, our own: what the given transcripts leave open. The BEAM's side is `beam/elixir.exs`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from runtime import (
    ANY,
    Agent,
    ChildSpec,
    DynamicSupervisor,
    Exit,
    PartitionSupervisor,
    Pid,
    Registry,
    Supervisor,
    Task,
    TaskSupervisor,
    alive,
    async_stream,
    await_,
    await_many,
    call,
    cast,
    dictionary,
    exit,
    flag,
    flush,
    ignore,
    link,
    receive,
    register,
    restart_child,
    self_,
    send,
    shutdown,
    sleep,
    spawn,
    spawn_task,
    start_child,
    stop,
    terminate_child,
    whereis,
    which_children,
    yield_,
    yield_many,
)
from tests.conformance.actors import Fault, Worker, sup_spec, worker
from tests.conformance.gates import client, gate, held, named, open_gate, outcome, release
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
    shown,
    started,
)
from tests.conformance.scenarios.elixir import named_exception, register_unique, sorted_kids, started_pid


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


# --- DynamicSupervisor ------------------------------------------------------------------------------------------


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


# --- Supervisor -------------------------------------------------------------------------------------------------


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


# --- Registry ---------------------------------------------------------------------------------------------------


def _registers(holder: Pid, key: Any, value: Any) -> Any:
    result = ask(holder, lambda: attempt(Registry.register, "reg", key, value))
    return result if result[0] == "error" else "ok"


def x55_registry_duplicate(log: Log) -> None:
    Registry.start_link("duplicate", name="reg")
    a, b = idle("a"), idle("b")

    def entries() -> list[Any]:
        return shown(Registry.lookup("reg", "k"))

    log("register", [_registers(a, "k", value) for value in (1, 2)])
    log("register", _registers(b, "k", 3))
    log("register", _registers(b, "other", 4))
    log("lookup", entries(), Registry.lookup("reg", "zz"))
    log("keys", Registry.keys("reg", a), shown(Registry.keys("reg", b)), Registry.keys("reg", self_()))
    log("values", *(Registry.values("reg", key, pid) for key, pid in (("k", a), ("k", b), ("zz", a))))
    log("count", Registry.count("reg"))
    log("dispatch", answer(Registry.dispatch, "reg", "k", lambda found: log(*shown(found))))
    log("dispatch_nobody", answer(Registry.dispatch, "reg", "zz", lambda found: log("never")))
    log("dispatch_raises", _elixirs(named_exception(Registry.dispatch, "reg", "k", _raises)))
    log("update_value", named_exception(Registry.update_value, "reg", "k", lambda value: value))
    log("unregister_own", ask(a, _unregisters), entries(), Registry.count("reg"))
    log("unregister_none", ask(a, _unregisters))
    log("down", down_after(b, lambda: exit(b, "kill")))
    settle()
    log("cleaned", Registry.lookup("reg", "k"), Registry.count("reg"), Registry.keys("reg", b))


def _unregisters() -> Any:
    return answer(Registry.unregister, "reg", "k")


def _elixirs(result: tuple[str, Any]) -> tuple[str, Any]:
    """The same, with our exception under the name of what Elixir's `raise "text"` raises."""
    return ("raised", "RuntimeError") if result == ("raised", "Fault") else result


def _raises(*_: Any) -> Any:
    raise Fault("oops")


def _listen() -> None:
    while True:
        log("listener", "got", receive(tuple))


def x56_registry_listeners(log: Log) -> None:
    listener = log.bind("listener", spawn(_listen))
    register("ear", listener)
    Registry.start_link("unique", listeners=["ear"], name="reg")
    a, b = idle("a"), idle("b")
    _registers(a, "k", 1)
    settle()
    log("taken", ask(b, lambda: register_unique("k", 2)))
    settle()
    ask(a, lambda: Registry.update_value("reg", "k", lambda value: value + 1))
    log("updated", Registry.lookup("reg", "k"))
    for holder in (b, a):
        ask(holder, lambda: Registry.unregister("reg", "k"))
    settle()
    _registers(b, "k", 3)
    settle()
    down_after(b, lambda: exit(b, "boom"))
    settle()
    log("cleaned", Registry.lookup("reg", "k"))


def x57_registry_via(log: Log) -> None:
    flag(trap_exit=True)
    Registry.start_link("unique", name="reg")
    via, valued = ("via", "reg", "w"), ("via", "reg", "v", "with_value")

    def lookup(key: str) -> list[Any]:
        return Registry.lookup("reg", key)

    children = [_named_worker("w", via), _named_worker("v", valued)]
    sup = started_pid(Supervisor.start_link(children))
    log("whereis", whereis(via), whereis(valued))
    log("lookup", lookup("w"), lookup("v"))
    first = whereis(via)
    assert first is not None
    log("down", down_after(first, lambda: exit(first, "kill")))
    settle()
    log("restarted", whereis(via), Registry.keys("reg", first))
    log("cast", answer(cast, via, ("stop", "boom")))
    settle()
    log("restarted", whereis(via))
    log("conflict", started(Worker.start_link, "w", {}, name=via))
    log("terminate", answer(terminate_child, sup, "w"), whereis(via))
    log("call", attempt(call, via, "x"))
    log("cast", answer(cast, via, "x"))
    log("stop", attempt(stop, via))
    log.bind("agent", started_pid(Agent.start_link(lambda: "mine", name=via)))
    log("restart", answer(restart_child, sup, "w"))
    log("stop", answer(Agent.stop, via), whereis(via))
    again = restart_child(sup, "w")
    log("restart", again, whereis(via))
    Registry.register("reg", "mine", 0)
    log("main_registers", "ok", whereis(("via", "reg", "mine")))
    log("stop", answer(stop, sup))


def _named_worker(id: str, name: Any) -> ChildSpec:
    return ChildSpec(id=id, start=(lambda: Worker.start_link(id, {}, name=name),))


# --- Task -------------------------------------------------------------------------------------------------------


def _obeying(id: str) -> Callable[[], Any]:
    """A task's function that returns what main lets it through its gate with, or exits when that is `("stop", R)`."""

    def obey() -> Any:
        verdict = gate(id)
        return exit(verdict[1]) if isinstance(verdict, tuple) else verdict

    return obey


def x58_task_yield(log: Log) -> None:
    flag(trap_exit=True)
    task = spawn_task(_obeying("t"))
    pid = held("t")
    log("not_yet", yield_(task, 0), yield_(task, 0.02))
    release(pid, "value")
    log("yield", yield_(task, 5))
    left = [message for message in flush() if message != Exit(task.pid, "normal")]
    log("nothing_left", yield_(task, 0), left)
    crashing = spawn_task(lambda: exit("boom"))
    log.bind("crashing", crashing.pid)
    log("crash", yield_(crashing, 5))
    log("mailbox", flush())
    log("exit_normal", yield_(spawn_task(lambda: exit("normal")), 5))
    many = [spawn_task(_obeying(id)) for id in ("m1", "m2", "m3")]
    m1, _, m3 = (held(id) for id in ("m1", "m2", "m3"))
    release(m3, ("stop", "bad"))
    release(m1, "good")
    settle()
    log("yield_many", [result for _, result in yield_many(many, 0.05)])
    other = spawn_task(lambda: "ok")
    client("foreign", lambda: named_exception(yield_, other, 0))
    log("foreign", outcome("foreign"))
    log("own", yield_(other, 5))


def _after_an_exit(function: Callable[[], Any]) -> Any:
    """Trap exits, log the first that comes, and then do what `function` does."""
    flag(trap_exit=True)
    log("task", receive(Exit).reason)
    return function()


def x59_task_shutdown(log: Log) -> None:
    flag(trap_exit=True)

    def begin(function: Callable[[], Any]) -> Task:
        return spawn_task(lambda: gate("s") and function())

    def trapping(function: Callable[[], Any]) -> Task:
        task = begin(lambda: _after_an_exit(function))
        open_gate("s", True)
        settle()
        return task

    log("---", "running")
    task = begin(lambda: "never")
    held("s")
    log("shutdown", shutdown(task), alive(task.pid), flush())
    log("again", shutdown(task))
    for tag, function in (("finished", lambda: "value"), ("crashed", lambda: exit("boom"))):
        log("---", tag)
        task = begin(function)
        down_after(task.pid, lambda: open_gate("s", True))
        log("shutdown", shutdown(task), len(flush()))
    log("---", "brutal")
    task = trapping(lambda: None)
    log("shutdown", shutdown(task, "brutal_kill"), alive(task.pid), flush())
    log("---", "replies_at_shutdown")
    task = trapping(lambda: "last_words")
    log("shutdown", shutdown(task), alive(task.pid))
    flush()
    log("---", "exits_otherwise")
    log("shutdown", shutdown(trapping(lambda: exit("odd"))))
    flush()
    log("---", "does_not_stop")
    task = trapping(lambda: gate("stuck"))
    log("shutdown", shutdown(task, 0.05), alive(task.pid))
    flush()
    log("---", "foreign")
    task = begin(lambda: "value")
    client("foreign", lambda: named_exception(shutdown, task))
    log("foreign", outcome("foreign"))
    open_gate("s", True)
    log("await", await_(task))


def x60_async_stream(log: Log) -> None:
    def ten_times(number: int) -> int:
        return number * 10

    def held_item(number: int) -> Any:
        log(number, "begins")
        return gate(number)

    log("results", list(async_stream([3, 1, 2], ten_times)))
    log("empty", list(async_stream([], ten_times)))
    log("---", "bounded")
    client("stream", lambda: list(async_stream([1, 2, 3, 4], held_item, max_concurrency=2)))
    one, two = held(1), held(2)
    settle()
    log("third_waits", flush())
    release(two, "b")
    release(held(3), "c")
    release(held(4), "d")
    settle()
    log("ordered_waits_for_the_first", flush())
    release(one, "a")
    log("stream", outcome("stream"))
    log("---", "unordered")
    client("stream", lambda: list(async_stream([5, 6, 7], held_item, max_concurrency=3, ordered=False)))
    waiting = {number: held(number) for number in (5, 6, 7)}
    for number in (7, 5, 6):
        release(waiting[number], number)
        settle()
    log("stream", outcome("stream"))
    log("---", "timeouts")
    log("kill_task", list(async_stream([1, 2, 3], _second_hangs, timeout=0.3, on_timeout="kill_task")))
    log("exit", attempt(lambda: list(async_stream([1, 2, 3], _second_hangs, timeout=0.3))))
    log("mailbox", flush())
    log("---", "crashes")
    log("linked", _fate(lambda: list(async_stream([1, 2, 3], _second_exits))))
    log("fate", _fate(_trapping_stream))
    sup = TaskSupervisor.start_link()
    log("nolink", list(TaskSupervisor.async_stream_nolink(sup, [1, 2, 3], _second_exits)))
    stream = async_stream([1, 2, 3], lambda number: number, max_concurrency=1)
    log("take", [next(iter(stream))])
    del stream  # gives the iteration up
    log("mailbox", flush())


def _second_hangs(number: int) -> int:
    if number == 2:
        sleep(3600)
    return number


def _second_exits(number: int) -> int:
    return exit("boom") if number == 2 else number


def _trapping_stream() -> None:
    flag(trap_exit=True)
    log("trapping", list(async_stream([1, 2, 3], _second_exits)))


def _fate(function: Callable[[], Any]) -> Any:
    """The reason that a process ends with which runs `function`."""
    pid = spawn(lambda: receive("go") and function())
    return down_after(pid, lambda: send(pid, "go"))


def x61_task_supervisor(log: Log) -> None:
    flag(trap_exit=True)
    sup = log.bind("x61", started_pid(TaskSupervisor.start_link(name="x61")))
    owner, main = idle("owner"), self_()

    def bound(id: str) -> Callable[[], Any]:
        return lambda: current().bind(id, self_()) and gate(id)

    def children() -> list[str]:
        return sorted(name(pid) for pid in TaskSupervisor.tasks("x61"))

    ask(owner, lambda: TaskSupervisor.start_child("x61", bound("side")))
    ask(owner, lambda: TaskSupervisor.async_nolink("x61", bound("nolink")))
    ask(owner, lambda: TaskSupervisor.async_("x61", bound("linked")))
    for id in ("side", "nolink", "linked"):
        held(id)
    log("children", children())
    log("owner_down", down_after(owner, lambda: exit(owner, "boom")))
    settle()
    log("children", children())
    log("terminate_child", answer(terminate_child, "x61", named("side")))
    log("terminate_child", answer(terminate_child, "x61", self_()))
    log("children", children())
    log("nolink_down", down_after(named("nolink"), lambda: release(named("nolink"), "late_value")))
    log("callers", await_(TaskSupervisor.async_("x61", lambda: (_of("$callers"), _of("$ancestors")[0]))))
    TaskSupervisor.start_child("x61", lambda: send(main, ("callers", _of("$callers"))))
    log("callers_of_start_child", receive(("callers", ANY))[1])
    settle()
    crashed = _fate(lambda: await_(TaskSupervisor.async_("x61", lambda: exit("bad"))))
    log("crash_leaves_supervisor", crashed != "normal")
    log("alive", alive(sup), TaskSupervisor.tasks("x61"))
    for restart in ("transient", "permanent"):
        TaskSupervisor.start_child("x61", _obeying(restart), restart=restart)
        for what in (("stop", "boom"), "return"):
            open_gate(restart, what)
        settle()
        again = [message for message in flush() if message[:2] == ("at_gate", restart)]
        log(restart, "restarted_after_return", len(again) == 1)
    flush()
    log("stop", answer(stop, "x61"), whereis("x61"))


def _of(key: str) -> Any:
    return dictionary()[key]


def x62_await_many(log: Log) -> None:
    flag(trap_exit=True)

    def two(first: str, second: str) -> tuple[list[Task], Pid, Pid]:
        tasks = [spawn_task(_obeying(id)) for id in (first, second)]
        return tasks, held(first), held(second)

    tasks, a, b = two("a", "b")
    release(b, 2)
    release(a, 1)
    log("in_order", await_many(tasks))
    flush()
    log("none", await_many([]))
    tasks, c, d = two("c", "d")
    release(d, "finished")
    log("timeout", attempt(await_many, tasks, 0.05))
    log("others_run_on", alive(c))
    release(c, "late")
    settle()
    log("no_late_reply", [message.reason for message in flush()])
    tasks, e, _ = two("e", "f")
    release(e, ("stop", "boom"))
    log("crash", attempt(await_many, tasks))
    log("await_twice", _fate(_twice))


def _twice() -> None:
    """A result is taken out of the mailbox once: whoever awaits again waits in vain."""
    task = spawn_task(lambda: 1)
    log("once", await_(task))
    log("twice", attempt(await_, task, 0.05))


# --- Agent ------------------------------------------------------------------------------------------------------


def x63_agent_failures(log: Log) -> None:
    flag(trap_exit=True)

    def begin() -> Pid:
        return log.bind("agent", started_pid(Agent.start_link(lambda: 1)))

    def value(agent: Any) -> Any:
        return Agent.get(agent, lambda value: value)

    for function in (Agent.get, Agent.update, Agent.get_and_update):
        agent = begin()
        log(function.__name__, attempt(function, agent, _raises))
        log("mailbox", flush())
    agent = begin()
    log("cast", answer(Agent.cast, agent, lambda _: exit("boom")))
    settle()
    log("mailbox", flush(), alive(agent))
    log("cast_dead", answer(Agent.cast, agent, lambda value: value))
    log("start_link_exit", started(Agent.start_link, lambda: exit("boom")))
    alone = log.bind("alone", started_pid(Agent.start(lambda: 5)))
    log("start_unlinked", value(alone), down_after(alone, lambda: exit(alone, "boom")))
    agent = begin()
    log("get_and_update", [Agent.get_and_update(agent, lambda n: (n, n + 1)), value(agent)])
    agent = begin()
    log("stop", answer(Agent.stop, agent, "boom"))
    flush()
    sup = started_pid(Supervisor.start_link([ChildSpec(id="a", start=(_listing, "x63"))]))
    log("update", answer(Agent.update, "x63", lambda items: ["item", *items]), value("x63"))
    log("crash", attempt(Agent.update, "x63", lambda _: exit("boom")))
    settle()
    log("state_after_restart", value("x63"))
    casts = [answer(Agent.cast, "x63", lambda items, n=n: [n, *items]) for n in (1, 2)]
    log("order", *casts, value("x63"))
    log("exception", attempt(Agent.get, "x63", _raises)[0])
    log("stop", answer(stop, sup))


def _listing(name: str) -> Pid | None:
    return Agent.start_link(list, name=name)


# --- PartitionSupervisor ----------------------------------------------------------------------------------------


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


# --- More of the same -------------------------------------------------------------------------------------------


def x65_task_under_supervisors(log: Log) -> None:
    flag(trap_exit=True)
    main = self_()

    def work() -> None:
        send(main, ("ran", log.bind("task", self_())))
        _obeying("task")()

    def exits_as_told(id: str) -> Callable[[], Any]:
        return lambda: exit(gate(id))

    sup = Supervisor.start_link([(Task, work), worker("w")], strategy="one_for_all")
    _, pid = receive(("ran", Pid))
    log("child_pid", pid, [info.type for info in which_children(sup) if info.pid == pid])
    open_gate("task", ("stop", "boom"))
    settle()
    log("temporary", [(info.id, info.pid) for info in which_children(sup)])
    log("stop", answer(stop, sup))
    other = Supervisor.start_link([replace(Task.child_spec(work), id="again", restart="transient")])
    open_gate("task", ("stop", "boom"))
    open_gate("task", "finished")
    settle()
    log("transient", [(info.id, info.pid) for info in which_children(other)])
    log("stop", answer(stop, other))
    flush()
    alone = Task.start(exits_as_told("alone"))
    log("not_linked", down_after(alone, lambda: open_gate("alone", "boom")), flush())
    linked = Task.start_link(exits_as_told("linked"))
    log("linked", down_after(linked, lambda: open_gate("linked", "boom")), [message.reason for message in flush()])
    task = spawn_task(lambda: gate("ignored"))
    ignored = held("ignored")
    log("ignore_running", ignore(task))
    log("runs_on", down_after(ignored, lambda: release(ignored, "value")), flush())
    done = spawn_task(lambda: "value")
    settle()
    log("ignore_finished", ignore(done))
    crashed = spawn_task(lambda: exit("boom"))
    settle()
    log("ignore_crashed", ignore(crashed), len(flush()))


def x66_registry_match_and_meta(log: Log) -> None:
    registry = started_pid(Registry.start_link("duplicate", name="reg"))
    a, b = idle("a"), idle("b")
    for holder, value in ((a, ("x", 1)), (a, ("y", 2)), (b, ("x", 3)), (b, "plain")):
        _registers(holder, "k", value)

    def found(pattern: Any) -> list[Any]:
        return shown(Registry.match("reg", "k", pattern))

    def colour() -> Any:
        value = Registry.meta("reg", "colour")
        return None if value is None else ("ok", value)

    log("match", found(("x", ANY)), found("plain"), found(("z", ANY)))
    log("count_match", Registry.count_match("reg", "k", ("x", ANY)), Registry.count_match("reg", "zz", ANY))
    gone = ask(a, lambda: answer(Registry.unregister_match, "reg", "k", ("x", ANY)))
    log("unregister_match", gone, len(found(ANY)))
    log("others_stay", found(("x", ANY)))
    log("keys", Registry.keys("reg", a), Registry.count("reg"))
    log("meta", colour(), answer(Registry.put_meta, "reg", "colour", "blue"), colour())
    log("no_registry", named_exception(Registry.lookup, "nowhere", "k")[0])
    flag(trap_exit=True)
    log("registry_dies_with_its_processes", down_after(a, lambda: stop("reg", "shutdown")), alive(b))
    log("gone", whereis("reg"), alive(registry))


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
