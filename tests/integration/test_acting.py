"""Acting on a real program through its endpoint, also while it is stuck; and what its log says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.introspection import wire
from tests.support.nodes import ObservedNode, RawClient, eventually, observed


def test_a_killed_child_comes_back_in_its_place_and_the_log_says_why(node: ObservedNode) -> None:
    with node.client() as client:
        old = client.pid("app/pool/worker-1")
        done = client.ask(wire.Exit(pid=old))
        assert isinstance(done, wire.Done)
        assert done.sentence == f"Killed {old}."
        row = eventually(lambda: (row := client.tree()["app/pool/worker-1"]).pid not in (None, old) and row)
        assert row.restarts == 1
        assert row.last_failure_at is not None
        restart = eventually(lambda: [e for e in client.events() if e.kind == "restart" and e.old_pid == old])[0]
        log = {event.id: event for event in client.events()}
    assert restart.key == "app/pool/worker-1"
    assert (restart.restarts_used, restart.max_restarts) == (1, 50)
    exited = log[restart.cause or 0]
    assert (exited.kind, exited.pid, exited.reason, exited.crashed) == ("exit", old, "killed", True)
    kill = log[exited.cause or 0]
    assert (kill.kind, kill.pid, kill.id) == ("kill", old, done.event)


def test_the_child_of_a_dynamic_supervisor_keeps_its_place_through_a_restart(node: ObservedNode) -> None:
    with node.client() as client:
        key = next(key for key in client.tree() if key.startswith("app/guests/"))
        old = client.pid(key)
        assert old in key
        client.ask(wire.Exit(pid=old))
        row = eventually(lambda: (row := client.tree().get(key)) and row.pid not in (None, old) and row)
        assert row.restarts == 1
        details = client.ask(wire.GetProcesses(filter=f"pid={row.pid}"))
        assert details.rows[0].key == key


def test_a_crash_is_logged_with_its_stack_last_message_and_state(node: ObservedNode) -> None:
    with node.client() as client:
        pid = client.tell("app/pool/worker-2", "'crash'")
        crash = eventually(lambda: client.events(pid=pid) and [e for e in client.events(pid=pid) if e.kind == "exit"])[
            0
        ]
    assert crash.reason == "ValueError: told to crash"
    assert crash.stacktrace[-1].function == "handle_cast"
    assert crash.stacktrace[-1].source == 'raise ValueError("told to crash")'
    assert crash.last_message is not None
    assert "crash" in crash.last_message
    assert crash.state is not None
    assert "swordfish" not in crash.state


def test_an_escalation_is_one_chain_of_causes(node: ObservedNode) -> None:
    with node.client() as client:
        victim = client.pid("app/fragile/Worker")
        client.ask(wire.Exit(pid=victim, reason="'boom'"))
        restart = eventually(lambda: [e for e in client.events() if e.kind == "restart" and e.key == "app/fragile"])[0]
        log = {event.id: event for event in client.events()}
    chain = [restart]
    while chain[-1].cause is not None:
        chain.append(log[chain[-1].cause])
    assert [event.kind for event in chain] == ["restart", "exit", "gave_up", "exit", "kill"]
    assert chain[3].pid == victim


def test_the_plan_of_a_kill_names_who_goes_and_who_comes_back(node: ObservedNode) -> None:
    with node.client() as client:
        client.tree()
        plan = client.ask(wire.GetPlan(pid=client.pid("app/pool/worker-1")))
        assert [related.name for related in plan.kills] == ["worker-1"]
        assert plan.sentence == "kills 1, restarts 1: one_for_one; budget 0 of 50 in 60 s; if every start succeeds"
        plan = client.ask(wire.GetPlan(pid=client.pid("app/fragile/Worker")))
    assert [related.name for related in plan.gives_up] == ["fragile"]
    assert {"Worker", "fragile"} == {related.name for related in plan.kills}


def test_messages_are_sent_cast_and_called(node: ObservedNode) -> None:
    with node.client() as client:
        talker = client.pid("app/a%2Fb")
        client.ask(wire.Send(pid=talker, message="('hello', <0.1.0>)", via="cast"))
        eventually(lambda: client.tree()["app/a%2Fb"].messages_in == 1)
        worker = client.pid("app/pool/worker-2")
        done = client.ask(wire.Send(pid=worker, message="'get'", via="call"))
        assert done.value == "2"
        answer = client.ask(wire.Send(pid=worker, message="__import__('os')", via="cast"))
        assert isinstance(answer, wire.Failed)
        assert answer.kind == "bad_request"


def test_a_suspended_process_runs_nothing_until_it_is_resumed(node: ObservedNode) -> None:
    with node.client() as client:
        worker = client.pid("app/pool/worker-1")
        client.ask(wire.Suspend(pid=worker))
        client.ask(wire.Suspend(pid=worker))
        assert client.tree()["app/pool/worker-1"].status == "suspended"
        client.ask(wire.Send(pid=worker, message="'get'", via="cast"))
        assert eventually(lambda: client.tree()["app/pool/worker-1"].message_queue_len == 1)
        client.ask(wire.Resume(pid=worker))
        assert eventually(lambda: client.tree()["app/pool/worker-1"].message_queue_len == 0)


def test_children_are_terminated_started_and_deleted(node: ObservedNode) -> None:
    with node.client() as client:
        pool = client.pid("app/pool")

        def control(action: str) -> object:
            return client.ask(wire.ControlChild(supervisor=pool, child_id="worker-0", action=action))  # type: ignore[arg-type]

        before = client.pid("app/pool/worker-0")
        assert isinstance(control("restart"), wire.Done)
        assert client.pid("app/pool/worker-0") != before
        assert isinstance(control("delete"), wire.Failed)
        assert isinstance(control("terminate"), wire.Done)
        rows = client.tree()
        assert (rows["app/pool/worker-0"].status, rows["app/pool/worker-0"].pid) == ("stopped", None)
        assert rows["app/pool"].not_running == 1
        assert isinstance(control("start"), wire.Done)
        assert client.pid("app/pool/worker-0")
        control("terminate")
        assert isinstance(control("delete"), wire.Done)
        assert "app/pool/worker-0" not in client.tree()


def test_a_read_only_node_refuses_every_command(folder: Path) -> None:
    with observed(folder, "--read-only") as node, node.client() as client:
        pid = client.pid("app/pool/worker-1")
        for command in (
            wire.Exit(pid=pid),
            wire.Suspend(pid=pid),
            wire.Resume(pid=pid),
            wire.Send(pid=pid, message="'crash'"),
            wire.ControlChild(supervisor=client.pid("app/pool"), child_id="worker-1", action="terminate"),
        ):
            answer = client.ask(command)
            assert isinstance(answer, wire.Failed)
            assert answer.kind == "read_only"
        assert client.pid("app/pool/worker-1") == pid


# -- Faults of the program ----------------------------------------------------------------------------------------


def held_and_killed(client: RawClient, message: str, kind: str) -> wire.Event | None:
    """Have a process hold the hub and kill it; return what is told of the stall, None where none is told of it."""
    pid = client.tell("app/pool/worker-1", message)
    stats = eventually(lambda: (s := client.stats()).hub_busy_with == pid and s)
    assert stats.hub_busy_at is not None
    assert "in handle_cast" in stats.hub_busy_at
    assert "observed.py" in stats.hub_busy_at
    row = client.tree()["app/pool/worker-1"]
    assert row.status == "running"
    assert client.ask(wire.GetProcess(pid=pid)).current_stacktrace[-1].function == "handle_cast"
    lints = eventually(lambda: [each for each in client.ask(wire.GetLints()).lints if each.kind == kind])
    assert lints[0].pids == (pid,)
    done = client.ask(wire.Exit(pid=pid))
    assert isinstance(done, wire.Done), done
    assert client.pid("app/pool/worker-1") != pid
    eventually(lambda: client.stats().hub_busy_at is None)
    for _ in range(2):  # the hub has come round
        client.ask(wire.Send(pid=client.pid("app/pool/worker-2"), message="'get'", via="call"))
    return next((each for each in client.events() if (each.kind, each.pid) == ("stall", pid)), None)


@pytest.mark.parametrize(("message", "kind"), [("'hog'", "hog"), ("'block'", "blocks")])
def test_a_process_that_holds_the_hub_is_named_and_killed_while_it_does(
    node: ObservedNode, message: str, kind: str
) -> None:
    with node.client() as client:
        # A machine that hardly runs the program is blamed itself.
        stall = next((told for _ in range(10) if (told := held_and_killed(client, message, kind))), None)
        assert stall is not None
        assert stall.seconds is not None
        assert stall.seconds > 0.1


def test_a_hog_that_swallows_its_kill_is_dead_and_interrupted_again(node: ObservedNode) -> None:
    with node.client() as client:
        pid = client.tell("app/pool/worker-1", "'hog and swallow'")
        eventually(lambda: client.stats().hub_busy_with == pid)
        done = client.ask(wire.Exit(pid=pid))
        assert isinstance(done, wire.Done)
        assert done.sentence.startswith(
            f"Killed {pid}: it has ended for all others, and its frames are still cleaning up"
        )
        assert "observed.py:" in done.sentence
        assert client.ask(wire.GetProcess(pid=pid)).kind == "noproc"  # dead for everybody, though it goes on
        assert client.stats().remains == 1


def test_the_remains_of_a_process_are_found_and_can_be_killed_again(node: ObservedNode) -> None:
    with node.client() as client:
        pid = client.tell("app/pool/worker-1", "'hog and swallow'")
        eventually(lambda: client.stats().hub_busy_with == pid)
        client.ask(wire.Exit(pid=pid))
        assert client.stats().remains == 1
        found = eventually(lambda: [each for each in client.ask(wire.GetLints()).lints if each.kind == "remains"])[0]
        assert found.pids == (pid,)
        assert "kill it again" in found.sentence
        done = client.ask(wire.Exit(pid=pid))
        assert isinstance(done, wire.Done), done
        assert done.sentence.startswith(f"{pid} had ended already; its frames were still running at ")
        eventually(lambda: client.stats().remains == 0)
        assert client.ask(wire.Exit(pid=pid)).why == f"There is no process {pid}: it has ended."
        before = client.stats().messages
        client.ask(wire.Send(pid=client.pid("app/pool/worker-2"), message="'get'", via="call"))
        assert client.stats().messages > before


def test_a_command_that_the_stuck_hub_cannot_carry_out_says_so_and_is_not_done_later(node: ObservedNode) -> None:
    with node.client() as client:
        hog = client.tell("app/pool/worker-1", "'hog'")
        other = client.pid("app/pool/worker-2")
        eventually(lambda: client.stats().hub_busy_with == hog)
        answer = client.ask(wire.Exit(pid=other))
        assert isinstance(answer, wire.Failed)
        assert answer.kind == "timeout"
        assert hog in answer.why
        client.ask(wire.Exit(pid=hog))
        eventually(lambda: client.stats().hub_busy_at is None)
        assert client.pid("app/pool/worker-2") == other


def test_servers_that_wait_for_each_other_are_found(node: ObservedNode) -> None:
    with node.client() as client:
        first, second = client.pid("app/pool/worker-0"), client.pid("app/pool/worker-1")
        client.tell("app/pool/worker-0", f"('ask', {second}, ('ask', {first}))")
        lints = eventually(lambda: [each for each in client.ask(wire.GetLints()).lints if each.kind == "deadlock"])
        assert set(lints[0].pids) == {first, second}
        waiting = client.ask(wire.GetProcess(pid=first)).waiting_for
        assert waiting is not None
        assert waiting.pid == second


def test_a_node_that_dies_hangs_up(node: ObservedNode) -> None:
    with node.client() as client:
        command = wire.Send(pid=client.pid("app/pool/worker-1"), message="'exit'", via="cast")
        client.write(wire.frame(wire.Request(id=99, query=command)))
        client.read_to_the_end()
    assert node.process.wait(60) == 3


def test_a_node_that_stops_removes_its_socket(node: ObservedNode) -> None:
    node.process.terminate()
    assert node.process.wait(60) == 143
    assert not node.path.exists()


# -- A program without a process ----------------------------------------------------------------------------------

PLAIN_PROGRAM = """
import gevent

