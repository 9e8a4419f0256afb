"""Group P, our own: mailboxes, aliases, timers, names. The BEAM's side is `beam/processes.erl`."""

from typing import Any

from runtime import (
    ANY,
    Ref,
    alias,
    alive,
    call,
    cancel_timer,
    demonitor,
    exit,
    flush,
    monitor,
    process_info,
    processes,
    read_timer,
    receive,
    register,
    registered,
    self_,
    send,
    send_after,
    unalias,
    unlink,
    unregister,
    whereis,
)
from tests.conformance.actors import Plain
from tests.conformance.harness import Log, ask, attempt, down_after, exits, idle, kill, settle


def p52_selective_receive(log: Log) -> None:
    main = self_()
    for message in ("b1", "a1", "b2", "a2"):
        send(main, message)
    log("position_beats_clause_order", receive("a1", "a2", "b1"))
    log("skips", receive("a2"))
    send(main, "a3")
    log("skipped_come_first", receive())
    log("rest_in_order", flush())
    log("empty", receive(timeout=0, default="none"))
    for number in range(1, 501):
        send(main, number)
    send(main, "wanted")
    log("zero_timeout_scans_all", "found" if receive("wanted", timeout=0, default=None) else "none")
    log("left", len(flush()))
    send(main, "early")
    send(idle("other"), lambda: send_after(main, "wanted", 0.03))
    log("waits_past_an_unmatched_one", receive("wanted", timeout=5, default="none"), flush())
    for number in (1, 2, 3):
        send(main, ("pair", number))
    log("by_content", receive(("pair", 2))[1], receive(("pair", lambda n: n > 1))[1], flush())


def p53_aliases(log: Log) -> None:
    main, a = self_(), idle("a")

    def sent_by_a(to: Any, message: Any) -> Any:
        return ask(a, lambda: send(to, message))

    address = alias()
    sent_by_a(address, "one")
    sent_by_a(address, "two")
    log("active", flush())
    log("unalias", unalias(address), unalias(address))
    log("send_to_inactive", sent_by_a(address, "three"), flush())
    once = alias("reply")
    sent_by_a(once, "first")
    sent_by_a(once, "second")
    log("reply_alias_is_single_shot", flush(), unalias(once))
    watched = idle("watched")
    ref = monitor(watched, alias="reply_demonitor")
    sent_by_a(ref, (ref, "answer"))
    log("reply", receive((ref, ANY), timeout=5)[1])
    kill(watched)
    settle()
    log("reply_ended_the_monitor", flush())
    w2 = idle("w2")
    ref = monitor(w2, alias="demonitor")
    sent_by_a(ref, "still_open")
    log("open_until_demonitor", flush())
    demonitor(ref)
    sent_by_a(ref, "closed")
    log("closed_by_demonitor", flush())
    ref = monitor(w2, alias="demonitor")
    kill(w2)
    settle()
    sent_by_a(ref, "after_down")
    log("closed_by_down", len(flush()))
    theirs = ask(a, alias)
    log("unalias_of_anothers", unalias(theirs))
    kill(a)
    send(theirs, "to_a_dead_owner")
    log("main_alive", alive(main))


def p57_timers_and_names(log: Log) -> None:
    main, a = self_(), idle("a")
    register("timed", a)
    send_after("timed", "moved", 0.03)
    unregister("timed")
    register("timed", main)
    log("goes_to_who_holds_the_name_then", receive("moved", timeout=5, default="lost"))
    unregister("timed")
    timer = send_after(main, "never", 5)
    log("read_by_another", ask(a, lambda: read_timer(timer)) is not None)
    log("cancelled_by_another", ask(a, lambda: cancel_timer(timer)) is not None)
    log("then_unknown", read_timer(timer) is not None)
    send_after(main, "second", 0.02)
    send(main, "first")
    settle()
    log("behind_what_was_sent_before", flush())
    timer = send_after(main, "one_shot", 0.02)
    settle()
    log("fired", flush(), read_timer(timer) is not None, cancel_timer(timer) is not None)
    log("negative_time", attempt(send_after, main, "x", -1))


def p60_dead_and_unknown_destinations(log: Log) -> None:
    dead = idle("dead")
    kill(dead)
    log("send_to_the_dead", attempt(send, dead, "hello"))
    log("send_to_an_unknown_name", attempt(send, "nobody_here", "hello"))
    log("exit_to_the_dead", attempt(exit, dead, "boom"))
    log("unlink_the_dead", attempt(unlink, dead))
    log("demonitor_an_unknown", attempt(demonitor, Ref()))
    log("info_of_the_dead", process_info(dead))
    log("alive", alive(dead))
    log("whereis", whereis("nobody_here"))
    log("in_processes", dead in processes(), self_() in processes())
    log("mailbox", flush())


def p64_messages_share_nothing(log: Log) -> None:
    main, a = self_(), idle("a")
    message: list[Any] = [1, [2, 3]]
    send(a, lambda: send(main, ("got", receive(("list", ANY))[1])))
    send(a, ("list", message))
    message[1].append(4)
    log("as_it_was_when_sent", receive(("got", ANY), timeout=5)[1])
    message = [1, [2, 3]]
    srv = Plain.start(0)
    log(call(srv, ("set", message)))
    message.clear()
    kept = call(srv, "get")
    log("the_servers_own", kept)
    kept.clear()
    log("a_reply_is_a_copy", call(srv, "get"))
    kill(srv)


def p66_registered_names(log: Log) -> None:
    a, b = idle("a"), idle("b")

    def ours() -> list[Any]:
        return [name for name in sorted(registered()) if name in ("reg_a", "reg_b")]

    register("reg_b", b)
    register("reg_a", a)
    log("registered", ours())
    log("unregistered_by_another", ask(a, lambda: unregister("reg_b")), whereis("reg_b"))
    register("reg_b", b)
    exits(a, "boom")
    log("freed_by_death", ours())
    not_a_pid: Any = "not_a_pid"
    log("not_a_pid", attempt(register, "reg_c", not_a_pid))
    holder = whereis("reg_b")
    assert holder is not None
    log("exit_by_name", down_after(b, lambda: exit(holder, "bye")), ours())
    register("reg_main", self_())
    send("reg_main", "by_own_name")
    log("own_name", flush())
