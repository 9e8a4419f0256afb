"""Whatever a process does ends at its own boundary: the table of `runtime/CONTAINMENT.md`, row by row."""

import contextvars
import gc
import logging
import subprocess
import sys
import textwrap
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import gevent
import gevent.local
import gevent.subprocess
import gevent.threadpool
import pytest
from greenlet import GreenletExit

from runtime import (
    ANY,
    CallError,
    ChildSpec,
    Crash,
    Down,
    Exit,
    GenServer,
    Instrument,
    StartError,
    Stop,
    Supervisor,
    alive,
    call,
    cast,
    exit,
    flag,
    install,
    link,
    monitor,
    process_info,
    receive,
    register,
    remove,
    run,
    self_,
    send,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
    stop,
    whereis,
)
from runtime.kernel.node import running_node
from runtime.terms.text import render
from tests.support.in_node import in_node


def end_of(function: Callable[..., Any], *args: Any) -> Any:
    """Run a function in a process of its own and give that one's exit reason."""
    pid, ref = spawn_monitor(function, *args)
    return receive(Down(ref, pid, ANY)).reason


def raises(error: BaseException) -> NoReturn:
    raise error


def script(text: str, *arguments: str, status: int = 0) -> str:
    """Run a program in an operating-system process of its own and give what it prints."""
    program = [sys.executable, "-c", textwrap.dedent(text), *arguments]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    return done.stdout


# -- Exceptions -------------------------------------------------------------------------------------------------------


class Unspeakable(Exception):
    """Cannot even be shown."""

    def __str__(self) -> str:
        raise SystemExit("no words")

    __repr__ = __str__


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ValueError("wrong"), "ValueError"),
        (SystemExit(3), "SystemExit"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GreenletExit(), "greenlet.GreenletExit"),
        (GeneratorExit(), "GeneratorExit"),
        (StopIteration(), "StopIteration"),
        (BaseExceptionGroup("several", [SystemExit(1)]), "BaseExceptionGroup"),
        (Unspeakable(), "tests.runtime.containment.test_containment.Unspeakable"),
    ],
)
def test_an_exception_of_any_kind_ends_its_process_alone(error: BaseException, name: str) -> None:
    @in_node
    def test() -> None:
        other = spawn(receive)
        reason = end_of(raises, error)
        assert isinstance(reason, Crash)
        assert reason.exception == name
        assert alive(other)

    test()


@in_node
def test_endless_recursion_ends_its_process_alone() -> None:
    def deeper(level: int) -> int:
        return deeper(level + 1) + 1

    reason = end_of(deeper, 0)
    assert reason.exception == "RecursionError"
    assert len(reason.stacktrace) < 50
    assert end_of(lambda: None) == "normal"


def test_a_process_that_takes_all_memory_ends_and_the_others_go_on() -> None:
    printed = script(
        """
        import logging, resource
        from runtime import Down, GenServer, call, receive, run, spawn_monitor

        logging.disable()

        class Counter(GenServer):
            def init(self):
                self.count = 0
            def handle_call(self, request, caller):
                self.count += 1
                return self.count

        def in_one_piece():
            return bytearray(1 << 40)

        def in_small_pieces():
            pieces = []
            while True:
                pieces.append([bytearray(50) for _ in range(20)])

        def main():
            counter = Counter.start_link()
            with open("/proc/self/statm") as sizes:
                limit = int(sizes.read().split()[0]) * resource.getpagesize() + (100 << 20)
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            for leak in (in_one_piece, *[in_small_pieces] * 5):
                spawn_monitor(leak)
                print(receive(Down).reason.exception, call(counter, "next"))

        run(main)
        """
    )
    assert printed == "".join(f"MemoryError {number}\n" for number in range(1, 7))


