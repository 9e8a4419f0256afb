"""Servers whose start always gives a Pid."""

import pytest

from runtime import IGNORE, Down, StartError, alive, exit, flush, receive
from runtime.otp.always_starts import AlwaysStarts
from tests.support.in_node import in_node


class Willing(AlwaysStarts):
    def init(self) -> None: ...


class Shy(AlwaysStarts):
    def init(self) -> object:
        return IGNORE


@in_node
def test_the_start_gives_a_pid() -> None:
    for start in (Willing.start, Willing.start_link):
        assert alive(start())
    pid, ref = Willing.start_monitor()
    exit(pid, "kill")
    assert receive(Down, timeout=1.0) == Down(ref, pid, "killed")


@in_node
def test_an_init_that_ignores_the_start_fails_it() -> None:
    with pytest.raises(StartError, match="bad_return_value"):
        Shy.start()
    with pytest.raises(StartError, match="bad_return_value"):
        Shy.start_monitor()
    assert flush() == []
