"""What Erlang's shell and tools ask by the functions of `erlang`, `code` and `application`."""

from __future__ import annotations

import os
from typing import Any

from runtime import GenServer, NodeDown, application, erpc, ets, monitor_node, receive, self_, spawn
from runtime.terms.atom import Atom
from tests.runtime.otp_modules.asked import DEADLINE, ask
from tests.support.other_nodes import beam_node, named, python_node

BADARG: Any = ("badrpc", ("EXIT", ("badarg", [])))


class Idle(GenServer):
    """A server that waits."""


class Zoo(application.Application):
    """An application of one server."""

    name = "zoo"
    description = "Animals"

    def start(self, start_type: str, args: object) -> object:
        """Start the server as its tree."""
        return Idle.start_link()


@named
def test_a_node_says_of_itself_what_it_knows() -> None:
    with beam_node() as other:
        other.connect()
        sleeper = spawn(receive, name="sleeper")
        ets.new("animals", named=True)
        assert ask(other.name, "erlang", "system_info", Atom("logical_processors")) == os.cpu_count()
        assert ask(other.name, "erlang", "system_info", Atom("schedulers")) == 1
        assert ask(other.name, "erlang", "system_info", Atom("dirty_cpu_schedulers")) == 0
        assert ask(other.name, "erlang", "system_info", Atom("wordsize")) == 8
        assert ask(other.name, "erlang", "system_info", Atom("atom_count")) == BADARG
        parts = dict(ask(other.name, "erlang", "memory"))
        assert parts.keys() == {"total", "ets"}
        assert ask(other.name, "erlang", "memory", [Atom("code")]) == BADARG
        assert ask(other.name, "erlang", "memory", Atom("total")) > 1_000_000
        assert ask(other.name, "erlang", "statistics", Atom("run_queue")) >= 0
        assert sleeper in ask(other.name, "erlang", "processes")
        assert {"sleeper", "net_kernel"} <= {*ask(other.name, "erlang", "registered")}
        assert ask(other.name, "erlang", "whereis", Atom("sleeper")) == sleeper
        assert ask(other.name, "erlang", "is_process_alive", sleeper) is True
        assert dict(ask(other.name, "erlang", "process_info", sleeper))["status"] == "waiting"
        assert ask(other.name, "erlang", "process_info", sleeper, Atom("heap_size")) == BADARG
        assert ask(other.name, "erlang", "process_info", Atom("sleeper"), Atom("links")) == BADARG
        there = spawn(("timer", "sleep"), 60_000, node=other.name)
        for function in (("erlang", "process_info"), ("erlang", "is_process_alive"), ("proc_lib", "initial_call")):
            assert ask(other.name, *function, there) == BADARG  # a process of another node, as on a BEAM
        assert ask(other.name, "sys", "get_state", there) == ("badrpc", ("EXIT", "noproc"))


@named
def test_modules_and_applications_are_found() -> None:
    with beam_node() as other:
        other.connect()
        application.ensure_all_started(Zoo)
        names = [name for name, _, _ in ask(other.name, "application", "which_applications")]
        assert names == ["process_observer", "zoo"]
        assert ask(other.name, "code", "ensure_loaded", Atom("observer_backend")) == ("module", "observer_backend")
        assert ask(other.name, "code", "ensure_loaded", Atom("rb")) == ("error", "nofile")
        exported = ("erlang", "function_exported")
        assert ask(other.name, *exported, Atom("observer_backend"), Atom("procs_info"), 1) is True
        assert ask(other.name, *exported, Atom("rb"), Atom("log_list"), 0) is False
        assert self_() in ask(other.name, "erlang", "processes")


@named
def test_a_node_that_another_one_casts_to_stop_stops() -> None:
    with beam_node() as beam, python_node() as python:
        beam.connect()
        python.connect()
        monitor_node(python.name)
        erpc.call(beam.name, ("rpc", "cast"), Atom(python.name), Atom("init"), Atom("stop"), [], timeout=DEADLINE)
        assert receive(NodeDown, timeout=DEADLINE) == NodeDown(python.name, "connection_closed")
