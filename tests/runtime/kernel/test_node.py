"""The node: its table of processes, their numbers, aliases, what other threads ask of it, and its end."""

import logging
import sys
import threading

import pytest

from runtime import Atom, NotInProcessError, Pid, RuntimeFault, exit, receive, run, self_, send, sleep, spawn
from runtime import monitor as set_monitor
from runtime.kernel import node as nodes
from runtime.kernel.body import PlainBody
from runtime.kernel.node import Node, running_node, this_node
from runtime.kernel.process import DEAD, RECEIVING, Process
from runtime.kernel.table import BLOCK
from tests.support.in_node import in_node


def number_of(pid: Pid) -> int:
    return pid.id


@in_node
def test_processes_are_numbered_in_the_order_of_their_start_and_found_by_number() -> None:
    node = this_node()
    first, second = spawn(receive), spawn(receive)
    assert number_of(second) == number_of(first) + 1 == node.spawned
    assert node.find(number_of(second)) is second.process
    assert node.processes()[-2:] == [first.process, second.process]
    assert node.find(number_of(second) + 1) is None


class StartingParent:
    """Starts a process of its own while it is made a parent, as a finalizer may that strikes there."""

    def __init__(self) -> None:
        self.started: list[Process] = []

    @property
    def pid(self) -> None:
        self.started.append(this_node().spawn(None, PlainBody(receive, (), {})))


@in_node
def test_a_number_is_given_once_where_a_finalizer_starts_a_process_in_the_middle_of_a_start() -> None:
    node = this_node()
    spawned, parent, me = node.spawned, StartingParent(), self_()
    process = node.spawn(parent, PlainBody(send, (me, "here"), {}))  # type: ignore[arg-type]
    [other] = parent.started
    assert [other.pid.id, process.pid.id, node.spawned] == [spawned + 1, spawned + 2, spawned + 2]
    assert [node.find(each.pid.id) for each in (other, process)] == [other, process]
    assert receive() == "here"
    assert (process.state, other.state) == (DEAD, RECEIVING)
    assert node.find(process.pid.id) is None


@in_node
def test_the_living_and_the_ended_are_all_that_were_started() -> None:
    node = this_node()
    alive, ended = node.alive, node.ended
    pids = [spawn(receive) for _ in range(5)]
    assert (node.alive, node.ended) == (alive + 5, ended)
    for pid in pids[:3]:
        exit(pid, "kill")
    sleep(0)
    assert (node.alive, node.ended) == (alive + 2, ended + 3)
    assert node.spawned == node.alive + node.ended


@in_node
def test_a_block_of_the_table_goes_when_all_in_it_have_ended() -> None:
    node = this_node()
    kept = spawn(receive)
    for _ in range(3 * BLOCK):
        exit(spawn(receive), "kill")
    sleep(0)
    assert len(node.table) <= 3
    assert node.find(number_of(kept)) is kept.process


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="asks how CPython makes dicts")
def test_a_block_of_the_table_fills_a_dict_to_the_last_place() -> None:
    block: dict[int, None] = {}
    for number in range(BLOCK):
        block[number] = None
    full = sys.getsizeof(block)
    block[BLOCK] = None
    assert sys.getsizeof(block) > full