class Faulty(GenServer):
    """Raises where it is told to."""

    def init(self, where: str, error: BaseException) -> None:
        self.where, self.error = where, error
        self.maybe("init")

    def maybe(self, where: str) -> None:
        if where == self.where:
            raise self.error

    def handle_call(self, request: Any, caller: Any) -> str:
        self.maybe("handle_call")
        return "fine"

    def handle_cast(self, message: Any) -> None:
        self.maybe("handle_cast")

    def handle_info(self, message: Any) -> None:
        self.maybe("handle_info")

    def terminate(self, reason: Any) -> None:
        self.maybe("terminate")

    def format_status(self, state: dict[str, Any]) -> Any:
        self.maybe("format_status")
        return state


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyboardInterrupt(), GreenletExit()])
@pytest.mark.parametrize("where", ["handle_call", "handle_cast", "handle_info", "terminate", "format_status"])
def test_an_exception_in_a_callback_ends_its_server_alone(where: str, error: BaseException) -> None:
    @in_node
    def test() -> None:
        pid = Faulty.start(where, error)
        ref = monitor(pid)
        match where:
            case "handle_call":
                with suppress(Exception):
                    call(pid, "x")
            case "handle_cast":
                cast(pid, "x")
            case "handle_info":
                send(pid, "x")
            case "terminate":
                with suppress(Exception):
                    stop(pid)
            case "format_status":
                with suppress(Exception):
                    stop(pid, "bad")
        reason = receive(Down(ref, ANY, ANY)).reason
        assert reason == "bad" if where == "format_status" else isinstance(reason, Crash)
        assert call(Faulty.start_link("nowhere", error), "x") == "fine"

    test()


def test_a_terminate_that_hangs_is_cut_when_the_time_of_its_shutdown_is_over() -> None:
    class Clinging(GenServer):
        def init(self) -> None:
            flag(trap_exit=True)
            register("clinging", self_())

        def terminate(self, reason: Any) -> None:
            while True:
                with suppress(BaseException):
                    sleep(1_000)

    @in_node
    def test() -> None:
        supervisor = Supervisor.start_link([ChildSpec(id="c", start=(Clinging.start_link,), shutdown=2.0)])
        ref = monitor("clinging")
        stop(supervisor, "shutdown")
        assert receive(Down(ref, ANY, ANY)).reason == "killed"

    test()


# -- While a failure is reported --------------------------------------------------------------------------------------


class Refusing(logging.Handler):
    """A log handler that fails in its own way."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def emit(self, record: logging.LogRecord) -> None:
        raise self.error


@contextmanager
def logged_by(handler: logging.Handler) -> Iterator[None]:
    logger = logging.getLogger("runtime")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyboardInterrupt(), MemoryError()])
def test_an_exception_while_a_crash_is_reported_changes_nothing(error: BaseException) -> None:
    @in_node
    def test() -> None:
        with logged_by(Refusing(error)):
            assert end_of(raises, ValueError("the real one")).message == "the real one"
            pid = Faulty.start("handle_cast", ValueError("the real one"))
            ref = monitor(pid)
            cast(pid, "x")
            assert receive(Down(ref, ANY, ANY)).reason.message == "the real one"

    test()


def test_an_instrument_that_raises_is_removed_and_the_process_ends_as_it_should() -> None:
    class Broken(Instrument):
        def exited(self, process: Any, reason: Any, cause: Any) -> None:
            raise SystemExit(1)

    @in_node
    def test() -> None:
        broken = Broken()
        install(broken)
        try:
            assert end_of(lambda: None) == "normal"
        finally:
            remove(broken)

    test()


class Silent:
    """Cannot be shown, compared or hashed."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __repr__(self) -> str:
        raise self.error

    def __eq__(self, other: object) -> bool:
        raise self.error

    def __hash__(self) -> int:
        raise self.error


def endless() -> str:
    while True:
        pass


class Endless:
    """Takes for ever to be shown."""

    def __repr__(self) -> str:
        return endless()


class Waiting:
    """Waits for ever when it is to be shown."""

    def __repr__(self) -> str:
        return str(receive())


@pytest.mark.parametrize("error", [ValueError(), SystemExit(), RecursionError(), MemoryError()])
def test_a_value_whose_repr_raises_is_shown_as_such(error: BaseException) -> None:
    assert render([1, Silent(error)]) == f"[1, <Silent whose __repr__ raised {type(error).__name__}>]"


