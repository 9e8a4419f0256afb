from __future__ import annotations

from typing import Any

import msgspec
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from observer.output.metrics import MOST_SUPERVISORS, NodeMetrics, Reading
from runtime.introspection import wire
from tests.support.command import ROWS, SUPERVISOR, WORKER
from tests.support.welcome import welcome

WELCOME = welcome(protocol=1, os_pid=1, started_at=5.0)
STATS = wire.NodeStats(name="shop", time=9.0, started_at=5.0, os_pid=1, process_count=4, restarted=7, hub_lag=0.25)


def reading(**more: Any) -> Reading:
    return Reading(welcome=WELCOME, stats=STATS, longest_mailbox=1234, **more)


def samples(metrics: NodeMetrics) -> dict[tuple[str, ...], float]:
    """Return the value of each series, as a scraper reads it: by its name and the values of its labels but the node."""
    found = {}
    for family in text_string_to_metric_families(metrics.text()):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            assert sample.labels["node"] == "shop"
            labels = tuple(value for name, value in sample.labels.items() if name != "node")
            found[(sample.name, *labels)] = float(sample.value)
    return found


def test_the_figures_of_a_node_are_gauges_and_counters() -> None:
    found = samples(NodeMetrics("shop", reading))
    assert found[("runtime_up",)] == 1.0
    assert found[("runtime_processes",)] == 4.0
    assert found[("runtime_restarts_total",)] == 7.0
    assert found[("runtime_hub_lag_seconds",)] == 0.25
    assert found[("runtime_mailbox_longest_messages",)] == 1234.0
    assert found[("runtime_start_time_seconds",)] == 5.0


def test_a_figure_that_the_node_does_not_tell_is_no_metric() -> None:
    stats = msgspec.structs.replace(STATS, untold=("messages", "hub_lag", "remains", "cpu_time"))
    told = samples(NodeMetrics("shop", reading))
    left = samples(NodeMetrics("shop", lambda: Reading(welcome=WELCOME, stats=stats, longest_mailbox=1234)))
    assert told.keys() - left.keys() == {
        ("runtime_messages_total",),
        ("runtime_hub_lag_seconds",),
        ("runtime_hub_stuck",),
        ("runtime_unwinding_processes",),
        ("runtime_cpu_seconds_total",),
    }


def test_a_node_that_is_gone_is_down_and_says_nothing_else() -> None:
    assert samples(NodeMetrics("shop", lambda: None)) == {("runtime_up",): 0.0}


def test_restarts_are_told_by_supervisor() -> None:
    found = samples(NodeMetrics("shop", lambda: reading(tree=ROWS)))
    assert found[("runtime_supervisor_child_restarts", "app")] == 2.0
    assert found[("runtime_supervisor_restarts_used", "app")] == 1.0
    assert found[("runtime_supervisor_max_restarts", "app")] == 3.0


def test_only_the_supervisors_with_the_most_restarts_have_series() -> None:
    rows: list[wire.Row] = []
    for number in range(MOST_SUPERVISORS + 5):
        key = f"sup{number:03}"
        rows.append(wire.Row(key=key, kind="supervisor", restarts_used=0))
        rows.append(wire.Row(key=f"{key}/w", parent_key=key, depth=1, restarts=number))
    found = samples(NodeMetrics("shop", lambda: reading(tree=tuple(rows))))
    named = {labels[1] for labels in found if labels[0] == "runtime_supervisor_child_restarts"}
    assert named == {f"sup{number:03}" for number in range(5, MOST_SUPERVISORS + 5)}


def test_a_hostile_name_is_one_label_on_one_line() -> None:
    key = 'a"b\\c\nruntime_up 5\x1b[2J' + "x" * 5_000
    row = wire.Row(key=key, kind="supervisor", restarts_used=0)
    text = NodeMetrics("shop", lambda: reading(tree=(row,))).text()
    assert "\x1b" not in text
    assert not any(line.startswith("runtime_up 5") for line in text.splitlines())
    assert max(map(len, text.splitlines())) < 500


def test_stalls_add_up_over_the_readings_by_why_they_happened() -> None:
    events = iter(
        [
            (
                wire.Event(id=1, time=1.0, kind="stall", seconds=0.5, stall="blocked"),
                wire.Event(id=2, time=1, kind="exit"),
            ),
            (wire.Event(id=3, time=2.0, kind="stall", seconds=1.5, stall="blocked"),),
        ]
    )
    metrics = NodeMetrics("shop", lambda: reading(new_events=next(events)))
    assert samples(metrics)[("runtime_stalls_total", "blocked")] == 1.0
    found = samples(metrics)
    assert found[("runtime_stalls_total", "blocked")] == 2.0
    assert found[("runtime_stalled_seconds_total", "blocked")] == 2.0


def test_findings_are_counted_by_kind() -> None:
    hogs = tuple(wire.Lint(kind="hog", weight=3, pids=(pid,), sentence="") for pid in ("<0.1.0>", "<0.2.0>"))
    found = samples(NodeMetrics("shop", lambda: reading(findings=hogs)))
    assert found[("runtime_findings", "hog")] == 2.0


def test_no_process_is_a_label() -> None:
    text = NodeMetrics("shop", lambda: reading(tree=(SUPERVISOR, WORKER))).text()
    assert "<0." not in text
    assert "worker" not in text.replace("workers", "")
