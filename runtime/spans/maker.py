"""Makes the spans of one tracer provider: of calls, which carry theirs, and of casts, whose contexts it remembers."""

from __future__ import annotations

import copyreg
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from greenlet import getcurrent

from runtime.kernel.instrument import Instrument
from runtime.kernel.process import DEAD, REMOTE, Process, Worker
from runtime.otp.calls import CALL, CAST, PENDING, Failure, From
from runtime.otp.requests import Request
from runtime.otp.returns import Stop
from runtime.otp.unexpected import kind_of_message
from runtime.terms.errors import ProcessExit
from runtime.terms.explanation import explain
from runtime.terms.immutable import immutable
from runtime.terms.log import Log
from runtime.terms.reason import is_abnormal
from runtime.terms.term import Term
from runtime.terms.text import reason_text, render, short_call

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, SpanKind, TracerProvider

T = TypeVar("T")

MAX_WAITING = 10_000
"""Casts, and calls from other nodes, that wait in one mailbox and whose contexts are kept; of more, the oldest begin
traces of their own.
"""

MAX_KINDS = 200
"""Kinds of requests that spans are named after; the names of spans are few, by OpenTelemetry's rules."""

MAX_CARRIED = 10
"""Entries of a context that are taken from another node."""

_WORD = re.compile(r"[A-Za-z_$][\w.:$-]{0,39}")

logger = Log("runtime.spans")

active: list[Spans] = []
"""What makes spans, if anything does."""


class Spans(Instrument):
    """Makes the spans of one provider, and remembers with which contexts messages wait.

    It is an instrument with a hook for messages. While there is one, the compiled kernel leaves casts to the sources.
    """

    def __init__(self, provider: TracerProvider | None) -> None:
        try:
            from opentelemetry import context, propagate, trace  # an extra, and only for those who want spans
        except ImportError as error:
            raise ImportError("spans need OpenTelemetry's API: pip install 'process-observer[spans]'") from error
        if provider is not None and not hasattr(provider, "get_tracer"):
            raise TypeError(f"spans are made by a tracer provider of OpenTelemetry's, not by {render(provider)}")
        self.contexts, self.propagate, self.trace = context, propagate, trace
        self.tracer = trace.get_tracer("runtime", tracer_provider=provider)
        self._kinds: set[str] = set()
        self._waiting: dict[Process, OrderedDict[int, tuple[Term, Context]]] = {}
        """The contexts of messages in mailboxes, by the identities of the messages, which cannot change meanwhile."""
        self._going: tuple[Term, dict[str, str]] | None = None
        """A message that is about to go to another node, and its context as it travels."""

    def sent(self, sender: Any, process: Any, message: Any) -> None:
        """Do nothing: messages that are neither calls nor casts have no spans."""

    def exited(self, process: Any, reason: Any, cause: Any) -> None:
        """Forget the messages that a process has not handled."""
        self._waiting.pop(process, None)

    # -- The side that asks ---------------------------------------------------------------------------------------

    def sending(self, process: Process, message: tuple[Term, ...]) -> None:
        """Begin the span of a call, or make that of a cast, that is about to be sent."""
        kind = self.trace.SpanKind
        if message[0] is CALL and isinstance(message[1], (SpannedCall, SpannedRequest)):
            origin = message[1]
            span = self._begin("call", process, message[2], kind.CLIENT)
            origin.span, origin.context = span, self.trace.set_span_in_context(span)
            if process.state is REMOTE:
                self._leave(message, origin.context)
        elif message[0] is CAST:
            span = self._begin("cast", process, message[1], kind.PRODUCER)
            context = self.trace.set_span_in_context(span)
            if process.state is REMOTE:
                self._leave(message, context)
            else:
                self._wait(process, message, context)
            span.end()

    def _wait(self, process: Process, message: Term, context: Context) -> None:
        """Remember with which context a message waits."""
        waiting = self._waiting.setdefault(process, OrderedDict())
        waiting[id(message)] = (message, context)
        if len(waiting) > MAX_WAITING:
            waiting.popitem(last=False)

    def _leave(self, message: Term, context: Context) -> None:
        """Remember with which context a message is about to go to another node."""
        carrier: dict[str, str] = {}
        self.propagate.inject(carrier, context)
        self._going = (message, carrier)

    def note_of(self, message: Term) -> dict[str, str] | None:
        """Return what is to go beside a message to another node, None where nothing is."""
        going, self._going = self._going, None
        return going[1] if going is not None and going[0] is message else None

    def refused(self, dest: Term, request: Term, reason: Term) -> None:
        """Make the span of a call that reaches no server."""
        span = self.tracer.start_span(f"call {self._kind_of(request)}", kind=self.trace.SpanKind.CLIENT)
        span.set_attribute("rpc.service", reason_text(dest))
        self.fail(span, reason_text(reason))
        span.end()

    def settle(self, span: Span, outcome: Term) -> None:
        """End the span of a call with its outcome."""
        if type(outcome) is Failure:
            self.fail(span, explain(outcome.reason))
        span.end()

    # -- The side that answers ------------------------------------------------------------------------------------

    def parent(self, process: Process, message: tuple[Term, ...]) -> Context | None:
        """Return the context that a message came with, None when it came without."""
        if message[0] is CALL and isinstance(message[1], (SpannedCall, SpannedRequest)):
            return message[1].context
        waiting = self._waiting.get(process)
        found = None if waiting is None else waiting.pop(id(message), None)
        if waiting is not None and not waiting:
            del self._waiting[process]
        return None if found is None else found[1]

    def arrived(self, process: Process, message: Term, note: Term) -> None:
        """Take the context that a message from another node came with."""
        if type(note) is not dict or len(note) > MAX_CARRIED or not is_request(message):
            return
        texts = {_text(key): _text(value) for key, value in note.items()}
        context = self.propagate.extract({key: value for key, value in texts.items() if key and value})
        self._wait(process, message, context)

    def handling(self, process: Process, message: tuple[Term, ...]) -> tuple[Span, Context]:
        """Begin the span of a callback. Returns it, and the context for the callback."""
        kind = self.trace.SpanKind
        context = self.parent(process, message) or self.contexts.Context()
        if message[0] is CAST:
            span = self._begin("handle_cast", process, message[1], kind.CONSUMER, context)
        else:
            span = self._begin("handle_call", process, message[2], kind.SERVER, context)
        return span, self.trace.set_span_in_context(span, context)

    def end(self, span: Span, process: Process, result: Term, error: BaseException | None) -> None:
        """End the span of a callback, which returned `result` or raised `error`."""
        if error is None:
            if type(result) is Stop and is_abnormal(result.reason):
                self.fail(span, explain(result.reason))
        elif process.state is DEAD:
            self.fail(span, f"killed: {reason_text(process.reason)}")
        elif isinstance(error, ProcessExit):
            if is_abnormal(error.reason):
                self.fail(span, explain(error.reason))
        else:
            span.record_exception(error)
            self.fail(span, f"{type(error).__name__}: {error}")
        span.end()

    # -- Both -----------------------------------------------------------------------------------------------------

    def fail(self, span: Span, why: str) -> None:
        """Mark a span as that of a failure."""
        span.set_status(self.trace.Status(self.trace.StatusCode.ERROR, why))

    def _begin(self, verb: str, server: Process, request: Term, kind: SpanKind, context: Context | None = None) -> Span:
        name, method = _name_of(server), self._kind_of(request)
        attributes = {"rpc.service": name, "rpc.method": method, "runtime.server.pid": str(server.pid)}
        worker = getcurrent()
        client = worker.process if type(worker) is Worker else None
        if context is None and client is not None:
            attributes["runtime.client.pid"] = str(client.pid)
        return self.tracer.start_span(f"{verb} {name} {method}", context, kind, attributes)

    def _kind_of(self, request: Term) -> str:
        kind = kind_of_message(request)
        if _WORD.fullmatch(kind) is None:  # some text, of which there may be any number
            kind = type(request).__name__
        if kind not in self._kinds:
            if len(self._kinds) >= MAX_KINDS:
                return "other"
            self._kinds.add(kind)
        return kind


