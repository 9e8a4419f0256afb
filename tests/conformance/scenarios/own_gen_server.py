"""Group G, our own: what the given transcripts leave open. The BEAM's side is `beam/gen_server_cases.erl`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from runtime import (
    ANY,
    NOREPLY,
    CallError,
    Continue,
    Exit,
    Pid,
    Reply,
    Stop,
    Timeout,
    alive,
    call,
    cast,
    exit,
    flag,
    flush,
    monitor,
    receive,
    reply,
    resume,
    self_,
    send,
    spawn,
    spawn_monitor,
    stop,
    suspend,
    sys,
    unlink,
)
from tests.conformance.actors import Fault, Srv
from tests.conformance.harness import (
    Log,
    answer,
    ask,
    attempt,
    await_down,
    idle,
    info,
    kill,
    log,
    settle,
)


def await_exit(pid: Pid) -> Any:
    """Wait for the EXIT message from a linked process; returns its reason."""
    return receive(lambda m: isinstance(m, Exit) and m.pid == pid, timeout=5).reason


def g51_call_timeout_and_late_reply(log: Log) -> None:
    srv = Srv.start("srv")
    log("timeout", attempt(call, srv, ("sleep", 0.08, "late"), timeout=0.03))
    settle(120)
    log("no_late_reply", flush())
    log("server_unaffected", call(srv, "ping"))
    log("never_answered", attempt(call, srv, "ignored", timeout=0.02))
    _, ref = spawn_monitor(lambda: call(srv, "ignored", timeout=0.02))
    log("a_caller_that_does_not_catch_it", await_down(ref))
    log("zero_timeout", attempt(call, srv, ("sleep", 0.02, "late"), timeout=0))
    settle()
    log("mailbox", flush(), "alive", alive(srv))


class Keeping(Srv):
    """A Srv that tells main who called `keep` and leaves the reply to others."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        if request != "keep":
            return super().handle_call(request, caller)
        send(self.options["main"], ("kept", caller))
        return NOREPLY


def g54_deferred_replies(log: Log) -> None:
    main = self_()
    srv = Keeping.start("srv", {"main": main})

    def client_of(name: str) -> tuple[Pid, Any]:
        def ask_it() -> None:
            log(name, call(srv, "keep"))
            send(main, "done")

        client = idle(name)
        send(client, ask_it)
        return client, receive(("kept", ANY), timeout=5)[1]

    _, from_1 = client_of("c1")
    c2, from_2 = client_of("c2")
    _, from_3 = client_of("c3")
    reply(from_3, "from_main")
    receive("done", timeout=5)
    kill(c2)
    reply(from_2, "to_a_dead_client")
    ask(idle("another"), lambda: reply(from_1, "from_another"))
    receive("done", timeout=5)
    reply(from_1, "a_second_one")
    settle()
    log("server", call(srv, "ping"))
    c4, _ = client_of("c4")
    ref = monitor(c4)
    cast(srv, ("stop", "boom"))
    log("server_gone_before_the_reply", await_down(ref))
    log("mailbox", flush())


class Ending(Srv):
    """A Srv whose terminate is the function in its option `terminate`."""

    def terminate(self, reason: Any) -> None:
        self.options["terminate"](reason)


class Waiting(Srv):
    """A Srv that a cast makes wait for `go`, and then stop."""

    def handle_cast(self, message: Any) -> Any:
        if message != "wait":
            return super().handle_cast(message)
        receive("go")
        return Stop("boom")


def _raise(message: str) -> None:
    raise Fault(message)


def g55_stop(log: Log) -> None:
    def reason(*args: Any, **kwargs: Any) -> Any:
        try:
            stop(*args, **kwargs)
        except CallError as error:
            return error.reason
        return "ok"

    def slowly(reason: Any) -> None:
        settle(80)
        log("e", "done")

    a = Srv.start("a")
    log("normal", answer(stop, a), alive(a))
    b = Srv.start("b")
    ref = monitor(b)
    log("with_reason", answer(stop, b, "boom", timeout=1), await_down(ref))
    log("dead", reason(b))
    log("unknown_name", reason("no_such_server"))
    log("terminate_raises", reason(Ending.start("c", {"terminate": lambda reason: _raise("oops")})))
    log("terminate_exits", reason(Ending.start("d", {"terminate": lambda reason: exit("other")})))
    e = Ending.start("e", {"terminate": slowly})
    log("waits", answer(stop, e), alive(e))
    f = Waiting.start("f")
    cast(f, "wait")
    log("timeout", reason(f, "normal", timeout=0.03), alive(f))
    log("mailbox", flush())
    kill(f)


