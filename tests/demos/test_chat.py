"""The chat, tested with the plugin that the runtime brings for such tests."""

from __future__ import annotations

import sys
from functools import partial

from gevent import subprocess

from demos.chat import LINES, Server, client, start_client, tree
from runtime import ChildSpec, Pid, get_label, self_, send, sleep, spawn_link, whereis, which_children
from runtime.sys import get_state
from runtime.testing import (
    TestClock,
    assert_receive,
    assert_restarted,
    crash,
    refute_receive,
    start_supervised,
    stop_supervised,
)

pytest_plugins = ["runtime.testing"]


def join(name: str) -> None:
    """Register the test itself with the server."""
    send("server", ("register", self_(), name))


def members() -> set[str]:
    """Return the names of the clients that the server knows."""
    return {name for name, _ in get_state("server")["clients"].values()}


def test_what_one_writes_is_passed_on_to_all() -> None:
    start_supervised(Server.child_spec(name="server"))
    join("Ada")
    send("server", ("message", self_(), "hello"))
    assert_receive(("message", "Ada", "hello"))
    send("server", ("unregister", self_()))
    send("server", ("message", self_(), "still there?"))
    refute_receive(("message", str, str), timeout=0.01)


def test_a_broadcast_can_leave_the_sender_out() -> None:
    start_supervised(Server.child_spec(name="server"))
    me = self_()
    for name in ("Bob", "Charles"):
        start_supervised(ChildSpec(id=name, start=(spawn_link, client, name, partial(_show, me, name))))
        assert_receive((name, f"* {name} joins"))
    join("Ada")
    send("server", ("message_to_others", me, "psst"))
    for name in ("Bob", "Charles"):
        assert_receive((name, "Ada: psst"))
    refute_receive(("message", str, str), timeout=0.01)
    stop_supervised("Charles")
    bob = next(pid for pid, (name, _) in get_state("server")["clients"].items() if name == "Bob")
    send(bob, ("send", "/others  not me"))
    assert assert_receive(("message", str, str)) == ("message", "Bob", "not me")
    refute_receive(("Bob", str), timeout=0.01)


def _show(watcher: Pid, name: str, line: str) -> None:
    send(watcher, (name, line))


def test_a_client_that_dies_is_forgotten_and_joins_again_under_a_new_pid(clock: TestClock) -> None:
    start_supervised(Server.child_spec(name="server"))
    ada = start_supervised(ChildSpec(id="Ada", start=(start_client, "Ada")))
    clock.advance(0)
    assert members() == {"Ada"}
    again = assert_restarted(crash(ada))
    clock.advance(0)
    assert members() == {"Ada"}
    assert [*get_state("server")["clients"]] == [again]


def test_when_the_server_dies_all_that_depends_on_it_starts_again() -> None:
    start_supervised(ChildSpec(id="chat", start=(tree,), type="supervisor"))
    before = {*get_state("server")["clients"]}
    server = assert_restarted(crash("server"))
    assert_restarted("connections")
    while members() != set(LINES):
        sleep(0.01)
    assert whereis("server") == server
    assert not before & {*get_state("server")["clients"]}


def test_a_guest_joins_from_a_terminal_and_the_row_bears_the_name_that_was_typed() -> None:
    start_supervised(ChildSpec(id="chat", start=(tree,), type="supervisor"))
    port = next(text for child in which_children("chat") if (text := get_label(child.pid) or "").startswith("nc "))
    command = [sys.executable, "-m", "demos.chat", "--join", port.split()[-1]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as guest:
        assert guest.stdin is not None
        assert guest.stdout is not None
        guest.stdin.write(b"Zoe\nhello there\n")
        guest.stdin.flush()
        while b"Zoe: hello there" not in guest.stdout.readline():
            pass
        assert [get_label(child.pid) for child in which_children("connections")] == ["Zoe"]
        guest.stdin.close()
        guest.stdout.read()
    assert guest.returncode == 0
