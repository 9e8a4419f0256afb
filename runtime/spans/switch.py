"""Switches spans on and off: while they are on, functions of the kernel and of calls have others in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from runtime.distribution import incoming
from runtime.distribution.cluster import LocalNode
from runtime.distribution.remote_node import RemoteNode
from runtime.distribution.remote_process import RemoteProcess
from runtime.kernel import mailbox, signals
from runtime.kernel.instrument import install_instrument, remove_instrument
from runtime.kernel.process import Process
from runtime.otp import calls, requests, server_loop
from runtime.otp.callbacks import Callbacks
from runtime.otp.calls import CAST, From
from runtime.otp.requests import Request
from runtime.otp.returns import Stop
from runtime.spans.maker import SpannedCall, SpannedRequest, Spans, active, is_request, safely
from runtime.terms.errors import RuntimeFault
from runtime.terms.term import Term

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

T = TypeVar("T")

_NOTHING = object()
"""What no message begins with."""


def start(provider: TracerProvider | None = None) -> None:
    """Make a span for each call and cast of this program's processes from now on.

    `provider` is the tracer provider that makes them; None is the one that the program has set, or sets later, with
    OpenTelemetry's ``set_tracer_provider``. Raises RuntimeFault when spans are on, TypeError for what is no provider,
    ImportError without OpenTelemetry's API.
    """
    if active:
        raise RuntimeFault("spans are on; call spans.stop() before you start them with another provider")
    spans = Spans(provider)
    active.append(spans)
    install_instrument(spans)
    calls.make_call, requests.make_request = SpannedCall, SpannedRequest
    calls.put, requests.put = _put, _put  # type: ignore[attr-defined]
    calls.deliver_from_outside = _deliver_from_outside  # type: ignore[attr-defined]
    calls.carried, calls.refused = _carried, _refused
    server_loop.handle, server_loop.handled_in_place = _handle, _NOTHING
    RemoteNode.send, LocalNode.cast = _send_there, _cast_at_length  # type: ignore[method-assign, assignment]
    incoming.take_note = _take_note


def stop() -> None:
    """Make no more spans. Those of calls that still wait end with them. Nothing happens when spans are off."""
    if not active:
        return
    calls.make_call, requests.make_request = From, Request
    calls.put, requests.put = signals.put, signals.put  # type: ignore[attr-defined]
    calls.deliver_from_outside = mailbox.deliver_from_outside  # type: ignore[attr-defined]
    calls.carried, calls.refused = None, None
    server_loop.handle, server_loop.handled_in_place = server_loop.handle_message, CAST
    RemoteNode.send, LocalNode.cast = _original_send, _original_cast  # type: ignore[method-assign]
    incoming.take_note = None
    remove_instrument(active.pop())


def _put(process: Process, message: Term) -> None:
    if active:
        safely(active[0].sending, process, message)
    signals.put(process, message)


def _deliver_from_outside(target: Process, message: Term) -> None:
    if active:
        safely(active[0].sending, target, message)
    mailbox.deliver_from_outside(target, message)


def _refused(dest: Term, request: Term, reason: Term) -> None:
    if active:
        safely(active[0].refused, dest, request, reason)


def _carried(work: Callable[[], T]) -> Callable[[], T]:
    """Return work that a process is to do for a caller outside, in the context of that caller."""
    if not active:
        return work
    contexts = active[0].contexts
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
    note = active[0].note_of(message) if active else None
    if note:
        remote.send_noted(target, message, note)
    else:
        _original_send(remote, target, message)


def _cast_at_length(local: LocalNode, dest: tuple[object, ...], message: Term) -> bool:
    """Refuse the short way of a cast to another node, which `put` does not see."""
    return False


def _take_note(process: Process, message: Term, note: Term) -> None:
    if active:
        safely(active[0].arrived, process, message, note)


def _handle(server: Callbacks, process: Process, message: Term) -> Stop | None:
    spans = active[0] if active and is_request(message) else None
    begun = None if spans is None else safely(spans.handling, process, message)
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
        safely(spans.end, span, process, result, raised)
        raised = None  # it holds this frame, which would hold it
