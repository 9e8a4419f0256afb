"""The demo of the chat: clients and servers that are killed come back, and callers from outside are processes."""

import random
from collections.abc import Callable

import pytest
from gevent import socket

from demos import chat
from demos._stage import figure, kill
from runtime import Pid, exit, processes, run, sleep, which_children
from runtime import sys as system
from runtime.kernel.clock import now
from tests.support.demo_trees import children


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