def test_a_value_whose_repr_never_ends_is_cut_and_others_beside_it_are_shown() -> None:
    shown = render([1, Endless(), {"two": 2}])
    assert shown == "[1, <Endless whose __repr__ takes too long>, {'two': 2}]"


def test_several_values_whose_reprs_never_end_share_one_limit_of_time() -> None:
    assert render([Endless()] * 3).count("takes too long") == 3


def test_a_tracer_of_the_programs_own_is_left_in_place() -> None:
    seen = []

    def tracer(frame: Any, event: str, argument: Any) -> None:
        seen.append(event)

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        render(Silent(ValueError()))
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
    assert seen


@pytest.mark.parametrize("kind", [Endless, Waiting])
def test_a_state_that_cannot_be_shown_does_not_keep_its_server_from_ending(
    kind: type, caplog: pytest.LogCaptureFixture
) -> None:
    class Holder(GenServer):
        def init(self) -> None:
            self.value = kind()

        def handle_cast(self, message: Any) -> None:
            raise ValueError(message)

    def main() -> Any:
        pid = Holder.start()
        ref = monitor(pid)
        cast(pid, "now")
        return receive(Down(ref, ANY, ANY)).reason

    assert run(main).message == "now"
    assert f"<{kind.__name__} whose __repr__ takes too long>" in caplog.text


class Verbose(Exception):
    """Takes for ever to say what is wrong."""

    def __str__(self) -> str:
        return endless()


def test_an_exception_whose_text_never_ends_is_a_reason_all_the_same() -> None:
    reason = run(lambda: end_of(raises, Verbose()))
    assert reason.exception.endswith("Verbose")
    assert "OutOfTime" in reason.message


# -- Values in messages and reasons -----------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError(), RecursionError()])
def test_a_message_that_cannot_be_compared_matches_no_value_and_stays(error: BaseException) -> None:
    @in_node
    def test() -> None:
        send(self_(), Silent(error))
        send(self_(), ("tag", Silent(error)))
        send(self_(), "wanted")
        assert receive("wanted", ("tag", 1), {"a": 1}) == "wanted"
        assert type(receive(Silent)) is Silent
        assert receive(("tag", ANY))[0] == "tag"

    test()


@in_node
def test_a_reason_that_cannot_be_compared_ends_its_process_and_no_supervisor() -> None:
    class Member(GenServer):
        def init(self) -> None:
            register("member", self_())

    supervisor: Any = Supervisor.start_link([ChildSpec(id="m", start=(Member.start_link,), restart="transient")])
    first = whereis("member")
    assert first is not None
    ref = monitor(first)
    exit(first, Silent(ValueError()))
    assert type(receive(Down(ref, ANY, ANY)).reason) is Silent
    sleep(0.1)
    assert whereis("member") not in (None, first)
    assert alive(supervisor)
    reason = (Silent(ValueError()), 1)
    exit(whereis("member"), reason)
    sleep(0.1)
    assert alive(supervisor)


@in_node
def test_an_init_that_stops_with_a_reason_that_cannot_be_compared_fails_for_its_starter_alone() -> None:
    class Never(GenServer):
        def init(self) -> Any:
            return Stop(Silent(ValueError()))

    with pytest.raises(StartError) as caught:
        Never.start()
    assert type(caught.value.reason) is Silent


# -- Being killed -----------------------------------------------------------------------------------------------------


@in_node
def test_who_swallows_the_kill_for_ever_is_dead_all_the_same() -> None:
    turns = []

    def stubborn() -> None:
        register("stubborn", self_())
        while True:
            try:
                sleep(1)
            except BaseException:
                turns.append(1)
                with suppress(BaseException):
                    send("stubborn", "still here")

    pid, _ = spawn_monitor(stubborn)
    sleep(0.1)
    exit(pid, "kill")
    assert receive(Down).reason == "killed"
    assert not alive(pid)
    assert whereis("stubborn") is None
    assert turns
    node = running_node()
    assert node is not None
    assert len(node.scheduler.remains) == 1


