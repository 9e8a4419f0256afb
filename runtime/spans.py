"""OpenTelemetry spans for calls and casts, with their context carried from process to process.

Switch them on with ``run(main, spans=True)``, or inside a node with the functions of this module::

    from runtime import spans

    spans.start()  # of the tracer provider that the program has set, or start(provider)
    spans.stop()

A call has two spans: ``call bank transfer`` in the caller, from the request to the reply, and in it
``handle_call bank transfer``, the callback of the server. A cast has ``cast bank log`` and ``handle_cast bank log``.
Inside a callback the span of the callback is the current one, so that what it calls, and spans of its own, belong to
it. A span whose call fails, or whose callback crashes, has the status *error*. Requests of `send_request` are calls.

The context travels beside the message: no pattern, no callback and no `receive` sees it. It goes to other nodes too,
where spans are on there; a node of Erlang's gets the message alone. What a process starts (`spawn`, tasks) begins a
trace of its own.

Needs OpenTelemetry's API (``process-observer[spans]``); the program chooses the SDK and where spans go. While spans are
off, calls and casts cost what they cost without this module.
"""

from __future__ import annotations

import copyreg
import logging
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from greenlet import getcurrent

from runtime.distribution import incoming
from runtime.distribution.cluster import LocalNode
from runtime.distribution.remote_node import RemoteNode
from runtime.distribution.remote_process import RemoteProcess
from runtime.kernel import mailbox, signals
from runtime.kernel.instrument import Instrument, install_instrument, remove_instrument
from runtime.kernel.process import DEAD, REMOTE, Process, Worker
from runtime.otp import calls, requests, server_loop
from runtime.otp.callbacks import Callbacks
from runtime.otp.calls import CALL, CAST, PENDING, Failure, From
from runtime.otp.requests import Request
from runtime.otp.returns import Stop
from runtime.otp.unexpected import kind_of_message
from runtime.terms.errors import ProcessExit, RuntimeFault
from runtime.terms.explanation import explain
from runtime.terms.immutable import immutable
from runtime.terms.reason import is_abnormal
from runtime.terms.term import Term
from runtime.terms.text import reason_text

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

logger = logging.getLogger("runtime.spans")


def start(provider: TracerProvider | None = None) -> None:
    """Make a span for each call and cast of this program's processes from now on.

    `provider` is the tracer provider that makes them; None is the one that the program has set, or sets later, with
    OpenTelemetry's ``set_tracer_provider``. Raises RuntimeFault when spans are on, TypeError for what is no provider,
    ImportError without OpenTelemetry's API.
    """
    if _active:
        raise RuntimeFault("spans are on; call spans.stop() before you start them with another provider")
    spans = _Spans(provider)
    _active.append(spans)
    install_instrument(spans)
    calls.make_call, requests.make_request = _SpannedCall, _SpannedRequest
    calls.put, requests.put = _put, _put  # type: ignore[attr-defined]
    calls.deliver_from_outside = _deliver_from_outside  # type: ignore[attr-defined]
    calls.carried, calls.refused = _carried, _refused
    server_loop.handle, server_loop.handled_in_place = _handle, _NOTHING
    RemoteNode.send, LocalNode.cast = _send_there, _cast_at_length  # type: ignore[method-assign, assignment]
    incoming.take_note = _take_note


def stop() -> None:
    """Make no more spans. Those of calls that still wait end with them. Nothing happens when spans are off."""
    if not _active:
        return
    calls.make_call, requests.make_request = From, Request
    calls.put, requests.put = signals.put, signals.put  # type: ignore[attr-defined]
    calls.deliver_from_outside = mailbox.deliver_from_outside  # type: ignore[attr-defined]
    calls.carried, calls.refused = None, None
    server_loop.handle, server_loop.handled_in_place = server_loop.handle_message, CAST
    RemoteNode.send, LocalNode.cast = _original_send, _original_cast  # type: ignore[method-assign]
    incoming.take_note = None
    remove_instrument(_active.pop())


_active: list[_Spans] = []
"""What makes spans, if anything does."""

_NOTHING = object()
"""What no message begins with."""


