"""Group P: exit signals, links, monitors, the mailbox, timers, names, the process dictionary."""

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

from runtime import (
    ANY,
    Down,
    Exit,
    Pid,
    ProcessExit,
    Ref,
    alive,
    call,
    exit,
    flag,
    link,
    monitor,
    receive,
    register,
    self_,
    send,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
    unlink,
)
from runtime.kernel.clock import now
from tests.conformance.actors import Fault, Srv
from tests.conformance.harness import (
    Log,
    ask,
    await_down,
    down_after,
    exits,
    idle,
    info,
    kill,
    mailbox,
    settle,
    who,
    within,
)

REASONS = ["normal", "shutdown", ("shutdown", "x"), "boom", "kill", "killed"]


def p01_exit_signal_matrix(log: Log) -> None:
    for way in (_exit2_from_other, _linked_peer_exits, _exit2_to_self):
        for trap in (False, True):
            for reason in REASONS:
                log(way.__name__.strip("_"), ("trap", trap), reason, _outcome(log, way, trap, reason))


def _outcome(log: Log, way: Callable[[Log, Pid, Any], None], trap: bool, reason: Any) -> Any:
    target, ref = spawn_monitor(_recording_target, trap)
    log.bind("target", target)
    settle(10)
    way(log, target, reason)
    send(target, ("report", self_()))
    match receive(("recorded", ANY), Down, timeout=5):
        case Down(died, _, why):
            assert died == ref
            return ("died", why)
        case _, []:
            outcome: Any = "alive"
        case _, [(pid, why)]:
            outcome = ("got_exit", pid, why)
        case unexpected:
            outcome = unexpected
    kill(target)
    mailbox()
    return outcome


def _recording_target(trap: bool) -> None:
    flag(trap_exit=trap)
    recorded = []
    while True:
        match receive():
            case Exit(pid, reason):
                recorded.append((pid, reason))
            case "report", asker:
                send(asker, ("recorded", recorded))
            case function:
                function()


def _exit2_from_other(log: Log, target: Pid, reason: Any) -> None:
    exit(target, reason)


def _linked_peer_exits(log: Log, target: Pid, reason: Any) -> None:
    peer = idle("peer")
    send(target, lambda: link(peer))
    settle(10)
    send(peer, lambda: exit(reason))
    settle(30)


def _exit2_to_self(log: Log, target: Pid, reason: Any) -> None:
    send(target, lambda: exit(self_(), reason))
    settle(20)


def p03_exit_reason_mapping(log: Log) -> None:
    def error_boom() -> None:
        raise Fault("boom")

    def caught_then_returns() -> None:
        with contextlib.suppress(ProcessExit):
            exit("boom")

    def caught_then_exits_other() -> None:
        try:
            exit("a")
        except ProcessExit:
            exit("b")

    def normal_caught_continues() -> None:
        try:
            exit("normal")
        except ProcessExit:
            exit("went_on")

    endings: list[tuple[str, Callable[[], Any]]] = [
        ("returns_value", lambda: 42),
        ("exit_normal", lambda: exit("normal")),
        ("exit_boom", lambda: exit("boom")),
        ("error_boom", error_boom),
        ("exit_caught_then_returns", caught_then_returns),
        ("exit_caught_then_exits_other", caught_then_exits_other),
        ("exit_normal_caught_continues", normal_caught_continues),
        ("exit_of_tuple", lambda: exit(("shutdown", ["a", 1]))),
    ]
    for tag, ending in endings:
        _, ref = spawn_monitor(ending)
        log(tag, await_down(ref))


def p05_link_basics(log: Log) -> None:
    flag(trap_exit=True)
    a = idle("a")
    log("link", link(a))
    log("link_again", link(a))
    log("links", _links())
    log("unlink_once", unlink(a))
    log("links", _links())
    log("unlink_again", unlink(a))
    exits(a, "boom")
    log("mailbox", mailbox())

    main, b = self_(), idle("b")
    link(b)
    ask(b, lambda: unlink(main))
    log("unlinked_from_other_side", _links())
    exits(b, "boom")
    log("mailbox", mailbox())

    c = idle("c")
    link(c)
    link(c)
    exits(c, "boom")
    log("mailbox_double_link", mailbox())
    log("links", _links())
    log("link_self", link(self_()), _links())

    d = idle("d", spawn_link)
    exits(d, "normal")
    log("mailbox_normal", mailbox())

    def survivor() -> None:
        child = spawn_link(lambda: None)
        settle(30)
        assert not alive(child)
        exit("survived")

    _, ref = spawn_monitor(survivor)
    log("nontrapping_after_linked_normal_exit", await_down(ref))


def _links() -> Any:
    return sorted(info(self_(), "links"))


def p07_unlink_then_no_exit(log: Log) -> None:
    flag(trap_exit=True)
    a = idle("a", spawn_link)
    send(a, lambda: exit("boom"))
    settle()
    unlink(a)
    log("unlink_does_not_remove_delivered_exit", mailbox())
    b = idle("b", spawn_link)
    unlink(b)
    exits(b, "boom")
    log("after_unlink_no_exit", mailbox())
    flag(trap_exit=False)
    c = idle("c", spawn_link)
    unlink(c)
    log("nontrapping_after_unlink", exits(c, "boom"))
    log("main", "alive")