def g56_casts_never_fail(log: Log) -> None:
    srv = Srv.start("srv")
    log("cast", attempt(cast, srv, "hello", none="ok"))
    log("served", call(srv, "ping"))
    stop(srv)
    log("dead", attempt(cast, srv, "hello", none="ok"))
    log("unknown_name", attempt(cast, "no_such_server", "hello", none="ok"))
    log("not_a_server", attempt(cast, idle("plain"), "hello", none="ok"))
    log("mailbox", flush())


class Setting(Srv):
    """A Srv that a call sets too, answering with what was there before."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case "set", value:
                before, self.state = self.state, value
                return ("was", before)
            case _:
                return super().handle_call(request, caller)


def g57_one_sender_is_served_in_order(log: Log) -> None:
    srv = Setting.start("srv")
    cast(srv, "c1")
    send(srv, "i1")
    cast(srv, "inc")
    log("state", call(srv, "get"))
    send(srv, "i2")
    cast(srv, "c2")
    log("set", call(srv, ("set", 10)))
    send(srv, "i3")
    cast(srv, ("stop", "normal"))
    log("after_stop", attempt(call, srv, "get"))


class RepliesEarly(Ending):
    """A Srv that answers before it says that it stops."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        reply(caller, "early")
        return Stop("boom")


def g58_stop_with_reply_order(log: Log) -> None:
    flag(trap_exit=True)

    def slowly(reason: Any) -> None:
        settle(20)
        log(log.names[self_()], "terminate", reason)

    srv = Ending.start_link("srv", {"terminate": slowly})
    log("reply", call(srv, ("stop", "boom", "farewell")))
    log("then_exit", await_exit(srv))
    s2 = Ending.start_link("s2", {"terminate": lambda reason: _raise("oops")})
    log("terminate_fails", attempt(call, s2, ("stop", "normal", "farewell")))
    log("then_exit", await_exit(s2))
    s3 = RepliesEarly.start_link("s3", {"terminate": slowly})
    log("replied_early", call(s3, "early"))
    log("then_exit", await_exit(s3))
    log("mailbox", flush())


def g60_a_system_message_renews_the_timeout(log: Log) -> None:
    srv = Srv.start("srv", {"init": Timeout(0.4)})
    settle(200)
    log("state", sys.get_state(srv)["state"])
    settle(300)
    log("not_yet")
    settle(300)
    log("then", call(srv, "ping"))


def g67_a_timeout_and_those_who_hold_the_server(log: Log) -> None:
    held = Srv.start("held", {"init": Timeout(0.2)})
    sys.suspend(held)
    settle(400)
    log("no_timeout_while_suspended")
    sys.get_state(held)
    sys.resume(held)
    settle(100)
    log("begun_anew")
    settle(200)
    told = Srv.start("told", {"init": Timeout(0.2)})
    sys.suspend(told)
    send(told, "queued")
    sys.resume(told)
    settle(400)
    log("cancelled_by_what_came_meanwhile")
    asked = Srv.start("asked", {"init": Timeout(0.2)})
    suspend(asked)
    for _ in range(3):
        spawn(sys.get_state, asked)
    settle(20)
    resume(asked)
    settle(100)
    log("several_questions")
    settle(200)


