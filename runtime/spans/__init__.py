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

The modules may import `runtime.distribution` and what lies below it.
"""

from __future__ import annotations

from runtime.spans.switch import start, stop

__all__ = ["start", "stop"]
