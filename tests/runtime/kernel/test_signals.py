"""Exit signals, links and monitors: who hears of which death, with which reason, and how often."""

from contextlib import suppress
from typing import Any, ClassVar

import gevent
import pytest
from gevent.exceptions import BlockingSwitchOutError

from runtime import (
    ANY,
    CallError,
    ChildSpec,
    Crash,
    Down,
    Exit,
    GenServer,
    NoProcessError,
    ProcessKilled,
    Stop,
    Supervisor,
    alive,
    call,
    demonitor,
    exit,
    flag,
    flush,
    link,
    monitor,
    process_info,
    receive,
    register,
    self_,
    send,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
    unlink,
    whereis,
    which_children,
)
from runtime.kernel.signals import link_processes, unlink_processes
from tests.support.in_node import in_node

REASONS = ["boom", "shutdown", ("shutdown", "x"), "killed", "normal", 17, None]


def parent_of_one_that_exits(reason: Any) -> None:
    """Outlive the child, if that is possible."""
    spawn_link(exit, reason)
    receive("never")


@in_node
def test_a_link_takes_who_does_not_trap_along_for_every_reason_but_normal() -> None:
    for reason in REASONS:
        pid, ref = spawn_monitor(parent_of_one_that_exits, reason)
        down = receive(Down(ref, ANY, ANY), timeout=1, default=None)
        assert (None if down is None else down.reason) == (None if reason == "normal" else reason)
        assert alive(pid) == (reason == "normal")


@in_node
def test_who_traps_exits_hears_of_every_reason() -> None:
    flag(trap_exit=True)
    for reason in REASONS:
        pid = spawn_link(exit, reason)
        assert receive() == Exit(pid, reason)


@in_node
def test_kill_cannot_be_trapped_but_is_a_reason_like_any_other_through_a_link() -> None:
    def trapping() -> None:
        flag(trap_exit=True)
        receive("never")

    pid, _ = spawn_monitor(trapping)
    sleep(0.1)
    exit(pid, "kill")
    assert receive(Down).reason == "killed"
    flag(trap_exit=True)
    other = spawn_link(exit, "kill")
    assert receive() == Exit(other, "kill")


@in_node
def test_a_link_is_one_however_often_it_is_made_and_goes_from_either_side() -> None:
    flag(trap_exit=True)
    here = self_()
    pid = spawn_link(receive)
    link(pid)
    link(pid)
    assert process_info(pid, "links") == {"links": [here]}
    unlink(pid)
    assert process_info(pid, "links") == {"links": []}
    exit(pid, "boom")
    assert receive(timeout=1, default="nothing") == "nothing"


@in_node
def test_a_death_runs_along_a_chain_of_thousands_of_links() -> None:
    def chain(length: int, first: Any) -> None:
        if length:
            spawn_link(chain, length - 1, first)
            receive()
        send(first, "complete")
        exit("the end of the chain")

    _, ref = spawn_monitor(chain, 5_000, self_())
    assert receive() == "complete"
    assert receive(Down).reason == "the end of the chain"
    del ref


@in_node
def test_linking_with_the_dead_is_an_error_or_a_message() -> None:
    pid = spawn(lambda: None)
    sleep(0.1)
    with pytest.raises(NoProcessError):
        link(pid)
    flag(trap_exit=True)
    assert link(pid)
    assert receive() == Exit(pid, "noproc")


@in_node
def test_each_monitor_brings_one_down() -> None:
    pid = spawn(receive)
    refs = [monitor(pid) for _ in range(3)]
    exit(pid, "boom")
    assert sorted(receive(Down) for _ in refs) == [Down(ref, pid, "boom") for ref in refs]
    assert flush() == []


@in_node
def test_a_monitor_of_the_dead_or_of_nobody_brings_a_down_at_once() -> None:
    pid = spawn(lambda: None)
    sleep(0.1)
    ref = monitor(pid)
    assert receive(timeout=0) == Down(ref, pid, "noproc")
    ref = monitor("nobody")
    assert receive(timeout=0) == Down(ref, "nobody", "noproc")


