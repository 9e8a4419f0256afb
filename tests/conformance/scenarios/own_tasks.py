"""Group X, our own: tasks. The BEAM's side is `beam/tasks.exs`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from runtime import (
    ANY,
    Exit,
    Pid,
    Supervisor,
    Task,
    TaskSupervisor,
    alive,
    async_stream,
    await_,
    await_many,
    dictionary,
    exit,
    flag,
    flush,
    ignore_task,
    receive,
    self_,
    send,
    shutdown_task,
    sleep,
    spawn,
    spawn_task,
    stop,
    terminate_child,
    whereis,
    which_children,
    yield_,
    yield_many,
)
from tests.conformance.actors import worker
from tests.conformance.gates import client, gate, held, named, open_gate, outcome, release
from tests.conformance.harness import (
    Log,
    answer,
    ask,
    attempt,
    current,
    down_after,
    idle,
    log,
    settle,
)
from tests.conformance.scenarios.elixir import named_exception, started_pid
from tests.conformance.scenarios.own_dynamic_supervisors import name


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

    def begin(function: Callable[[], Any]) -> Task[Any]:
        return spawn_task(lambda: gate("s") and function())

    def trapping(function: Callable[[], Any]) -> Task[Any]:
        task = begin(lambda: _after_an_exit(function))
        open_gate("s", True)
        settle()
        return task

    log("---", "running")
    task = begin(lambda: "never")
    held("s")
    log("shutdown", shutdown_task(task), alive(task.pid), flush())
    log("again", shutdown_task(task))
    for tag, function in (("finished", lambda: "value"), ("crashed", lambda: exit("boom"))):
        log("---", tag)
        task = begin(function)
        down_after(task.pid, lambda: open_gate("s", True))
        log("shutdown", shutdown_task(task), len(flush()))
    log("---", "brutal")
    task = trapping(lambda: None)
    log("shutdown", shutdown_task(task, "brutal_kill"), alive(task.pid), flush())
    log("---", "replies_at_shutdown")
    task = trapping(lambda: "last_words")
    log("shutdown", shutdown_task(task), alive(task.pid))
    flush()
    log("---", "exits_otherwise")
    log("shutdown", shutdown_task(trapping(lambda: exit("odd"))))
    flush()
    log("---", "does_not_stop")
    task = trapping(lambda: gate("stuck"))
    log("shutdown", shutdown_task(task, 0.05), alive(task.pid))
    flush()
    log("---", "foreign")
    task = begin(lambda: "value")
    client("foreign", lambda: named_exception(shutdown_task, task))
    log("foreign", outcome("foreign"))
    open_gate("s", True)
    log("await", await_(task))


def x72_async_stream_of_a_slow_consumer(log: Log) -> None:
    def started(number: int) -> int:
        log("started", number)
        return number

    for _, number in async_stream([1, 2, 3], started, max_concurrency=1):
        log("got", number)
        settle()
        log("asks_for_more")

    def slow(milliseconds: int) -> int:
        sleep(milliseconds / 1000)
        log("slept", milliseconds)
        return milliseconds

    def consume(items: list[int], **options: Any) -> None:
        for result in async_stream(items, slow, timeout=0.15, **options):
            log("outcome", result)
            sleep(0.5)

    consume([10, 300, 11, 301], max_concurrency=2, on_timeout="kill_task")
    log("---", "exit")
    for ordered in (True, False):
        log("exit", attempt(consume, [10, 40, 300, 11], max_concurrency=3, ordered=ordered))


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

    def two(first: str, second: str) -> tuple[list[Task[Any]], Pid, Pid]:
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
    """A result is taken out of the mailbox once: a second await waits in vain."""
    task = spawn_task(lambda: 1)
    log("once", await_(task))
    log("twice", attempt(await_, task, 0.05))


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
    log("ignore_running", ignore_task(task))
    log("runs_on", down_after(ignored, lambda: release(ignored, "value")), flush())
    done = spawn_task(lambda: "value")
    settle()
    log("ignore_finished", ignore_task(done))
    crashed = spawn_task(lambda: exit("boom"))
    settle()
    log("ignore_crashed", ignore_task(crashed), len(flush()))


def x74_completed_tasks(log: Log) -> None:
    log("await", await_(Task.completed(42)))
    log("yield", yield_(Task.completed(1)), yield_(spawn_task(lambda: exit(gate("never"))), 0.01))
    tasks: list[Task[Any]] = [Task.completed(1), spawn_task(lambda: gate("later")), Task.completed(3)]
    log("yield_many", [outcome for _, outcome in yield_many(tasks, 0.03)])
    log("await_many", await_many([Task.completed(1), Task.completed(2)]))
    log("shutdown", ("raised", "ArgumentError") if attempt(shutdown_task, Task.completed(3))[0] == "error" else None)
    twice = Task.completed(1)
    log("twice_in_a_list", [outcome for _, outcome in yield_many([twice, twice], 0.01)])
    log("awaited_again", attempt(await_, twice, 0.01)[0])
