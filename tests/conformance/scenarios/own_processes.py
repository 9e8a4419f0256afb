"""Group P, our own: what the given transcripts leave open. The BEAM's side is `beam/processes.erl`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from runtime import (
    Down,
    Exit,
    NoProcessError,
    Pid,
    ProcessExit,
    demonitor,
    dictionary,
    exit,
    flag,
    flush,
    link,
    monitor,
    process_info,
    read_timer,
    receive,
    register,
    resume,
    self_,
    send,
    send_after,
    spawn,
    spawn_link,
    spawn_monitor,
    suspend,
    unlink,
    unregister,
    whereis,
)
from tests.conformance.actors import Fault
from tests.conformance.harness import Log, ask, attempt, await_down, down_after, exits, idle, info, kill, settle, who


def _trapping(name: str) -> Pid:
    pid = idle(name)
    ask(pid, lambda: flag(trap_exit=True))
    return pid


def p51_process_info(log: Log) -> None:
    a, b = idle("a"), idle("b")
    for message in ("m1", "m2", "m3"):
        send(a, message)
    settle()
    log("status", info(a, "status"), "own", info(self_(), "status"))
    log("message_queue_len", info(a, "message_queue_len"), "messages", info(a, "messages"))
    log("trap_exit", info(a, "trap_exit"), info(_trapping("t"), "trap_exit"))
    ask(a, lambda: (link(b), dictionary().update(k="v")))
    log("links", info(a, "links"), info(b, "links"))
    log("dictionary", info(a, "dictionary"))
    monitor(a)
    log("monitored_by", info(a, "monitored_by"), "monitors", len(info(self_(), "monitors")))
    register("info_name", a)
    log("registered_name", info(a, "registered_name"))
    log("parent", info(a, "parent"))
    log("several", process_info(a, "message_queue_len", "trap_exit"))
    log("unknown_key", attempt(process_info, a, "no_such_key"))
    kill(a)
    log("dead", process_info(a, "status"))


def p54_monitor_by_name_and_demonitor(log: Log) -> None:
    a, b = idle("a"), idle("b")
    register("watched", a)
    monitor("watched")
    unregister("watched")
    register("watched", b)
    exits(b, "boom")
    log("other_holder_died", flush())
    exits(a, "bye")
    (down,) = flush()
    log("first_holder_died", who(down.pid), down.reason)
    c = idle("c")
    before, stays, flushed = monitor(c), monitor(c), monitor(c)
    log("demonitor_before", demonitor(before))
    exits(c, "boom")
    log("demonitor_after", demonitor(stays), demonitor(flushed, flush=True))
    log("only_flush_removes_a_queued_down", flush())
    log("again", demonitor(stays), demonitor(before, flush=True))
    d = idle("d")
    ref = monitor(d)
    log("info_of_an_active_one", demonitor(ref, info=True))
    log("info_again", demonitor(ref, info=True))
    register("holder", d)
    by_name = monitor("holder")
    send(d, lambda: exit("bye"))
    log("free_at_down", await_down(by_name), whereis("holder"))


def p55_link_to_the_dead(log: Log) -> None:
    dead = idle("dead")
    kill(dead)
    try:
        link(dead)
    except NoProcessError:
        log("not_trapping", ("error", "noproc"))
    log("links", info(self_(), "links"))
    flag(trap_exit=True)
    log("trapping", attempt(link, dead), flush())
    log("unlink_the_dead", attempt(unlink, dead), flush())


def p56_spawn_link_is_atomic(log: Log) -> None:
    flag(trap_exit=True)
    for reason in ("normal", "boom", "kill"):
        pid = spawn_link(exit, reason)
        log("spawn_link", receive(lambda m, pid=pid: isinstance(m, Exit) and m.pid == pid, timeout=5).reason)
    for reason in ("normal", "boom", "kill"):
        _, ref = spawn_monitor(exit, reason)
        log("spawn_monitor", await_down(ref))
    parent = idle("parent")
    died = down_after(parent, lambda: send(parent, lambda: (spawn_link(exit, "boom"), receive("never"))))
    log("a_parent_that_does_not_trap", died)
    log("mailbox", flush())


def p58_suspend_resume(log: Log) -> None:
    main, a = self_(), idle("a")
    suspend(a)
    send(a, lambda: send(main, "ran"))
    settle()
    log("suspended", flush(), ("message_queue_len", info(a, "message_queue_len")))
    log("status", info(a, "status"))
    suspend(a)
    resume(a)
    settle()
    log("one_resume_for_two_suspends", flush())
    resume(a)
    settle()
    log("resumed", flush())
    log("resume_of_a_running_one", attempt(resume, a))
    log("suspend_oneself", attempt(suspend, main))
    suspend(a)
    log("killed_while_suspended", down_after(a, lambda: exit(a, "kill")))
    b = idle("b")
    suspend(b)
    log("ended_by_a_signal_while_suspended", down_after(b, lambda: exit(b, "boom")))
    log("suspend_the_dead", attempt(suspend, b))
    c, suspender = idle("c"), idle("suspender")
    ask(suspender, lambda: suspend(c))
    send(c, lambda: send(main, "c_ran"))
    settle()
    log("suspended_by_another", flush())
    kill(suspender)
    settle()
    log("the_suspenders_death_resumes", flush())


def p59_first_fatal_signal_wins(log: Log) -> None:
    def both(pid: Pid, first: Any, second: Any) -> Any:
        return down_after(pid, lambda: (exit(pid, first), exit(pid, second)))

    log("two_reasons", both(idle("a"), "first", "second"))
    log("normal_does_not_count", both(idle("b"), "normal", "second"))
    log("kill_second", both(idle("c"), "first", "kill"))
    log("kill_first", both(idle("d"), "kill", "second"))
    t = _trapping("t")
    exit(t, "one")
    send(t, "between")
    exit(t, "two")
    settle()
    log("trapper_has_both", info(t, "messages"))
    log("then_killed", both(t, "three", "kill"))


def p61_reasons_along_links(log: Log) -> None:
    causes: list[tuple[str, Callable[[Pid], Any]]] = [
        ("kill_signal", lambda pid: exit(pid, "kill")),
        ("own_exit_kill", lambda pid: send(pid, lambda: exit("kill"))),
        ("own_exit_shutdown", lambda pid: send(pid, lambda: exit("shutdown"))),
        ("own_exit_pair", lambda pid: send(pid, lambda: exit(("shutdown", "x")))),
    ]
    for tag, cause in causes:
        a, b, c = idle("a"), idle("b"), _trapping("c")
        ask(a, partial(link, b))
        ask(b, partial(link, c))
        ref = monitor(b)
        log(tag, down_after(a, partial(cause, a)), await_down(ref))
        settle(10)
        log("trapper", info(c, "messages"))


def p62_cleanup_of_an_own_exit(log: Log) -> None:
    main = self_()

    def ends(tag: str, function: Callable[[], Any]) -> None:
        _, ref = spawn_monitor(function)
        log(tag, await_down(ref))

    def nested() -> None:
        try:
            try:
                exit("boom")
            finally:
                log("inner")
        finally:
            log("outer")

    def exit_in_cleanup() -> None:
        try:
            exit("first")
        finally:
            exit("second")

    def error_in_cleanup() -> None:
        try:
            exit("first")
        finally:
            raise Fault("second")

    def exit_in_handler() -> None:
        try:
            raise Fault("oops")
        except Fault:
            exit("handled")

    def sends_in_cleanup() -> None:
        try:
            exit("boom")
        finally:
            send(main, "from_cleanup")

    def cleanup_may_wait() -> None:
        try:
            exit("boom")
        finally:
            settle(20)
            log("waited")

    def caught_and_went_on() -> None:
        try:
            exit("boom")
        except ProcessExit:
            log("caught")
        exit("later")

    ends("nested", nested)
    ends("exit_in_cleanup", exit_in_cleanup)
    ends("error_in_cleanup", error_in_cleanup)
    ends("exit_in_handler", exit_in_handler)
    _, ref = spawn_monitor(sends_in_cleanup)
    log("sent_before_death", "sent" if receive("from_cleanup", timeout=5) else "", await_down(ref))
    ends("cleanup_may_wait", cleanup_may_wait)
    ends("caught_and_went_on", caught_and_went_on)


def p63_exit_to_oneself(log: Log) -> None:
    def ends(tag: str, function: Callable[[], Any]) -> None:
        _, ref = spawn_monitor(function)
        log(tag, await_down(ref))

    def signal_to_self() -> None:
        exit(self_(), "boom")
        log("not_reached")

    def cannot_be_caught() -> None:
        # A finally does run where Python unwinds the dead process's frames; an except changes nothing.
        try:
            exit(self_(), "boom")
        except BaseException:
            settle(20)
        log("not_reached")

    def kill_to_self() -> None:
        flag(trap_exit=True)
        exit(self_(), "kill")
        log("not_reached")

    def trapped() -> None:
        log.bind("me", self_())
        flag(trap_exit=True)
        exit(self_(), "boom")
        log(flush())

    ends("signal_to_self", signal_to_self)
    ends("cannot_be_caught", cannot_be_caught)
    ends("kill_to_self", kill_to_self)
    ends("trapped", trapped)


def p65_many_watchers(log: Log) -> None:
    hub = idle("hub")
    watchers = [idle("watcher") for _ in range(100)]
    for watcher in watchers:
        ask(watcher, lambda: monitor(hub))
    log("monitored_by", len(info(hub, "monitored_by")))
    gone, left = watchers[:40], watchers[40:]
    for watcher in gone:
        kill(watcher)
    log("after_40_died", len(info(hub, "monitored_by")))
    exits(hub, "bye")
    settle()
    downs = [message.reason for watcher in left for message in info(watcher, "messages") if isinstance(message, Down)]
    log("downs", len(downs), sorted(set(downs)))
    spokes = [idle("spoke") for _ in range(100)]
    center = idle("center")
    for spoke in spokes:
        ask(center, partial(link, spoke))
    refs = [monitor(spoke) for spoke in spokes]
    exits(center, "torn")
    log("a_star_torn", sorted({await_down(ref) for ref in refs}))


def p67_any_term_is_a_reason(log: Log) -> None:
    for reason in (42, [], [1, ["two"]], {"a": [1]}, (), None, True, ("a", "b", "c")):
        linked = _trapping("linked")
        pid, ref = spawn_monitor(_link_and_exit, linked, reason)
        log.bind("ending", pid)
        log("own_exit", await_down(ref))
        settle(10)
        log(info(linked, "messages"))
        a = idle("a")
        log("signal", down_after(a, partial(exit, a, reason)))


def _link_and_exit(pid: Pid, reason: Any) -> None:
    link(pid)
    exit(reason)


def p68_a_dead_process_hears_nothing(log: Log) -> None:
    def later(message: str) -> None:
        settle(30)
        send(main, message)

    main, a = self_(), idle("a")
    register("p68", a)
    send(a, lambda: later("never"))
    exit(a, "boom")
    settle()
    log("mailbox", flush(), whereis("p68"))
    b = idle("b")
    ref = monitor(b)
    for number in (1, 2, 3):
        send(b, partial(send, main, number))
    send(b, lambda: exit("enough"))
    send(b, lambda: send(main, "never"))
    log(await_down(ref))
    log("what_it_did_before", flush())
    c = idle("c")
    timer = send_after(c, lambda: send(main, "never"), 0.02)
    kill(c)
    settle()
    log("timer", read_timer(timer) is not None, flush())
    d = idle("d")
    ask(d, lambda: spawn(later, "orphan"))
    kill(d)
    log("an_orphan_goes_on", receive("orphan", timeout=5, default="lost"))
