"""Supervisors that are asked from another node, BEAM nodes too, and supervisors of OTP's that are asked from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from runtime import (
    CallError,
    ChildInfo,
    ChildSpec,
    GenServer,
    Pid,
    Registry,
    Supervisor,
    SupervisorError,
    alive,
    count_children,
    delete_child,
    erpc,
    get_childspec,
    node,
    restart_child,
    terminate_child,
    unlink,
    which_children,
)
from runtime.supervision.otp_terms import outcome_of, to_otp
from runtime.terms.atom import Atom
from runtime.terms.text import render
from tests.support.in_node import in_node
from tests.support.other_nodes import Other, beam_node, named, python_node


class Echo(GenServer):
    """Answers with what it is asked."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        """Answer."""
        return request


class Worker(GenServer):
    """A class that no other node has."""


@dataclass(frozen=True)
class Key:
    """An id that Erlang has no term for."""

    number: int


def _start_worker(_argument: object) -> Pid | None:
    return Worker.start_link()


def _ask(other: Other, function: str, *arguments: object) -> Any:
    """Have the Erlang node ask the supervisor ``top`` of this one, by OTP's own function."""
    top = (Atom("top"), Atom(node()))
    return erpc.call(other.name, ("supervisor", function), top, *arguments)


@named
def test_a_beam_node_asks_a_supervisor_as_it_asks_its_own() -> None:
    top = Supervisor.start_link(
        [ChildSpec(id="text", start=(Worker.start_link,)), ChildSpec(id=Key(1), start=(Worker.start_link, Key(2)))],
        name="top",
    )
    assert top is not None
    with beam_node() as other:
        other.connect()
        odd, usual = _ask(other, "which_children")
        assert odd[0] == "Key(number=1)"
        assert usual == ("text", which_children(top)[1].pid, Atom("worker"), [f"{__name__}.Worker"])
        assert [type(item) for item in (usual[2], usual[3][0])] == [Atom, Atom]
        assert _ask(other, "count_children") == [("specs", 2), ("active", 2), ("supervisors", 0), ("workers", 2)]
        told, spec = _ask(other, "get_childspec", "text")
        assert spec["start"] == (__name__, "Worker.start_link", [])
        assert (told, spec["shutdown"], spec["restart"], spec["modules"]) == (
            "ok",
            5_000,
            "permanent",
            [f"{__name__}.Worker"],
        )
        assert _ask(other, "terminate_child", "text") == "ok"
        told, pid = _ask(other, "restart_child", "text")
        assert (told, alive(pid)) == ("ok", True)
        assert _ask(other, "restart_child", "text") == (Atom("error"), Atom("running"))
        assert _ask(other, "delete_child", "nothing") == (Atom("error"), Atom("not_found"))
        error, reason = _ask(other, "start_child", {Atom("id"): 1})
        assert (error, reason[0]) == ("error", "invalid_child_spec")
        odd_request = (Atom("which_children"), 1)
        answer = erpc.call(other.name, ("gen_server", "call"), (Atom("top"), Atom(node())), odd_request)
        assert answer == ("error", ("unknown_request", odd_request))
    assert alive(top)


@named
def test_no_question_ends_a_supervisor() -> None:
    ring: list[object] = [1]
    ring.append(ring)
    arguments = [ring, "\ud800", {"a": 1, b"a": 2}, Pid.parse("<77.5.1>")]
    specs = [ChildSpec(id=number, start=(_start_worker, argument)) for number, argument in enumerate(arguments)]
    top = Supervisor.start_link(specs, name="top")
    assert top is not None
    unlink(top)
    with beam_node() as other:
        other.connect()
        answers = [_ask(other, "get_childspec", number) for number in range(4)]
        assert [answer[0] for answer in answers] == ["ok", "ok", "error", "error"]
        assert [answer[1]["start"][2] for answer in answers[:2]] == [[render(ring)], ["'\\ud800'"]]
        assert "are the same key" in answers[2][1]
        assert len(_ask(other, "which_children")) == 4
    assert alive(top)


@named
def test_what_cannot_travel_to_another_python_node_is_told_as_text() -> None:
    with python_node() as other:
        other.connect()
        erpc.call(other.name, ("builtins", "exec"), LOCAL_KEY, {"__name__": "only_there"})
        ((id, *_),) = which_children(("top", other.name))
        assert isinstance(id, str)
        assert count_children(("top", other.name))["active"] == 1


@in_node
def test_what_is_no_supervisor_gives_no_children() -> None:
    server = Echo.start_link()
    for ask in (which_children, count_children):
        with pytest.raises(SupervisorError, match="has answered"):
            ask(server)


@named
def test_a_registry_is_asked_as_a_supervisor_without_children() -> None:
    Registry.start_link(keys="unique", name="registry")
    with beam_node() as other:
        other.connect()
        registry = (Atom("registry"), Atom(node()))
        assert erpc.call(other.name, ("supervisor", "which_children"), registry) == []
        counts = erpc.call(other.name, ("supervisor", "count_children"), registry)
        assert counts == [("specs", 0), ("active", 0), ("supervisors", 0), ("workers", 0)]