def p09_monitor_basic(log: Log) -> None:
    for reason in ["normal", "shutdown", ("shutdown", 1), "boom", "kill"]:
        w = idle("w")
        monitor(w)
        send(w, lambda reason=reason: exit(reason))
        down = receive(Down, timeout=5)
        log("exit", reason, "process", who(down.pid), down.reason)
    w = idle("w")
    log("exit2_kill", down_after(w, lambda: exit(w, "kill")))
    monitor(w)
    down = receive(Down, timeout=5)
    log("dead", who(down.pid), down.reason)
    w3 = idle("w3")
    refs = [monitor(w3) for _ in range(3)]
    send(w3, lambda: exit("bye"))
    log("three_monitors", [await_down(ref) for ref in refs])
    register("reg_w", idle("w5"))
    monitor("reg_w")
    send("reg_w", lambda: exit("normal"))
    down = receive(Down, timeout=5)
    log("by_name", who(down.pid), down.reason)
    monitor("no_such_name")
    down = receive(Down, timeout=5)
    log("unregistered_name", who(down.pid), down.reason)
    log("monitor_self", isinstance(monitor(self_()), Ref), mailbox())
    p7 = idle("p7")

    def watcher() -> None:
        monitor(p7)
        exit("watcher_dead")

    _, ref = spawn_monitor(watcher)
    log("watcher", await_down(ref), ("target_alive", alive(p7)))


def p11_signal_order_pairwise(log: Log) -> None:
    main = self_()

    def a() -> None:
        for message in ("m1", "m2", "m3"):
            send(main, message)
        exit("bye")

    pid, _ = spawn_monitor(a)
    log.bind("a", pid)
    settle(30)
    log("monitored", [_as_down(message) for message in mailbox()])

    def b() -> None:
        send(main, "m1")
        send(main, "m2")
        exit("bye")

    flag(trap_exit=True)
    log.bind("b", spawn_link(b))
    settle(30)
    log("linked", mailbox())

    def s() -> None:
        send(main, "x1")
        exit(main, "sig1")
        send(main, "x2")
        exit(main, "sig2")
        send(main, "x3")

    log.bind("s", spawn(s))
    settle(30)
    log("interleaved", mailbox())

    v = spawn(lambda: log("v", "processed", receive("hello")))
    ref = monitor(v)
    exit(v, "boom")
    send(v, "hello")
    log("v_down", await_down(ref))
    w = idle("w")
    exit(w, "kill")
    log("alive_after_own_kill", alive(w))
    x = idle("x")
    exit(x, "kill")
    log("monitor_after_own_kill", await_down(monitor(x)))


def _as_down(message: Any) -> Any:
    return ("down", message.pid, message.reason) if isinstance(message, Down) else message


def p21_trap_exit_toggle(log: Log) -> None:
    log("old_value", flag(trap_exit=True))
    log("old_value", flag(trap_exit=True))
    exits(idle("a", spawn_link), "boom")
    log("old_value", flag(trap_exit=False))
    log("exit_msg_stays", mailbox())

    def turned_off() -> None:
        flag(trap_exit=True)
        flag(trap_exit=False)
        spawn_link(lambda: exit("boom"))
        receive()

    _, ref = spawn_monitor(turned_off)
    log("not_trapping_any_more", await_down(ref))
    flag(trap_exit=True)
    exits(idle("b", spawn_link), "x")
    send(self_(), "later")
    log("skip_exit", receive("later", timeout=5))
    log("then_exit", mailbox())


def p23_link_cascade(log: Log) -> None:
    a, b, c = (idle(name) for name in "abc")
    for left, right in ((a, b), (b, c), (c, a)):
        ask(left, partial(link, right))
    refs = [monitor(pid) for pid in (a, b, c)]
    send(b, lambda: exit("boom"))
    log("ring_all_die_with", [await_down(ref) for ref in refs])

    d, e, f = (idle(name) for name in "def")
    ask(d, lambda: link(e))
    ask(e, lambda: link(f))
    exits(e, "normal")
    log("normal_stops_cascade", [alive(d), alive(f)])

    def hub() -> None:
        flag(trap_exit=True)
        while True:
            match receive():
                case Exit(pid, reason):
                    log("hub", "got_exit", pid, reason)
                case function:
                    function()

    center = log.bind("hub", spawn(hub))
    s1, s2, s3 = (idle(name) for name in ("s1", "s2", "s3"))
    for spoke in (s1, s2, s3):
        ask(spoke, lambda: link(center))
    exits(s1, "boom")
    settle(20)
    log("trapping_hub_shields", [alive(pid) for pid in (center, s2, s3)])
    exits(center, "hub_gone")
    settle(20)
    log("hub_exit_takes_spokes", [alive(pid) for pid in (center, s1, s2, s3)])


def p25_kill_while_blocked(log: Log) -> None:
    server = Srv.start("srv")

    def in_catch_all_loop() -> None:
        while True:
            with contextlib.suppress(BaseException):
                sleep(0.05)

    def in_nested_handlers() -> None:
        try:
            try:
                sleep(30)
            except BaseException:
                sleep(30)
            finally:
                sleep(30)
        except BaseException:
            sleep(30)
        finally:
            sleep(30)

    def inside_its_own_cleanup() -> None:
        try:
            exit("x")
        finally:
            sleep(30)

    victims: list[tuple[str, Callable[[], Any]]] = [
        ("in_sleep", lambda: sleep(30)),
        ("in_receive", receive),
        ("in_call", lambda: call(server, ("sleep", 30, "never"), timeout=None)),
        ("in_catch_all_loop", in_catch_all_loop),
        ("in_nested_handlers", in_nested_handlers),
        ("inside_its_own_cleanup", inside_its_own_cleanup),
    ]
    for tag, victim in victims:
        pid, ref = spawn_monitor(victim)
        settle(30)
        start = now()
        exit(pid, "shutdown")
        log(tag, await_down(ref), within(start, 0, 200))
    kill(server)
