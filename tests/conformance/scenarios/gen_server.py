"""Group G: generic servers: how they start, answer, time out, stop and fail."""

from collections.abc import Callable
from functools import partial
from typing import Any

from runtime import (
    IGNORE,
    NOREPLY,
    Continue,
    GenServer,
    Pid,
    Reply,
    Stop,
    Timeout,
    alive,
    call,
    cast,
    exit,
    flag,
    link,
    monitor,
    receive_response,
    register,
    reply,
    self_,
    send,
    send_request,
    sleep,
    spawn,
    stop,
    unregister,
    wait_response,
    whereis,
)
from tests.conformance.actors import Fault, Srv, running
from tests.conformance.harness import (
    Log,
    ask,
    attempt,
    await_down,
    current,
    idle,
    kill,
    log,
    mailbox,
    settle,
    started,
)


class Init(GenServer):
    """A server whose init is the function it is given."""

    def init(self, start: Callable[[], Any]) -> Any:
        current().bind("srv", self_())
        return start()

    def terminate(self, reason: Any) -> None:
        log("srv", "terminate", reason)


def g01_start_link_results(log: Log) -> None:
    def init_exit() -> None:
        exit("boom")

    def init_error() -> None:
        raise Fault("boom")

    inits: list[tuple[str, Callable[[], Any]]] = [
        ("ok", lambda: None),
        ("ok_with_timeout", lambda: Timeout(5)),
        ("ignore", lambda: IGNORE),
        ("stop_boom", lambda: Stop("boom")),
        ("stop_normal", lambda: Stop("normal")),
        ("stop_shutdown", lambda: Stop("shutdown")),
        ("init_exit", init_exit),
        ("init_error", init_error),
        ("init_bad_return", lambda: "garbage"),
        ("init_killed", lambda: exit(self_(), "kill")),
    ]
    flag(trap_exit=True)
    for tag, init in inits:
        result = started(Init.start_link, init, name="g01")
        settle(20)
        log(tag, result, ("name_registered", whereis("g01") is not None))
        server = whereis("g01")
        if server is not None:
            kill(server)
        mailbox()
    log("unlinked_start", started(Init.start, lambda: Stop("boom")))


class Replies(GenServer):
    """A server that replies at once, through another process, twice, or later and in reverse order."""

    def init(self) -> None:
        self.waiting: list[Any] = []

    def handle_call(self, request: str, caller: Any) -> Any:
        match request:
            case "now":
                return "replied_now"
            case "delegate":
                spawn(lambda: reply(caller, "from_helper"))
            case "twice":
                reply(caller, "first")
                return "second"
            case "later":
                self.waiting.append(caller)
            case "flush_reverse":
                for index, client in reversed(list(enumerate(self.waiting, 1))):
                    reply(client, ("delayed", index))
                return "flushed"
        return NOREPLY


def g03_reply_forms(log: Log) -> None:
    main, server = self_(), running(Replies.start())
    log("now", call(server, "now"))
    log("delegate", call(server, "delegate"))
    log("two_replies_first_wins", call(server, "twice"))
    for client in ("c1", "c2", "c3"):
        spawn(lambda client=client: send(main, (client, call(server, "later"))))
        settle(20)
    log(call(server, "flush_reverse"))
    settle()
    log("each_client_gets_its_own", sorted(mailbox()))
    kill(server)


def g05_server_death_mid_call(log: Log) -> None:
    requests = [
        ("stop_normal_noreply", ("stop", "normal")),
        ("stop_shutdown_noreply", ("stop", "shutdown")),
        ("stop_boom_noreply", ("stop", "boom")),
        ("stop_boom_with_reply", ("stop", "boom", "farewell")),
        ("error", ("error", "boom")),
        ("exit", ("exit", "boom")),
    ]
    for tag, request in requests:
        log(tag, attempt(call, Srv.start("srv"), request))
    busy = Srv.start("srv")
    spawn(_later, exit, busy, "kill")
    log("killed_while_busy", attempt(call, busy, ("sleep", 1, "late")))
    log("dead_pid", attempt(call, busy, "ping"))
    log("unregistered_name", attempt(call, "no_such_server", "ping"))
    waiting = Srv.start("srv3")
    spawn(_later, stop, waiting)
    log("stopped_normally_while_waiting", attempt(call, waiting, "never_answered"))
    log("calling_self", attempt(call, self_(), "ping"))
    log("mailbox", mailbox())


