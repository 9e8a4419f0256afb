"""A public call in which an exception strikes, at any line of the kernel, happens whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import runtime
from runtime import Supervisor
from tests.runtime.kernel.test_headroom import CALLS, Server, Struck, kept_faults, try_call
from tests.support.in_node import in_node

KERNEL = str(Path(runtime.__file__).parent / "kernel")
CALLS_OF_OTP = str(Path(runtime.__file__).parent / "otp" / "calls.py")


def strike_at(number: int, action: Callable[[], Any]) -> bool:
    """Call it, and raise `Struck` at such a line of the kernel's; whether it had that many."""
    lines = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        name = frame.f_code.co_filename
        if not (name.startswith(KERNEL) or name == CALLS_OF_OTP):
            return None
        if event == "line":
            lines += 1
            if lines == number:
                sys.settrace(None)
                raise Struck
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return lines >= number


WITH_THE_HUB = ("start", "start_link", "sleep")
"""Calls that wait: while they do the hub runs, and the mock clock is not made to be interrupted."""


def strikes() -> Iterator[int]:
    yield from range(1, 400)


@pytest.mark.parametrize("name", [name for name in CALLS if name not in WITH_THE_HUB])
@in_node
def test_a_call_in_which_an_exception_strikes_happens_whole_or_not_at_all(name: str) -> None:
    Supervisor.start_link([Server.child_spec(name="kept")], max_restarts=10_000)
    for number in strikes():
        reached = False

        def attempt(action: Callable[[], Any], number: int = number) -> None:
            nonlocal reached
            with suppress(Struck):
                reached = True
                reached = strike_at(number, action)

        faults = try_call(name, attempt)
        assert faults == [], f"at line {number}"
        if not reached:
            break
    assert kept_faults() == []
