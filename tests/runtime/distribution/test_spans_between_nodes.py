"""What goes to other nodes with a call that has a span, and what comes from them."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runtime import Agent, Atom, call, cast, erpc, receive_response, send_request, spans
from runtime.distribution.parts import ImproperList
from tests.support.other_nodes import Other, beam_node, python_node
from tests.support.other_nodes import named as named_node
from tests.support.span_exporter import exporter

__all__ = ["exporter"]


def trace_now(value: object) -> str:
    """Return the trace that the caller is in."""
    return f"{trace.get_current_span().get_span_context().trace_id:032x}"


def test_a_call_takes_its_trace_to_another_node(exporter: InMemorySpanExporter) -> None:
    @named_node
    def program(there: Other) -> None:
        there.connect()
        erpc.call(there.name, spans.start)  # without an SDK, which passes the context on and keeps nothing
        agent = erpc.call(there.name, Agent.start, int)
        got.append(Agent.get(agent, trace_now))
        cast(("counter", there.name), 5)
        assert call(("counter", there.name), "get") == 8, "a cast goes there without its context"

    got: list[str] = []
    with python_node() as there:
        program(there)
    asked = [span for span in exporter.get_finished_spans() if span.name.startswith("call ")]
    assert got[0] in [f"{span.context.trace_id:032x}" for span in asked if span.context is not None]


def test_a_node_of_erlangs_answers_calls_that_carry_a_context(exporter: InMemorySpanExporter) -> None:
    @named_node
    def program(there: Other) -> None:
        there.connect()
        children = call((Atom("kernel_sup"), there.name), Atom("which_children"))
        assert len(children) > 3
        request = send_request((Atom("kernel_sup"), there.name), Atom("count_children"))
        assert receive_response(request, 10)[0] == "reply"

    with beam_node() as there:
        program(there)
    assert len(exporter.get_finished_spans()) == 2


@pytest.mark.parametrize(
    "carried",
    [
        {"traceparent": b"00-0-0-0"},
        {1: 2},
        {f"k{number}": "v" for number in range(99)},
        {"traceparent": "x" * 10**6},
        "x",
    ],
)
def test_what_another_node_sends_for_a_context_is_checked(exporter: InMemorySpanExporter, carried: Any) -> None:
    context = spans._active[0]._from_other_node(ImproperList((ImproperList(("alias",), "ref"),), carried))
    assert not trace.get_current_span(context).get_span_context().is_valid