def _later(function: Callable[..., Any], *args: Any) -> None:
    settle(40)
    function(*args)


def g07_terminate_matrix(log: Log) -> None:
    causes: list[tuple[str, str, Callable[[Pid, Pid, Any], Any]]] = [
        ("exit_from_parent", "shutdown", _exit_from_parent),
        ("exit_from_parent", "normal", _exit_from_parent),
        ("exit_from_other", "shutdown", _exit_from_other),
        ("exit_from_other", "normal", _exit_from_other),
        ("exit_from_other", "kill", _exit_from_other),
        ("linked_peer_exits", "boom", _linked_peer_exits),
        ("linked_peer_exits", "normal", _linked_peer_exits),
        ("stop_return", "boom", lambda parent, srv, reason: cast(srv, ("stop", reason))),
        ("stop_return", "normal", lambda parent, srv, reason: cast(srv, ("stop", reason))),
        ("callback_error", "boom", lambda parent, srv, reason: cast(srv, ("error", reason))),
        ("callback_exit", "boom", lambda parent, srv, reason: cast(srv, ("exit", reason))),
    ]
    for trap in (False, True):
        for cause, reason, apply in causes:
            parent = idle("parent")
            ask(parent, lambda: flag(trap_exit=True))
            srv = ask(parent, partial(Srv.start_link, "srv", {"trap": trap}))
            log("---", (cause, reason), ("trap", trap))
            ref = monitor(srv)
            apply(parent, srv, reason)
            settle()
            log("alive") if alive(srv) else log("down", await_down(ref))
            kill(srv)
            kill(parent)


def _exit_from_parent(parent: Pid, srv: Pid, reason: Any) -> None:
    ask(parent, lambda: exit(srv, reason))


def _exit_from_other(parent: Pid, srv: Pid, reason: Any) -> None:
    exit(srv, reason)


def _linked_peer_exits(parent: Pid, srv: Pid, reason: Any) -> None:
    peer = idle("peer")
    ask(peer, lambda: link(srv))
    send(peer, lambda: exit(reason))


class Timed(GenServer):
    """A server that logs its messages, and asks for a timeout or a continue where it is told to."""

    def init(self, name: str, then: Any) -> Any:
        self.name = name
        if name == "f":
            log(name, "init")
            send(self_(), "queued_in_init")
        return then

    def handle_call(self, request: Any, caller: Any) -> Any:
        return Reply("ok", then=Continue(request))

    def handle_info(self, message: Any) -> Any:
        match message:
            case "then", result:
                return result
            case _:
                log(self.name, "info", message)
                return Timeout(0.04) if message == "first" else None

    def handle_continue(self, term: str) -> Any:
        if term == "fail":
            exit("continue_failed")
        sleep(0.02)  # so that the process that waits for the start or the reply has logged it
        log(self.name, "continue", term)
        return Continue("two") if term == "one" else None

    def terminate(self, reason: Any) -> None:
        log(self.name, "terminate", reason)


def g09_timeouts_and_continue(log: Log) -> None:
    Timed.start("a", Timeout(0.04))
    settle(150)
    b = Timed.start("b", Timeout(0.25))
    settle(20)
    send(b, "poke")
    settle(400)
    log("b_no_timeout_after_message")
    send(Timed.start("c", None), "first")
    settle(150)
    d = Timed.start("d", None)
    send(d, ("then", Timeout(0)))
    send(d, "queued")
    settle()
    send(Timed.start("e", None), ("then", Timeout(0)))
    settle()
    Timed.start("f", Continue("one"))
    log("main", "start_returned")
    settle(100)
    g = Timed.start("g", None)
    log("g_call", call(g, "after_reply"))
    settle()
    h = Timed.start("h", Continue("fail"))
    settle(100)
    log("h_started_ok_then_down", isinstance(h, Pid) and not alive(h))


