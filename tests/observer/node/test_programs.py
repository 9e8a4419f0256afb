from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from observer.node import discovery, programs
from observer.node.command import Command, CommandNode
from observer.node.program_node import ProgramNode
from observer.node.source import NodeLostError
from runtime.introspection import wire
from tests.observer.node.test_child import gone
from tests.support.fake_endpoint import FakeEndpoint, of_rows, socket_folder
from tests.support.terminal import WAIT, until

__all__ = ["socket_folder"]

SHOP: dict[str, Any] = {"program": "shop", "run": "7-ab", "parent_pid": 7}


def test_the_name_of_a_program_means_its_only_node(socket_folder: Path) -> None:
    with FakeEndpoint("shop-worker-1", of_rows(()), **SHOP), FakeEndpoint("shopping", of_rows(())):
        assert discovery.find("shop").name == "shop-worker-1"


def test_the_name_of_a_program_with_several_nodes_offers_them(socket_folder: Path) -> None:
    with (
        FakeEndpoint("shop-1", of_rows(()), **SHOP),
        FakeEndpoint("shop-2", of_rows(()), **SHOP),
        pytest.raises(discovery.AmbiguousNodeError, match=r"shop has 2 nodes: say which one \(shop-1, shop-2\)"),
    ):
        discovery.find("shop")


def test_nodes_of_two_runs_are_two_groups(socket_folder: Path) -> None:
    other: dict[str, Any] = {**SHOP, "run": "8-cd"}
    with FakeEndpoint("shop-1", of_rows(()), **SHOP), FakeEndpoint("shop-2", of_rows(()), **other):
        found = programs.running(discovery.nodes())
    assert [[node.name for node in each.nodes] for each in found] == [["shop-1"], ["shop-2"]]


def test_workers_that_serve_by_themselves_are_grouped_by_their_parent(socket_folder: Path) -> None:
    said: dict[str, Any] = {"program": "shop", "parent_pid": os.getpid()}
    with FakeEndpoint("shop", of_rows(()), os_pid=2, **said), FakeEndpoint("shop-3", of_rows(()), os_pid=3, **said):
        (group,) = programs.running(discovery.nodes())
    assert [node.name for node in group.nodes] == ["shop", "shop-3"]
    assert group.master is not None
    assert group.master.os_pid == os.getpid()


def test_a_single_node_has_no_master_whatever_has_started_it(socket_folder: Path) -> None:
    with FakeEndpoint("shop", of_rows(()), program="shop", parent_pid=os.getpid(), os_pid=2):
        (group,) = programs.running(discovery.nodes())
    assert group.master is None


async def test_a_watcher_goes_on_with_the_process_that_replaces_a_dead_one(socket_folder: Path) -> None:
    worker = FakeEndpoint("shop-worker-1", of_rows(()), started_at=1.0, **SHOP)
    with FakeEndpoint("shop-worker-2", of_rows(()), started_at=1.0, **SHOP), worker:
        node = ProgramNode(discovery.find("shop-worker-1"))
        assert (await node.connect()).node == "shop-worker-1"
        worker.stop()
        with pytest.raises(NodeLostError, match="not running any more"):
            await node.connect()  # the other one is as old, and so no replacement
        with FakeEndpoint("shop-worker-3", of_rows(()), started_at=2.0, **SHOP):
            assert (await node.connect()).node == node.name == "shop-worker-3"
            await node.close()


async def test_a_watcher_does_not_leave_a_process_that_only_hangs(
    socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = FakeEndpoint("shop-worker-1", of_rows(()), started_at=1.0, **SHOP)
    with worker, FakeEndpoint("shop-worker-2", of_rows(()), started_at=2.0, **SHOP):
        node = ProgramNode(discovery.find("shop-worker-1"))
        await node.connect()
        await node.close()
        worker._fault = "garbage"
        with pytest.raises(NodeLostError, match="protocol"):
            await node.connect()
        assert node.name == "shop-worker-1"


FORKS = "import gevent, gevent.os, os; gevent.sleep(0); gevent.os.fork(); print('up', flush=True); gevent.sleep(60)"


async def test_a_command_is_watched_by_its_oldest_process_and_ended_with_all_of_them(socket_folder: Path) -> None:
    with Command("shop", [sys.executable, "-c", FORKS]) as command:
        assert command.wait_until_listening()
        until(lambda: len(programs.of_run(command.pid)) == 2)
        node = CommandNode(command)
        assert (await node.connect()).os_pid == command.pid
        pids = [each.welcome.os_pid for each in programs.of_run(command.pid) if each.welcome is not None]
        os.kill(command.pid, 9)
        assert command.wait(WAIT) == -9
        with pytest.raises(NodeLostError, match="was ended by SIGKILL"):
            await node.ask(wire.GetStats())
        await node.close()
    assert command.ended_by_itself
    until(lambda: all(map(gone, pids)))


DESCRIPTORS = """
import os
for number in range(3, 256):
    try:
        os.fstat(number)
    except OSError:
        continue
    print(number)
"""


def test_a_command_inherits_no_descriptor_of_the_observers(socket_folder: Path) -> None:
    with Command("shop", [sys.executable, "-S", "-c", DESCRIPTORS]) as command:
        assert command.wait(WAIT) == 0
    assert command.stdout() == ()
    assert command.status().cause == ""


def test_a_command_that_cannot_be_run_says_so(socket_folder: Path) -> None:
    with Command("shop", ["no-such-command"]) as command:
        assert command.wait(WAIT) == 127
    assert command.stderr() == ("no-such-command cannot be run: No such file or directory.",)


def test_a_command_ends_when_the_observer_is_gone(socket_folder: Path) -> None:
    with Command("shop", [sys.executable, "-c", FORKS]) as command:
        until(lambda: command.stdout())
        os.close(command._lifeline)  # as the system does when the observer is killed
        assert command.wait(WAIT) == -15
        command._lifeline = os.open(os.devnull, os.O_RDONLY)  # for the end of the block
