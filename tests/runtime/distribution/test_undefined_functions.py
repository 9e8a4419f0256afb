"""A function that a node does not have is reported where it was named."""

import logging
from pathlib import Path
from typing import Any

import pytest

from runtime import (
    Down,
    ErpcError,
    erpc,
    exit,
    get_label,
    node,
    receive,
    self_,
    send,
    sleep,
    spawn,
    spawn_monitor,
    whereis,
)
from runtime.distribution.cluster import local_node
from runtime.distribution.spawn_requests import WITH_KEYWORDS, with_keywords
from runtime.distribution.undefined_functions import report_there
from runtime.kernel.node import running_node
from runtime.sys import get_state
from runtime.terms.atom import Atom
from tests.support.kernels import wait_until
from tests.support.other_nodes import Other, beam_node, named, new_name

DEADLINE = 60.0

KEYWORDS: tuple[dict[str, Any], ...] = ({}, {"size": 1})


def only_here() -> None:
    """Be named to another node as a function of its main module."""


only_here.__module__ = "__main__"


def _wait_for_line(caplog: pytest.LogCaptureFixture) -> str:
    wait_until(lambda: caplog.messages)
    (line,) = caplog.messages
    caplog.clear()
    return line


@named
def test_who_spawns_what_another_node_does_not_have_sees_its_name_and_why(
    other: Other, caplog: pytest.LogCaptureFixture
) -> None:
    other.connect()
    caplog.set_level(logging.ERROR, "runtime.distribution")
    for keywords in KEYWORDS:
        pid = spawn(only_here, **keywords, node=other.name)
        assert _wait_for_line(caplog) == (
            f"{pid} on {other.name} cannot run '__main__.only_here': module '__main__' has no attribute 'only_here'; "
            "__main__ is that node's own program, so define the function in a module that both nodes can import"
        )
    pid = spawn(("no_such_module", "run"), node=other.name)
    assert _wait_for_line(caplog) == (
        f"{pid} on {other.name} cannot run 'no_such_module.run': No module named 'no_such_module'"
    )


@named
def test_keyword_arguments_do_not_change_the_reason_of_a_function_that_is_not_there(other: Other) -> None:
    other.connect()
    for keywords in KEYWORDS:
        _, ref = spawn_monitor(only_here, 2, **keywords, node=other.name)
        what, [(module, function, arguments, _)] = receive(Down(ref, object, tuple), timeout=DEADLINE).reason
        assert (what, module, function, arguments) == ("undef", "__main__", "only_here", [2])
        with pytest.raises(ErpcError) as caught:
            erpc.call(other.name, only_here, 2, **keywords, timeout=DEADLINE)
        kind, what, [(module, function, arguments, _)] = caught.value.reason
        assert (kind, what, module, function, arguments) == ("exception", "undef", "__main__", "only_here", [2])


@named
def test_a_report_is_taken_from_other_nodes_alone_and_goes_to_one_that_is_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR, "runtime.distribution")
    server, local = whereis("net_kernel"), local_node(running_node())
    assert server is not None
    assert local is not None
    for pid in (self_(), server):
        send(server, ("undefined_function", pid, "module", "function", "why"))
    assert get_state(server, timeout=DEADLINE) == {}
    gone = local.remote(new_name("gone"))
    report_there(gone, "module", "function", "undef", "why")
    assert not gone.is_connecting
    assert caplog.messages == []


@named
def test_keyword_arguments_reach_the_function_under_its_own_name(other: Other) -> None:
    other.connect()
    pid = spawn(sleep, seconds=DEADLINE, node=other.name)
    assert erpc.call(other.name, get_label, pid, timeout=DEADLINE) == f"{sleep.__module__}.sleep"
    exit(pid, "kill")
    erpc.cast(other.name, send, dest=self_(), message="hello")
    assert receive("hello", timeout=DEADLINE) == "hello"


def test_only_where_keyword_arguments_are_announced_a_dict_is_taken_for_them() -> None:
    arguments = ["module", "function", [1], {"size": 2}]
    assert with_keywords("any", "function", arguments) == ("any", "function", arguments, {})
    assert with_keywords(*WITH_KEYWORDS, arguments) == tuple(arguments)


def test_a_beam_that_spawns_what_is_not_here_has_it_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"

    @named
    def main() -> None:
        with beam_node() as beam:
            beam.connect()
            config = {Atom("config"): {Atom("file"): [*str(log).encode()]}}
            added = erpc.call(beam.name, ("logger", "add_handler"), Atom("log"), Atom("logger_std_h"), config)
            assert added == "ok"
            erpc.call(beam.name, ("erlang", "spawn"), Atom(node()), Atom("no_such_module"), Atom("run"), [])
            wait_until(lambda: log.exists() and "{undef,[{no_such_module,run,[]," in log.read_text())
            assert f"on node '{node()}' with exit value" in log.read_text()
            assert not log.read_text().startswith("1970")  # its time is in microseconds

    main()
