from __future__ import annotations

import pytest

from observer.drawing.node_facts import answer_of, facts_of, kind_of, milliseconds
from runtime.introspection import wire


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.00021, "0.21ms"), (0.0094, "9.40ms"), (0.012, "12ms"), (1.25, "1.2s")]
)
def test_a_latency_has_three_digits_at_most(seconds: float, text: str) -> None:
    assert milliseconds(seconds) == text


def test_what_a_node_runs_is_said_with_its_version_where_that_is_known() -> None:
    assert kind_of(wire.ClusterNode(name="a@b", state="up", kind="beam", version="OTP 25")) == "BEAM, OTP 25"
    assert kind_of(wire.ClusterNode(name="a@b", state="up", kind="python", version="0.1.0")) == "Python 0.1.0"
    assert kind_of(wire.ClusterNode(name="a@b", state="unreachable")) == "?"


def test_a_node_that_owes_an_answer_for_long_is_told_so() -> None:
    node = wire.ClusterNode(name="a@b", state="up", latency=0.01, silent_for=3.0)
    assert answer_of(node)[0] == "none for 3.0s"
    assert answer_of(wire.ClusterNode(name="a@b", state="down", latency=0.01, silent_for=3.0))[0] == "10ms"


def test_what_waits_is_told_in_words() -> None:
    node = wire.ClusterNode(name="a@b", state="down", queued=2_048, waiting=3, suspended=1)
    told = {label: text for label, text, _ in facts_of(node, 0.0)}
    assert told["to be sent"] == (
        "2.0K, and 3 messages wait for a connection, and 1 process waits here: it reads too slowly"
    )
