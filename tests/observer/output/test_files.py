"""Rows as files."""

from __future__ import annotations

import csv
import io
import json

from observer.output.files import FIELDS, FORMATS, dot, mermaid, records, table, text
from runtime.introspection.wire import Row

ROWS = [
    Row(key="app", pid="<0.2.0>", kind="supervisor", name="app", strategy="one_for_one", child_count=2),
    Row(key='app/"w"', pid="<0.3.0>", name='"w" <1>', depth=1, parent_key="app", message_queue_len=1_200, restarts=2),
    Row(key="app/x", name="x", depth=1, parent_key="app", status="stopped"),
    Row(key="~free", kind="group", name="unsupervised", child_count=7),
]


def test_the_tree_as_text_has_pids_mailboxes_and_restarts() -> None:
    first, second, third, fourth = text(ROWS).splitlines()
    assert first == "app  <0.2.0>  one_for_one"
    assert second.endswith('"w" <1>  <0.3.0>  mailbox 1,200  restarts 2')
    assert second.startswith("├─ ")
    assert third.endswith("x  (stopped)")
    assert fourth == "unsupervised  (7)"


def test_a_dot_graph_escapes_names_and_joins_children_with_what_is_above_them() -> None:
    graph = dot(ROWS)
    assert '"app" [label="app\\n<0.2.0>", shape=box];' in graph
    assert '"app/\\"w\\"" [label="\\"w\\" <1>\\n<0.3.0>", shape=ellipse];' in graph
    assert '"app/x" [label="x\\nstopped", shape=ellipse, style="dashed"];' in graph
    assert graph.count(" -> ") == 2
    assert dot(ROWS[1:2]).count(" -> ") == 0  # what is above it is not in the file


def test_a_mermaid_chart_escapes_what_would_mean_something_else() -> None:
    chart = mermaid(ROWS)
    assert '  n1(["#quot;w#quot; #lt;1#gt;<br/>#lt;0.3.0#gt;"])' in chart
    assert "  n0 --> n1" in chart
    assert chart.startswith('flowchart LR\n  n0["app<br/>')


def test_a_csv_file_has_a_heading_and_a_line_for_each_row() -> None:
    heading, *lines = csv.reader(io.StringIO(table(ROWS)))
    assert tuple(heading) == FIELDS
    assert len(lines) == 4
    assert dict(zip(heading, lines[1], strict=True))["name"] == '"w" <1>'
    assert dict(zip(heading, lines[2], strict=True))["pid"] == ""


def test_a_json_file_is_what_the_command_prints() -> None:
    read = json.loads(records(ROWS))
    assert len(read) == 4
    assert read[0]["pid"] == "<0.2.0>"


def test_every_format_writes_no_rows_too_and_has_an_ending_of_its_own() -> None:
    assert len({each.ending for each in FORMATS}) == len(FORMATS)
    for each in FORMATS:
        assert each.write([]).endswith("\n")
