"""Groups Q and R, our own: plain processes that start in step, groups of processes. See `beam/groups.erl`."""

from functools import partial
from typing import Any

from runtime import (
    ChildSpec,
    Pid,
    alive,
    call,
    exit,
    flag,
    flush,
    pg,
    proc_lib,
    receive,
    self_,
    send,
    spawn_monitor,
    stop,
    sys,
)
from tests.conformance.actors import Plain, start_sup
from tests.conformance.harness import (
    Log,
    ask,
    attempt,
    await_down,
    child,
    current,
    down_after,
    idle,
    info,
    kids,
    kill,
    log,
    settle,
    started,
    stop_sup,
)


def _joins(group: str, pids: Any) -> str:
    pg.join(group, pids, scope="rooms")
    return "ok"


def _leaves(group: str, pids: Any) -> str:
    return "ok" if pg.leave(group, pids, scope="rooms") else "not_joined"


_members = partial(pg.get_members, scope="rooms")


def _groups() -> list[Any]:
    return sorted(pg.which_groups("rooms"))


def _scope() -> Pid:
    scope = pg.start_link("rooms")
    assert scope is not None
    return current().bind("rooms", scope)


def r01_groups(log: Log) -> None:
    _scope()
    a, b, c = (idle(name) for name in "abc")
    log("empty", _members("g"), _groups(), _leaves("g", a))
    log("join", _joins("g", a), _joins("g", b), _joins("h", [a, c]))
    log("members", _members("g"), _members("h"), _groups())
    log("again", _joins("g", a), _joins("g", [a, b]), _members("g"))
    log("leave", _leaves("g", a), _members("g"))
    log("leave_many", _leaves("g", [a, b, c]), _members("g"))
    log("leave_rest", _leaves("g", [a, b]), _members("g"), _groups())
    log("not_joined", _leaves("g", c), _leaves("nowhere", a))
    log("local", pg.get_local_members("rooms", "h"))
    log("by_another", ask(a, lambda: _joins("g", b)), _members("g"))


def r02_ends_and_scopes(log: Log) -> None:
    flag(trap_exit=True)
    scope = _scope()
    a, b = idle("a"), idle("b")
    for group in "gh":
        _joins(group, [a, b, a])
    kill(a)
    settle()
    log("after_a_death", _members("g"), _members("h"))
    _joins("g", a)
    settle()
    log("a_dead_one", _members("g"))
    other = pg.start_link("others")
    assert other is not None
    pg.join("g", b, scope="others")
    log("scopes", _members("g"), pg.get_members("others", "g"))
    log("taken", started(pg.start_link, "rooms")[1][1])
    log("the_scope_ends", down_after(scope, lambda: exit(scope, "kill")), alive(b), alive(other))
    log("no_scope", attempt(_joins, "g", b)[1][0])
    pg.start("rooms")
    log("begins_anew", _members("g"))


def r03_monitors_of_groups(log: Log) -> None:
    _scope()
    a, b, c = (idle(name) for name in "abc")
    _joins("g", a)
    ref, members = pg.monitor("rooms", "g")
    log("members", members)

    def heard(wanted: Any) -> list[Any]:
        return [[what, group, *pids] for ref, what, group, pids in flush() if ref == wanted]

    _joins("g", [b, c])
    _joins("other", b)
    _joins("g", b)
    _leaves("g", c)
    log("heard", heard(ref))
    kill(b)
    settle()
    log("a_death", heard(ref))
    log("demonitor", "ok" if pg.demonitor("rooms", ref) else False, pg.demonitor("rooms", ref))
    _joins("g", c)
    log("silence", flush())
    everything, groups = pg.monitor_scope("rooms")
    log("scope", {group: sorted(log.names[pid] for pid in pids) for group, pids in groups.items()})
    _joins("new", a)
    _leaves("g", a)
    log("all_groups", heard(everything))
    w = idle("w")
    ask(w, lambda: pg.monitor("rooms", "g"))
    kill(w)
    log("a_listener_ends", _joins("g", a))


def _acknowledges(value: Any) -> None:
    proc_lib.init_ack() if value is None else proc_lib.init_ack(value)
    receive("stop")


def _told(name: str) -> None:
    current().bind(name, self_())
    proc_lib.init_ack()
    receive("stop")
    exit("told_to")


def _raises() -> None:
    raise RuntimeError("oops")


def _start(*args: Any, **options: Any) -> Any:
    result = started(proc_lib.start_link, *args, **options)
    return result[1] if result[0] == "ok" and not isinstance(result[1], Pid) else result


def q01_starts_in_step(log: Log) -> None:
    flag(trap_exit=True)
    log("ack", "started" if _start(_acknowledges, None)[0] == "ok" else "failed")
    log("value", _start(_acknowledges, "value"))
    log("exits", _start(proc_lib.init_fail, "boom"))
    log("returns", _start(flush))
    log("shuts_down", _start(exit, "shutdown"))
    log("raises", _start(_raises)[1].message)
    log("slow", _start(settle, 200, timeout=0.02))
    flush()
    linked, alone = proc_lib.start_link(_told, "linked"), proc_lib.start(_told, "alone")
    for name, pid in (("linked", linked), ("alone", alone)):
        log(name, down_after(pid, partial(send, pid, "stop")))
    log("mailbox", flush())
    log("ancestors", info(proc_lib.start_link(_told, "seen"), "dictionary")["$ancestors"])

    def starter() -> None:
        proc_lib.start_link(exit, "boom")
        exit("survived")

    _, ref = spawn_monitor(starter)
    log("starter_that_does_not_trap", await_down(ref))


def _becomes_a_server(name: str) -> None:
    current().bind(name, self_())
    proc_lib.init_ack()
    server = _Entered()
    server.state = 5
    proc_lib.enter_loop(server)


class _Entered(Plain):
    def handle_call(self, request: Any, caller: Any) -> Any:
        return "pong" if request == "ping" else super().handle_call(request, caller)

    def terminate(self, reason: Any) -> None:
        log(self.name, "terminate", reason)


def q02_entering_a_loop(log: Log) -> None:
    flag(trap_exit=True)
    srv = proc_lib.start_link(_becomes_a_server, "srv")
    log("call", call(srv, "ping"), call(srv, ("set", 7)))
    log("state", sys.get_state(srv)["state"])
    log("stop", "ok" if stop(srv) is None else "not")  # type: ignore[func-returns-value]
    log("mailbox", flush())


def q03_under_a_supervisor(log: Log) -> None:
    flag(trap_exit=True)
    sup = start_sup("sup", [ChildSpec(id="told", start=(proc_lib.start_link, _told, "told"))])
    first = child(sup, "told")
    log("kids", kids(sup))
    down_after(first, lambda: send(first, "stop"))
    settle()
    log("kids", kids(sup), child(sup, "told") == first)
    stop_sup(sup)
