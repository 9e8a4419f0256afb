"""The endpoint against a real program: what it tells, and what clients try to do to it."""

from __future__ import annotations

import resource
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from runtime.introspection import wire
from tests.support.nodes import ObservedNode, eventually, observed


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
        details = client.told_state(client.pid("app/pool/worker-1"))
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


def test_a_busy_server_is_not_asked_for_its_state_again_before_it_has_answered(node: ObservedNode) -> None:
    with node.client() as client:
        pid = client.tell("app/pool/worker-0", "'wait'")

        def asked() -> wire.Details:
            details: wire.Details = client.ask(wire.GetProcess(pid=pid, state=True))
            return details

        # A hub that is held up asks it later, or not at all.
        eventually(lambda: (d := asked()).row.message_queue_len == 1 and d.state_note.startswith("It is busy"))
        details = [asked() for _ in range(2)]
    assert [each.row.message_queue_len for each in details] == [1, 1]
    assert all("busy" in each.state_note for each in details)


def test_without_state_nothing_that_processes_hold_is_shown(folder: Path) -> None:
    with observed(folder, "--no-state") as node, node.client() as client:
        details = client.ask(wire.GetProcess(pid=client.pid("app/pool/worker-1"), state=True))
        client.tell("app/pool/worker-1", "'crash'")
        crash = eventually(
            lambda: [e for e in client.ask(wire.GetEvents()).events if e.kind == "exit" and e.stacktrace]
        )[0]
    assert details.state is None
    assert details.dictionary == {}
    assert details.withheld
    assert "--no-state" in details.state_note
    assert (crash.state, crash.last_message) == (None, None)


def test_a_pid_that_is_gone_is_answered_with_a_sentence(node: ObservedNode) -> None:
    with node.client() as client:
        answer = client.ask(wire.GetProcess(pid="<0.999999.0>"))
        why = "There has never been a process <0.999999.0> on this node."
        assert answer == wire.Failed(why=why, kind="noproc")
        assert client.ask(wire.GetProcess(pid="<7.1.0>")).kind == "noproc"
        answer = client.ask(wire.Exit(pid="nonsense"))
        assert isinstance(answer, wire.Failed)
        assert answer.kind == "bad_request"


def test_memory_is_estimated_while_somebody_looks(node: ObservedNode) -> None:
    with node.client() as client:
        memory = eventually(lambda: client.tree()["app/pool/worker-1"].memory)
        assert 200 < memory < 20_000
        assert client.tree()["app/pool/worker-1"].memory_age is not None


def test_names_are_listed_and_the_sockets_of_observers_are_not(node: ObservedNode) -> None:
    with node.client() as client:
        names = client.ask(wire.GetNames())
    assert {"app", "pool", "guests", "choosy"} <= {entry.name for entry in names.names}
    assert not any(str(node.path) in entry.local for entry in names.sockets)  # it is the observers', not the program's


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
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4_096 if most == resource.RLIM_INFINITY else min(4_096, most), most))
    with node.client() as first, ExitStack() as crowd:
        before = first.stats()
        clients = [crowd.enter_context(node.client(hello=False)) for _ in range(1_000)]
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
