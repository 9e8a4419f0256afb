"""The applications and their trees, as the view of them in OTP's observer is told."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import (
    ANY,
    Down,
    Pid,
    Supervisor,
    application,
    cast,
    exit,
    monitor,
    node,
    receive,
    register,
    self_,
    send,
    spawn,
    spawn_link,
    whereis,
)
from runtime.otp_modules import appmon_info
from runtime.terms.atom import Atom
from tests.runtime.otp_modules.asked import DEADLINE, ask
from tests.runtime.otp_modules.test_servers import Holder
from tests.support.other_nodes import beam_node, named


class Zoo(application.Application):
    """An application with a supervisor."""

    name = "zoo"
    description = "Animals"

    def start(self, start_type: str, args: object) -> object:
        """Start the tree."""
        return Supervisor.start_link([Holder], name="zoo_sup")


def _delivery(kind: str) -> Any:
    return receive((Atom("delivery"), object, Atom(kind), object, object), timeout=DEADLINE)[4]


def _start(other: str) -> Any:
    word, server = ask(other, "appmon_info", "start_link2", self_(), self_(), [])
    assert word == "ok"
    return server


def _want(server: Pid, kind: str, about: str, wanted: bool = True) -> None:
    cast(server, (self_(), Atom(kind), Atom(about), wanted, []))


def _edges(tree: Any) -> set[tuple[str, str]]:
    _, _, edges, _ = tree
    return {("".join(map(chr, parent)), "".join(map(chr, child))) for parent, child in edges}


@named
def test_the_program_and_its_applications_are_told_with_their_trees() -> None:
    with beam_node() as other:
        other.connect()
        register("main", self_())
        spawn_link(receive, name="sleeper")
        application.ensure_all_started(Zoo)
        server = _start(other.name)
        assert _start(other.name) == server
        _want(server, "app_ctrl", node())
        told = {str(name): line for _, name, line in _delivery("app_ctrl")}
        program = node().partition("@")[0]
        assert told.keys() == {program, "zoo"}
        assert told["zoo"] == ("zoo", [*b"Animals"], [])
        _want(server, "app", "zoo")
        top, names, edges, _ = _delivery("app")
        assert [name for pid, name in names if pid == whereis("zoo_sup")] == [[*b"zoo_sup"]]
        assert len(edges) == 2
        assert [parent for parent, child in edges if child == [*b"zoo_sup"]] == [top]
        _want(server, "app", program)
        assert ("main", "sleeper") in _edges(_delivery("app"))
        assert not any("zoo_sup" in edge for edge in _edges(_tree_of(self_())))


def _tree_of(pid: Any) -> Any:
    return appmon_info.tree_of(pid.process.node, pid.process)


@named
def test_a_change_is_told_and_nothing_else_until_the_last_client_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appmon_info, "PERIOD", 0.01)
    with beam_node() as other:
        other.connect()
        application.ensure_all_started(Zoo)
        client = spawn(_watch, other.name, self_())
        server = receive(("server", object), timeout=DEADLINE)[1]
        before = receive(("tree", object), timeout=DEADLINE)[1]
        holder = next(pid for pid, name in before[1] if name == before[2][-1][1])
        exit(holder, "kill")
        after = receive(("tree", object), timeout=DEADLINE)[1]
        if len(after[1]) < 3:  # a look came before the supervisor had its turn
            after = receive(("tree", object), timeout=DEADLINE)[1]
        assert (len(after[1]), holder in [pid for pid, _ in after[1]]) == (3, False)
        assert receive(("tree", object), timeout=0.3, default=None) is None
        ref = monitor(server)
        exit(client, "kill")
        assert receive(Down(ref, ANY, ANY), timeout=DEADLINE).reason == "normal"


def _watch(other: str, test: Pid) -> None:
    server = _start(other)
    send(test, ("server", server))
    _want(server, "app", "zoo")
    while True:
        send(test, ("tree", _delivery("app")))