class Named(GenServer):
    """A server that logs under the logical name it is given; how it starts is its second argument."""

    def init(self, name: str, start: Callable[[], Any] = lambda: None) -> Any:
        self.name = name
        current().bind(name, self_())
        return start()

    def handle_call(self, request: Any, caller: Any) -> Any:
        return "pong"

    def terminate(self, reason: Any) -> None:
        log(self.name, "terminate", reason)


def g11_names(log: Log) -> None:
    flag(trap_exit=True)
    Named.start_link("a", name="g11")
    log("second_start", started(Named.start_link, "b", name="g11"))
    log("mailbox_after_conflict", mailbox())
    log("whereis", whereis("g11"))
    log("call_by_name", call("g11", "ping"))
    log("stop", attempt(stop, "g11", none="ok")[1], ("free", whereis("g11") is None))
    log("mailbox", mailbox())

    def slow() -> None:
        sleep(0.08)
        log("c", "init_done")

    send(idle("starter"), lambda: Named.start("c", slow, name="g11"))
    settle(20)
    log("visible_during_init", whereis("g11") is not None)
    log("call_during_init", call("g11", "ping"))
    stop("g11")

    log("init_stop", started(Named.start, "d", lambda: Stop("boom"), name="g11"), whereis("g11"))
    log("init_ignore", started(Named.start, "d", lambda: IGNORE, name="g11"), whereis("g11"))
    log("restart_same_name_at_once", started(Named.start, "e", name="g11")[0])
    stop("g11")
    register("g11", self_())
    log("name_held_by_plain_process", started(Named.start_link, "f", name="g11"))
    unregister("g11")


class Failing(Named):
    """A server that returns garbage, and whose terminate fails if its name is c or d."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        # Whatever a handle_call returns is the reply, so the garbage that only Erlang can return is said in words.
        exit(("bad_return_value", request))

    def handle_cast(self, message: Any) -> Any:
        match message:
            case "stop", reason:
                return Stop(reason)
            case "error", reason:
                raise Fault(reason)
            case _:
                return message

    def terminate(self, reason: Any) -> None:
        super().terminate(reason)
        if self.name == "c":
            raise Fault("term_failed")
        if self.name == "d":
            exit("term_exit")


def g13_bad_returns_and_terminate_failures(log: Log) -> None:
    flag(trap_exit=True)
    log("bad_call_return", attempt(call, Failing.start_link("a"), "garbage"))
    log("mailbox", mailbox())
    for name, message in [
        ("b", "garbage"),
        ("c", ("stop", "normal")),
        ("d", ("error", "boom")),
        ("e", ("stop", ("shutdown", "x"))),
    ]:
        cast(Failing.start_link(name), message)
        settle()
        log("mailbox", mailbox())


def g15_send_request_collection(log: Log) -> None:
    srv = Srv.start("srv")
    first = send_request(srv, "ping")
    second = send_request(srv, "get")
    log("second_first", receive_response(second))
    log("then_first", receive_response(first))
    request = send_request(srv, ("sleep", 0.08, "late"))
    log("receive_timeout_abandons", receive_response(request, timeout=0.02))
    settle(120)
    log("mailbox", mailbox())
    request = send_request(srv, ("sleep", 0.08, "late"))
    log("wait_timeout_keeps", wait_response(request, timeout=0.02))
    log("wait_again", wait_response(request, timeout=5))
    log("server_died", receive_response(send_request(srv, ("stop", "boom"))))
    log("dead_server", receive_response(send_request(srv, "ping")))