def ticker():
    while True:
        gevent.sleep(0.01)

def hog():
    gevent.sleep(0.3)
    while True:
        pass

gevent.joinall([gevent.spawn(ticker), gevent.spawn(hog)])
gevent.sleep(60)
"""


def test_a_program_of_plain_greenlets_is_watched_and_its_hog_is_named_and_killed(folder: Path) -> None:
    script = folder / "plain.py"
    script.write_text(PLAIN_PROGRAM)
    with observed(folder, program=(str(script),)) as node, node.client() as client:
        stats = eventually(lambda: (s := client.stats()).hub_busy_with == "g2" and s)
        assert stats.hub_busy_at is not None
        assert "in hog" in stats.hub_busy_at
        rows = client.tree(unfolded=("~greenlets",))
        assert (rows["g1"].status, rows["g2"].status) == ("waiting", "running")
        lints = eventually(lambda: [each for each in client.ask(wire.GetLints()).lints if each.kind == "hog"])
        assert lints[0].pids == ("g2",)
        done = client.ask(wire.Exit(pid="g2"))
        assert isinstance(done, wire.Done), done
        eventually(lambda: client.stats().hub_busy_at is None)
        eventually(lambda: "g2" not in client.tree(unfolded=("~greenlets",)))
        assert "g1" in client.tree(unfolded=("~greenlets",))
        ended = eventually(lambda: [e for e in client.events() if e.kind == "exit"])[0]
        assert (ended.pid, ended.reason, ended.cause) == ("g2", "killed", done.event)
