"""Who outlives the process that started it, and keeps the name that the next one wants."""

from __future__ import annotations

import pytest

from runtime import (
    Exit,
    GenServer,
    Supervisor,
    exit,
    flag,
    receive,
    register,
    run,
    self_,
    sleep,
    spawn,
    spawn_link,
    unregister,
    whereis,
)
from runtime.introspection.answers.kill_plan import plan_of
from runtime.kernel.process import Process
from tests.support.in_node import in_node


def _server() -> Process:
    pid = whereis("s")
    assert pid is not None
    assert pid.process is not None
    return pid.process


class Starter(GenServer):
    """Starts a process with a name, which outlives it."""

    def init(self, linked: bool) -> None:
        (spawn_link if linked else spawn)(hold)


def hold() -> None:
    flag(trap_exit=True)
    register("held", self_())
    while True:
        receive()


@pytest.mark.parametrize(("linked", "how"), [(True, "traps exits"), (False, "is not linked to s")])
def test_a_plan_names_who_outlives_the_process_that_started_it_and_keeps_its_name(linked: bool, how: str) -> None:
    @in_node
    def play() -> None:
        flag(trap_exit=True)
        top = Supervisor.start_link([Starter.child_spec(linked, name="s")], name="top", max_restarts=1)
        sleep(0.05)
        plan = plan_of(_server())
        assert plan.sentence.endswith("; if every start succeeds and held has ended by then: else top gives up")
        (told,) = plan.assumes[1:]
        assert told.startswith(f"held {whereis('held')}, which s has started, {how} and may outlive it: if it still")
        exit(_server().pid, "kill")
        if linked:  # the crash of the second holder takes the server along
            assert receive(Exit, timeout=5.0).pid == top

    play()


@in_node
def test_a_process_whose_name_is_free_again_is_no_reason_to_fear() -> None:
    Supervisor.start_link([Starter.child_spec(True, name="s")], name="top")
    sleep(0.05)
    unregister("held")
    assert plan_of(_server()).sentence.endswith("; if every start succeeds")


def test_a_plan_says_that_the_program_ends() -> None:
    def main() -> None:
        Supervisor.start_link([Starter.child_spec(True, name="s")], name="top", max_restarts=0)
        sleep(0.05)
        told.append(plan_of(_server()).sentence)

    told: list[str] = []
    run(main)
    assert "is used up: top gives up; the program ends" in told[0]
