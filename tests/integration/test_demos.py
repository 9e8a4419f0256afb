"""The demos: what they print alone, and that under an observer their trees work, fail and heal as their pages say."""

import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from gevent import socket

import demos
from demos import chat, counter, crash_loop, deadlock, leak, overload, strategies, swarm
from demos._stage import figure, hold, kill
from runtime import (
    Exit,
    Pid,
    alive,
    call,
    exit,
    flag,
    processes,
    receive,
    run,
    sleep,
    spawn,
    spawn_link,
    whereis,
    which_children,
)
from runtime import (
    sys as system,
)
from runtime.kernel.clock import now
from tests.support.in_node import in_node

NAMES = sorted(path.stem for path in Path(demos.__path__[0]).glob("[!_]*.py"))

SESSIONS = {
    "cluster": """\
        Three nodes, this one and two with surveys:
        3 surveys on left
        3 surveys on right
        left was killed, and its surveys went on:
        6 surveys on right
        left is back, with three surveys again.
        A partner on left and one on right are linked. The wire between the two is cut:
        the partner on left got one Exit and one Down: ['noconnection', 'noconnection']
        the partner on right got one Exit and one Down: ['noconnection', 'noconnection']
        The wire is mended, and they are linked again.
        """,
    "chat": """\
        [Ada] * Ada joins
        [Bob] * Bob joins
        [Charles] * Charles joins
        [Ada] Ada: Hello, everybody!
        [Bob] Ada: Hello, everybody!
        [Charles] Ada: Hello, everybody!
        [Ada] Bob: Hi Ada.
        [Bob] Bob: Hi Ada.
        [Charles] Bob: Hi Ada.
        [Ada] Charles: Is this thing on?
        [Bob] Charles: Is this thing on?
        [Charles] Charles: Is this thing on?
        """,
    "connection": """\
        [connection] connecting
        [connection] connected
        WHO IS THERE?
        the server hangs up
        [connection] waiting for 0.1 seconds
        [connection] connecting
        [connection] waiting for 0.2 seconds
        [connection] connecting
        [connection] waiting for 0.4 seconds
        and answers again, for a question that has waited
        [connection] connecting
        [connection] connected
        HOW ARE YOU?
        """,
    "counter": """\
        start
        increment
        get
        Current count: 1
        start under a supervisor
        increment
        get
        Current count: 1
        kill
        get
        Current count: 0
        """,
    "crash_loop": """\
        tea: 2
        no such dish: call to orders failed: KeyError: 'no such dish'
        soup: 5
        no such dish: call to orders failed: KeyError: 'no such dish'
        cake: 4
        """,
    "deadlock": """\
        move from savings to cheque: failed
        move from cheque to savings: failed
        """,
    "plain": """\
        served: [1, 3]
        gone: 1 of 2 waiters, because order 20 is spoiled
        """,
    "strategies": """\
        one_for_one: killed one_b, started again: one_b
        one_for_all: killed all_b, started again: all_a, all_b, all_c
        rest_for_one: killed rest_b, started again: rest_b, rest_c
        fragile: killed glass, started again: glass
        fragile: killed glass, started again: glass, shelf
        fragile: killed glass, started again: glass
        fragile: killed glass, started again: cupboard, glass, shelf
        """,
    "web_shop": """\
        PUT /carts/ada/tea -> 200 {'tea': 2}
        kill cart
        kill catalogue
        GET /carts/ada -> 200 {'tea': 2}
        kill connection 0
        kill connection 1
        kill connection 2
        kill connection 3
        PUT /orders/ada -> 200 {'id': 'ada', 'total': 900, 'lines': {'tea': 2}}
        kill web
        PUT /orders/ada -> 200 {'id': 'ada', 'total': 900, 'lines': {'tea': 2}}
        kill database
        kill shopping
        GET /orders/ada -> 200 {'id': 'ada', 'total': 900, 'lines': {'tea': 2}}
        """,
}
"""What demos print whose sessions hold no measurement."""


