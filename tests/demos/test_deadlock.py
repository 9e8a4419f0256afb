"""The two accounts, tested with the plugin that the runtime brings for such tests."""

from __future__ import annotations

import pytest

from demos._stage import named
from demos.deadlock import OTHER, PEACE, Account, session, tree
from runtime import ChildSpec, await_exit, call, process_info, spawn, whereis
from runtime.sys import get_state
from runtime.testing import Reports, TestClock, assert_restarted, crash, start_supervised

pytest_plugins = ["runtime.testing"]


def test_money_moves_from_one_account_to_the_other() -> None:
    for name in OTHER:
        start_supervised(named(Account, name))
    assert call("savings", ("move", 30, "cheque")) == 70
    assert get_state("cheque")["amount"] == 130


def test_both_at_once_wait_for_each_other_until_one_of_them_dies(clock: TestClock, reports: Reports) -> None:
    start_supervised(ChildSpec(id="bank", start=(tree,), type="supervisor"))
    before = {name: whereis(name) for name in OTHER}
    clock.advance(PEACE + 1)
    for pid in before.values():
        assert pid is not None
        info = process_info(pid, "message_queue_len")
        assert info is not None
        assert info["message_queue_len"] == 1
    crash("savings")
    for name, pid in before.items():
        assert assert_restarted(name) != pid
    clock.advance(PEACE / 2)
    assert [get_state(name)["amount"] for name in OTHER] == [100, 100]


def test_with_a_timeout_the_silence_becomes_a_failure(
    clock: TestClock, reports: Reports, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await_exit(spawn(session)) == "normal"
    assert "failed" in capsys.readouterr().out
