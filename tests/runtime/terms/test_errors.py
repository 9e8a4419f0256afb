"""The runtime's errors: what they say, what they carry, and that they can be sent."""

from __future__ import annotations

import pickle

import pytest

from runtime.terms.atom import Atom
from runtime.terms.errors import (
    AlreadyRegisteredError,
    CallError,
    NoProcessError,
    NotInProcessError,
    ProcessExit,
    ProcessKilled,
    ReceiveTimeout,
    RuntimeFault,
    StartError,
    SupervisorError,
)


class Server:
    """Stands in for a Pid, of which these modules know nothing."""

    def __repr__(self) -> str:
        return "<0.7.0>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Server)

    def __hash__(self) -> int:
        return 0


ERRORS = [
    (NoProcessError("shop"), "no process is registered as 'shop'; whereis() gives None for such a name"),
    (AlreadyRegisteredError("shop", "<0.7.0>"), "the name 'shop' is taken by <0.7.0>; unregister it first or choose"),
    (ReceiveTimeout(0.5), "no matching message within 0.5 s; pass default="),
    (NotInProcessError("receive"), "receive() works only inside a process; start one with spawn() or run()"),
    (CallError("timeout", "call", ("<0.7.0>", "get")), "call to <0.7.0> failed: 'timeout'"),
    (
        CallError("noproc", "call", ("shop", "get", 5.0)),
        "call to shop failed: noproc: no process is registered as 'shop'; it was not started, has ended, or has",
    ),
    (CallError("noproc", "stop", (("via", "shops", 1),)), "stop to (via, shops, 1) failed: noproc: no process is reg"),
    (CallError(Atom("noproc"), "call", (Atom("shop"),)), "call to shop failed: noproc: no process is registered as 's"),
    (CallError("noproc", "call", (Server(), "get")), "call to <0.7.0> failed: noproc: <0.7.0> has ended"),
    (CallError("calling_self", "call", ("shop", "get")), "call to shop failed: calling_self: a process that waits"),
    (CallError("noproc"), "call failed: 'noproc'"),
    (StartError(("already_started", 7)), "the process did not start: "),
    (SupervisorError("not_found"), "the supervisor refused: 'not_found'"),
]


@pytest.mark.parametrize(("error", "text"), ERRORS, ids=lambda value: type(value).__name__)
def test_an_error_says_what_was_wrong_and_can_be_pickled_with_all_it_carries(error: RuntimeFault, text: str) -> None:
    assert str(error).startswith(text)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (NoProcessError("x"), ValueError),
        (AlreadyRegisteredError("x", 1), ValueError),
        (ReceiveTimeout(1), TimeoutError),
    ],
)
def test_an_error_with_a_counterpart_in_python_is_caught_as_that_too(
    error: RuntimeFault, builtin: type[Exception]
) -> None:
    assert isinstance(error, builtin)


def test_a_process_exits_with_the_reason_that_otp_gives_a_failed_call() -> None:
    error = CallError("noproc", "cast", ("shop", "go"))
    assert error.exit_reason == ("noproc", ("gen_server", "cast", ("shop", "go")))


def test_the_text_of_a_failed_call_leaves_its_reason_as_it_is() -> None:
    assert CallError("noproc", "call", ("shop", "go")).reason == "noproc"


def test_the_exits_of_processes_are_caught_by_no_except_exception() -> None:
    assert not issubclass(ProcessExit, Exception)
    assert not issubclass(ProcessKilled, Exception)


def test_an_exit_is_shown_by_its_story_or_its_reason() -> None:
    assert str(ProcessExit(("shutdown", "enough"))) == "(shutdown, enough)"
    assert str(ProcessExit("boom", story="the tree gave up")) == "the tree gave up"
    assert ProcessExit("boom", story="the tree gave up").reason == "boom"
