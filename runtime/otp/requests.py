"""Requests without waiting: send one now, and look for its reply later.

The reply to a `Request` arrives in the mailbox as a `Response`, where `receive_response` finds it. Requests can be put
into a collection, to wait for whichever is answered first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Literal, TypeAlias, overload

from runtime.kernel import clock
from runtime.kernel.headroom import ensure_headroom
from runtime.kernel.mailbox import receive
from runtime.kernel.node import current, current_process
from runtime.kernel.outside import from_outside
from runtime.kernel.process import Destination, Process
from runtime.kernel.signals import deliver, put
from runtime.otp.calls import CALL, PENDING, Failure, From
from runtime.terms.errors import CallError
from runtime.terms.immutable import immutable, travels_by_reference
from runtime.terms.isolation import isolate
from runtime.terms.ref import next_number
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument, seconds_of

Settled: TypeAlias = tuple[Literal["reply"], Term] | tuple[Literal["error"], tuple[Term, Destination]]
"""How a request ended."""

RequestOutcome: TypeAlias = Settled | Literal["timeout"]
"""How a request ended, or that it has not ended in time."""

CollectedOutcome: TypeAlias = "tuple[Settled, Term, RequestIds] | Literal['timeout', 'no_request']"
"""How the first request of a collection ended, its label, and the collection without it."""


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


make_request: Callable[[Process, Process], Request] = Request
"""Makes a request; another class where requests have spans."""


@travels_by_reference
class RequestIds:
    """Requests that are waited for together, each with a label: what `reqids_new` and `reqids_add` return.

    It does not change: what adds or takes away returns a new one.
    """

    __slots__ = ("_labels",)

    def __init__(self, labels: dict[Request, Term]) -> None:
        self._labels = labels

    def __len__(self) -> int:
        return len(self._labels)

    def __iter__(self) -> Iterator[tuple[Request, Term]]:
        return iter([*self._labels.items()])

    def __contains__(self, request: object) -> bool:
        return request in self._labels

    def __repr__(self) -> str:
        return f"<{len(self)} requests, labels {[*self._labels.values()]}>"

    def label(self, request: Request) -> Term:
        """Return the label of a request."""
        return self._labels[request]

    def without(self, request: Request) -> RequestIds:
        """Return the same requests but one."""
        return RequestIds({other: label for other, label in self._labels.items() if other is not request})


def reqids_new() -> RequestIds:
    """Return a collection without requests (OTP: gen_server:reqids_new/0)."""
    return RequestIds({})


def reqids_add(request: Request, label: Term, collection: RequestIds) -> RequestIds:
    """Return a collection with one more request (OTP: gen_server:reqids_add/3).

    `label` is any value; the reply comes with it. Raises ValueError when the request is in it already.
    """
    if not isinstance(request, Request):
        raise TypeError(f"reqids_add() takes a request that send_request() has made, not {render(request)}")
    if request in _checked(collection, "reqids_add"):
        raise ValueError(f"the request {render(request)} is in the collection already")
    return RequestIds({**dict(collection), request: label})


def reqids_size(collection: RequestIds) -> int:
    """Return how many requests a collection has (OTP: gen_server:reqids_size/1)."""
    return len(_checked(collection, "reqids_size"))


def reqids_to_list(collection: RequestIds) -> list[tuple[Request, Term]]:
    """Return the requests of a collection with their labels (OTP: gen_server:reqids_to_list/1)."""
    return [*_checked(collection, "reqids_to_list")]


def _checked(collection: RequestIds, function: str) -> RequestIds:
    if not isinstance(collection, RequestIds):
        raise TypeError(f"{function}() takes a collection that reqids_new() has made, not {render(collection)}")
    return collection


@overload
def send_request(dest: Destination, content: Term) -> Request: ...
@overload
def send_request(dest: Destination, content: Term, label: Term, collection: RequestIds) -> RequestIds: ...
def send_request(
    dest: Destination, content: Term, label: Term = None, collection: RequestIds | None = None
) -> Request | RequestIds:
    """Send a request and go on; `receive_response` waits for the reply (OTP: gen_server:send_request/2, /4).

    With a `label` and a `collection` it returns the collection with the new request in it.
    """
    if collection is None:
        return _send(dest, content)
    _checked(collection, "send_request")
    return reqids_add(_send(dest, content), label, collection)


def _send(dest: Destination, content: Term) -> Request:
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
        ensure_headroom()
        made = make_request(caller, server)
        try:
            made.begin()
            put(server, (CALL, made, isolated))
        except BaseException:
            made.forget()  # unlike in `calls.request`, there is room for it
            raise
        caller.messages_out += 1
    made.dest = dest
    return made


@overload
def receive_response(request: Request, timeout: TimeoutArgument = None) -> RequestOutcome: ...
@overload
def receive_response(request: RequestIds, timeout: TimeoutArgument = None, delete: bool = True) -> CollectedOutcome: ...
def receive_response(
    request: Request | RequestIds, timeout: TimeoutArgument = None, delete: bool = True
) -> RequestOutcome | CollectedOutcome:
    """Wait for the reply; after `timeout` seconds the request is abandoned and its late reply dropped.

    Returns ``("reply", value)``, ``("error", (reason, dest))`` or ``"timeout"``. Without a `timeout`, or with
    ``"infinity"``, there is no limit. For a collection, it returns the first reply as ``(outcome, label, collection)``,
    where the collection has lost the request unless `delete` is False, ``"timeout"``, which abandons them all, or
    ``"no_request"`` when the collection is empty (OTP: gen_server:receive_response/2, /3).
    """
    return _response(request, timeout, delete, abandon=True)


@overload
def wait_response(request: Request, timeout: TimeoutArgument = None) -> RequestOutcome: ...
@overload
def wait_response(request: RequestIds, timeout: TimeoutArgument = None, delete: bool = True) -> CollectedOutcome: ...
def wait_response(
    request: Request | RequestIds, timeout: TimeoutArgument = None, delete: bool = True
) -> RequestOutcome | CollectedOutcome:
    """Wait like `receive_response`, but after a timeout the reply can still come (OTP: wait_response/2, /3)."""
    return _response(request, timeout, delete, abandon=False)


@overload
def check_response(message: Term, request: Request) -> RequestOutcome | Literal["no_reply"]: ...
@overload
def check_response(
    message: Term, request: RequestIds, delete: bool = True
) -> CollectedOutcome | Literal["no_reply"]: ...
def check_response(
    message: Term, request: Request | RequestIds, delete: bool = True
) -> RequestOutcome | CollectedOutcome | Literal["no_reply"]:
    """Look at a message that was received already: as `receive_response`, ``"no_reply"`` when it is another one.

    For a collection it returns what `receive_response` does (OTP: gen_server:check_response/2, /3).
    """
    if isinstance(request, RequestIds):
        if not len(request):
            return "no_request"
        if type(message) is Response and message.request in request:
            return _collected(message, request, delete)
    elif type(message) is Response and message.request is request:
        return _outcome(message)
    return "no_reply"


def _response(
    request: Request | RequestIds, timeout: TimeoutArgument, delete: bool, abandon: bool
) -> RequestOutcome | CollectedOutcome:
    seconds = seconds_of(timeout)
    if isinstance(request, RequestIds):
        return _first_response(request, seconds, delete, abandon)
    if not isinstance(request, Request):
        raise TypeError(f"a response is to a request that send_request() has made, not to {render(request)}")
    found = receive(partial(_is_response_to, request), timeout=seconds, default=None)
    if found is None:
        if abandon:
            request.forget()
        return "timeout"
    return _outcome(found)


def _is_response_to(request: Request, message: Term) -> bool:
    return type(message) is Response and message.request is request


def _first_response(collection: RequestIds, seconds: float | None, delete: bool, abandon: bool) -> CollectedOutcome:
    if not len(collection):
        return "no_request"
    found = receive(lambda m: type(m) is Response and m.request in collection, timeout=seconds, default=None)
    if found is None:
        if abandon:
            for request, _ in collection:
                request.forget()
        return "timeout"
    return _collected(found, collection, delete)


def _collected(response: Response, collection: RequestIds, delete: bool) -> CollectedOutcome:
    request = response.request
    rest = collection.without(request) if delete else collection
    return _outcome(response), collection.label(request), rest


def _outcome(response: Response) -> Settled:
    value = response.value
    if type(value) is Failure:
        return ("error", (value.reason, response.request.dest))
    return ("reply", value)


def multi_call(
    nodes: Iterable[str], name: str, request: Term, timeout: TimeoutArgument = None
) -> tuple[list[tuple[str, Term]], list[str]]:
    """Call the servers of one name on several nodes at once (OTP: gen_server:multi_call/4).

    Returns the replies as ``(node, reply)`` and the nodes that gave none, both in the order of `nodes`. A node gives
    none when it cannot be reached, when it has no server of that name, when that dies, and when `timeout` seconds are
    over (None, ``"infinity"``: no limit). A late reply is dropped. A greenlet or a thread outside any process may call,
    too.
    """
    seconds = seconds_of(timeout)
    names = [*nodes]
    if isinstance(nodes, str) or not all(isinstance(node, str) for node in names):
        raise TypeError(f"multi_call() takes the names of nodes, such as ['shop@127.0.0.1'], not {render(nodes)}")
    if current() is None:
        work = partial(multi_call, names, name, request, timeout)
        return from_outside(
            "multi_call", work, lambda why: CallError(why, "multi_call", (names, name, request)), seconds
        )
    ends = None if seconds is None else clock.now() + seconds
    replies: list[tuple[str, Term]] = []
    bad: list[str] = []
    waiting: list[tuple[str, Request]] = []
    try:
        for node in names:
            waiting.append((node, _send((name, node), request)))
        while waiting:
            node, made = waiting[0]
            outcome = receive_response(made, None if ends is None else max(0.0, ends - clock.now()))
            del waiting[0]
            if outcome[0] == "reply":
                replies.append((node, outcome[1]))
            else:
                bad.append(node)
    finally:
        for _, made in waiting:  # only where an exception has ended it
            made.forget()
            receive(partial(_is_response_to, made), timeout=0, default=None)
    return replies, bad
