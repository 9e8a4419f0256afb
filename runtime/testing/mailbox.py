"""Assertions about the messages that a test receives."""

from __future__ import annotations

from runtime import flush, receive, self_, send
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.testing.arguments import check_seconds

_NONE = object()


def assert_receive(pattern: Term, timeout: float = 0.1) -> Term:
    """Wait for a message that matches `pattern` and return it; the others stay (ExUnit: assert_receive).

    `pattern` is what `receive` takes: ``assert_receive(("reply", int))``. Raises AssertionError after `timeout`
    seconds, with the messages that did arrive.
    """
    __tracebackhide__ = True  # a failure is shown at the line of the test
    check_seconds(timeout, "timeout")
    message = receive(pattern, timeout=timeout, default=_NONE)
    if message is _NONE:
        raise AssertionError(f"no message matched {render(pattern)} within {timeout} s; {_mailbox()}")
    return message


def refute_receive(pattern: Term, timeout: float = 0.1) -> None:
    """Wait for `timeout` seconds and raise AssertionError if a message matches `pattern` (ExUnit: refute_receive)."""
    __tracebackhide__ = True  # a failure is shown at the line of the test
    check_seconds(timeout, "timeout")
    message = receive(pattern, timeout=timeout, default=_NONE)
    if message is not _NONE:
        raise AssertionError(f"received {render(message)}, which matches {render(pattern)}")


def _mailbox() -> str:
    """Return what the mailbox of the caller holds, as a clause of a sentence, and leave it as it was."""
    messages = flush()
    for message in messages:
        send(self_(), message)
    if not messages:
        return "the mailbox is empty"
    return "the mailbox holds " + ", ".join(map(repr, messages))