@in_node
def test_a_server_that_swallows_the_kill_for_ever_is_restarted() -> None:
    class Stubborn(GenServer):
        def init(self) -> None:
            register("stubborn", self_())

        def handle_cast(self, message: Any) -> None:
            while True:
                with suppress(BaseException):
                    sleep(1)

    Supervisor.start_link([(Stubborn,)])
    first = whereis("stubborn")
    assert first is not None
    cast("stubborn", "hang")
    sleep(0.1)
    exit(first, "kill")
    sleep(0.1)
    assert whereis("stubborn") not in (None, first)


@in_node
def test_a_callback_that_swallows_the_kill_and_returns_has_changed_nothing() -> None:
    class Swallowing(GenServer):
        def handle_cast(self, message: Any) -> None:
            with suppress(BaseException):
                receive("never")

    for reason in ("kill", "boom"):
        pid: Any = Swallowing.start()
        ref = monitor(pid)
        for _ in range(3):
            cast(pid, "wait")
        sleep(0.1)
        exit(pid, reason)
        assert receive(Down(ref, pid, ANY), timeout=1).reason == ("killed" if reason == "kill" else reason)


@in_node
def test_a_start_whose_init_swallows_the_kill_fails() -> None:
    def kill_soon(name: str) -> None:
        sleep(0.1)
        exit(whereis(name), "kill")

    class Swallowing(GenServer):
        def init(self) -> None:
            with suppress(BaseException):
                receive("never")

    spawn(kill_soon, "swallowing")
    with pytest.raises(StartError) as caught:
        Swallowing.start(name="swallowing")
    assert caught.value.reason == "killed"


@in_node
def test_generators_and_context_managers_are_closed_before_anybody_hears_of_the_death() -> None:
    closed = []

    def numbers() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append("generator")

    @contextmanager
    def opened() -> Iterator[None]:
        try:
            yield
        finally:
            closed.append("context")

    def work() -> None:
        for _ in numbers():
            with opened():
                receive()

    pid, _ = spawn_monitor(work)
    sleep(0.1)
    exit(pid, "kill")
    receive(Down)
    assert sorted(closed) == ["context", "generator"]


@in_node
def test_a_process_that_spawns_in_its_finally_starts_nothing() -> None:
    born = []
    ran: list[int] = []

    def work() -> None:
        try:
            receive()
        finally:
            born.append(spawn(ran.append, 1))

    pid, _ = spawn_monitor(work)
    sleep(0.1)
    exit(pid, "kill")
    receive(Down)
    sleep(0.1)
    assert not alive(born[0])
    assert ran == []


@in_node
def test_one_that_ends_by_itself_may_spawn_in_its_finally() -> None:
    here = self_()

    def work() -> None:
        try:
            exit("over")
        finally:
            spawn(send, here, "from the child")

    spawn(work)
    assert receive() == "from the child"


# -- The stack that is used again -------------------------------------------------------------------------------------


@in_node
def test_nothing_of_gevent_local_or_of_contextvars_reaches_the_next_process() -> None:
    local = gevent.local.local()
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="clean")
    seen = []

    def look() -> None:
        seen.append((getattr(local, "value", "clean"), variable.get(), sys.exc_info()[0]))

    def dirty() -> None:
        local.value = "dirty"
        variable.set("dirty")
        try:
            raise ValueError
        except ValueError:
            exit("with an exception at hand")

    for _ in range(20):
        end_of(dirty)
        end_of(look)
    assert set(seen) == {("clean", "clean", None)}


@in_node
def test_each_server_keeps_its_own_context_variables() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")

    class Keeper(GenServer):
        def handle_call(self, request: Any, caller: Any) -> str:
            if request is not None:
                variable.set(request)
            value: str = variable.get()
            return value

    one, two = Keeper.start_link(), Keeper.start_link()
    assert call(one, "one") == "one"
    assert call(two, None) == "none"
    assert call(one, None) == "one"


