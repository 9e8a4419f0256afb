"""How a child process ended, in words."""

from __future__ import annotations

import signal

import pytest

from observer.node.source import ChildStatus


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        (0, "ended with exit status 0"),
        (3, "ended with exit status 3"),
        (-signal.SIGKILL, "was ended by SIGKILL"),
        (-200, "was ended by signal 200"),
        (None, "ended with exit status 0"),
    ],
)
def test_its_end_is_told_by_status_or_signal(code: int | None, ending: str) -> None:
    assert ChildStatus("shop.py", code).ending == ending
