"""OpenTelemetry spans for calls and casts: who asked, who answered, and how it ended."""

from __future__ import annotations

import gc
import inspect
from typing import Any

import gevent
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import runtime.otp.calls
import runtime.otp.requests
import runtime.otp.server_loop
from runtime import (
    NOREPLY,
    CallError,
    GenServer,
    GenStatem,
    Keep,
    Pid,
    Reply,
    RuntimeFault,
    Stop,
    call,
    cast,
    exit,
    flush,
    receive,
    receive_response,
    reply,
    run,
    self_,
    send,
    send_request,
    sleep,
    spans,
    spawn,
)
from runtime.spans import maker
from runtime.terms.term import Term
from tests.support.in_node import in_node
from tests.support.outside import in_greenlet, in_thread
from tests.support.span_exporter import exporter

__all__ = ["exporter"]


class Bank(GenServer):
    """Does what it is asked."""

    def init(self, ledger: Pid | None = None) -> None:
        self.ledger = ledger
        self.seen: list[Term] = []

    def handle_call(self, request: Term, caller: Any) -> Term:
        match request:
            case ("transfer", amount):
                assert self.ledger is not None
                cast(self.ledger, ("log", amount))
                return call(self.ledger, "balance")
            case "later":
                sleep(1)
                reply(caller, "at last")
                return NOREPLY
            case "own":
                with trace.get_tracer("program").start_as_current_span("own work"):
                    return trace.get_current_span().get_span_context().trace_id
            case "stop":
                return Stop("broken", "bye")
            case "crash":
                raise ValueError("no money")
            case "never":
                return NOREPLY
            case "seen":
                return self.seen
        return "balance"

    def handle_cast(self, message: Term) -> Term:
        self.seen.append(message)
        if message == "crash":
            raise ValueError("no ledger")
        return None

    def handle_info(self, message: Term) -> None:
        self.seen.append(message)


def named(exporter: InMemorySpanExporter, name: str) -> ReadableSpan:
    found = [span for span in exporter.get_finished_spans() if span.name == name]
    assert len(found) == 1, [span.name for span in exporter.get_finished_spans()]
    return found[0]


