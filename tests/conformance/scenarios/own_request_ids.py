"""Groups G and P, our own: collections of requests, and options of starts and of monitors. See `beam/requests.erl`."""

from typing import Any

from runtime import (
    ANY,
    IGNORE,
    Continue,
    Down,
    GenServer,
    Pid,
    Stop,
    alive,
    call,
    cast,
    check_response,
    demonitor,
    exit,
    flag,
    flush,
    get_callback_module,
    monitor,
    receive,
    receive_response,
    register,
    reqids_add,
    reqids_new,
    reqids_size,
    reqids_to_list,
    self_,
    send,
    send_request,
    sys,
    wait_response,
)
from runtime.otp.requests import RequestIds, Settled
from tests.conformance.actors import Fault, Srv, Sup, start_sup
from tests.conformance.harness import Log, attempt, exits, idle, info, kill, settle, shown, started


def _settled(outcome: Any) -> tuple[Settled, Any, RequestIds]:
    """The outcome of a request of a collection that did end."""
    assert not isinstance(outcome, str), outcome
    settled: tuple[Settled, Any, RequestIds] = outcome
    return settled


def g69_collections_of_requests(log: Log) -> None:
    srv, other = Srv.start("srv"), Srv.start("other")
    empty = reqids_new()
    log("empty", reqids_size(empty), receive_response(empty, 0.01))
    one = send_request(srv, ("sleep", 0.06, "slow"), "label_1", empty)
    two = reqids_add(send_request(other, "ping"), ["label", 2], one)
    log("sizes", [reqids_size(collection) for collection in (empty, one, two)])
    log("labels", sorted((label for _, label in reqids_to_list(two)), key=lambda label: isinstance(label, list)))
    response, label, left = _settled(receive_response(two, 5.0))
    log("first", response, label, reqids_size(left))
    log("too_early", wait_response(left, 0.01))
    response, label, kept = _settled(wait_response(left, 5.0, delete=False))
    log("second", response, label, reqids_size(kept))
    log("another_message", check_response("something_else", two))
    log("nothing_to_wait_for", check_response("something_else", empty))
    dead = send_request("nobody_here", "ping", "unknown", empty)
    response, label, rest = _settled(receive_response(dead, 5.0))
    log("unknown", response, label)
    last = send_request(srv, ("stop", "boom"), "last", rest)
    settle()
    response, label, none = _settled(check_response(receive(), last))
    log("died", response[0], response[1][0], label, reqids_size(none))
    abandoned = send_request(other, ("sleep", 0.06, "late"), "abandoned", empty)
    log("abandoned", receive_response(abandoned, 0.01))
    settle(120)
    log("mailbox", flush())


class _Started(Srv):
    """A Srv that does in its init what it is told."""

    def init(self, name: str, begin: Any = None) -> Any:
        super().init(name)
        return begin() if begin is not None else None

    def handle_continue(self, term: Any) -> Any:
        exit("why")


def _raises() -> None:
    raise Fault("oops")


def g70_start_monitor(log: Log) -> None:
    flag(trap_exit=True)

    def outcome(*args: Any, **options: Any) -> Any:
        return started(_Started.start_monitor, *args, **options)  # type: ignore[arg-type]

    found = Srv.start_monitor("srv")
    assert found is not None
    srv, ref = found
    log("not_linked", flush(), info(self_(), "monitors") == [srv])
    cast(srv, ("stop", "boom"))
    log("down", receive(lambda message: isinstance(message, Down) and message.ref == ref).reason)
    ends: list[tuple[str, Any]] = [
        ("stop_boom", lambda: Stop("boom")),
        ("stop_normal", lambda: Stop("normal")),
        ("ignore", lambda: IGNORE),
    ]
    for tag, end in ends:
        log(tag, outcome("failed", end), flush())
    log("raises", outcome("failed", _raises)[1].message, flush())
    log("timeout", outcome("slow", lambda: settle(500), timeout=0.02), flush())
    named = _Started.start_monitor("named", name="g70")
    assert named is not None
    log("taken", outcome("again", name="g70") == ("error", ("already_started", named[0])))
    log("mailbox", flush())
    soon = _Started.start_monitor("soon", lambda: Continue("x"))
    settle()
    assert soon is not None
    log("dies_at_once", [(down.pid, down.reason) for down in flush() if down.pid == soon[0]])
    child = Srv.start_monitor("child", {"trap": True})
    assert child is not None
    parent = sys.get_status(child[0])[3][2]
    exit(child[0], "told")
    log("of_its_starter", parent == self_(), receive(Down(child[1], ANY, ANY)).reason)
    alone = Srv.start("alone", {"trap": True})
    assert alone is not None
    itself = sys.get_status(alone)[3][2]
    exit(alone, "told")
    settle()
    log("of_its_own", itself == alone, alive(alone))


class _Pinged(GenServer):
    def handle_call(self, request: Any, caller: Any) -> Any:
        return "pong"


def g71_options_of_a_start(log: Log) -> None:
    def begin(**options: Any) -> Pid:
        pid = _Pinged.start(**options)
        assert pid is not None
        return pid

    srv = begin(debug=["statistics", ("log", 5)], priority="high")
    log("priority", info(srv, "priority"))
    call(srv, "ping")
    statistics = sys.statistics(srv, "get")
    log("statistics", [statistics[key] for key in ("messages_in", "messages_out")])
    log("log", len(sys.get_log(srv)))
    main = self_()

    def count(number: int, event: Any) -> int:
        send(main, ("event", number))
        return number + 1

    other = begin(debug=[("install", "count", count, 0)])
    call(other, "ping")
    settle()
    log("installed", flush())
    plain = begin()
    log("default", info(plain, "priority"), ("ok", sys.statistics(plain, "get")))


def g72_callback_modules(log: Log) -> None:
    sup = start_sup("sup", [])
    log("module_of_a_supervisor", get_callback_module(sup) is Sup)
    kill(sup)
    _, failure = attempt(get_callback_module, sup)
    log("of_the_dead", failure[0])


def p69_monitors_with_a_tag(log: Log) -> None:
    a, b = idle("a"), idle("b")
    monitor(a, tag="gone")
    monitor(a, tag=("some", "term"))
    exits(a, "boom")
    log("tags", shown((tag, reason) for tag, _, _, reason in flush()))
    monitor(a, tag="gone")
    settle()
    log("dead_already", [(tag, pid, reason) for tag, _, pid, reason in flush()])
    register("named", b)
    monitor("named", tag="gone")
    plain, flushed, early = monitor(b), monitor(b, tag="flushed"), monitor(b, tag="early")
    log("demonitor", demonitor(early))
    exits(b, "bye")
    log("demonitor_flush", demonitor(flushed, flush=True), demonitor(plain, flush=True))
    log("left", [(tag, ("name", name), reason) for tag, _, name, reason in flush()])
