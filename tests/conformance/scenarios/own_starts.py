"""Group G, our own: starting servers, and their names. The BEAM's side is `beam/gen_server_cases.erl`."""

from collections.abc import Callable
from typing import Any

from runtime import (
    IGNORE,
    GenServer,
    Stop,
    call,
    cast,
    exit,
    flag,
    flush,
    monitor,
    register,
    self_,
    send,
    spawn_monitor,
    unlink,
    unregister,
    whereis,
)
from tests.conformance.actors import Fault, Srv
from tests.conformance.harness import (
    Log,
    attempt,
    await_down,
    down_after,
    kill,
    settle,
    started,
)


class Starting(GenServer):
    """A server whose init is the function it is given; it answers any call with pong."""

    def init(self, start: Callable[[], Any] = lambda: None) -> Any:
        return start()

    def handle_call(self, request: Any, caller: Any) -> Any:
        return "pong"


def g52_start_timeout(log: Log) -> None:
    def slow() -> None:
        settle(300)
        log("never_logged")

    flag(trap_exit=True)
    log("start_link", started(Starting.start_link, slow, name="g52", timeout=0.03))
    log("name_free", whereis("g52"), "mailbox", flush())
    log("start", started(Starting.start, slow, name="g52", timeout=0.03))
    log("name_free", whereis("g52"), "mailbox", flush())
    settle(400)
    log("mailbox", flush())
    srv = Starting.start_link(lambda: settle(20), timeout=5)
    log("in_time", call(srv, "ping"))


def g53_failed_start_and_its_starter(log: Log) -> None:
    def raises() -> None:
        raise Fault("oops")

    def killed() -> None:
        exit(self_(), "kill")

    inits: list[tuple[str, Callable[[], Any]]] = [
        ("stop_boom", lambda: Stop("boom")),
        ("stop_normal", lambda: Stop("normal")),
        ("stop_shutdown", lambda: Stop("shutdown")),
        ("ignore", lambda: IGNORE),
        ("raises", raises),
        ("exits", lambda: exit("gone")),
        ("killed", killed),
    ]
    for tag, init in inits:
        for start in (Starting.start_link, Starting.start):

            def starter(start: Callable[..., Any] = start, init: Callable[[], Any] = init) -> None:
                result = started(start, init)
                settle(20)
                exit(("survived", result))

            _, ref = spawn_monitor(starter)
            log(tag, start.__name__, await_down(ref))


def g59_names_of_servers(log: Log) -> None:
    def seen() -> Stop:
        log.bind("c", self_())
        log("name_in_init", whereis("g59"))
        return Stop("nope")

    def raises() -> None:
        raise Fault("oops")

    flag(trap_exit=True)
    a = Srv.start_link("a", name="g59")
    log("start_under_a_taken_name", started(Srv.start, "b", name="g59"))
    log("start_link_under_a_taken_name", started(Srv.start_link, "b", name="g59"), "mailbox", flush())
    cast("g59", "by_name")
    send("g59", "info_by_name")
    log("call", call("g59", "ping"))
    unlink(a)
    log("free_at_down", down_after(a, lambda: cast(a, ("stop", "boom"))), whereis("g59"))
    log("failed", started(Starting.start, seen, name="g59"), whereis("g59"))
    log("raised", started(Starting.start, raises, name="g59")[0], whereis("g59"))
    d = Srv.start("d", name="g59")
    exit(d, "kill")
    log("killed", await_down(monitor(d)))
    e = Srv.start("e", name="g59")
    log("again", whereis("g59"), call("g59", "ping"))
    log("second_name", attempt(register, "g59_too", e))
    unregister("g59")
    log("unregistered", attempt(call, "g59", "ping"), call(e, "ping"))
    log("mailbox", flush())
    kill(e)
