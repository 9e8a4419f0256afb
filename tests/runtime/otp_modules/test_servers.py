"""What `sys`, `supervisor` and `proc_lib` tell another node: by rpc, and by the system messages of OTP's `sys`."""

from __future__ import annotations

import threading

import pytest

from runtime import GenServer, Supervisor, alive, erpc, receive, spawn, which_children
from runtime.terms.atom import Atom
from tests.runtime.otp_modules.asked import ask
from tests.support.other_nodes import beam_node, named, python_node


class Holder(GenServer):
    """Holds what Erlang has no term for."""

    def init(self) -> None:
        """Hold a lock."""
        self.lock = threading.Lock()
        self.pieces = 3


@named
def test_a_state_without_a_term_is_told_as_text_and_ends_no_server() -> None:
    with beam_node() as other:
        other.connect()
        top = Supervisor.start_link([Holder])
        holder = which_children(top)[0].pid
        direct = erpc.call(other.name, ("sys", "get_state"), holder)
        for state in (direct, ask(other.name, "sys", "get_state", holder)):
            assert (state["pieces"], "lock" in state["lock"]) == (3, True)
        for server in (holder, top):
            direct = erpc.call(other.name, ("sys", "get_status"), server)
            for status in (direct, ask(other.name, "sys", "get_status", server, 1_000)):
                tag, pid, (word, _), (_, running, _, _, (header, *_)) = status
                assert (tag, pid, word, running, header[0]) == ("status", server, "module", "running", "header")
        children = erpc.call(other.name, ("supervisor", "which_children"), top)
        assert [pid for _, pid, _, _ in children] == [holder]
        assert ask(other.name, "supervisor", "which_children", top) == children
        assert dict(ask(other.name, "supervisor", "count_children", top))["workers"] == 1


@named
def test_a_state_that_does_not_travel_is_an_error_for_another_python_node_and_ends_no_server() -> None:
    with python_node() as other:
        other.connect()
        holder = Holder.start_link()
        with pytest.raises(erpc.ErpcError) as raised:
            erpc.call(other.name, ("runtime.sys", "get_state"), holder)
        assert "lock" in str(raised.value)
        assert holder is not None
        assert alive(holder)


@named
def test_a_request_that_a_server_does_not_know_is_an_error_and_ends_no_server() -> None:
    with beam_node() as other:
        other.connect()
        holder = Holder.start_link()
        answer = erpc.call(other.name, ("sys", "change_code"), holder, Atom("m"), 1, 2)
        assert answer[0] == "error"
        assert which_state(other.name, holder) == 3


def which_state(name: str, server: object) -> object:
    """Return the pieces that a server holds, as the other node is told."""
    state: dict[str, object] = erpc.call(name, ("sys", "get_state"), server)
    return state["pieces"]


@named
def test_the_behaviour_of_a_server_is_found_and_other_processes_are_left_alone() -> None:
    with beam_node() as other:
        other.connect()
        holder, sleeper = Holder.start_link(), spawn(receive)
        module, function, arity = ask(other.name, "proc_lib", "translate_initial_call", holder)
        assert (module, function, arity) == (f"{__name__}.Holder", "init", 1)
        assert ask(other.name, module, "module_info", Atom("attributes")) == [("behaviour", [Atom("gen_server")])]
        assert ask(other.name, "no_module.Of", "module_info", Atom("attributes")) == []
        assert ask(other.name, "proc_lib", "translate_initial_call", sleeper) == ("proc_lib", "init_p", 5)
        assert ask(other.name, "sys", "get_state", sleeper) == ("badrpc", ("EXIT", "noproc"))
        assert ask(other.name, "supervisor", "which_children", holder) == ("badrpc", ("EXIT", "noproc"))
        assert ask(other.name, "erlang", "process_info", sleeper, Atom("message_queue_len"))[1] == 0
