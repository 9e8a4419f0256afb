"""The command against real second processes: ones that work, crash, hang in a busy loop, and die."""

from __future__ import annotations

import json
import os
import signal
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from observer.node.child import Child
from tests.support.copies import OBSERVER
from tests.support.fake_endpoint import socket_folder
from tests.support.terminal import FAILING, SCREEN_OFF, SCREEN_ON, WAIT, Terminal, until

__all__ = ["socket_folder"]

SERVERS = """
    from dataclasses import replace
    from runtime import *

    class Counter(GenServer):
        def init(self, start=0):
            self.count = start
        def handle_call(self, request, caller):
            return self.count
        def handle_cast(self, message):
            self.count += 1

    SERVERS = [
        replace(Counter.child_spec(1, name="first"), id="first"),
        replace(Counter.child_spec(2, name="second"), id="second"),
    ]

    def hold():
        match receive(Exit):
            case Exit(pid, reason):
                exit(reason)

"""

TREE = (
    SERVERS
    + """
    def main():
        flag(trap_exit=True)
        Supervisor.start_link(SERVERS, max_restarts=1000, max_seconds=1.0, name="top")
        hold()

    run(main)
"""
)

FRAGILE = (
    SERVERS
    + """
    def main():
        flag(trap_exit=True)
        Supervisor.start_link(SERVERS, max_restarts=0, name="top")
        sleep(1000)

    run(main)
"""
)

NESTED = (
    SERVERS
    + """
    def fragile():
        return Supervisor.start_link(SERVERS, max_restarts=0, name="fragile")

    def main():
        flag(trap_exit=True)
        inner = ChildSpec(id="inner", start=(fragile,), type="supervisor")
        Supervisor.start_link([inner], max_restarts=1000, max_seconds=1.0, name="top")
        hold()

    run(main)
"""
)


FALLING = (
    SERVERS
    + """
    def group():
        return Supervisor.start_link([ChildSpec(id=n, start=(Counter.start_link,)) for n in range(100)])

    def main():
        flag(trap_exit=True)
        groups = [ChildSpec(id=n, start=(group,), type="supervisor") for n in range(6)]
        while True:
            Supervisor.start_link(groups, name="top")
            match receive(Exit):
                case Exit(_, "shutdown"):
                    sleep(0.2)
                case Exit(_, reason):
                    exit(reason)

    run(main)
"""
)
"""A tree whose budgets a high rate uses up on all levels; its program builds it again each time."""

FORGETFUL = (
    SERVERS
    + """
    def main():
        flag(trap_exit=True)
        guests = ChildSpec(id="guests", start=(lambda: DynamicSupervisor.start_link(name="guests"),), type="supervisor")
        top = Supervisor.start_link([guests], max_restarts=1000, max_seconds=1.0, name="top")
        for _ in range(20):
            start_child(which_children(top)[0].pid, Counter)
        hold()

    run(main)
"""
)
"""A dynamic supervisor, which begins without children when it is restarted."""


