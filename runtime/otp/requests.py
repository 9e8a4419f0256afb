"""Requests without waiting: send one now, and look for its reply later.

The reply to a `Request` arrives in the mailbox as a `Response`, where `receive_response` finds it.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from runtime.kernel.mailbox import receive
from runtime.kernel.node import current_process
from runtime.kernel.process import Destination, Process
from runtime.kernel.signals import deliver, put
from runtime.otp.calls import CALL, PENDING, Failure, From
from runtime.terms.immutable import immutable
from runtime.terms.isolation import isolate
from runtime.terms.ref import next_number
from runtime.terms.term import Term
from runtime.terms.timeout import TimeoutArgument, seconds_of

RequestOutcome: TypeAlias = (
    tuple[Literal["reply"], Term] | tuple[Literal["error"], tuple[Term, Destination]] | Literal["timeout"]
)
"""How a request ended, or that it has not ended in time."""


@immutable
class Request(From):
    """A request whose reply has not been waited for yet: what `send_request` returns."""

    __slots__ = ("dest",)

    dest: Destination

    def tell(self, watcher: Process, outcome: Any) -> None:
        """Put the reply into the mailbox, for `receive_response` to find."""
        deliver(watcher, Response(self, outcome))


class Response:
    """The reply to a `Request`, as it lies in the mailbox."""

    __slots__ = ("request", "value")

    def __init__(self, request: Request, value: Term) -> None:
        self.request = request
        self.value = value


def send_request(dest: Destination, content: Term) -> Request:
    """Send a request and go on; `receive_response` waits for the reply (OTP: gen_server:send_request/2)."""
    caller = current_process("send_request")
    server = caller.node.resolve(dest)
    made: Request
    if server is None:
        made = Request.__new__(Request)
        made.watcher, made.number, made.outcome = caller, next_number(), PENDING
        made.server = caller
        deliver(caller, Response(made, Failure("noproc")))
    else:
        isolated = isolate(content)
        made = Request(caller, server)
        try:
            put(server, (CALL, made, isolated))
        except BaseException:
            made.outcome = None  # given up, without a call: there may be no room for one
            if server.watchers is not None and made.number in server.watchers:
                del server.watchers[made.number]
            raise
        caller.messages_out += 1
    made.dest = dest
    return made


def receive_response(request: Request, timeout: TimeoutArgument = None) -> RequestOutcome:
    """Wait for the reply; after `timeout` seconds the request is abandoned and its late reply dropped.

    Returns ``("reply", value)``, ``("error", (reason, dest))`` or ``"timeout"``. Without a `timeout`, or with
    ``"infinity"``, there is no limit.
    """
    return _response(request, timeout, abandon=True)


def wait_response(request: Request, timeout: TimeoutArgument = None) -> RequestOutcome:
    """Like `receive_response`, but after a timeout the reply may still be waited for."""
    return _response(request, timeout, abandon=False)


def check_response(message: Term, request: Request) -> RequestOutcome | Literal["no_reply"]:
    """Look at a message that was received already: as `receive_response`, ``"no_reply"`` when it is another one."""
    if type(message) is Response and message.request is request:
        return _outcome(message)
    return "no_reply"


def _response(request: Request, timeout: TimeoutArgument, abandon: bool) -> RequestOutcome:
    seconds = seconds_of(timeout)
    if not isinstance(request, Request):
        raise TypeError(f"a response is to a request that send_request() has made, not to {request!r}")
    found = receive(lambda m: type(m) is Response and m.request is request, timeout=seconds, default=None)
    if found is None:
        if abandon:
            request.forget()
        return "timeout"
    return _outcome(found)


def _outcome(response: Response) -> RequestOutcome:
    value = response.value
    if type(value) is Failure:
        return ("error", (value.reason, response.request.dest))
    return ("reply", value)
