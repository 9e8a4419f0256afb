import copy
import pickle
import signal
from typing import Any

import pytest
from gevent import GreenletExit, Timeout

from runtime import (
    ChildSpec,
    DynamicSupervisor,
    Exit,
    GenServer,
    Instrument,
    Pid,
    StartError,
    Supervisor,
    alive,
    exit,
    flag,
    flush,
    get_childspec,
    install_instrument,
    process_info,
    receive,
    remove_instrument,
    restart_child,
    run,
    self_,
    send,
    sleep,
    spawn_link,
    start_child,
    stop,
    terminate_child,
    unlink,
    which_children,
)
from runtime.kernel.process import OUTSIDE
from runtime.supervision.child import Child, is_expected, shut_down, start_process
from runtime.terms.isolation import isolate
from tests.support.in_node import in_node
from tests.support.recording_server import Member, diary, member, member_pid, started


class Idle(GenServer):
    """A server that only waits."""


@in_node
def test_a_start_function_may_fail_in_any_way() -> None:
    def raises() -> Any:
        raise KeyError("gone")

    sup = started([])
    for function, reason in [
        (lambda: "garbage", "garbage"),
        (lambda: exit("tired"), ("EXIT", "tired")),
    ]:
        with pytest.raises(StartError) as caught:
            start_child(sup, ChildSpec("x", (function,)))
        assert caught.value.reason == reason
    with pytest.raises(StartError) as caught:
        start_child(sup, ChildSpec("x", (raises,)))
    tag, crash_ = caught.value.reason
    assert (tag, crash_.exception) == ("EXIT", "KeyError")
    assert which_children(sup) == []


ANY_CLASS = [SystemExit(3), GeneratorExit(), KeyboardInterrupt(), Timeout(5), GreenletExit()]
"""What is no `Exception`."""


@in_node
def test_a_start_function_that_raises_what_is_no_exception_fails_as_any_other() -> None:
    def raises() -> Any:
        raise error

    flag(trap_exit=True)
    ordered, dynamic = started([]), DynamicSupervisor.start_link()
    assert dynamic is not None
    for error in ANY_CLASS:
        name = type(error).__name__
        for sup in (ordered, dynamic):
            with pytest.raises(StartError, match=name) as caught:
                start_child(sup, ChildSpec("x", (raises,)))
            reason = caught.value.reason
            assert (reason[1] if sup is ordered else reason).exception.endswith(name)
        with pytest.raises(StartError, match=rf"child odd did not start: .*{name}.* \(.*in raises\)"):
            Supervisor.start([ChildSpec("odd", (raises,))])
    assert alive(ordered)
    assert alive(dynamic)


@in_node
def test_a_restart_that_raises_what_is_no_exception_is_tried_again() -> None:
    failures: list[BaseException] = [*ANY_CLASS]
    begun: list[int] = []

    def start() -> Any:
        if begun and failures:
            raise failures.pop()
        begun.append(1)
        return Member.start_link("x")

    sup = started([ChildSpec("x", (start,))], max_restarts=10)
    exit(member_pid(sup, "x"), "kill")
    while failures or len(begun) < 2:
        sleep(0.01)
    assert alive(sup)


@in_node
def test_each_start_gets_the_arguments_as_they_were_given() -> None:
    class Greedy(GenServer):
        def init(self, items: list[int]) -> None:
            items.append(1)
            self.size = len(items)

        def handle_call(self, request: Any, caller: Any) -> Any:
            return self.size

    sup = started([(Greedy, [])])
    exit(member_pid(sup, "Greedy"), "kill")
    sleep(0.01)
    assert get_childspec(sup, "Greedy").start[1:] == ([],)


@in_node
def test_a_child_that_takes_too_long_to_stop_is_killed() -> None:
    sup = started([member("slow", slow=60.0, shutdown=0.5), member("quick")])
    exit(sup, "shutdown")
    assert receive(Exit, timeout=1.0).reason == "shutdown"
    assert diary() == [("end", "quick", "shutdown")]


@in_node
def test_an_extra_value_of_the_start_function_is_given_back() -> None:
    def start() -> tuple[Pid | None, str]:
        return Member.start_link("x"), "extra"

    sup = started([])
    pid, extra = start_child(sup, ChildSpec("x", (start,)))
    assert (member_pid(sup, "x"), extra) == (pid, "extra")
    terminate_child(sup, "x")
    assert restart_child(sup, "x") == (member_pid(sup, "x"), "extra")