class _Spans(Instrument):
    """Makes the spans of one provider, and remembers with which contexts messages wait.

    It is an instrument with a hook for messages. While there is one, the compiled kernel leaves casts to the sources.
    """

    def __init__(self, provider: TracerProvider | None) -> None:
        try:
            from opentelemetry import context, propagate, trace  # an extra, and only for those who want spans
        except ImportError as error:
            raise ImportError("spans need OpenTelemetry's API: pip install 'process-observer[spans]'") from error
        if provider is not None and not hasattr(provider, "get_tracer"):
            raise TypeError(f"spans are made by a tracer provider of OpenTelemetry's, not by {provider!r}")
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
        if message[0] is CALL and isinstance(message[1], (_SpannedCall, _SpannedRequest)):
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
        if message[0] is CALL and isinstance(message[1], (_SpannedCall, _SpannedRequest)):
            return message[1].context
        waiting = self._waiting.get(process)
        found = None if waiting is None else waiting.pop(id(message), None)
        if waiting is not None and not waiting:
            del self._waiting[process]
        return None if found is None else found[1]

    def arrived(self, process: Process, message: Term, note: Term) -> None:
        """Take the context that a message from another node came with."""
        if type(note) is not dict or len(note) > MAX_CARRIED or not _is_request(message):
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
    """Return what a server is called: by its name, else by what it runs, since pids are many."""
    if process.name is not None:
        return str(process.name)
    return str(getattr(process.body, "initial_call", None) or type(process.body).__qualname__)


def _text(value: Term) -> str:
    """Return a text that came from another node; an empty one for anything else."""
    if isinstance(value, bytes):
        return value[:8_192].decode("ascii", "ignore")
    return str.__str__(value)[:8_192] if isinstance(value, str) else ""


def _safely(work: Callable[..., T], *arguments: Any) -> T | None:
    """Call a function of OpenTelemetry. An exception in it is logged and does not reach the program."""
    try:
        return work(*arguments)
    except Exception:
        logger.exception("a span could not be made or ended")
        return None


# -- What stands in place of functions of the kernel, while spans are on ------------------------------------------


def _put(process: Process, message: Term) -> None:
    if _active:
        _safely(_active[0].sending, process, message)
    signals.put(process, message)


def _deliver_from_outside(target: Process, message: Term) -> None:
    if _active:
        _safely(_active[0].sending, target, message)
    mailbox.deliver_from_outside(target, message)


def _refused(dest: Term, request: Term, reason: Term) -> None:
    if _active:
        _safely(_active[0].refused, dest, request, reason)


def _carried(work: Callable[[], T]) -> Callable[[], T]:
    """Return work that a process is to do for a caller outside, in the context of that caller."""
    if not _active:
        return work
    contexts = _active[0].contexts
    context = contexts.get_current()

    def carry() -> T:
        token = contexts.attach(context)
        try:
            return work()
        finally:
            contexts.detach(token)

    return carry


_original_send, _original_cast = RemoteNode.send, LocalNode.cast


def _send_there(remote: RemoteNode, target: RemoteProcess, message: Term) -> None:
    note = _active[0].note_of(message) if _active else None
    if note:
        remote.send_noted(target, message, note)
    else:
        _original_send(remote, target, message)


def _cast_at_length(local: LocalNode, dest: tuple[object, ...], message: Term) -> bool:
    """Refuse the short way of a cast to another node, which `put` does not see."""
    return False


def _take_note(process: Process, message: Term, note: Term) -> None:
    if _active:
        _safely(_active[0].arrived, process, message, note)


def _is_request(message: Term) -> bool:
    """Return whether a message is a call or a cast of this package's."""
    return type(message) is tuple and bool(message) and (message[0] is CALL or message[0] is CAST)


def _handle(server: Callbacks, process: Process, message: Term) -> Stop | None:
    spans = _active[0] if _active and _is_request(message) else None
    begun = None if spans is None else _safely(spans.handling, process, message)
    if spans is None or begun is None:
        return server_loop.handle_message(server, process, message)
    span, context = begun
    token = spans.contexts.attach(context)
    result, raised = None, None
    try:
        result = server_loop.handle_message(server, process, message)
        return result
    except BaseException as error:
        raised = error
        raise
    finally:
        spans.contexts.detach(token)
        _safely(spans.end, span, process, result, raised)
        raised = None  # it holds this frame, which would hold it


class _Spanned(From):
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
        if span is not None and _active:
            _safely(_active[0].settle, span, outcome)
        elif span is not None:
            _safely(span.end)

    def __del__(self) -> None:
        if self.span is not None:  # its caller was ended while it waited
            self._end(Failure("killed"))

    def __reduce__(self) -> Any:
        return copyreg.dispatch_table[From](self)


@immutable
class _SpannedCall(_Spanned):
    """A call with a span."""

    __slots__ = ("context", "span")


@immutable
class _SpannedRequest(_Spanned, Request):
    """A request with a span."""

    __slots__ = ("context", "span")
