from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from observer.node import discovery
from observer.node.cluster import whole_cluster
from runtime.introspection import wire
from tests.support.command import GROUP, LONELY, ROWS, Command
from tests.support.fake_endpoint import FakeEndpoint, of_rows, window


def test_nodes_are_listed_for_people_and_for_programs(observer: Command) -> None:
    with FakeEndpoint("chat", of_rows(())) as endpoint:
        assert "chat" in observer("nodes").out
        assert observer("nodes", "--json").value == [
            {
                "name": "chat",
                "os_pid": os.getpid(),
                "socket": str(endpoint.path),
                "started_at": 1_700_000_000.0,
                "runtime_version": "0.1.0",
                "program": "chat",
                "run": None,
                "parent_pid": 0,
                "uses_gevent": True,
                "master": None,
            }
        ]


def test_the_nodes_of_a_program_stand_below_the_process_that_started_them(observer: Command) -> None:
    said: dict[str, Any] = {"program": "shop", "run": "1-ab", "parent_pid": os.getpid()}
    with (
        FakeEndpoint("shop-worker-2", of_rows(()), os_pid=3, started_at=2.0, **said),
        FakeEndpoint("shop-worker-1", of_rows(()), os_pid=2, started_at=1.0, **said),
    ):
        listed = observer("nodes", "--json").value
        drawn = observer("nodes").out
    assert [each["name"] for each in listed] == ["shop-worker-1", "shop-worker-2"]
    assert {each["master"]["os_pid"] for each in listed} == {os.getpid()}
    assert listed[0]["master"]["uses_gevent"] is False
    _, _, master, first, second, *_ = drawn.splitlines()
    assert master.startswith("shop ")
    assert "not using gevent" in master
    assert (first.split()[0], second.split()[0]) == ("shop-worker-1", "shop-worker-2")


def test_a_node_whose_main_thread_runs_no_hub_is_said_not_to_use_gevent(observer: Command) -> None:
    with FakeEndpoint("chat", of_rows(()), uses_gevent=False, command="chat.py"):
        assert "not using gevent: chat.py" in observer("nodes").out


def test_no_nodes_are_an_empty_list(observer: Command) -> None:
    assert observer("nodes", "--json").value == []
    assert "observer demo" in observer("nodes").out


def test_a_node_that_does_not_answer_is_named_beside_the_list(
    observer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "PROBE_TIMEOUT", 0.1)
    with FakeEndpoint("stuck", of_rows(()), fault="mute"):
        result = observer("nodes", "--json")
        listed = observer("nodes")
    assert result.value == []
    assert "stuck did not answer" in result.err
    assert listed.out == ""
    assert "stuck did not answer" in listed.err


def test_the_tree_is_nested_with_exactly_the_promised_fields(observer: Command) -> None:
    with FakeEndpoint("chat", of_rows(ROWS)):
        roots = observer("tree", "chat", "--json").value
    supervisor, lonely = roots
    fields = ["pid", "registered_name", "child_id", "type", "status", "restarts", "strategy"]
    fields += ["max_restarts", "max_seconds", "restarts_used", "kind", "initial_call", "at", "doing", "children"]
    assert list(supervisor) == fields
    assert [child["pid"] for child in supervisor["children"]] == ["<0.3.0>", None]
    assert supervisor["children"][0]["restarts"] == 2
    assert (supervisor["type"], supervisor["strategy"], supervisor["restarts_used"]) == ("supervisor", "one_for_one", 1)
    assert (lonely["pid"], lonely["children"]) == ("<0.9.0>", [])


def test_the_tree_is_drawn_with_budget_and_stopped_children(observer: Command) -> None:
    with FakeEndpoint("chat", of_rows(ROWS)):
        out = observer("tree").out
    assert "1 of 3 restarts in 5s" in out
    assert "evil␛[2J�name" in out
    assert "v ■ stopped" in out


def test_the_group_under_no_supervisor_is_asked_for_in_full(observer: Command) -> None:
    def respond(query: wire.Query) -> wire.Answer:
        assert isinstance(query, wire.GetTree)
        unfolded = GROUP.key in query.unfolded
        folded = wire.Row(key=GROUP.key, kind="group", child_count=1, folded=not unfolded)
        return window(folded, *((LONELY,) if unfolded else ()))

    with FakeEndpoint("chat", respond):
        assert [root["pid"] for root in observer("tree", "--json").value] == ["<0.9.0>"]


def test_processes_have_process_infos_fields(observer: Command) -> None:
    with FakeEndpoint("chat", of_rows(ROWS)):
        records = observer("ps", "--json").value
        assert "evil␛[2J�name" in observer("ps", "--sort", "memory", "-d").out
    assert [record["pid"] for record in records] == ["<0.2.0>", "<0.3.0>", "<0.9.0>"]
    wanted = {"registered_name", "label", "initial_call", "status", "message_queue_len", "messages_in", "messages_out"}
    wanted |= {"memory", "memory_age", "supervisor", "child_id", "restarts", "started_at"}
    for record in records:
        assert wanted <= set(record)
    assert records[1]["supervisor"] == "<0.2.0>"
    assert records[1]["memory_age"] == 0.5