@in_node
def test_a_start_function_may_return_a_list_and_nothing_else_that_holds_a_pid() -> None:
    pid = spawn_link(receive)
    assert start_process(list, ([pid, "extra"],)) == (pid, "extra")
    for result in ([pid], [pid, 1, 2], ["extra", pid], {pid: 1}, "ab"):
        with pytest.raises(StartError) as caught:
            start_process(type(result), (result,))
        assert caught.value.reason == result


class Liar:
    """Says that it is a Pid."""

    @property  # type: ignore[misc]  # objects can change their class
    def __class__(self) -> Any:
        return Pid


class Reluctant:
    """Does not say what it is."""

    @property  # type: ignore[misc]  # objects can change their class
    def __class__(self) -> Any:
        raise ValueError


class Endless(tuple[Any, ...]):
    def __len__(self) -> int:
        raise OverflowError


@in_node
def test_a_result_of_a_start_function_that_cannot_be_looked_at_is_a_start_that_fails() -> None:
    flag(trap_exit=True)
    ordered, dynamic = started([]), DynamicSupervisor.start_link()
    assert dynamic is not None
    for result in (Liar(), Reluctant(), Endless((1, 2))):
        for sup in (ordered, dynamic):
            with pytest.raises(StartError):
                start_child(sup, ChildSpec("x", (lambda result=result: result,)))
    assert alive(ordered)
    assert alive(dynamic)


def test_handlers_of_signals_have_their_turn_while_many_children_are_stopped() -> None:
    left: set[int] = set()
    first = last = OUTSIDE

    def note(number: int, frame: object) -> None:
        left.add(sum(alive(pid) for pid in (first, last)))

    def main() -> None:
        nonlocal first, last
        sup = started([ChildSpec(n, (Idle.start_link,)) for n in range(20_000)])
        first, last = member_pid(sup, 0), member_pid(sup, 19_999)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.002, 0.002)
        stop(sup)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    before = signal.signal(signal.SIGVTALRM, note)
    try:
        run(main)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    assert 1 in left  # the last one was dead, the first one not yet


@in_node
def test_a_child_that_was_dead_already_is_reported_with_its_own_reason() -> None:
    flag(trap_exit=True)
    pid = spawn_link(exit, "boom")
    sleep(0.01)
    assert shut_down(pid, member("a")) == "boom"
    assert flush() == []


@in_node
def test_a_child_that_has_unlinked_itself_is_waited_for() -> None:
    flag(trap_exit=True)
    parent = self_()

    def stranger() -> None:
        unlink(parent)
        receive("never")

    pid = spawn_link(stranger)
    sleep(0.01)
    assert shut_down(pid, member("a")) is None
    assert not alive(pid)
    assert flush() == []


class Quiet(GenServer):
    """Has no work, so that nothing of it runs when it ends."""


def pid_of(started: Pid | None) -> Pid:
    """Return the Pid of a server that did start."""
    assert started is not None
    return started


@pytest.mark.parametrize("shutdown", ["brutal_kill", 5.0, "infinity"])
@pytest.mark.parametrize("start", [Quiet.start, Quiet.start_link])
@in_node
def test_the_end_of_a_server_without_work_leaves_other_messages_where_they_are(start: Any, shutdown: Any) -> None:
    flag(trap_exit=True)
    spec, waiting = ChildSpec("a", (start,), shutdown=shutdown), []
    for number in range(4):
        child, other = pid_of(start()), pid_of(Quiet.start_link())
        assert shut_down(child, spec) is None
        assert not alive(child)
        waiting += [number, Exit(other, "gone")]
        send(self_(), number)
        exit(other, "gone")
        if number == 1:
            receive("none", timeout=0, default=None)  # which saves what it has refused
    assert process_info(self_(), "monitors", "links") == {"monitors": [], "links": []}
    assert flush() == waiting


@in_node
def test_a_message_that_waits_alone_is_no_exit_of_a_child_that_sends_none() -> None:
    child = pid_of(Quiet.start())
    send(self_(), "mine")
    assert shut_down(child, member("a")) is None
    assert flush() == ["mine"]