def test_a_timeout_that_a_process_leaves_behind_does_not_reach_an_idle_stack() -> None:
    def careless() -> None:
        gevent.Timeout(0.01).start()

    def main() -> Any:
        for _ in range(10):
            end_of(careless)
        gevent.sleep(0.05)
        return end_of(lambda: None)

    assert run(main) == "normal"


@pytest.mark.parametrize(
    "wait",
    [receive, lambda: receive("never", timeout=1_000), lambda: sleep(1_000), lambda: call("mute", "x", timeout=1_000)],
    ids=["receive", "receive with a timeout", "sleep", "call"],
)
def test_a_gevent_timeout_ends_a_wait_of_the_runtime_and_leaves_nothing_of_it(wait: Callable[[], Any]) -> None:
    class Mute(GenServer):
        def handle_call(self, request: Any, caller: Any) -> Any:
            receive("go on")
            return "late"

    def impatient(mute: Any) -> str:
        with suppress(gevent.Timeout), gevent.Timeout(0.01):
            wait()
            return "it did not end"
        send(mute, "go on")
        send(self_(), "to wake who still waits")
        with suppress(gevent.Timeout), gevent.Timeout(0.05):
            gevent.event.Event().wait()  # a wake-up meant for the wait before would end this one
            return "woken for nothing"
        assert receive() == "to wake who still waits"
        assert process_info(self_(), "message_queue_len") == {"message_queue_len": 0}
        return "as it should be"

    def main() -> Any:
        here = self_()
        mute = Mute.start_link(name="mute")
        spawn_link(lambda: send(here, impatient(mute)))
        return receive()

    assert run(main) == "as it should be"


# -- Threads and other operating-system processes ----------------------------------------------------------------------


def test_the_work_of_a_thread_pool_outlives_its_process_and_tells_nobody() -> None:
    done: list[int] = []

    def main() -> list[Any]:
        pool = gevent.threadpool.ThreadPool(1)
        begun = gevent.get_hub().loop.async_()
        event = gevent.event.Event()
        begun.start(event.set)
        blocker = threading.Event()

        def work() -> int:
            begun.send()
            blocker.wait(30)
            done.append(1)
            return 1

        pid, _ = spawn_monitor(pool.apply, work)
        event.wait()
        exit(pid, "kill")
        first = receive(Down).reason
        blocker.set()
        others = [end_of(sleep, 0.001) for _ in range(5)]
        pool.join()
        begun.close()
        pool.kill()
        return [first, *others]

    assert run(main) == ["killed"] + ["normal"] * 5
    assert done == [1]


def test_a_killed_process_ends_the_program_it_has_started_and_leaves_no_zombie() -> None:
    children: list[Any] = []

    def work() -> None:
        child = gevent.subprocess.Popen(["sleep", "60"])
        children.append(child)
        try:
            child.wait()
        finally:
            child.kill()

    def main() -> Any:
        pid, _ = spawn_monitor(work)
        while not children:
            sleep(0.001)
        exit(pid, "kill")
        reason = receive(Down).reason
        children[0].wait()
        return reason

    assert run(main) == "killed"
    assert children[0].returncode == -9


def test_a_process_may_run_programs() -> None:
    def main() -> Any:
        return gevent.subprocess.check_output(["echo", "hello"]), subprocess.check_output(["echo", "again"])

    assert run(main) == (b"hello\n", b"again\n")