def played(name: str, *arguments: str) -> str:
    """Play a demo's session in a process of its own and give what it printed."""
    environment = {key: value for key, value in os.environ.items() if key != "OBSERVER"}
    done = subprocess.run(
        [sys.executable, "-m", f"demos.{name}", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def figures(text: str) -> list[list[float]]:
    """Return the numbers of each line."""
    return [[float(number) for number in re.findall(r"\d+(?:\.\d+)?", line)] for line in text.splitlines()]


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_prints_its_lines_and_ends(name: str) -> None:
    assert played(name).split("\n") == [line.strip() for line in SESSIONS[name].split("\n")]


def test_the_hog_makes_a_short_nap_a_long_one() -> None:
    ((asked, got),) = figures(played("hog"))
    assert asked < 0.1 < got


def test_the_leak_grows_with_every_page() -> None:
    sizes = [size for _, size in figures(played("leak"))]
    assert sizes == sorted(set(sizes))
    assert len(sizes) == 4


def test_the_overload_session_leaves_work_waiting() -> None:
    waiting = [waits for _, waits in figures(played("overload"))]
    assert len(waiting) == 4
    assert waiting[-1] > waiting[0] > 0


def test_the_swarm_is_as_large_as_it_was_asked_to_be() -> None:
    assert played("swarm", "--processes", "300").startswith("300 servers, 303 processes with their supervisors\n")


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_swarm_of_no_size_is_refused_with_a_sentence(number: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demos.swarm", f"--processes={number}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "--processes" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_demo_begins_its_page_with_one_line_and_says_what_to_try(name: str) -> None:
    page = Path(demos.__path__[0], f"{name}.py").read_text(encoding="utf-8").split('"""')[1]
    first, blank, *rest = page.split("\n")
    assert first.endswith(".")
    assert not blank
    assert "In the observer" in " ".join(rest)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "plain"])
def test_a_watched_demo_goes_on_until_it_is_told_to_stop(name: str, tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", WATCHED, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OBSERVER": "1", "OBSERVER_DIR": str(tmp_path)},
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "the tree stands\n"
        child.send_signal(signal.SIGTERM)
        _, errors = child.communicate(timeout=300)
    assert (child.returncode, errors) == (128 + signal.SIGTERM, "")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_the_plain_one_goes_on_too_and_ends_without_a_traceback(number: int, status: int, tmp_path: Path) -> None:
    environment = {**os.environ, "OBSERVER": "1", "OBSERVER_DIR": str(tmp_path)}
    command, pipe = [sys.executable, "-c", LASTING], subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment, bufsize=0) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"it goes on\n"
        child.send_signal(number)
        try:
            _, errors = child.communicate(timeout=300)
        finally:
            child.kill()  # what ignores the signal would keep the test from its end
    assert child.returncode == status
    assert b"Traceback" not in errors


WATCHED = """\
import runpy, sys
from demos import _stage

def hold(tree, hold=_stage.hold):
    def announced():
        top = tree()
        print("the tree stands", flush=True)
        return top
    hold(announced)

_stage.hold = hold
sys.argv = sys.argv[1:]
runpy.run_module("demos." + sys.argv[0], run_name="__main__")
"""
"""Runs a demo as ``python -m`` does, and says when its tree has started."""


LASTING = """\
import gevent, runpy
gevent.spawn_later(2, print, "it goes on", flush=True)
runpy.run_module("demos.plain", run_name="__main__")
"""
"""Runs the plain demo, and says when it has gone on for longer than its session takes."""


@in_node
def test_the_supervised_counter_comes_back_and_the_lonely_one_does_not() -> None:
    counter.tree()
    sleep(30)
    old = whereis("counter")
    assert figure(old, "messages_in") > 30
    kill("lonely")
    kill("counter")
    sleep(30)
    assert whereis("counter") not in (None, old)
    assert whereis("lonely") is None
    assert figure(whereis("counter"), "messages_in") > 30


def children(supervisor: str) -> dict[str, Pid]:
    """Return the pids of a supervisor's children by id."""
    return {child.id: child.pid for child in which_children(supervisor)}


def members() -> list[str]:
    """Return the names in the register of the chat's server."""
    return sorted(name for name, _ in system.get_state("server")["clients"].values())


PATIENCE = 60.0
"""Seconds after which a test that waits for something on the real clock gives up and fails."""


def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds. For the chat, whose open port keeps a mock clock from jumping."""
    deadline = now() + PATIENCE
    while not condition():
        assert now() < deadline, "what the test waits for has not happened"
        sleep(0.01)


@pytest.fixture
def _busy_tongues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: 0.01)


@pytest.mark.usefixtures("_busy_tongues")
def test_a_killed_chat_client_comes_back_registers_again_and_talks_on() -> None:
    def scenario() -> None:
        chat.tree()
        until(lambda: members() == ["Ada", "Bob", "Charles"])
        before = children("clients")
        exit(before["Ada"], "kill")
        until(lambda: children("clients")["Ada"] != before["Ada"])
        after = children("clients")
        assert {name for name in before if before[name] != after[name]} == {"Ada"}
        until(lambda: after["Ada"] in system.get_state("server")["clients"])
        assert members() == ["Ada", "Bob", "Charles"]
        until(lambda: bool(figure(after["Ada"], "messages_out") > 3))

    run(scenario)


@pytest.mark.usefixtures("_busy_tongues")
def test_all_clients_register_again_with_a_restarted_chat_server() -> None:
    def scenario() -> None:
        chat.tree()
        until(lambda: members() == ["Ada", "Bob", "Charles"])
        before = children("clients")
        kill("server")
        which_children("chat")  # answered when the supervisor has restarted all that it restarts
        until(lambda: members() == ["Ada", "Bob", "Charles"])
        assert not {*before.values()} & {*children("clients").values()}

    run(scenario)


class Caller:
    """A guest who joins the chat over TCP."""

    def __init__(self, name: str) -> None:
        (door,) = [figure(pid, "label") for pid in processes() if "nc localhost" in (figure(pid, "label") or "")]
        self.peer = socket.create_connection(("localhost", int(door.split()[-1])))
        self.lines = self.peer.makefile("rb")
        assert self.lines.read(len(b"What is your name? "))
        self.write(name)
        self.hears(f"* {name} joins")

    def write(self, line: str) -> None:
        self.peer.sendall(f"{line}\n".encode())

    def hears(self, line: str) -> None:
        """Read until the line comes."""
        for heard in self.lines:
            if heard == f"{line}\n".encode():
                return
        raise AssertionError(f"the connection closed, and {line!r} never came")

    def is_cut_off(self) -> bool:
        """Read to the end of the connection."""
        return self.lines.read() is not None

    def hang_up(self) -> None:
        self.lines.close()
        self.peer.close()


def connections() -> list[Pid]:
    """Return the processes of the chat's connections, oldest first."""
    return sorted(child.pid for child in which_children("connections"))


