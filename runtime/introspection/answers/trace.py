"""Answers the questions of a trace: begins it, tells what it has noted, ends it."""

from __future__ import annotations

import time

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.resolve import RefusedError, addressee
from runtime.introspection.reading.filter import parse_filter
from runtime.introspection.threads.pace import Pace
from runtime.introspection.tracing.functions import NoFunctionError, find_functions
from runtime.introspection.tracing.limits import Limits
from runtime.introspection.tracing.noted import Shown
from runtime.introspection.tracing.targets import Targets
from runtime.introspection.tracing.trace import Trace
from runtime.kernel.threads import sleep

LONGEST_WAIT = 1.0
"""Seconds for which a reader may wait for something new."""

PERIOD = 0.02
"""Seconds between two looks for something new."""

Answer = wire.TraceState | wire.Failed


def start(query: wire.StartTrace, node: ObservedNode, client: ClientCache, pace: Pace) -> Answer:
    """Begin a trace for this client, in place of the one that it has."""
    limits = Limits(query.seconds, query.limit, query.rate)
    if problem := limits.problem():
        raise _refused(problem)
    if query.arguments and not node.permissions.state:
        raise _refused("This node does not show what processes hold (--no-state), and arguments are part of that.")
    try:
        functions = find_functions(query.functions)
    except NoFunctionError as error:
        raise _refused(str(error)) from None
    named = [addressee(pid, node) for pid in query.pids]
    targets = Targets(named, parse_filter(query.filter), query.places)
    targets.find(node.node, pace)
    end_trace(node, client, "Another trace was begun.")
    shown = Shown(node.permissions.state, node.permissions.exception_texts)
    trace = Trace(node.node, targets, limits, shown, functions, query.arguments)

    def begin() -> None:
        trace.start()
        node.traces.append(trace)

    begun = node.calls.in_hub(begin)
    if isinstance(begun, wire.Failed):
        node.node.call_soon_threadsafe(_end, node, trace, "It was begun too late.")  # should it have begun all the same
        return begun
    client.trace = trace
    return _state(trace, 0)


def read(query: wire.ReadTrace, node: ObservedNode, client: ClientCache, pace: Pace) -> Answer:
    """Answer what the trace has noted since. With `wait`, answers when there is something or the trace has ended."""
    trace = _trace(client)
    deadline = time.monotonic() + min(query.wait, LONGEST_WAIT)
    while trace.is_running and trace.noted <= query.after and time.monotonic() < deadline:
        sleep(PERIOD)
    return _state(trace, query.after)


def stop(query: wire.StopTrace, node: ObservedNode, client: ClientCache, pace: Pace) -> Answer:
    """End the trace, and answer what it has noted since."""
    trace = _trace(client)
    ended = node.calls.in_hub(lambda: _end(node, trace, "It was ended by its observer."))
    return ended if isinstance(ended, wire.Failed) else _state(trace, query.after)


def end_trace(node: ObservedNode, client: ClientCache, ending: str) -> None:
    """End the trace of a client, if it has one that goes on. From any thread."""
    if client.trace is not None:
        node.node.call_soon_threadsafe(_end, node, client.trace, ending)


def _end(node: ObservedNode, trace: Trace, ending: str) -> None:
    if trace in node.traces:
        node.traces.remove(trace)
        trace.end(ending)


def _trace(client: ClientCache) -> Trace:
    if client.trace is None:
        raise _refused("This observer has begun no trace.")
    return client.trace


def _refused(why: str) -> RefusedError:
    return RefusedError(wire.Failed(why=why, kind="bad_request"))


def _state(trace: Trace, after: int) -> wire.TraceState:
    ending = trace.ending  # first: what is noted is there before the trace has ended
    events = trace.events_after(after)
    return wire.TraceState(
        events=events,
        last=events[-1].id if events else after,
        noted=trace.noted,
        dropped=trace.dropped,
        unread=trace.unread,
        processes=0 if trace.targets.is_everything else len(trace.targets),
        running=not ending,
        ending=ending,
    )
