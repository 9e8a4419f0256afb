from __future__ import annotations

from observer.chaos.recoveries import Recoveries
from runtime.introspection.wire import Row


def killed(key: str, pid: str, at: float, recoveries: Recoveries) -> None:
    recoveries.killed(Row(key=key, pid=pid, supervisor="<0.2.0>", restart="permanent"), at)


def test_only_victims_that_were_killed_long_enough_ago_count_as_silent() -> None:
    recoveries = Recoveries()
    killed("top/a", "<0.3.0>", 10.0, recoveries)
    killed("top/b", "<0.4.0>", 12.0, recoveries)
    assert [victim.pid for victim in recoveries.silent(before=11.0)] == ["<0.3.0>"]
    assert len(recoveries.silent()) == 2


def test_a_clock_that_was_set_back_makes_no_recovery_negative() -> None:
    recoveries = Recoveries()
    killed("top/a", "<0.3.0>", 10.0, recoveries)
    recoveries.back("top/a", "<0.9.0>", 9.0)
    assert recoveries.report(1.0).worst == 0.0