@in_node
def test_a_monitor_by_name_stays_with_the_process_and_speaks_of_the_name() -> None:
    first = spawn(receive, name="holder")
    ref = monitor("holder")
    exit(first, "boom")
    assert receive() == Down(ref, "holder", "boom")
    assert whereis("holder") is None


@in_node
def test_a_name_is_free_before_anybody_hears_of_the_death() -> None:
    pid = spawn(receive, name="holder")
    monitor(pid)
    exit(pid, "kill")
    receive(Down)
    register("holder", self_())


@in_node
def test_demonitor_prevents_a_down_and_flush_takes_one_that_is_there() -> None:
    pid = spawn(receive)
    early, late, kept = monitor(pid), monitor(pid), monitor(pid)
    assert demonitor(early, info=True)
    assert not demonitor(early, info=True)
    exit(pid, "boom")
    sleep(0.1)
    assert demonitor(late, flush=True)
    assert flush() == [Down(kept, pid, "boom")]


@in_node
def test_what_equals_a_down_is_not_taken_in_its_place() -> None:
    class Equal:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    pid = spawn(lambda: None)
    sleep(0.1)
    send(self_(), Equal())
    ref = monitor(pid)
    demonitor(ref, flush=True)
    assert [type(message) for message in flush()] == [Equal]


@in_node
def test_messages_come_before_the_news_of_the_death() -> None:
    here = self_()

    def work() -> None:
        for number in range(5):
            send(here, number)
        exit("over")

    spawn_monitor(work)
    assert [receive() for _ in range(5)] == [*range(5)]
    assert receive().reason == "over"


@in_node
def test_the_first_fatal_signal_wins() -> None:
    pid, _ = spawn_monitor(receive)
    exit(pid, "first")
    exit(pid, "kill")
    assert receive(Down).reason == "first"


@in_node
def test_a_normal_exit_signal_is_ignored_except_by_oneself_and_by_who_traps() -> None:
    pid = spawn(receive, "never")
    exit(pid, "normal")
    assert alive(pid)
    assert alive(self_())

    def end() -> None:
        exit(self_(), "normal")
        receive()

    _, ref = spawn_monitor(end)
    assert receive(Down(ref, ANY, ANY)).reason == "normal"


@in_node
def test_ones_own_exit_can_be_caught() -> None:
    def work() -> None:
        try:
            exit("no")
        except BaseException:
            exit("yes")

    spawn_monitor(work)
    assert receive(Down).reason == "yes"


@in_node
def test_an_exception_is_a_reason_with_its_stack() -> None:
    def fail() -> None:
        raise KeyError("k")

    spawn_monitor(fail)
    reason = receive(Down).reason
    assert reason == Crash("KeyError", "'k'")
    assert reason.stacktrace[-1].function == "fail"
    assert str(reason) == "KeyError: 'k'"


@in_node
def test_a_crash_cannot_be_changed_and_gives_each_who_asks_a_stack_of_its_own() -> None:
    spawn_monitor(lambda: 1 / 0)
    crash = receive(Down).reason
    crash.stacktrace.clear()
    assert crash.stacktrace
    with pytest.raises(AttributeError, match="immutable"):
        crash.message = "another"
    with pytest.raises(AttributeError, match="immutable"):
        del crash.message


@in_node
def test_each_who_hears_of_a_death_has_a_reason_of_its_own() -> None:
    class Ending(GenServer):
        def handle_call(self, request: Any, caller: Any) -> Any:
            return Stop(["why"])

    flag(trap_exit=True)
    pid = Ending.start_link()
    assert pid is not None
    monitor(pid)
    monitor(pid)
    with pytest.raises(CallError) as failed:
        call(pid, "stop")
    reasons = [failed.value.reason, *(message.reason for message in flush())]
    assert reasons == [["why"]] * 4
    assert len({id(reason) for reason in reasons}) == 4


class Uncopied:
    """A reason that makes trouble when it is copied."""

    def __deepcopy__(self, memo: object) -> Any:
        raise SystemExit