def _name_of(process: Process) -> str:
    """Return what a server is called: by its name, else by what it runs, as observers show it, since pids are many."""
    if process.name is not None:
        return str(process.name)
    return short_call(str(getattr(process.body, "initial_call", None) or type(process.body).__qualname__))


def _text(value: Term) -> str:
    """Return a text that came from another node; an empty one for anything else."""
    if isinstance(value, bytes):
        return value[:8_192].decode("ascii", "ignore")
    return str.__str__(value)[:8_192] if isinstance(value, str) else ""


def is_request(message: Term) -> bool:
    """Return whether a message is a call or a cast of this package's."""
    return type(message) is tuple and bool(message) and (message[0] is CALL or message[0] is CAST)


def safely(work: Callable[..., T], *arguments: Any) -> T | None:
    """Call a function of OpenTelemetry. An exception in it is logged and does not reach the program."""
    try:
        return work(*arguments)
    except Exception:
        logger.exception("a span could not be made or ended")
        return None


class Spanned(From):
    """A call with a span. `context` is the context that it is made in."""

    __slots__ = ()

    span: Span | None
    context: Context | None

    def __init__(self, watcher: Process, server: Process) -> None:
        super().__init__(watcher, server)
        self.span = self.context = None  # type: ignore[misc]  # the classes below have these slots

    def settle(self, outcome: Term) -> None:
        """Decide the call, and end its span."""
        waits = self.outcome is PENDING
        super().settle(outcome)
        if waits:
            self._end(outcome)

    def forget(self) -> None:
        """Drop the call, and end its span."""
        waits = self.outcome is PENDING
        super().forget()
        if waits:
            self._end(Failure("killed" if self.watcher.state is DEAD else "timeout"))

    def _end(self, outcome: Term) -> None:
        span, self.span = self.span, None  # type: ignore[misc]
        if span is not None and active:
            safely(active[0].settle, span, outcome)
        elif span is not None:
            safely(span.end)

    def __del__(self) -> None:
        if self.span is not None:  # its caller was ended while it waited
            self._end(Failure("killed"))

    def __reduce__(self) -> Any:
        return copyreg.dispatch_table[From](self)


@immutable
class SpannedCall(Spanned):
    """A call with a span."""

    __slots__ = ("context", "span")


@immutable
class SpannedRequest(Spanned, Request):
    """A request with a span."""

    __slots__ = ("context", "span")