@pytest.fixture(autouse=True)
def no_settings(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(socket_folder / "config"))
    monkeypatch.setenv("PYTHONPATH", os.getcwd())


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that writes a program to a file and returns its path."""

    def write(code: str, name: str = "program.py") -> str:
        path = tmp_path / name
        path.write_text(textwrap.dedent(code))
        return str(path)

    return write


@contextmanager
def node(program: str) -> Iterator[Child]:
    """Start a program as ``observer run`` does, without the dashboard."""
    with Child("node", [program], environment={"OBSERVER": "1"}) as child:
        assert child.wait_until_listening(), child.stderr()
        yield child


STARVED = {"starved", "was_starved"}
"""What is found wrong with a node that a busy machine has hardly run."""


def diagnosed(*arguments: str) -> Any:
    """Run the command ``diagnose``, which ends with 1 where it finds anything."""
    return observer("diagnose", *arguments, status=(0, 1))


def observer(*arguments: str, status: int | tuple[int, ...] = 0) -> Any:
    """Run the command; give what it printed, as JSON where that was asked for."""
    result = OBSERVER.run("tests.support.patient", *arguments)
    assert result.returncode in (status if isinstance(status, tuple) else (status,)), result.stderr
    assert "Traceback" not in result.stderr
    return json.loads(result.stdout) if "--json" in arguments else result.stdout + result.stderr


def children(program: str = "top") -> dict[str, dict[str, Any]]:
    """Return the children of the supervisor that is registered as `program`, by their ids."""
    roots = observer("tree", "node", "--json")
    return {
        child["child_id"]: child
        for root in roots
        if root["registered_name"] == program
        for child in root["children"]
        if child["pid"] is not None
    }


def test_a_killed_process_is_replaced_and_the_chain_of_events_says_why(script: Callable[[str], str]) -> None:
    with node(script(TREE)):
        until(lambda: children().keys() >= {"first", "second"})
        before = children()
        assert observer("kill", "first", "--json")[0]["event"]
        until(lambda: children().get("first", before["first"])["pid"] != before["first"]["pid"])
        after = children()
        assert after["first"]["restarts"] == 1
        assert after["second"]["pid"] == before["second"]["pid"]
        events = {event["id"]: event for event in observer("events", "--json")}
        (restart,) = [event for event in events.values() if event["kind"] == "restart"]
        assert (restart["old_pid"], restart["pid"]) == (before["first"]["pid"], after["first"]["pid"])
        died = events[restart["cause"]]
        assert (died["kind"], died["pid"], died["reason"]) == ("exit", before["first"]["pid"], "killed")
        assert events[died["cause"]]["kind"] == "kill"


def test_every_listing_command_answers_on_a_real_node(script: Callable[[str], str]) -> None:
    with node(script(TREE)) as child:
        until(lambda: children().keys() >= {"first", "second"})
        (listed,) = observer("nodes", "--json")
        assert (listed["name"], listed["os_pid"]) == ("node", child.pid)
        listing = observer("ps", "--json")
        assert {"first", "second", "top"} <= {each["registered_name"] for each in listing}
        assert all(each["memory"] for each in listing), "what was not measured before is measured for the command"
        assert observer("send", "first", "increment", "--cast")
        assert observer("send", "first", "get", "--call").strip() == "2"
        until(lambda: observer("info", "first", "--json", "--state")["status"] == "waiting")
        assert observer("suspend", "first")
        until(lambda: observer("info", "first", "--json")["status"] == "suspended")
        assert observer("resume", "first")
        until(lambda: observer("info", "first", "--json")["status"] == "waiting")
        assert observer("top", "-i", "0.1", "--json")
        assert {each["kind"] for each in diagnosed("--for", "0", "--json")} <= STARVED
        assert diagnosed()
        for command in ("nodes", "tree", "ps", "top", "events"):
            assert observer(command)


def test_a_pid_that_is_gone_is_a_sentence(script: Callable[[str], str]) -> None:
    with node(script(TREE)):
        assert "<0.999999.0>" in observer("kill", "0.999999.0", status=1)
        assert "called 'noone'" in observer("kill", "noone", status=1)


def test_a_busy_loop_holds_up_no_command_and_can_be_killed(script: Callable[[str], str]) -> None:
    hog = """
        from runtime import *
        def hog():
            print("hogging", flush=True)
            while True:
                pass
        def main():
            spawn(hog, name="the_hog")
            sleep(1000)
        run(main)
    """
    with node(script(hog)) as child:
        until(lambda: "hogging" in child.stdout())
        names = [each["registered_name"] for each in observer("ps", "--json")]
        assert "the_hog" in names
        assert observer("info", "the_hog", "--json")["status"] == "running"
        assert observer("info", "--json")["hub_busy_with"] is not None
        assert observer("kill", "the_hog")
        until(lambda: "the_hog" not in {each["registered_name"] for each in observer("ps", "--json")})


def test_processes_that_are_never_idle_hold_up_no_command(script: Callable[[str], str]) -> None:
    players = """
        from runtime import *
        def play():
            while True:
                send(receive(), self_())
        def main():
            first = spawn(play, name="first")
            send(first, spawn(play, name="second"))
            sleep(1000)
        run(main)
    """
    with node(script(players)):
        until(lambda: "second" in {each["registered_name"] for each in observer("ps", "--json")})
        for _ in range(3):
            until(lambda: {each["registered_name"]: each for each in observer("ps", "--json")}["first"]["messages_in"])
        until(lambda: observer("info", "--json")["hub_busy_with"] is None)  # a busy machine may hold it up
        assert observer("kill", "first")
        until(lambda: "first" not in {each["registered_name"] for each in observer("ps", "--json")})


def test_a_program_of_plain_greenlets_is_listed_and_one_of_them_killed(script: Callable[[str], str]) -> None:
    plain = """
        import gevent
        def nap():
            gevent.sleep(1000)
        gevent.joinall([gevent.spawn(nap) for _ in range(2)])
    """
    with node(script(plain)):
        until(lambda: "3 greenlets" in (tree := observer("tree")) and "nap" in tree)
        roots = observer("tree", "--json")
        assert [(each["pid"], each["kind"]) for each in roots] == [(f"g{n}", "greenlet") for n in range(3)]
        main, *_ = observer("ps", "--json")
        assert (main["pid"], main["label"], main["kind"]) == ("g0", "main greenlet", "greenlet")
        until(lambda: [each["at"] for each in observer("ps", "--json")[1:]] == ["program.py:4 nap"] * 2)
        assert "main greenlet" in observer("kill", "g0", status=1)
        assert observer("info", "g2", "--json")["initial_call"] == "__main__.nap"
        assert "Killed g2" in observer("kill", "g2")
        until(lambda: "2 greenlets" in observer("tree"))
        assert "There is no greenlet g2" in observer("kill", "g2", status=1)
        assert "no process" in observer("send", "g1", "'hello'", status=2)


def test_chaos_on_a_tree_that_heals_passes(script: Callable[[str], str]) -> None:
    with node(script(TREE)):
        until(lambda: children().keys() >= {"first", "second"})
        report = observer("chaos", "node", "--rate", "20/s", "--for", "0.5s", "--settle", "60s", "--json")
    assert report["passed"]
    assert report["kills"] == report["recovered"] >= 1
    assert report["time_to_recovery"]["worst"] >= report["time_to_recovery"]["p50"] > 0


def test_chaos_on_a_tree_that_gives_up_fails(script: Callable[[str], str]) -> None:
    with node(script(FRAGILE)):
        until(lambda: children().keys() >= {"first", "second"})
        report = observer("chaos", "--rate", "20/s", "--for", "0.2s", "--settle", "2s", "--json", status=1)
    assert {victim["why"] for victim in report["never_came_back"]} == {"top above it is gone"}
    assert report["gave_up"] == ["top"]


def test_what_a_restarted_supervisor_starts_afresh_has_come_back(script: Callable[[str], str]) -> None:
    with node(script(NESTED)):
        until(lambda: observer("ps", "--filter", "second", "--json"))
        report = observer("chaos", "--rate", "5/s", "--for", "0.5s", "--settle", "60s", "--json")
    assert set(report["gave_up"]) == {"top/inner"}
    assert report["kills"] == report["recovered"]


def test_of_a_tree_that_falls_again_and_again_all_is_seen_to_come_back(
    script: Callable[[str], str],
) -> None:
    with node(script(FALLING)):
        until(lambda: observer("info", "node", "--json")["process_count"] > 600)
        report = observer("chaos", "--rate", "100/s", "--for", "3s", "--settle", "60s", "--json")
    assert "top" in report["gave_up"]
    assert report["never_came_back"] == []
    assert report["kills"] == report["recovered"] > 0


def test_of_what_never_comes_back_chaos_says_why(script: Callable[[str], str]) -> None:
    with node(script(FORGETFUL)):
        until(lambda: observer("info", "node", "--json")["process_count"] > 20)
        report = observer(
            "chaos", "--rate", "50/s", "--for", "2s", "--settle", "1s", "--target", "sup~guests", "--json", status=1
        )
    assert "top/guests" in report["gave_up"]
    assert {victim["why"] for victim in report["never_came_back"]} == {"its supervisor has no such child any more"}


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("import os; print('last words', file=__import__('sys').stderr); os._exit(7)", "exit status 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("raise ValueError('no good')", "exit status 1"),
    ],
)
def test_a_program_that_dies_is_told_with_how(script: Callable[[str], str], code: str, verdict: str) -> None:
    with Child("node", [script(code)]) as child:
        assert child.wait(WAIT) is not None
    assert verdict in child.verdict()
    assert "No node is running" in observer("tree", status=1)


BROKEN = [
    ("import no_such_module_anywhere", "No module named 'no_such_module_anywhere'"),
    ("def oops(:", "invalid syntax"),
    ("1 / 0", "ZeroDivisionError: division by zero"),
]


@pytest.mark.parametrize(("code", "sentence"), BROKEN)
def test_a_script_that_fails_at_once_is_a_sentence(script: Callable[[str], str], code: str, sentence: str) -> None:
    with Terminal("run", script(code), code=FAILING) as terminal:
        assert terminal.left() == 1
        terminal.until(sentence.encode())
        assert b"Traceback" not in terminal.output
        assert SCREEN_ON not in terminal.output


def test_a_module_that_does_not_exist_is_a_sentence() -> None:
    with Terminal("run", "-m", "no_such_module_anywhere", code=FAILING) as terminal:
        assert terminal.left() == 1
        terminal.until(b"no_such_module_anywhere")
        assert b"Traceback" not in terminal.output


def test_what_follows_the_script_belongs_to_the_script(script: Callable[[str], str]) -> None:
    program = script("import sys, time; open(__file__ + '.seen', 'w').write(str(sys.argv[1:])); time.sleep(60)")
    seen = Path(program + ".seen")
    with Terminal("run", program, "--name", "x", "-m", "--json") as terminal:
        terminal.until(SCREEN_ON)
        until(lambda: seen.exists() and seen.read_text(encoding="utf-8"))  # the screen may be there before the script
        terminal.type("q")
        assert terminal.left() == 0
    assert seen.read_text(encoding="utf-8") == "['--name', 'x', '-m', '--json']"


def test_a_demo_is_watched_and_ends_with_the_observer() -> None:
    with Terminal("demo", "counter") as terminal:
        terminal.until(SCREEN_ON)
        terminal.until(b"live")
        (child,) = psutil.Process(terminal.process.pid).children()
        terminal.type("q")
        assert terminal.left() == 0
        terminal.until(SCREEN_OFF)
        assert psutil.wait_procs([child], WAIT)[1] == []


@pytest.mark.parametrize("code", [TREE, "while True: pass"], ids=["working", "hanging"])
def test_killing_the_observer_ends_the_program_even_when_it_hangs(script: Callable[[str], str], code: str) -> None:
    with Terminal("run", script(code)) as terminal:
        terminal.until(SCREEN_ON)
        (child,) = psutil.Process(terminal.process.pid).children()
        os.kill(terminal.process.pid, signal.SIGKILL)
        assert psutil.wait_procs([child], WAIT)[1] == []


def test_quitting_never_touches_a_program_it_attached_to(script: Callable[[str], str]) -> None:
    with node(script(TREE)) as child, Terminal("attach", "node") as terminal:
        terminal.until(b"second")
        terminal.type("q")
        assert terminal.left() == 0
        assert child.returncode is None
        assert children().keys() >= {"first", "second"}