def parent_of(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


def is_in(inner: ReadableSpan, outer: ReadableSpan) -> bool:
    assert inner.context is not None
    assert outer.context is not None
    return (parent_of(inner), inner.context.trace_id) == (outer.context.span_id, outer.context.trace_id)


def test_a_server_without_a_name_is_called_as_observers_show_it(exporter: InMemorySpanExporter) -> None:
    @in_node
    def program() -> None:
        call(Bank.start(), "balance")

    program()
    assert named(exporter, "call test_spans.Bank balance").attributes is not None
    assert named(exporter, "handle_call test_spans.Bank balance").kind is SpanKind.SERVER


def test_a_call_and_what_it_leads_to_are_one_trace(exporter: InMemorySpanExporter) -> None:
    @in_node
    def program() -> None:
        ledger = Bank.start(name="ledger")
        Bank.start(ledger, name="bank")
        assert call("bank", ("transfer", 5)) == "balance"
        assert call(ledger, "seen") == [("log", 5)], "no receiver sees a context"

    program()
    asked, answered = named(exporter, "call bank transfer"), named(exporter, "handle_call bank transfer")
    assert asked.parent is None
    assert (asked.kind, answered.kind) == (SpanKind.CLIENT, SpanKind.SERVER)
    assert is_in(answered, asked)
    told, noted = named(exporter, "cast ledger log"), named(exporter, "handle_cast ledger log")
    assert (told.kind, noted.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert is_in(told, answered)
    assert is_in(noted, told)
    inner = named(exporter, "call ledger balance")
    assert is_in(inner, answered)
    assert is_in(named(exporter, "handle_call ledger balance"), inner)
    assert inner.attributes is not None
    assert inner.attributes["rpc.service"] == "ledger"
    assert inner.attributes["rpc.method"] == "balance"
    assert str(inner.attributes["runtime.server.pid"]).startswith("<0.")
    assert all(span.status.status_code is StatusCode.UNSET for span in exporter.get_finished_spans())


def test_a_span_of_the_programs_own_belongs_to_the_callback_it_is_made_in(exporter: InMemorySpanExporter) -> None:
    @in_node
    def program() -> None:
        Bank.start(name="bank")
        seen.append(call("bank", "own"))
        seen.append(trace.get_current_span().get_span_context().trace_id)

    seen: list[Any] = []
    program()
    asked = named(exporter, "call bank own")
    assert asked.context is not None
    assert seen == [asked.context.trace_id, 0], "and none is current outside the callback"


def test_a_crash_and_what_fails_of_it_are_errors(exporter: InMemorySpanExporter) -> None:
    @in_node
    def program() -> None:
        for request in ("crash", "stop"):
            bank = Bank.start(name=f"bank_{request}")
            if request == "crash":
                with pytest.raises(CallError):
                    call(bank, request)
            else:
                assert call(bank, request) == "bye"
        teller = Bank.start(name="teller")
        cast(teller, "crash")
        sleep(0)
        with pytest.raises(CallError, match="noproc"):
            call("nobody", ("transfer", 1))

    program()
    asked, answered = named(exporter, "call bank_crash crash"), named(exporter, "handle_call bank_crash crash")
    for span in (asked, answered, named(exporter, "handle_cast teller crash")):
        assert span.status.status_code is StatusCode.ERROR, span.name
    assert "no money" in str(asked.status.description)
    assert answered.status.description == "ValueError: no money"
    assert [event.name for event in answered.events] == ["exception"]
    assert named(exporter, "handle_call bank_stop stop").status.description == "broken"
    assert named(exporter, "call bank_stop stop").status.status_code is StatusCode.UNSET, "it had its reply"
    lost = named(exporter, "call transfer")
    assert (lost.status.description, lost.status.status_code) == ("noproc", StatusCode.ERROR)


def test_a_late_reply_a_timeout_and_a_caller_that_is_killed_end_the_span_of_the_call(
    exporter: InMemorySpanExporter,
) -> None:
    @in_node
    def program() -> None:
        bank = Bank.start(name="bank")
        assert call(bank, "later") == "at last"
        with pytest.raises(CallError):
            call(bank, "never", timeout=0.1)
        caller = spawn(lambda: call(bank, "never", timeout=None))
        sleep(0)
        exit(caller, "kill")
        sleep(0)
        gc.collect()

    program()
    later = named(exporter, "call bank later")
    assert later.end_time - later.start_time >= 0  # type: ignore[operator]
    assert later.status.status_code is StatusCode.UNSET
    never = [span for span in exporter.get_finished_spans() if span.name == "call bank never"]
    assert sorted(str(span.status.description) for span in never) == ["killed", "timeout"]


def test_requests_that_are_not_waited_for_have_spans_too(exporter: InMemorySpanExporter) -> None:
    @in_node
    def program() -> None:
        bank = Bank.start(name="bank")
        assert receive_response(send_request(bank, "balance")) == ("reply", "balance")

    program()
    assert is_in(named(exporter, "handle_call bank balance"), named(exporter, "call bank balance"))


def test_callers_outside_processes_keep_their_trace(exporter: InMemorySpanExporter) -> None:
    @in_node
    def program() -> None:
        bank = Bank.start(name="bank")
        tracer = trace.get_tracer("program", tracer_provider=provider_of())

        def ask(what: str) -> None:
            with tracer.start_as_current_span(f"request {what}"):
                call(bank, (what, 1) if what != "transfer" else "balance")
                cast(bank, ("note", what))

        in_greenlet(lambda: ask("web"))
        in_thread(lambda: ask("thread"))
        while len(call(bank, "seen")) < 2:  # what a thread sends comes by way of the hub
            gevent.sleep(0.001)

    def provider_of() -> TracerProvider:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        return provider

    program()
    for what in ("web", "thread"):
        outer = named(exporter, f"request {what}")
        asked = named(exporter, f"call bank {what}")
        assert is_in(asked, outer)
        assert is_in(named(exporter, f"handle_call bank {what}"), asked)
        told = [span for span in exporter.get_finished_spans() if span.name == "cast bank note" and is_in(span, outer)]
        assert len(told) == 1
        assert [s for s in exporter.get_finished_spans() if s.name == "handle_cast bank note" and is_in(s, told[0])]


class Door(GenStatem):
    """Opens."""

    def init(self) -> str:
        return "closed"

    def closed(self, kind: str, event: Term) -> Any:
        return Keep(Reply(self.caller, "opened"))


def test_state_machines_and_plain_processes(exporter: InMemorySpanExporter) -> None:
    @in_node
    def program() -> None:
        Door.start(name="door")
        assert call("door", "open") == "opened"

        def serve() -> None:
            match receive():
                case ("$gen_call", caller, request):
                    reply(caller, ("served", request))
            got.append(receive())

        plain = spawn(serve)
        assert call(plain, "hello") == ("served", "hello")
        cast(plain, "note")
        sleep(0)

    got: list[Term] = []
    program()
    assert got == [("$gen_cast", "note")], "a message is what it was"
    assert is_in(named(exporter, "handle_call door open"), named(exporter, "call door open"))
    assert [span.kind for span in exporter.get_finished_spans() if span.name.endswith("hello")] == [SpanKind.CLIENT]


def test_plain_messages_have_no_spans_and_names_are_few(exporter: InMemorySpanExporter) -> None:
    @in_node
    def program() -> None:
        bank = Bank.start(name="bank")
        send(bank, "info")
        for number in range(300):
            call(bank, f"text of a user, number {number}")
            call(bank, (f"kind{number}", 1))
        send(self_(), "x")
        assert flush() == ["x"]

    program()
    names = {span.name for span in exporter.get_finished_spans() if span.name.startswith("call")}
    assert len(names) <= 201
    assert {"call bank str", "call bank other"} <= names


def test_casts_of_a_process_that_ends_or_is_full_are_forgotten(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    @in_node
    def program() -> None:
        plain = spawn(receive)
        for number in range(9):
            cast(plain, ("note", number))
        (waiting,) = active._waiting.values()
        assert len(waiting) == 4
        exit(plain, "kill")
        sleep(0)

    monkeypatch.setattr(maker, "MAX_WAITING", 4)
    (active,) = maker.active
    program()
    assert not active._waiting


def test_what_a_tracer_raises_is_logged_and_not_the_programs(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object, **more: object) -> Any:
        raise RuntimeError("a tracer that is broken")

    @in_node
    def program() -> None:
        bank = Bank.start(name="bank")
        assert call(bank, "balance") == "balance"
        cast(bank, "note")
        assert call(bank, "seen") == ["note"]

    monkeypatch.setattr(type(maker.active[0].tracer), "start_span", fail)
    program()
    assert "a span could not be made" in caplog.text


def test_when_spans_are_off_everything_is_as_it_was() -> None:
    def ways() -> list[object]:
        calls, requests, loop = runtime.otp.calls, runtime.otp.requests, runtime.otp.server_loop
        return [
            *(calls.make_call, calls.put, calls.deliver_from_outside, calls.carried, calls.refused),  # type: ignore[attr-defined]
            *(requests.make_request, requests.put, loop.handle, loop.handled_in_place),  # type: ignore[attr-defined]
        ]

    before = ways()
    provider = TracerProvider()
    spans.start(provider)
    assert all(now is not then for now, then in zip(ways(), before, strict=True))
    with pytest.raises(RuntimeFault, match=r"spans\.stop\(\)"):
        spans.start(provider)
    spans.stop()
    spans.stop()
    assert all(now is then for now, then in zip(ways(), before, strict=True))


def test_they_can_be_stopped_while_calls_wait(exporter: InMemorySpanExporter) -> None:
    @in_node
    def program() -> None:
        bank = Bank.start(name="bank")
        caller = spawn(lambda: got.append(call(bank, "later")))
        cast(bank, "note")
        sleep(0.5)
        spans.stop()
        sleep(1)
        assert call(bank, "seen") == ["note"]
        del caller

    got: list[Term] = []
    program()
    assert got == ["at last"]
    assert {span.name for span in exporter.get_finished_spans()} >= {"call bank later", "handle_call bank later"}


def test_run_makes_spans_while_it_runs() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))

    def main() -> Term:
        return call(Bank.start(name="bank"), "balance")

    assert run(main, spans=provider) == "balance"
    assert not maker.active
    assert named(kept, "call bank balance").parent is None
    with pytest.raises(TypeError):
        run(main, spans=provider, time_slice="soon")  # type: ignore[arg-type]
    assert not maker.active, "what does not begin leaves nothing on"
    assert "spans" in inspect.signature(run).parameters


@pytest.mark.parametrize("wrong", [42, "provider"])
def test_what_is_no_provider_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="tracer provider"):
        spans.start(wrong)
    assert not maker.active


def test_without_opentelemetry_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ImportError, match=r"process-observer\[spans\]"):
        spans.start()
