"""Messages that a server did not expect: counted, and reported once a kind.

A server without a `handle_info` drops what is sent to it. That is mostly a mistake in the program, and a repeated one:
so the first messages of a kind are reported, with how many have come in that turn of the server, and the later ones
are counted only; `runtime.sys.get_status` shows the counts.
"""

from __future__ import annotations

import logging

from runtime.kernel.process import Process
from runtime.kernel.reports import report
from runtime.otp.loop_state import drop_idle_loop, loop_of
from runtime.terms.term import Term

MAX_KINDS = 20
"""Kinds that are kept apart in one server: what sends any text must not fill the memory, or the log."""

MAX_TAG = 40
"""Longest tag of a kind, in characters."""


class Unexpected:
    """What one server did not expect: how many messages of each kind, and an example of each to be reported.

    `unanswered` counts the calls that no case of its `handle_call` has taken, and `calls` holds examples of them.
    `waits` says that their callers wait in vain, as those of a state machine do, rather than having got None.
    """

    __slots__ = ("calls", "counts", "examples", "unanswered", "waits")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.examples: dict[str, Term] = {}
        self.unanswered: dict[str, int] = {}
        self.calls: dict[str, Term] = {}
        self.waits = False


def note_unexpected(process: Process, message: Term) -> None:
    """Count a message that its server has dropped. One of a new kind is reported at the end of the turn."""
    noted = _noted_of(process)
    _count(process, noted.counts, noted.examples, message)


def note_unanswered(process: Process, request: Term, waits: bool = False) -> None:
    """Count a call that no case took: it was answered by None, or its caller `waits`.

    One of a new kind is reported like a message.
    """
    noted = _noted_of(process)
    noted.waits = waits
    _count(process, noted.unanswered, noted.calls, request)


def _noted_of(process: Process) -> Unexpected:
    noted = process.unexpected
    if not isinstance(noted, Unexpected):
        noted = process.unexpected = Unexpected()
    return noted


def _count(process: Process, counts: dict[str, int], examples: dict[str, Term], message: Term) -> None:
    kind = kind_of_message(message)
    if kind not in counts and len(counts) >= MAX_KINDS:
        kind = "other"
    if kind not in counts:
        counts[kind] = 0
        examples[kind] = message
        loop_of(process).reports_unexpected = True
    counts[kind] += 1


def report_unexpected(process: Process, module: str) -> None:
    """Report the kinds that are new, as errors of the server's process. `module` is its class."""
    loop_of(process).reports_unexpected = False
    drop_idle_loop(process)
    noted = process.unexpected
    assert isinstance(noted, Unexpected)
    whose = {"name": process.known_as, "pid": process.pid, "module": module}
    examples, noted.examples = noted.examples, {}
    for kind, message in examples.items():
        report(
            "unexpected_message",
            logging.ERROR,
            **whose,
            message=message,
            count=noted.counts[kind],
            advice="it was dropped; a handle_info() would take it. More of this kind are only counted",
        )
    calls, noted.calls = noted.calls, {}
    for kind, request in calls.items():
        report(
            "unanswered_request",
            logging.ERROR,
            **whose,
            request=request,
            count=noted.unanswered[kind],
            advice=f"{_WAITS if noted.waits else _ANSWERED_NONE}. More of this kind are only counted",
        )


_ANSWERED_NONE = (
    "no case of handle_call() takes it, so the answer was None; end the match with "
    "case _: return super().handle_call(request, caller)"
)
_WAITS = "no case takes it, so its caller waits in vain; end the match with case _: raise NotImplementedError(event)"


def unexpected_counts(process: Process) -> dict[str, int]:
    """Return how many messages of each kind a server did not expect."""
    noted = process.unexpected
    return dict(noted.counts) if isinstance(noted, Unexpected) else {}


def unanswered_counts(process: Process) -> dict[str, int]:
    """Return how many calls of each kind no case of a server's `handle_call` has taken. From any thread."""
    noted = process.unexpected
    return dict(noted.unanswered) if isinstance(noted, Unexpected) else {}


def callers_wait(process: Process) -> bool:
    """Return whether the callers of unanswered calls wait, rather than having got None. From any thread."""
    noted = process.unexpected
    return isinstance(noted, Unexpected) and noted.waits


def kind_of_message(message: Term) -> str:
    """Return what messages of one kind have in common: a tag, or their type."""
    first = message[0] if type(message) is tuple and message else message
    return first[:MAX_TAG] if type(first) is str else type(message).__name__