@in_node
def test_a_reason_that_cannot_be_copied_is_told_to_all_all_the_same() -> None:
    class Ending(GenServer):
        def handle_info(self, message: Any) -> Any:
            return Stop(reason)

    deep: Any = "end"
    for _ in range(5_000):
        deep = [deep]
    for reason in (Uncopied(), deep):
        pid = Ending.start()
        assert pid is not None
        monitor(pid)
        monitor(pid)
        send(pid, "stop")
        assert receive(Down, timeout=1).reason is reason
        assert receive(Down, timeout=1).reason is reason


@in_node
def test_a_link_between_a_parent_and_its_child_cannot_miss_the_childs_end() -> None:
    flag(trap_exit=True)
    for _ in range(100):
        pid = spawn_link(exit, "at once")
        assert receive() == Exit(pid, "at once")
        pid, ref = spawn_monitor(exit, "at once")
        assert receive() == Down(ref, pid, "at once")


@in_node
def test_a_tag_of_a_monitor_is_copied_and_its_message_is_taken_by_demonitor() -> None:
    tag = ["gone"]
    pid = spawn(receive)
    ref = monitor(pid, tag=tag)
    tag.append("changed")
    exit(pid, "kill")
    sleep(0.01)
    assert receive((["gone"], ANY, ANY, ANY), timeout=0) == (["gone"], ref, pid, "killed")
    late = monitor(pid, tag="late")
    send(self_(), ("another", late, pid, "message"))
    assert demonitor(late, flush=True)
    assert flush() == [("another", late, pid, "message")]


@in_node
def test_the_children_of_a_supervisor_share_the_tuple_that_is_their_one_link() -> None:
    supervisor = Supervisor.start_link([ChildSpec(n, (GenServer.start_link,)) for n in range(6)])
    assert supervisor is not None
    above = supervisor.process
    assert above is not None
    children = [child.pid.process for child in which_children(supervisor)]
    assert {tuple(child.links) for child in children} == {(above,)}
    assert len({id(child.links) for child in children}) < len(children) - 1
    first, second, *others = children
    link_processes(first, second)
    assert second in first.links
    assert first in second.links
    assert all(len(other.links) == 1 for other in others)
    unlink_processes(first, above)
    assert first not in above.links
    assert all(above in other.links for other in (second, *others))


class WaitsAtItsEnd:
    outcomes: ClassVar[list[str]] = []

    def __init__(self, waits: bool) -> None:
        self.waits = waits

    def __del__(self) -> None:
        if self.waits:
            try:
                gevent.sleep(0)
                self.outcomes.append("waited")
            except BlockingSwitchOutError:
                self.outcomes.append("refused")


@pytest.mark.parametrize("is_killed", [False, True])
@in_node
def test_a_death_is_told_whose_messages_have_finalizers_that_would_wait(is_killed: bool) -> None:
    def body() -> None:
        message = WaitsAtItsEnd(True)
        send(self_(), message)
        message.waits = False
        receive("go")

    pid, ref = spawn_monitor(body)
    sleep(0)
    if is_killed:
        exit(pid, "kill")
    else:
        send(pid, "go")
    assert receive(Down, timeout=5) == Down(ref, pid, "killed" if is_killed else "normal")
    assert WaitsAtItsEnd.outcomes.pop() == ("waited" if is_killed else "refused")


class AsksAtItsEnd:
    def __init__(self, asks: bool) -> None:
        self.asks = asks

    def __del__(self) -> None:
        if self.asks:
            with suppress(ProcessKilled):
                self_()
                flag(trap_exit=True)


@in_node
def test_the_death_of_a_process_that_ends_itself_is_told_though_finalizers_of_its_messages_ask_for_more() -> None:
    def body() -> None:
        for asks in (True, True, True, True, True, False):
            message = AsksAtItsEnd(asks)
            send(self_(), message)
            message.asks = False
        exit(self_(), "done")

    pid, ref = spawn_monitor(body)
    assert receive(Down, timeout=5) == Down(ref, pid, "done")