class Continuing(Srv):
    """A Srv that goes on with a continue wherever it is told to."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case "later", then:
                send(self.options["main"], ("kept", caller))
                return Continue(then)
            case _:
                return super().handle_call(request, caller)

    def handle_cast(self, message: Any) -> Any:
        match message:
            case "continue", then:
                return Continue(then)
            case _:
                return super().handle_cast(message)

    def handle_info(self, message: Any) -> Any:
        match message:
            case "continue", then:
                return Continue(then)
            case _:
                return super().handle_info(message)

    def handle_continue(self, term: Any) -> Any:
        match term:
            case "more", 0:
                log("srv", "continue", "last")
            case "more", n:
                log("srv", "continue", n)
                return Continue(("more", n - 1))
            case "stop_now":
                log("srv", "continue", term)
                return Stop("done")
            case "then_timeout":
                log("srv", "continue", term)
                return Timeout(0)
        return None


def g61_continue_order(log: Log) -> None:
    def ask_for_later() -> None:
        log("client", call(srv, ("later", ("more", 1))))
        send(main, "done")

    main = self_()
    srv = Continuing.start("srv", {"main": main})
    cast(srv, ("continue", ("more", 2)))
    cast(srv, "queued")
    log("call", call(srv, "ping"))
    send(srv, ("continue", ("more", 0)))
    send(srv, "queued")
    log("call", call(srv, "ping"))
    send(idle("client"), ask_for_later)
    _, caller = receive(("kept", ANY), timeout=5)
    log("call", call(srv, "ping"))
    reply(caller, "answered")
    receive("done", timeout=5)
    cast(srv, ("continue", "then_timeout"))
    settle()
    ref = monitor(srv)
    cast(srv, ("continue", "stop_now"))
    cast(srv, "never_seen")
    log("down", await_down(ref))


def g62_parents_and_terminate(log: Log) -> None:
    def unlinked(parent: Pid) -> None:
        ask(parent, lambda: [unlink(pid) for pid in info(parent, "links")])
        exit(parent, "kill")

    ends: list[tuple[str, Callable[[Pid], Any]]] = [
        ("killed", lambda parent: exit(parent, "kill")),
        ("normal", lambda parent: send(parent, lambda: exit("normal"))),
        ("boom", lambda parent: send(parent, lambda: exit("boom"))),
        ("unlinked", unlinked),
    ]
    for trap in (False, True):
        for how, end in ends:
            parent = idle("parent")
            srv = ask(parent, partial(Srv.start_link, "srv", {"trap": trap}))
            log("---", ("trap", trap), how)
            ref = monitor(srv)
            end(parent)
            settle()
            if alive(srv):
                log("alive")
                kill(srv)
            else:
                log("down", await_down(ref))


class Through(Srv):
    """A Srv that can call another one for its caller."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case "through", server, inner, timeout:
                return call(server, inner, timeout=timeout)
            case _:
                return super().handle_call(request, caller)


def g63_calls_within_calls(log: Log) -> None:
    a, b = Through.start("a"), Through.start("b")
    log("through", call(a, ("through", b, "ping", 5)))
    log("inner_server_died", attempt(call, a, ("through", b, ("stop", "boom"), 5)))
    log("alive", alive(a), alive(b))
    c, d = Through.start("c"), Through.start("d")
    log("circle", attempt(call, c, ("through", d, ("through", c, "ping", 0.04), 5)))
    e = Through.start("e")
    log("calls_itself", attempt(call, e, ("through", e, "ping", 5)))
    log("mailbox", flush())


class TimingOut(Srv):
    """A Srv that asks for a timeout where it is told to, and says so when it comes."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case "reply_then", seconds:
                return Reply("ok", then=Timeout(seconds))
            case _:
                return super().handle_call(request, caller)

    def handle_cast(self, message: Any) -> Any:
        match message:
            case "then", seconds:
                return None if seconds is None else Timeout(seconds)
            case _:
                return super().handle_cast(message)

    def handle_info(self, message: Any) -> None:
        log("srv", message)


def g64_timeout_returns(log: Log) -> None:
    srv = TimingOut.start("srv")
    log("after_a_reply", call(srv, ("reply_then", 0.02)))
    settle()
    cast(srv, ("then", 0.04))
    settle(20)
    cast(srv, "cancels_it")
    settle(80)
    log("no_timeout")
    cast(srv, ("then", 0.04))
    settle(20)
    log("a_call_cancels_it", call(srv, "ping"))
    settle(80)
    cast(srv, ("then", 0.02))
    cast(srv, ("then", 0))
    settle(80)
    cast(srv, ("then", None))
    settle(80)
    log("once_each")
