"""How long calls took, by server and request."""

from __future__ import annotations

import io

import msgspec
import pytest
from rich.console import Console

from observer.output import slow_calls
from observer.output.slow_calls import OTHER, SlowCalls, table
from tests.support.traces import BANK, CLIENT, EVENTS, HOSTILE


def test_calls_are_counted_by_server_and_request_the_slowest_first() -> None:
    slow = SlowCalls()
    slow.add(EVENTS)
    found = [(each.server, each.request, each.count, each.failed, each.given_up) for each in slow.records()]
    assert found == [
        ("bank", "late", 1, 0, 1),
        ("bank", "die", 1, 1, 0),
        (None, "shop:price", 1, 0, 0),
        ("bank", "get", 1, 0, 0),
    ]


def test_times_are_told_by_the_middle_and_by_the_slow_ones() -> None:
    slow = SlowCalls()
    reply = EVENTS[2]
    slow.add(msgspec.structs.replace(reply, id=n, of=None, seconds=n / 1000) for n in range(1, 101))
    (found,) = slow.records()
    assert (found.count, found.p50, found.p99, found.slowest) == (100, 0.05, 0.099, 0.1)


def test_a_reply_by_another_process_counts_for_the_server_that_was_called() -> None:
    slow = SlowCalls()
    slow.add([EVENTS[0], msgspec.structs.replace(EVENTS[2], source=CLIENT)])
    assert [each.server for each in slow.records()] == [BANK.name]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_calls, "MAX_GROUPS", 2)
    monkeypatch.setattr(slow_calls, "MAX_SAMPLES", 3)
    slow = SlowCalls()
    call, reply = EVENTS[0], EVENTS[2]
    slow.add(msgspec.structs.replace(call, id=n) for n in range(9))
    slow.add(msgspec.structs.replace(reply, id=n, of=None, request=f"r{n // 5}") for n in range(20))
    assert len(slow._servers) == 3
    assert sorted((each.server, each.request, each.count) for each in slow.records()) == [
        (OTHER, OTHER, 10),
        ("bank", "r0", 5),
        ("bank", "r1", 5),
    ]
    assert all(len(group.times) == 3 for group in slow._groups.values())


def test_the_table_is_safe_to_print() -> None:
    slow = SlowCalls()
    slow.add([*EVENTS, msgspec.structs.replace(EVENTS[2], request=HOSTILE)])
    out = io.StringIO()
    Console(file=out, width=120, color_system=None).print(table(slow.records()))
    assert "\x1b" not in out.getvalue()
    assert "(function)" in out.getvalue()