@in_node
def test_the_oldest_exit_of_a_child_says_why_it_ended() -> None:
    flag(trap_exit=True)
    child = pid_of(Quiet.start_link())
    send(self_(), Exit(child, "boom"))
    receive("none", timeout=0, default=None)  # which saves what it has refused
    assert shut_down(child, member("a")) == "boom"
    assert flush() == [Exit(child, "shutdown")]


@in_node
def test_a_child_that_traps_exits_is_asked_once_to_stop() -> None:
    class Stubborn(GenServer):
        def init(self, starter: Pid) -> None:
            flag(trap_exit=True)
            self.starter = starter

        def handle_info(self, message: Any) -> None:
            send(self.starter, message)

    child = pid_of(Stubborn.start(self_()))
    assert shut_down(child, member("a", shutdown=0.01)) == "killed"
    assert flush() == [Exit(self_(), "shutdown")]


@in_node
def test_an_instrument_is_told_of_the_exit_of_a_child_that_ends_at_once() -> None:
    class Listener(Instrument):
        def received(self, process: Any, message: Any) -> None:
            heard.append(message)

    heard: list[Any] = []
    flag(trap_exit=True)
    child = pid_of(Quiet.start_link())
    install_instrument(listener := Listener())
    try:
        shut_down(child, member("a"))
    finally:
        remove_instrument(listener)
    assert heard == [Exit(child, "shutdown")]


@pytest.mark.parametrize(
    ("reason", "restart", "signal", "expected"),
    [
        ("shutdown", "permanent", "shutdown", True),
        ("normal", "permanent", "shutdown", False),
        (("shutdown", 1), "permanent", "shutdown", False),
        ("normal", "transient", "shutdown", True),
        ("killed", "permanent", "shutdown", False),
        ("killed", "permanent", "kill", True),
        ("shutdown", "permanent", "kill", False),
        ("boom", "temporary", "shutdown", False),
    ],
)
def test_which_reason_of_a_stopped_child_is_worth_a_report(
    reason: Any, restart: Any, signal: str, expected: bool
) -> None:
    assert is_expected(reason, member("a", restart=restart), signal) == expected


def test_a_record_counts_restarts_and_keeps_the_count_when_its_spec_changes() -> None:
    spec = ChildSpec(id="a", start=(spawn_link, receive))
    changed = ChildSpec(id="a", start=(spawn_link, receive), restart="transient")
    child = Child(spec)
    assert (child.spec, child.restarts) == (spec, 0)
    child.count_restart()
    child.count_restart()
    assert (child.spec, child.restarts) == (spec, 2)
    child.spec = changed
    assert (child.spec, child.restarts) == (changed, 2)


def test_a_copy_of_a_record_is_as_the_record_is() -> None:
    child = Child(ChildSpec(id="a", start=(spawn_link, receive)), OUTSIDE)
    child.count_restart()
    for record in (copy.deepcopy(child), pickle.loads(pickle.dumps(child)), isolate(child)):
        assert type(record) is Child
        assert record is not child
        assert (record.spec.id, record.restarts, record.at) == ("a", 1, OUTSIDE)


def test_a_record_that_was_never_restarted_takes_a_change_of_its_spec() -> None:
    child = Child(ChildSpec(id="a", start=(spawn_link, receive)))
    child.spec = changed = ChildSpec(id="a", start=(spawn_link, receive), type="supervisor")
    assert (child.spec, child.restarts) == (changed, 0)


class Unfriendly:
    """Starts a child, and objects to every look at it."""

    def __call__(self) -> Pid:
        return spawn_link(receive, "never")

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)


class UnfriendlyList(list[Any]):
    def __iter__(self) -> Any:
        if self_() not in self[1:]:
            raise AssertionError
        return super().__iter__()


@in_node
def test_no_look_at_a_child_runs_code_of_the_programs_in_the_supervisor() -> None:
    modules = UnfriendlyList([int, self_()])
    sup = started([ChildSpec("a", (Unfriendly(),)), ChildSpec("b", (Unfriendly(),), modules=modules)])
    assert [info.modules for info in which_children(sup)] == [[int, self_()], [__name__]]
    assert get_childspec(sup, "a").id == "a"
    terminate_child(sup, "a")
    assert alive(sup)