def test_more_processes_than_one_window_holds_are_all_printed_once(observer: Command) -> None:
    rows = tuple(wire.Row(key=f"<0.{number}.0>", pid=f"<0.{number}.0>") for number in range(2 * wire.MAX_ROWS + 1))
    with FakeEndpoint("big", of_rows(rows)):
        records = observer("ps", "--json").value
        assert len(observer("ps", "--json", "--limit", "2500").value) == 2500
    assert [record["pid"] for record in records] == [row.pid for row in rows]


def test_the_trees_of_a_cluster_stand_below_the_names_of_its_nodes(observer: Command) -> None:
    others = (
        wire.ClusterNode(name="left@h", state="up"),
        wire.ClusterNode(name="gone@h", state="down", reason="net_tick_timeout"),
        wire.ClusterNode(name="far@x", state="up", kind="beam"),
    )
    one, two = (tuple(msgspec.structs.replace(ROWS[0], name=name, depth=0) for _ in "1") for name in ("here", "there"))

    def respond(query: wire.Query) -> wire.Answer:
        return wire.Cluster(name="me@h", nodes=others, total=3) if isinstance(query, wire.GetCluster) else window(*one)

    with (
        FakeEndpoint("me", respond, distributed_as="me@h"),
        FakeEndpoint("left", of_rows(two), distributed_as="left@h", os_pid=2),
    ):
        drawn = observer("tree", "me", "--cluster").out.splitlines()
        listed = observer("tree", "me", "--cluster", "--json").value
    assert [line for line in drawn if line[0] not in "└├│ "] == [
        "me@h",
        "left@h",
        "gone@h  is down: net_tick_timeout",
        "far@x  is up, and cannot be observed from here: 'observer bridge far@x' opens a way",
    ]
    assert "here" in drawn[1]
    assert "there" in drawn[3]
    assert [(each["node"], each["tree"] is None, bool(each["problem"])) for each in listed] == [
        ("me@h", False, False),
        ("left@h", False, False),
        ("gone@h", True, True),
        ("far@x", True, True),
    ]


def test_nodes_that_are_gone_are_left_out_before_those_that_are_up_and_are_counted(
    observer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_cluster, "MOST_NODES", 2)
    others = (
        *(wire.ClusterNode(name=f"{name}@h", state="down", reason="killed") for name in "ab"),
        wire.ClusterNode(name="far@x", state="up"),
        wire.ClusterNode(name="old@x", state="connecting"),
    )

    def printed(*nodes: wire.ClusterNode) -> list[str]:
        cluster = wire.Cluster(name="me@h", nodes=nodes, total=len(nodes))
        with FakeEndpoint("me", lambda query: cluster if isinstance(query, wire.GetCluster) else window(*ROWS[:1])):
            return observer("tree", "me", "--cluster").out.splitlines()[2:]

    way = "far@x  is up, and cannot be observed from here: start it there with OBSERVER=1"
    assert printed(*others) == ["a@h  is down: killed", way, "and 2 more nodes"]
    assert printed(*others[1:]) == ["b@h  is down: killed", way, "and 1 more node"]
    assert printed(others[3]) == ["old@x  is connecting"]


def test_a_recording_is_of_no_cluster(observer: Command) -> None:
    for command in ("ps", "top"):
        refused = observer(command, "shop.observed", "--cluster")
        assert (refused.status, refused.out) == (2, "")
        assert "shop.observed is a recording of one node: leave --cluster out." in refused.err


def test_the_processes_of_a_cluster_are_listed_with_their_nodes_and_the_pids_they_have_there(
    observer: Command,
) -> None:
    others = (
        wire.ClusterNode(name="left@h", state="up", number=4),
        wire.ClusterNode(name="gone@h", state="down", reason="net_tick_timeout"),
    )
    mine = wire.Row(key="a", pid="<0.2.0>", name="mine", memory=10, messages_in=5)
    theirs = wire.Row(key="a", pid="<0.2.0>", name="theirs", supervisor="<0.1.0>", memory=20, messages_in=7)

    def answered(row: wire.Row, *nodes: wire.ClusterNode) -> Callable[[wire.Query], wire.Answer]:
        cluster = wire.Cluster(name="me@h", nodes=nodes, total=len(nodes))

        def respond(query: wire.Query) -> wire.Answer:
            if isinstance(query, wire.GetStats):
                return wire.Stats(stats=window(row).stats)
            return cluster if isinstance(query, wire.GetCluster) else window(row)

        return respond

    with (
        FakeEndpoint("me", answered(mine, *others), distributed_as="me@h"),
        FakeEndpoint("left", answered(theirs), distributed_as="left@h", os_pid=2),
    ):
        listed = observer("ps", "me", "--cluster", "--sort", "memory", "-d", "--json")
        busy = observer("top", "me", "--cluster", "--interval", "0.1", "--total")
        drawn = observer("ps", "me", "--cluster", "--filter", "theirs").out
    assert [(each["node"], each["pid"], each["supervisor"]) for each in listed.value] == [
        ("left@h", "<0.2.0>", "<0.1.0>"),
        ("me@h", "<0.2.0>", None),
    ]
    assert listed.err == "observer: gone@h is down: net_tick_timeout\n"
    assert [line.split()[:3] for line in busy.out.splitlines()[2:]] == [
        ["left@h", "<0.2.0>", "theirs"],
        ["me@h", "<0.2.0>", "mine"],
    ]
    assert "left@h" in drawn
    assert "mine" not in drawn
