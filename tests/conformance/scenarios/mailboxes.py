"""Group P: the mailbox, names, timers, the process dictionary."""

from typing import Any

from runtime import (
    ANY,
    alive,
    cancel_timer,
    dictionary,
    exit,
    monitor,
    read_timer,
    receive,
    register,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    start_timer,
    unregister,
    whereis,
)
from runtime.kernel.clock import now
from tests.conformance.harness import (
    Log,
    ask,
    attempt,
    await_down,
    down_after,
    idle,
    info,
    kill,
    mailbox,
    settle,
    within,
)


def p13_receive_timeout(log: Log) -> None:
    main = self_()

    def noise() -> None:
        for _ in range(6):
            sleep(0.04)
            send(main, "noise")

    spawn(noise)
    start = now()
    got = receive("wanted", timeout=0.15, default="timed_out")
    log("nonmatching_does_not_reset_timer", got, within(start, 140, 200))
    settle(200)
    log("noise_left", len(mailbox()))
    start = now()
    send_after(main, "wanted", 0.03)
    got = receive("wanted", timeout=1, default="timed_out")
    log("woken_by_match", "got" if got == "wanted" else got, within(start, 20, 300))
    start = now()
    receive("wanted", timeout=0.05, default=None)
    log("pure_sleep", within(start, 45, 150))
    blocked = spawn(receive)
    settle()
    log("infinity_blocks", alive(blocked))
    kill(blocked)


def p15_names(log: Log) -> None:
    a, b = idle("a"), idle("b")
    log("register", attempt(register, "nm", a))
    log("whereis", whereis("nm"))
    log("register_taken", attempt(register, "nm", b))
    log("second_name_same_pid", attempt(register, "nm2", a))
    log("register_undefined", attempt(register, "undefined", b))
    log("whereis_unknown", whereis("nobody"))
    log("unregister_unknown", attempt(unregister, "nobody"))
    main = self_()
    send("nm", lambda: send(main, "ok"))
    log("sent_by_name", receive("ok", timeout=5))
    ref = monitor(a)
    send(a, lambda: exit("normal"))
    log("a_down", await_down(ref), ("whereis_on_down", whereis("nm")))
    log("register_dead_pid", attempt(register, "nm", a))
    log("name_reusable", attempt(register, "nm", b))
    log("unregister", attempt(unregister, "nm"), whereis("nm"), ("b_alive", alive(b)))
    register("nm", b)
    log("registered_name", info(b, "registered_name"))
    log("b_down", down_after(b, lambda: exit(b, "kill")), whereis("nm"))


def p17_timers(log: Log) -> None:
    main = self_()
    for ms in (40, 10, 25):
        send_after(main, f"t{ms}", ms / 1000)
    settle()
    log("due_order", mailbox())
    timer = start_timer(main, "payload", 0.01)
    match receive(("timeout", ANY, ANY), timeout=5):
        case kind, ref, payload:
            log("start_timer", (kind, "same_ref" if ref == timer else ref, payload))
    timer = send_after(main, "never", 5)
    left = cancel_timer(timer)
    log("cancel_pending_returns_ms_left", left is not None and 4 <= left <= 5)
    log("cancel_again", cancel_timer(timer) is not None)
    timer = send_after(main, "fired", 0.01)
    settle(40)
    log("cancel_after_fire", cancel_timer(timer) is not None)
    log("already_in_mailbox", mailbox())
    timer = send_after(main, "never", 5)
    left = read_timer(timer)
    log("read_timer", left is not None and 4 <= left <= 5)
    cancel_timer(timer)
    log("read_cancelled", read_timer(timer) is not None)
    dead = idle("dead")
    kill(dead)
    log("timer_to_dead_pid", send_after(dead, "x", 0.005) is not None)
    log("timer_to_unknown_name", send_after("no_such_name", "x", 0.005) is not None)
    settle(20)
    send_after("later_name", "hello", 0.03)
    register("later_name", main)
    log("name_resolved_at_fire_time", "ok" if receive("hello", timeout=5) == "hello" else "lost")
    unregister("later_name")
    down_after(spawn(lambda: send_after(main, "from_dead_creator", 0.04) and None), lambda: None)
    settle()
    log("creator_died", mailbox())
    destination = idle("destination")
    timer = send_after(destination, "x", 5)
    kill(destination)
    log("cancel_timer_of_dead_destination", cancel_timer(timer) is not None)
    send_after(main, "now", 0)
    log("zero_delay", "ok" if receive("now", timeout=5) == "now" else "lost")
    log("cancel_unknown_ref", cancel_timer(timer) is not None)


def p19_process_dictionary(log: Log) -> None:
    def put(key: str, value: Any) -> Any:
        old = dictionary().get(key)
        dictionary()[key] = value
        return old

    log("put_new", put("k", 1))
    log("put_again", put("k", 2))
    log("get", dictionary().get("k"))
    log("get_missing", dictionary().get("nope"))
    put("k2", 2)
    put("k3", 3)
    log("get_keys_with_value_2", sorted(key for key, value in dictionary().items() if value == 2))
    child = idle("child")
    log("isolated", ("child_sees", ask(child, lambda: dictionary().get("k"))))
    log("erase", dictionary().pop("k", None))
    log("erase_missing", dictionary().pop("nope", None))
    log("get_after_erase", dictionary().get("k"))
