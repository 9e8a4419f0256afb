"""Erlang's tracing, which a Python node has not: those who ask for it are told, and do not wait."""

from __future__ import annotations

import gevent

from runtime import erpc, node, sleep
from runtime.terms.atom import Atom
from tests.runtime.otp_modules.asked import DEADLINE
from tests.support.other_nodes import beam_node, named


def _on(other: str, source: str) -> object:
    """Evaluate an expression of Erlang on the other node, and return its value."""
    tokens = erpc.call(other, ("erl_scan", "string"), [*source.encode()])[1]
    form = erpc.call(other, ("erl_parse", "parse_exprs"), tokens)[1]
    return erpc.call(other, ("erl_eval", "exprs"), form, [], timeout=DEADLINE)[1]


@named
def test_a_tracer_that_is_to_start_here_fails_there() -> None:
    with beam_node() as other:
        other.connect()
        tracer = f"catch dbg:tracer('{node()}', port, dbg:trace_port(ip, 0))."
        assert _on(other.name, tracer) == ("EXIT", "dbg_server_crash")


@named
def test_a_node_that_is_to_be_traced_from_there_is_forgotten_and_the_others_stay() -> None:
    with beam_node() as other:
        other.connect()
        _on(other.name, "{ok, _} = dbg:tracer(process, {fun(_, S) -> S end, []}), unlink(whereis(dbg)), ok.")
        dbg = erpc.call(other.name, ("erlang", "whereis"), Atom("dbg"))
        assert _on(other.name, f"dbg:n('{node()}').") == ("ok", node())
        assert erpc.call(other.name, ("erlang", "whereis"), Atom("dbg")) == dbg
        gone = ("error", ("no_tracer_on_node", node()))
        with gevent.Timeout(DEADLINE):
            while _on(other.name, f"dbg:get_tracer('{node()}').") != gone:  # until it has heard of the end of the relay
                sleep(0.01)
