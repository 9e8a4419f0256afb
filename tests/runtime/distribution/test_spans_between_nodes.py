"""What goes to other nodes with a call that has a span, and what comes from them."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runtime import (
    Atom,
    GenServer,
    Ref,
    call,
    cast,
    disconnect_node,
    erpc,
    receive,
    receive_response,
    self_,
    send,
    send_request,
    spans,
    spawn,
)
from runtime.distribution.connection import Connection
from runtime.distribution.parts import ABSENT
from runtime.distribution.remote_node import REG_SEND
from runtime.otp.calls import CAST
from runtime.spans import maker, switch
from tests.support.in_node import in_node
from tests.support.other_nodes import Other, beam_node, python_node
from tests.support.other_nodes import named as named_node
from tests.support.span_exporter import exporter

__all__ = ["exporter"]


GOOD = {"traceparent": f"00-{1:032x}-{1:016x}-01".encode()}
"""A context as a node that takes terms alone sends it."""


def trace_now(value: object) -> str:
    """Return the trace that the caller is in."""
    return f"{trace.get_current_span().get_span_context().trace_id:032x}"


class Traced(GenServer):
    """Says which trace its callbacks are in."""

    def handle_call(self, request: Any, caller: Any) -> str:
        """Answer with the trace of the call."""
        return trace_now(request)

    def handle_cast(self, message: Any) -> None:
        """Send the trace of the cast to whom it names."""
        send(message[0], trace_now(message))


def traces_of(exporter: InMemorySpanExporter, verb: str) -> list[str]:
    """Return the traces of the spans that this node made, in their order."""
    spans = [span for span in exporter.get_finished_spans() if span.name.startswith(f"{verb} ")]
    return [f"{span.context.trace_id:032x}" for span in spans if span.context is not None]


@pytest.mark.parametrize("is_small", [True, False])
def test_calls_and_casts_take_their_trace_to_another_node(exporter: InMemorySpanExporter, is_small: bool) -> None:
    @named_node
    def program(there: Other) -> None:
        there.connect()
        erpc.call(there.name, spans.start)  # without an SDK, which passes the context on and keeps nothing
        pid = erpc.call(there.name, Traced.start, name="traced")
        exporter.clear()
        ballast = "x" if is_small else ["x" * 100_000]
        for dest in (pid, ("traced", there.name)):
            in_calls.append(str(call(dest, ballast)))
            cast(dest, (self_(), ballast))
            in_casts.append(receive(str, timeout=60))
        in_calls.append(str(receive_response(send_request(pid, ballast), 60)[1]))

    in_calls: list[str] = []
    in_casts: list[str] = []
    with python_node() as there:
        program(there)
    assert in_calls == traces_of(exporter, "call")
    assert in_casts == traces_of(exporter, "cast")
    assert len({*in_calls, *in_casts}) == 5


def test_the_message_that_connects_takes_its_trace_along(exporter: InMemorySpanExporter) -> None:
    @named_node
    def program(there: Other) -> None:
        there.connect()
        erpc.call(there.name, spans.start)
        erpc.call(there.name, Traced.start, name="traced")
        disconnect_node(there.name)
        exporter.clear()
        cast(("traced", there.name), (self_(),))
        got.append(receive(str, timeout=60))

    got: list[str] = []
    with python_node() as there:
        program(there)
    assert got == traces_of(exporter, "cast")


def test_a_node_of_erlangs_gets_the_same_messages_as_without_spans(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[tuple[Any, ...], Any]] = []
    original = Connection.send

    def send_and_tell(connection: Connection, control: tuple[Any, ...], payload: Any = ABSENT) -> None:
        sent.append((control, payload))
        original(connection, control, payload)

    monkeypatch.setattr(Connection, "send", send_and_tell)

    @named_node
    def program(there: Other) -> None:
        server, idle = (Atom("kernel_sup"), there.name), (Atom("rex"), there.name)
        there.connect()
        disconnect_node(there.name)
        cast(idle, Atom("first"))  # this connects
        assert len(call(server, Atom("which_children"))) > 3
        cast(idle, Atom("second"))
        assert receive_response(send_request(server, Atom("count_children")), 60)[0] == "reply"

    with beam_node() as there:
        program(there)
    assert len(exporter.get_finished_spans()) == 4
    messages = [(control, payload) for control, payload in sent if control[0] == REG_SEND]
    assert [payload[-1] for _, payload in messages] == ["first", "which_children", "second", "count_children"]
    assert {len(control) for control, _ in messages} == {4}
    for _, (tag, *rest) in messages:
        if tag == "$gen_call":
            name = rest[0][1]
            assert (name.items, type(name.tail)) == (("alias",), Ref), "the name of a call is what OTP makes it"


@pytest.mark.parametrize(
    "carried",
    [
        {"traceparent": b"00-0-0-0"},
        {1: 2},
        {f"k{number}": "v" for number in range(99)} | GOOD,
        {"traceparent": "x" * 10**6},
        "x",
        GOOD,
    ],
)
def test_what_another_node_sends_for_a_context_is_checked(
    exporter: InMemorySpanExporter, carried: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @in_node
    def program() -> None:
        pid = spawn(receive)
        assert pid.process is not None
        message = (CAST, "x")
        switch._take_note(pid.process, message, carried)
        context = maker.active[0].parent(pid.process, message)
        got.append(trace.get_current_span(context).get_span_context().is_valid)

    got: list[bool] = []
    program()
    assert got == [carried == GOOD]
    assert [each for each in caplog.records if each.name == "runtime.spans"] == []
