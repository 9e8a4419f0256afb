"""The endpoint against real programs: what they do to themselves, and what clients try to do to them."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from runtime.introspection import wire
from runtime.introspection.probe import is_live
from tests.integration.nodes import LAUNCH, TREE, ObservedNode, RawClient, eventually, observed


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="obs", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def node(folder: Path) -> Iterator[ObservedNode]:
    with observed(folder) as running:
        yield running


# -- Looking ------------------------------------------------------------------------------------------------------


def test_a_node_says_who_it_is(node: ObservedNode) -> None:
    with node.client() as client:
        assert client.welcome.node == "node"
        assert client.welcome.protocol == wire.PROTOCOL
        stats = client.stats()
    assert stats.os_pid == node.process.pid
    assert stats.process_count >= 9
    assert stats.rss > 1_000_000


def test_the_socket_is_its_owners_alone(node: ObservedNode) -> None:
    assert stat.S_IMODE(node.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(node.path.parent.stat().st_mode) == 0o700


def test_the_tree_is_what_the_supervisors_say(node: ObservedNode) -> None:
    with node.client() as client:
        rows = client.tree()
    assert [key for key in rows if key.count("/") < 2 and not key.startswith("app/guests/")] == [
        "app",
        "app/pool",
        "app/guests",
        "app/fragile",
        "app/a%2Fb",
        "~free",
    ]
    assert rows["app/pool"].strategy == "one_for_one"
    assert rows["app/guests"].strategy == "dynamic"
    assert rows["app/pool/worker-1"].depth == 2
    assert rows["app/pool/worker-1"].parent_key == "app/pool"
    assert rows["app/pool/worker-1"].supervisor == rows["app/pool"].pid
    assert rows["~free"].kind == "group"


def test_a_window_follows_its_anchor(node: ObservedNode) -> None:
    with node.client() as client:
        keys = list(client.tree(unfolded=("~free",)))
        pid = client.pid("app/pool/worker-2")
        window = client.ask(wire.GetTree(unfolded=("~free",), limit=2, anchor=pid, follow=True))
    assert window.anchor_index == keys.index("app/pool/worker-2")
    assert "app/pool/worker-2" in [row.key for row in window.rows]
    assert window.total == len(keys)


def test_a_filter_shows_what_matches_and_what_is_above_it(node: ObservedNode) -> None:
    with node.client() as client:
        answer = client.ask(wire.GetTree(filter="worker-1", limit=100))
        assert [row.key for row in answer.rows] == ["app", "app/pool", "app/pool/worker-1"]
        assert answer.matched == 1
        answer = client.ask(wire.GetProcesses(filter="sup=pool", sort="name", descending=False))
        assert [row.name for row in answer.rows] == ["worker-0", "worker-1", "worker-2"]
        answer = client.ask(wire.GetProcesses(filter="mailbox>"))
        assert isinstance(answer, wire.Failed)
        assert "value is missing" in answer.why


def test_processes_come_grouped_and_sorted(node: ObservedNode) -> None:
    with node.client() as client:
        answer = client.ask(wire.GetProcesses(group_by="supervisor", sort="name", descending=False))
    groups = {row.name: row.child_count for row in answer.rows}
    assert groups["pool"] == 3
    assert groups["guests"] == 2


def test_details_show_the_state_as_the_server_lets_it_be_shown(node: ObservedNode) -> None:
    with node.client() as client:
        details = client.ask(wire.GetProcess(pid=client.pid("app/pool/worker-1"), state=True))
    assert details.state is not None
    assert "'number': 1" in details.state
    assert "swordfish" not in details.state
    assert [related.name for related in details.ancestors][:2] == ["pool", "app"]


def test_details_of_a_busy_server_say_why_there_is_no_state(node: ObservedNode) -> None:
    with node.client() as client:
        pid = client.tell("app/pool/worker-0", "'wait'")
        details = eventually(lambda: (d := client.ask(wire.GetProcess(pid=pid, state=True))).current_stacktrace and d)
        assert details.state is None
        assert "busy" in details.state_note
        assert details.current_stacktrace[-1].function in ("sleep", "park")
        assert any("sleep(60)" in frame.source for frame in details.current_stacktrace)


def test_without_state_nothing_that_processes_hold_is_shown(folder: Path) -> None:
    with observed(folder, "--no-state") as node, node.client() as client:
        details = client.ask(wire.GetProcess(pid=client.pid("app/pool/worker-1"), state=True))
    assert details.state is None
    assert details.dictionary == {}
    assert "--no-state" in details.state_note


def test_a_pid_that_is_gone_is_answered_with_a_sentence(node: ObservedNode) -> None:
    with node.client() as client:
        answer = client.ask(wire.GetProcess(pid="<0.999999.0>"))
        assert answer == wire.Failed(why="There is no process <0.999999.0>: it has ended.", kind="noproc")
        answer = client.ask(wire.Exit(pid="nonsense"))
        assert isinstance(answer, wire.Failed)
        assert answer.kind == "bad_request"


def test_memory_is_estimated_while_somebody_looks(node: ObservedNode) -> None:
    with node.client() as client:
        memory = eventually(lambda: client.tree()["app/pool/worker-1"].memory)
        assert 200 < memory < 20_000
        assert client.tree()["app/pool/worker-1"].memory_age is not None


def test_names_and_sockets_are_listed(node: ObservedNode) -> None:
    with node.client() as client:
        names = client.ask(wire.GetNames())
    assert {"app", "pool", "guests", "choosy"} <= {entry.name for entry in names.names}
    assert any(str(node.path) in entry.local for entry in names.sockets)


# -- Acting -------------------------------------------------------------------------------------------------------


def test_a_killed_child_comes_back_in_its_place_and_the_log_says_why(node: ObservedNode) -> None:
    with node.client() as client:
        old = client.pid("app/pool/worker-1")
        done = client.ask(wire.Exit(pid=old))
        assert isinstance(done, wire.Done)
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
        assert plan.sentence == "kills 1, restarts 1: one_for_one; budget 0 of 50 in 60 s"
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


@pytest.mark.parametrize(("message", "function"), [("'hog'", "handle_cast"), ("'block'", "handle_cast")])
def test_a_process_that_holds_the_hub_is_named_and_killed_while_it_does(
    node: ObservedNode, message: str, function: str
) -> None:
    with node.client() as client:
        pid = client.tell("app/pool/worker-1", message)
        stats = eventually(lambda: (s := client.stats()).hub_busy_with == pid and s)
        assert stats.hub_busy_at is not None
        assert f"in {function}" in stats.hub_busy_at
        assert "observed.py" in stats.hub_busy_at
        row = client.tree()["app/pool/worker-1"]
        assert row.status == "running"
        assert client.ask(wire.GetProcess(pid=pid)).current_stacktrace[-1].function == function
        lints = eventually(lambda: [each for each in client.ask(wire.GetLints()).lints if each.kind == "hog"])
        assert lints[0].pids == (pid,)
        done = client.ask(wire.Exit(pid=pid))
        assert isinstance(done, wire.Done), done
        assert client.pid("app/pool/worker-1") != pid
        stall = eventually(lambda: [e for e in client.events() if e.kind == "stall"])[0]
        assert stall.pid == pid
        assert stall.seconds is not None
        assert stall.seconds > 0.1
        assert client.stats().hub_busy_at is None


def test_a_hog_that_swallows_its_kill_is_dead_and_interrupted_again(node: ObservedNode) -> None:
    with node.client() as client:
        pid = client.tell("app/pool/worker-1", "'hog and swallow'")
        eventually(lambda: client.stats().hub_busy_with == pid)
        assert isinstance(client.ask(wire.Exit(pid=pid)), wire.Done)
        assert client.ask(wire.GetProcess(pid=pid)).kind == "noproc"  # dead for everybody, though it goes on
        assert client.stats().hub_busy_at is not None


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
    assert node.process.wait(10) == 3


def test_a_node_that_stops_removes_its_socket(node: ObservedNode) -> None:
    node.process.terminate()
    assert node.process.wait(10) == 143
    assert not node.path.exists()


# -- Faults of clients --------------------------------------------------------------------------------------------

GARBAGE = [
    b"\xff" * 64,
    wire.HEADER.pack(5) + b"hello",
    wire.HEADER.pack(0),
    wire.HEADER.pack(4_294_967_295) + b"x",
    wire.HEADER.pack(wire.MAX_REQUEST + 1),
    b"GET / HTTP/1.1\r\n\r\n",
]


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("greeted", [False, True])
def test_a_client_that_sends_garbage_is_dropped(node: ObservedNode, garbage: bytes, greeted: bool) -> None:
    with node.client(hello=greeted) as client:
        client.write(garbage)
        assert client.is_hung_up()
    with node.client() as other:
        assert other.stats().process_count >= 9
    eventually(lambda: "dropped an observer" in node.logged())


def test_a_client_of_another_version_is_refused_with_a_sentence(node: ObservedNode) -> None:
    with node.client(hello=False) as client:
        client.write(wire.frame(wire.Hello(protocol=wire.PROTOCOL + 1)))
        refused = wire.decode_welcome(client.read_frame())
        assert isinstance(refused, wire.Refused)
        assert "version" in refused.why
        assert client.is_hung_up()


def test_half_a_frame_is_not_waited_for_for_long(node: ObservedNode) -> None:
    with node.client() as slow, node.client() as other:
        slow.write(wire.HEADER.pack(100) + b"half")
        assert other.stats().process_count >= 9
        assert slow.is_hung_up()


def test_a_client_that_never_reads_is_dropped(node: ObservedNode) -> None:
    with node.client() as mute, node.client() as other:
        question = wire.frame(wire.Request(id=1, query=wire.GetTree(limit=1_000, unfolded=("~free",))))
        assert mute.write_while_it_lasts(question, 100_000)
        assert other.stats().process_count >= 9


def test_too_many_clients_are_refused_and_cost_nothing(node: ObservedNode) -> None:
    with node.client() as first, ExitStack() as crowd:
        before = first.stats()
        clients = [crowd.enter_context(node.client(hello=False)) for _ in range(300)]
        refusal = wire.decode_welcome(clients[-1].read_frame())
        assert isinstance(refusal, wire.Refused)
        assert "close one of them" in refusal.why
        assert first.stats().process_count == before.process_count
        assert node.threads() < 50
    eventually(lambda: _is_welcome(node))


def _is_welcome(node: ObservedNode) -> bool:
    with node.client(hello=False) as client:
        client.write(wire.frame(wire.Hello()))
        return isinstance(wire.decode_welcome(client.read_frame()), wire.Welcome)


# -- Starting -----------------------------------------------------------------------------------------------------


def test_a_name_that_is_taken_is_said_in_a_sentence(node: ObservedNode) -> None:
    with observed(node.path.parent) as second:
        assert second.process.wait(20) == 1
        assert second.logged() == (
            "The program was not started, because it could not be observed: there is a node called node already; give "
            "this one another name\n"
        )
    with node.client() as client:
        assert client.stats().os_pid == node.process.pid


def test_a_socket_that_a_dead_node_has_left_is_taken_over(folder: Path) -> None:
    with observed(folder) as node:
        node.process.kill()
        node.process.wait()
        assert node.path.exists()
    with observed(folder) as node, node.client() as client:
        assert client.stats().os_pid == node.process.pid


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "There is no file "),
        ("import no_such_module", "because an import failed: No module named 'no_such_module'."),
        ("a = = b", "invalid syntax. The program was not started."),
        ("def f():\n    1 / 0\nf()", "ended with ZeroDivisionError: division by zero"),
    ],
)
def test_a_program_that_cannot_run_says_why(folder: Path, source: str | None, said: str) -> None:
    script = folder / "script.py"
    if source is not None:
        script.write_text(source)
    with observed(folder, program=(str(script),)) as node:
        assert node.process.wait(20) == 1
        assert said in node.logged()
        assert "Traceback" not in node.logged()


def test_a_program_runs_as_if_python_had_been_given_it(folder: Path) -> None:
    script = folder / "script.py"
    script.write_text("import sys\nprint(__name__, sys.argv[1:], sys.path[0], file=sys.stderr)\nsys.exit(7)\n")
    with observed(folder, program=(str(script), "--name", "other")) as node:
        assert node.process.wait(20) == 7
        assert node.logged() == f"__main__ ['--name', 'other'] {folder}\n"


def test_a_program_ends_when_its_lifeline_does(folder: Path) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [*LAUNCH, "--lifeline", str(reader), *TREE],
        env={**os.environ, "OBSERVER_DIR": str(folder)},
        pass_fds=(reader,),
    )
    os.close(reader)
    try:
        eventually(lambda: is_live(folder / "node.sock"))
        with RawClient(folder / "node.sock") as client:
            eventually(lambda: client.stats().names == 5)
        os.close(writer)
        assert process.wait(20) == 143
        assert not (folder / "node.sock").exists()
    finally:
        process.kill()
        process.wait()