FORKS = """
    import os, sys
    import gevent
    from runtime import *

    class Forker(GenServer):
        def handle_call(self, request, caller):
            child = os.fork()
            return child if child else in_child(request)
        def handle_cast(self, message):
            print("cast", os.getpid() == parent, flush=True)

    def in_child(what):
        match what:
            case "return":
                return None
            case "raise":
                raise ValueError("in the child")
            case "exit":
                sys.exit(7)
            case "wait":
                gevent.sleep(0.2)
                print("waited", flush=True)
            case "send":
                send("main", "from the child")
                cast("forker", "from the child")
            case "receive":
                try:
                    receive()
                except RuntimeFault as fault:
                    print(fault, flush=True)
            case "spawn":
                print(alive(spawn(print, "it runs")), flush=True)

    def ticker():
        while True:
            gevent.sleep(0.01)
            sleep(0.01)
            if os.getpid() != parent:
                print("the ticker runs in the child", flush=True)

    def main():
        register("main", self_())
        forker = Forker.start_link(name="forker")
        spawn(ticker)
        sleep(0.03)
        cast(forker, "x") if sys.argv[2] == "queued" else None
        child = call(forker, sys.argv[1]) if sys.argv[2] != "plain" else os.fork() or in_child(sys.argv[1])
        if os.getpid() != parent:
            return print("main goes on in the child", flush=True) if sys.argv[2] != "plain" else None
        _, status = os.waitpid(child, 0)
        sleep(0.05)
        print("status", os.waitstatus_to_exitcode(status), receive(timeout=0, default="no message"), flush=True)

    parent = os.getpid()
    run(main)
    print("over", os.getpid() == parent, flush=True)
"""


@pytest.mark.parametrize("where", ["server", "plain"])
@pytest.mark.parametrize(
    ("what", "printed", "status"),
    [
        ("return", "", 0),
        ("raise", "", 1),
        ("exit", "", 7),
        ("wait", "waited\n", 0),
        ("send", "", 0),
        ("receive", "the child of os.fork() has no processes; start programs with subprocess instead\n", 0),
        ("spawn", "False\n", 0),
    ],
)
def test_the_child_of_a_fork_runs_the_code_that_forked_and_nothing_else_of_the_node(
    where: str, what: str, printed: str, status: int
) -> None:
    assert script(FORKS, what, where) == f"{printed}status {status} no message\nover True\n"


def test_a_child_that_was_forked_outside_any_process_may_have_a_node_of_its_own() -> None:
    printed = script(
        """
        import os
        import gevent
        from runtime import *

        def hold():
            spawn(receive)
            gevent.sleep(0)
            child = os.fork()
            if not child:
                print(processes(), run(lambda: len(processes())), flush=True)
                os._exit(0)
            os.waitpid(child, 0)
            print(len(processes()))

        hold()
        """
    )
    assert printed == "[] 1\n1\n"


# -- The boundary itself ----------------------------------------------------------------------------------------------


def test_an_exception_that_a_body_lets_through_ends_its_process_and_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> NoReturn:
        raise MemoryError

    @in_node
    def test() -> None:
        with monkeypatch.context() as patch:
            patch.setattr("runtime.kernel.body.process_crashed", broken)
            pid, _ = spawn_monitor(raises, ValueError())
            reason = receive(Down).reason
        assert reason.exception == "MemoryError"
        assert not alive(pid)
        assert end_of(lambda: None) == "normal"

    test()


@in_node
def test_links_carry_the_reason_of_a_crash_whatever_it_was() -> None:
    flag(trap_exit=True)
    pid = spawn(raises, KeyboardInterrupt())
    link(pid)
    got = receive(Exit)
    assert (got.pid, got.reason.exception) == (pid, "KeyboardInterrupt")


def test_what_a_program_raises_in_its_first_process_comes_out_of_run() -> None:
    with pytest.raises(Unspeakable):
        run(raises, Unspeakable())


@in_node
def test_a_server_that_dies_over_a_request_is_gone_without_the_garbage_collector() -> None:
    class Ending(GenServer):
        def handle_call(self, request: Any, caller: Any) -> Any:
            if request == "raise":
                raise ValueError
            return Stop(request)

    gc.collect()
    gc.disable()
    logging.disable()  # what keeps a report keeps the server's last message
    try:
        for request in ("raise", "boom", "normal"):
            pid = Ending.start()
            assert pid is not None
            assert pid.process is not None
            server = weakref.ref(pid.process.body)
            with suppress(CallError):
                call(pid, request)
            sleep(0.01)
            assert server() is None
    finally:
        logging.disable(logging.NOTSET)
        gc.enable()