def until_members_are(*names: str) -> None:
    """Wait until the chat's register holds these names."""
    until(lambda: members() == sorted(names))


def test_callers_from_outside_chat_and_each_is_a_process_of_its_own() -> None:
    def scenario() -> None:
        chat.tree()
        eve, tom = Caller("Eve"), Caller("Tom")
        until_members_are("Ada", "Bob", "Charles", "Eve", "Tom")
        eve.write("Is there tea?")
        tom.hears("Eve: Is there tea?")

        exit(connections()[0], "kill")
        assert eve.is_cut_off()
        until_members_are("Ada", "Bob", "Charles", "Tom")
        tom.write("Still here.")
        tom.hears("Tom: Still here.")

        tom.hang_up()
        until_members_are("Ada", "Bob", "Charles")
        assert connections() == []
        eve.hang_up()

    run(scenario)


def test_the_chat_finds_another_port_when_its_own_is_taken() -> None:
    def scenario() -> None:
        taken = socket.socket()
        with taken:
            try:
                taken.bind(("127.0.0.1", chat.PORT))
                taken.listen()
            except OSError:  # another process has it: as good
                pass
            chat.tree()
            Caller("Eve").hang_up()

    run(scenario)


@in_node
def test_the_leaking_cache_grows_and_the_reader_survives_its_death() -> None:
    leak.tree()
    sleep(5)
    small = figure(whereis("cache"), "memory")
    sleep(5)
    assert figure(whereis("cache"), "memory") > small > 0
    kill("cache")
    sleep(5)
    assert 0 < figure(whereis("cache"), "memory") <= small + leak.PAGE


@in_node
def test_the_overloaded_mailbox_grows_and_the_polite_one_does_not() -> None:
    overload.tree()
    sleep(10)
    assert figure(whereis("consumer"), "message_queue_len") > 100
    assert figure(whereis("other_consumer"), "message_queue_len") <= 1


@in_node
def test_the_deadlocked_accounts_are_freed_by_the_death_of_one() -> None:
    deadlock.tree()
    sleep(deadlock.PEACE + 60)
    before = children("bank")
    assert all(figure(before[name], "message_queue_len") == 1 for name in deadlock.OTHER)
    kill("savings")
    sleep(1)
    after = children("bank")
    assert {name for name in before if before[name] != after[name]} == {"savings", "cheque"}
    assert figure(after["savings"], "message_queue_len") == 0


@in_node
def test_accounts_that_are_asked_a_little_apart_wait_for_each_other_too() -> None:
    for name in deadlock.OTHER:
        deadlock.Account.start_link(name=name)
    for name, other in deadlock.OTHER.items():
        spawn(call, name, ("move", 10, other), None)
        sleep(0.1)
    sleep(60)
    assert all(figure(whereis(name), "message_queue_len") == 1 for name in deadlock.OTHER)


@in_node
def test_the_crash_loop_stays_within_its_budget_until_the_burst() -> None:
    crash_loop.tree()
    burst = crash_loop.BURST * crash_loop.EVERY
    sleep(burst * 0.8)
    top, kitchen = whereis("restaurant"), whereis("kitchen")
    assert figure(whereis("orders"), "messages_in") < 10
    sleep(burst * 0.4)
    assert whereis("kitchen") not in (None, kitchen)
    assert whereis("restaurant") == top


@in_node
def test_the_dealer_gives_work_to_servers_in_every_corner() -> None:
    swarm.tree(300)
    sleep(30)
    servers = [child.pid for group in which_children("servers") for child in which_children(group.pid)]
    assert len(servers) == 300
    assert all(figure(pid, "messages_in") > 0 for pid in servers)


@in_node
def test_a_tree_that_gave_up_is_built_again() -> None:
    holder = spawn_link(hold, strategies.tree)
    sleep(1)
    top = whereis("strategies")
    assert top is not None
    exit(top, "kill")
    sleep(10)
    assert whereis("strategies") not in (None, top)
    assert alive(holder)
    flag(trap_exit=True)
    exit(holder, "shutdown")
    assert receive(Exit(holder, str)).reason == "shutdown"
    sleep(10)
    assert whereis("strategies") is None
