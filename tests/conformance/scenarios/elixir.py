"""Group X: what Elixir adds to OTP: dynamic supervisors, registries, tasks, agents."""

from collections.abc import Callable
from typing import Any

from runtime import (
    Agent,
    AlreadyRegisteredError,
    ChildSpec,
    Down,
    DynamicSupervisor,
    Exit,
    NoProcessError,
    Pid,
    Registry,
    TaskSupervisor,
    alive,
    await_,
    await_many,
    call,
    cast,
    dictionary,
    exit,
    flag,
    flush,
    monitor,
    receive,
    self_,
    send,
    sleep,
    spawn,
    spawn_task,
    start_child,
    stop,
    terminate_child,
    whereis,
    which_children,
    yield_,
)
from runtime.kernel.clock import now
from tests.conformance.actors import Fault, Worker, worker
from tests.conformance.captured import reports_during
from tests.conformance.harness import (
    Log,
    answer,
    ask,
    attempt,
    await_down,
    counts,
    down_after,
    idle,
    settle,
    shown,
    started,
    within,
)

EXCEPTIONS = {"ValueError": "ArgumentError", "SpecError": "ArgumentError", "StartError": "RuntimeError"}
"""What Elixir raises where we raise something of another name."""


def sorted_kids(sup: Pid | str) -> list[Any]:
    """(id, pid or "restarting", type) of each child, sorted as they are shown."""
    return shown((info.id, info.pid, info.type) for info in which_children(sup))