@named
def test_a_supervisor_of_otps_is_asked_as_one_of_ours() -> None:
    with beam_node() as other:
        other.connect()
        spec = {Atom("id"): Atom("scope"), Atom("start"): (Atom("pg"), Atom("start_link"), [Atom("scope")])}
        started, pid = erpc.call(other.name, ("supervisor", "start_child"), Atom("kernel_safe_sup"), spec)
        assert started == "ok"
        sup = ("kernel_safe_sup", other.name)
        before = count_children(sup)
        assert before.keys() == {"specs", "active", "supervisors", "workers"}
        assert next(info for info in which_children(sup) if info.id == "scope") == ChildInfo(
            "scope", pid, "worker", ["pg"]
        )
        assert get_childspec(sup, Atom("scope"))["start"] == ("pg", "start_link", ["scope"])  # type: ignore[index]
        terminate_child(sup, Atom("scope"))
        assert next(info for info in which_children(sup) if info.id == "scope").pid is None
        again = restart_child(sup, Atom("scope"))
        assert again not in (pid, None)
        with pytest.raises(SupervisorError) as refused:
            restart_child(sup, Atom("scope"))
        assert refused.value.reason == "running"
        terminate_child(sup, Atom("scope"))
        delete_child(sup, Atom("scope"))
        with pytest.raises(SupervisorError) as refused:
            terminate_child(sup, Atom("scope"))
        assert refused.value.reason == "not_found"
        assert count_children(sup)["specs"] == before["specs"] - 1


LOCAL = """
from runtime import GenServer, Supervisor
class Local(GenServer): pass
Supervisor.start([Local], name="top")
"""


LOCAL_KEY = """
from runtime import ChildSpec, GenServer, Supervisor
class Local(GenServer): pass
Supervisor.start([ChildSpec(id=lambda: 0, start=(Local.start_link,))], name="top")
"""


@named
def test_the_children_of_another_node_are_told_whose_classes_are_not_here() -> None:
    with python_node() as other:
        other.connect()
        erpc.call(other.name, ("builtins", "exec"), LOCAL, {"__name__": "only_there"})
        (line,) = which_children(("top", other.name))
        assert (line.id, line.type, line.modules) == ("Local", "worker", ["only_there.Local"])


ODD = """
import sys
from threading import Lock
from types import ModuleType
from runtime import ChildSpec, GenServer, Supervisor
class Local(GenServer): pass
class Key:
    def __init__(self): self.lock = Lock()
    def __repr__(self): return "Key"
function = lambda: Local.start_link()
Supervisor.start([ChildSpec("there", (Local.start_link,)), ChildSpec(Key(), (function,))], name="top")
Supervisor.start([ChildSpec("odd", (function,))], name="odd")
vars(sys.modules.setdefault(__name__, ModuleType(__name__))).update(globals())
"""


@named
def test_no_question_of_another_node_ends_a_supervisor() -> None:
    with python_node() as other:
        other.connect()
        erpc.call(other.name, ("builtins", "exec"), ODD, {"__name__": "only_there"})
        top, odd = ("top", other.name), ("odd", other.name)
        assert [line.id for line in which_children(top)] == ["Key", "there"]
        spec: Any = get_childspec(odd, "odd")
        assert (spec["id"], spec["start"]) == ("odd", ("only_there", "<lambda>", []))
        with pytest.raises(CallError, match="unreadable_reply"):
            get_childspec(top, "there")
        with pytest.raises(SupervisorError):
            restart_child(top, "there")


@named
def test_no_question_of_a_beam_node_ends_a_supervisor() -> None:
    top = Supervisor.start_link([ChildSpec(id="\ud800", start=(Worker.start_link, "\ud801"))], name="top")
    with beam_node() as other:
        other.connect()
        ((id, *_),) = _ask(other, "which_children")
        assert id == "'\\ud800'"
        assert _ask(other, "get_childspec", id) == (Atom("error"), Atom("not_found"))
    assert top is not None
    assert alive(top)


@pytest.mark.parametrize(
    ("request_", "answer", "outcome"),
    [
        ("start_child", ("ok", None), ("ok", None)),
        ("start_child", (Atom("ok"), Atom("undefined")), ("ok", None)),
        ("start_child", (Atom("ok"), 1, "extra"), ("ok", (1, "extra"))),
        ("start_child", (Atom("error"), Atom("running")), ("failed", "running")),
        ("restart_child", (Atom("error"), Atom("running")), ("refused", "running")),
        ("restart_child", (Atom("error"), (Atom("bad"), 1)), ("failed", ("bad", 1))),
        ("delete_child", Atom("ok"), ("ok", None)),
    ],
)
def test_answers_of_otps_are_read_as_those_of_ours(request_: str, answer: object, outcome: tuple[str, object]) -> None:
    assert outcome_of(request_, answer) == outcome


@pytest.mark.parametrize(
    ("request_", "answer", "told"),
    [
        ("start_child", ("ok", None), ("ok", "undefined")),
        ("start_child", ("ok", (1, {2})), ("ok", 1, "{2}")),
        ("start_child", ("failed", ("already_started", 1)), ("error", ("already_started", 1))),
        (
            "which_children",
            [ChildInfo(None, "restarting", "worker", "dynamic")],
            [("undefined", "restarting", "worker", "dynamic")],
        ),
    ],
)
def test_answers_of_ours_are_told_as_otps(request_: str, answer: object, told: object) -> None:
    assert to_otp(request_, answer) == told
