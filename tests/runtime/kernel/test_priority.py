"""The flag `priority`."""

from runtime import Pid, flag, receive, self_, send, sleep, spawn
from tests.support.in_node import in_node


def runner(priority: str, to: Pid) -> None:
    flag(priority=priority)
    while True:
        send(to, (priority, receive()))


@in_node
def test_one_of_high_priority_runs_first_and_one_of_low_priority_last() -> None:
    runners = {priority: spawn(runner, priority, self_()) for priority in ("low", "normal", "high")}
    sleep(0.01)
    for priority in ("low", "normal", "high"):
        send(runners[priority], "go")
    assert [receive()[0] for _ in range(3)] == ["high", "normal", "low"]


@in_node
def test_one_of_low_priority_runs_now_and_then_while_others_are_always_ready() -> None:
    me = self_()

    def bounce() -> None:
        while True:
            send(receive(), self_())

    low = spawn(runner, "low", me)
    sleep(0.01)  # on a clock that stands still while any process is ready, so they begin after it
    send(spawn(bounce), spawn(bounce))
    send(low, "go")
    assert receive() == ("low", "go")