def named_exception(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`("returned", value)`, or `("raised", name)` with Elixir's name for the exception."""
    try:
        value = function(*args, **kwargs)
    except Exception as error:
        name = type(error).__name__
        return ("raised", EXCEPTIONS.get(name, name))
    return ("returned", value)


def owner_down(function: Callable[[], Any]) -> Any:
    """The reason that a process ends with which runs `function`."""
    return down_after(pid := spawn(lambda: receive("go") and function()), lambda: send(pid, "go"))


def slept(seconds: float, function: Callable[[], Any]) -> Any:
    """Sleep, and then give what `function` does."""
    sleep(seconds)
    return function()


def x01_dynamic_supervisor_basics(log: Log) -> None:
    sup = started_pid(DynamicSupervisor.start_link(max_children=3))
    log("empty", sorted_kids(sup), counts(sup))
    a = start_child(sup, worker("a"))
    log("same_id_twice", attempt(start_child, sup, worker("a")))
    b = start_child(sup, worker("b", restart="temporary"))
    log("max_children", answer(start_child, sup, worker("c")))
    log("kids", sorted_kids(sup))
    log("counts", counts(sup))
    log("terminate", answer(terminate_child, sup, a), alive(a))
    log("terminate_again", answer(terminate_child, sup, a))
    log("terminate_foreign", answer(terminate_child, sup, self_()))
    log("ignore", started(start_child, sup, worker("i", init=["ignore"])))
    log("init_stop", answer(start_child, sup, worker("f", init=[("stop", "boom")])))
    log("init_error", answer(start_child, sup, worker("g", init=[("error", "boom")])))
    log("counts", counts(sup))
    log("bad_spec", attempt(start_child, sup, "nope")[0])
    cast(b, ("stop", "boom"))
    settle()
    log("temporary_gone", sorted_kids(sup))
    log("stop", answer(stop, sup))
    sup = started_pid(DynamicSupervisor.start_link(extra_arguments=["extra"]))
    pid = start_child(sup, ChildSpec(id="w", start=(Worker.start_link, {})))
    log("extra_arguments_prepended", pid)
    stop(sup)


def started_pid(pid: Pid | None) -> Pid:
    """What a start function gave, which is known not to have been ignored."""
    assert pid is not None
    return pid


def x03_dynamic_supervisor_shutdown(log: Log) -> None:
    flag(trap_exit=True)
    sup = started_pid(DynamicSupervisor.start_link())
    children: list[tuple[str, float, Any]] = [
        ("d120", 0.12, 5.0),
        ("d40", 0.04, 5.0),
        ("d80", 0.08, "infinity"),
        ("slow", 0.5, 0.15),
        ("brutal", 0, "brutal_kill"),
    ]
    specs = [worker(id, shutdown=shutdown, quiet=True, term_delay=delay) for id, delay, shutdown in children]
    specs.append(worker("nt", trap=False))
    monitors = [(spec.id, monitor(start_child(sup, spec))) for spec in specs]
    started_at = now()
    exit(sup, "shutdown")
    log("sup_exit", receive(Exit).reason)
    log("total", within(started_at, 145, 400))
    for id, ref in monitors:
        log("down", id, await_down(ref))


def register_unique(key: Any, value: Any) -> Any:
    """Register the caller in `reg`: `"ok"` or `("error", ("already_registered", holder))`."""
    try:
        Registry.register("reg", key, value)
    except AlreadyRegisteredError as error:
        return ("error", ("already_registered", error.pid))
    return "ok"


def _update(key: Any, fn: Callable[[Any], Any]) -> Any:
    try:
        return Registry.update_value("reg", key, fn)
    except NoProcessError:
        return "error"


def x05_registry_unique(log: Log) -> None:
    def lookup(key: Any) -> list[Any]:
        return Registry.lookup("reg", key)

    Registry.start_link("unique", name="reg")
    a, b = idle("a"), idle("b")
    log("register", ask(a, lambda: register_unique("k", 1)))
    log("lookup", lookup("k"), lookup("zz"))
    log("register_other", ask(b, lambda: register_unique("k", 2)))
    log("register_same_pid_again", ask(a, lambda: register_unique("k", 3)))
    log("lookup_unchanged", lookup("k"))
    log("second_key", ask(a, lambda: register_unique("k2", 9)), shown(Registry.keys("reg", a)))
    log("count", Registry.count("reg"))
    log("update_value_owner", ask(a, lambda: _update("k", lambda value: value + 10)))
    log("update_value_other", ask(b, lambda: _update("k", lambda value: value + 10)))
    log("lookup", lookup("k"))
    log("unregister_other_is_noop", ask(b, lambda: answer(Registry.unregister, "reg", "k")), lookup("k"))
    log("unregister", ask(a, lambda: answer(Registry.unregister, "reg", "k")), lookup("k"))
    log("now_free", ask(b, lambda: register_unique("k", 4)))
    down_after(a, lambda: send(a, lambda: exit("normal")))
    settle()
    log("auto_unregistered_on_exit", lookup("k2"), Registry.keys("reg", a))
    down_after(b, lambda: exit(b, "kill"))
    settle()
    log("after_kill", lookup("k"), ("count", Registry.count("reg")))
    svc = ("via", "reg", "svc")
    agent = log.bind("svc", started_pid(Agent.start_link(lambda: 42, name=svc)))
    log("via_call", Agent.get(svc, lambda value: value))
    log("via_conflict", started(Agent.start_link, lambda: 43, name=svc))
    log("whereis", whereis(svc), whereis(("via", "reg", "none")))
    log("send_via", "raised" if attempt(send, ("via", "reg", "none"), "x")[0] == "error" else "sent")
    log("call_unknown", attempt(call, ("via", "reg", "none"), "x"))
    Agent.stop(agent)
    log("stopped_freed", whereis(svc))


def _without_refs(messages: list[Any]) -> list[Any]:
    """A mailbox as x07 shows it: results, DOWNs and EXITs without references and pids."""
    plain: list[Any] = []
    for message in messages:
        match message:
            case Exit(_, reason):
                plain.append(("EXIT", reason))
            case Down(_, _, reason):
                plain.append(("down", reason))
            case (_, value):
                plain.append(("reply", value))
            case _:
                plain.append(message)
    return plain


def _ends(reason: Any) -> Callable[[], Any]:
    return lambda: exit(reason)


def raises(*_: Any) -> Any:
    """Raise, whatever the arguments."""
    raise Fault("oops")


def x07_task_async_await(log: Log) -> None:
    log("await", await_(spawn_task(lambda: 21 * 2)))
    spawn_task(lambda: "hello")
    settle()
    log("raw_messages", _without_refs(flush()))
    sleeping = [spawn_task(slept, ms / 1000, lambda n=n: n) for n, ms in ((1, 60), (2, 0), (3, 30))]
    log("order_of_start", await_many(sleeping))
    task = spawn_task(lambda: "own")
    log("await_by_non_owner", ask(idle("other"), lambda: named_exception(await_, task)))
    await_(task)
    log("owner_not_trapping", owner_down(lambda: await_(spawn_task(_ends("boom")))))
    flag(trap_exit=True)
    log("owner_trapping_await_exits", attempt(await_, spawn_task(_ends("boom"))))
    log("mailbox", _without_refs(flush()))
    log("raise", attempt(await_, spawn_task(raises)))
    log("exit_normal_without_reply", attempt(await_, spawn_task(_ends("normal"))))
    flush()
    main = self_()
    task = spawn_task(slept, 0.4, lambda: send(main, "task_finished"))
    log("await_timeout", attempt(await_, task, 0.02))
    log("task_alive", alive(task.pid))
    settle(500)
    log("mailbox_after", _without_refs(flush()))
    flag(trap_exit=False)
    orphan = _task_of_an_owner_that_exits()
    log("task_after_owner_death", not alive(orphan))
    callers, nested = await_(spawn_task(lambda: (_callers(), await_(spawn_task(_callers)))))
    log("callers", callers == [main], len(nested))
    log("mailbox_clean", flush())


def _task_of_an_owner_that_exits() -> Pid:
    owner = idle("owner")
    task = ask(owner, lambda: spawn_task(sleep, 60))
    down_after(owner, lambda: send(owner, _ends("owner_gone")))
    settle()
    pid: Pid = task.pid
    return pid


def _callers() -> list[Pid]:
    callers: list[Pid] = dictionary()["$callers"]
    return callers


def x09_task_supervisor(log: Log) -> None:
    sup = started_pid(TaskSupervisor.start_link(max_children=5, max_restarts=100))
    log("async_nolink_ok", await_(TaskSupervisor.async_nolink(sup, lambda: "v")))
    task = TaskSupervisor.async_nolink(sup, _ends("boom"))
    log("async_nolink_crash_await_exits", attempt(await_, task))
    task = TaskSupervisor.async_nolink(sup, _ends("boom"))
    settle()
    log("down_message", [message.reason for message in flush()])
    log("yield", yield_(TaskSupervisor.async_nolink(sup, _ends("boom"))))
    log("async_linked_crash_kills_caller", owner_down(lambda: await_(TaskSupervisor.async_(sup, _ends("boom")))))
    log("sup_alive", alive(sup))
    owner = idle("owner")
    nolink = ask(owner, lambda: TaskSupervisor.async_nolink(sup, sleep, 60)).pid
    linked = ask(owner, lambda: TaskSupervisor.async_(sup, sleep, 60)).pid
    down_after(owner, lambda: send(owner, _ends("gone")))
    settle()
    log("nolink_survives", alive(nolink), "linked_dies", alive(linked))
    log("children", len(TaskSupervisor.tasks(sup)))
    log("terminate_child", answer(terminate_child, sup, nolink), alive(nolink))
    main = self_()
    pid = TaskSupervisor.start_child(sup, slept, 0.02, lambda: send(main, "side_effect") and exit("boom"))
    settle()
    log("start_child_not_restarted", flush(), alive(sup), alive(pid))
    TaskSupervisor.start_child(sup, _run_and_exit, main, restart="transient")
    settle(50)
    log("transient_restarted", len(flush()) > 1)
    while running := TaskSupervisor.tasks(sup):
        answer(terminate_child, sup, running[0])  # not found when it was restarted just now
    flush()
    tasks = [TaskSupervisor.async_nolink(sup, sleep, 60) for _ in range(5)]
    log("max_children", named_exception(TaskSupervisor.async_nolink, sup, sleep, 60))
    log("start_child_max", answer(TaskSupervisor.start_child, sup, sleep, 60))
    stop(sup)
    log("stop_shuts_tasks_down", [await_down(task.ref) for task in tasks])


def _run_and_exit(main: Pid) -> None:
    send(main, "ran")
    sleep(0.03)
    exit("boom")


def x11_agent(log: Log) -> None:
    flag(trap_exit=True)

    def agent(first: Any = 1) -> Pid:
        return log.bind("agent", started_pid(Agent.start_link(lambda: first)))

    def value(of: Any) -> Any:
        return Agent.get(of, lambda value: value)

    pid = agent()
    log("get", value(pid))
    log("update", answer(Agent.update, pid, lambda n: n + 1))
    log("get_and_update", Agent.get_and_update(pid, lambda n: (n, n * 10)))
    log("cast", answer(Agent.cast, pid, lambda n: n + 1))
    log("get", value(pid))
    log("fun_runs_in_agent", Agent.get(pid, lambda _: self_()) == pid)
    log("timeout", attempt(Agent.get, pid, lambda _: sleep(0.1), timeout=0.02))
    settle(150)
    log("still_ok", value(pid), flush())
    log("crash_in_fun", attempt(Agent.get, pid, lambda _: exit("boom")))
    log("mailbox", flush())
    log("dead", attempt(Agent.get, pid, lambda n: n))
    log("bad_return", attempt(Agent.get_and_update, agent(), lambda _: "garbage"))
    flush()
    log("init_raises", started(Agent.start_link, raises))
    flush()
    named = started_pid(Agent.start_link(lambda: 1, name="x11"))
    log("conflict", started(Agent.start_link, lambda: 2, name="x11")[0])
    log("stop", answer(Agent.stop, "x11"), whereis("x11"))
    log("stop_dead", attempt(Agent.stop, named))


def x13_task_report_and_ancestry(log: Log) -> None:
    sup = started_pid(TaskSupervisor.start_link(name="x13_sup"))

    def inherited(key: str) -> Any:
        return await_(TaskSupervisor.async_(sup, lambda: dictionary()[key][:2]))

    def run(function: Callable[[], Any]) -> Callable[[], None]:
        return lambda: down_after(log.bind("crasher", TaskSupervisor.start_child(sup, function)), lambda: None)

    log("ancestors", inherited("$ancestors"))
    log("callers", inherited("$callers"))
    quiet = [reports_during(run(_ends(reason))) for reason in ("normal", "shutdown")]
    log("quiet_exits", [report for reports in quiet for report in reports if report[0] == "error"])
    wanted = {
        "task_terminating": ("name", "reason", "starter"),
        "crash_report": ("reason",),
        "supervisor_report": ("child_pid", "context", "reason"),
    }
    for _, kind, fields in reports_during(run(_ends("boom"))):
        if kind in wanted:
            log("report", kind, {name: fields[name] for name in wanted[kind]})