@in_node
def test_the_first_and_the_last_number_of_a_block_are_in_the_same_one() -> None:
    node = this_node()
    pids = [spawn(receive) for _ in range(BLOCK + 2)]
    assert all(node.find(number_of(pid)) is pid.process for pid in pids)
    assert {number // BLOCK for block in node.table.values() for number in block} == set(node.table)
    for pid in pids:
        exit(pid, "kill")
    sleep(0)
    assert not any(node.find(number_of(pid)) for pid in pids)


@in_node
def test_a_destination_is_a_pid_a_name_a_via_tuple_or_none() -> None:
    node = this_node()
    pid = spawn(receive, name="somewhere")
    assert node.resolve(pid) is node.resolve("somewhere") is node.resolve(Atom("somewhere")) is pid.process
    assert node.resolve("elsewhere") is None
    assert node.resolve(None) is None
    with pytest.raises(TypeError):
        node.resolve(7)  # type: ignore[arg-type]


@in_node
def test_an_alias_leads_to_its_process_until_it_is_dropped() -> None:
    node, process = this_node(), spawn(receive).process
    assert process is not None
    ref = set_monitor(self_())
    node.add_alias(process, ref, "explicit_unalias")
    assert node.use_alias(ref) is node.use_alias(ref) is process
    assert node.drop_alias(process, ref)
    assert not node.drop_alias(process, ref)
    assert node.use_alias(ref) is None


@in_node
def test_an_alias_for_one_reply_ends_with_its_first_use() -> None:
    node, process = this_node(), spawn(receive).process
    assert process is not None
    ref = set_monitor(self_())
    node.add_alias(process, ref, "reply")
    assert node.use_alias(ref) is process
    assert node.use_alias(ref) is None
    assert not process.aliases


@in_node
def test_an_alias_ends_with_its_monitor_only_where_it_was_made_for_it() -> None:
    node, process = this_node(), spawn(receive).process
    assert process is not None
    kept, ends = set_monitor(self_()), set_monitor(self_())
    node.add_alias(process, kept, "explicit_unalias")
    node.add_alias(process, ends, "demonitor")
    node.end_monitor_alias(process, kept)
    node.end_monitor_alias(process, ends)
    assert node.use_alias(kept) is process
    assert node.use_alias(ends) is None


@in_node
def test_the_aliases_of_a_process_end_with_it() -> None:
    node, pid = this_node(), spawn(receive)
    assert pid.process is not None
    ref = set_monitor(self_())
    node.add_alias(pid.process, ref, "explicit_unalias")
    exit(pid, "kill")
    assert node.use_alias(ref) is None


def test_what_other_threads_ask_runs_in_the_hub_in_their_order(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[tuple[int, int]] = []
    over = threading.Event()

    def main() -> None:
        node = this_node()

        def ask() -> None:
            for turn in range(50):
                node.call_soon_threadsafe(lambda turn=turn: ran.append((turn, threading.get_ident())))
            node.call_soon_threadsafe(int, "no number")
            node.call_soon_threadsafe(over.set)

        thread = threading.Thread(target=ask)
        thread.start()
        while not over.is_set():
            sleep(0.001)
        thread.join()

    with caplog.at_level(logging.ERROR):
        run(main)
    assert ran == [(turn, threading.get_ident()) for turn in range(50)]
    assert [record.message for record in caplog.records] == ["a request from another thread failed"]


@in_node
def test_a_thread_that_is_not_the_nodes_is_refused() -> None:
    refused: list[BaseException] = []

    def ask() -> None:
        try:
            this_node()
        except RuntimeFault as error:
            refused.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert "in the node's thread only" in str(refused[0])


def test_there_is_one_node_at_a_time_and_the_next_use_starts_another() -> None:
    seen: list[Node] = []
    for _ in range(2):
        run(lambda: seen.append(this_node()))
        assert running_node() is None
    assert seen[0] is not seen[1]
    assert [node.alive for node in seen] == [0, 0]


def test_a_hook_is_told_of_each_node_that_starts_and_of_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_started_hooks", [*nodes._started_hooks])
    before: list[Node] = []
    late: list[Node] = []
    nodes.when_started(before.append)

    def main() -> None:
        nodes.when_started(late.append)
        assert late == before == [this_node()]

    run(main)
    run(lambda: None)
    assert len(before) == len(late) == 2


@in_node
def test_the_caller_is_known_inside_a_process_only() -> None:
    process = self_().process
    assert nodes.current() is nodes.current_process("test") is nodes.living_caller() is process
    assert not nodes.caller_is_dead()
    outside: list[object] = []

    def ask() -> None:
        outside.extend([nodes.current(), nodes.living_caller(), nodes.caller_is_dead()])
        try:
            nodes.current_process("receive")
        except NotInProcessError as error:
            outside.append("receive" in str(error))
        send(me, "asked")

    me = self_()
    this_node().call_soon_threadsafe(ask)
    receive("asked")
    assert outside == [None, None, False, True]


@in_node
def test_a_dead_caller_is_known_as_one() -> None:
    seen: list[bool] = []

    def stubborn() -> None:
        try:
            receive("never")
        finally:
            seen.append(nodes.caller_is_dead())

    pid = spawn(stubborn)
    process = pid.process
    sleep(0)
    exit(pid, "kill")
    sleep(0)
    assert seen == [True]
    assert process is not None
    assert process.state is DEAD
