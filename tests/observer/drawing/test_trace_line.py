"""An event of a trace as a line."""

from __future__ import annotations

import re

from observer.drawing.sequence import Labels
from observer.drawing.trace_line import spans
from tests.support.traces import EVENTS


def test_each_line_says_who_what_how_long_and_where() -> None:
    labels = Labels()
    lines = ["".join(text for text, _ in spans(event, labels)) for event in EVENTS]
    assert all(re.match(r"\d\d:\d\d:0\d\.\d{6}  ", line) for line in lines)
    assert [line[17:] for line in lines] == [
        "client → bank  call ('get', 17)  at orders.py:31 order",
        "bank  received get  after 0.10ms",
        "client ⇠ bank  reply 'ok'  1.00ms",
        lines[3][17:],
        "outside → bank  message 'tick'",
        "client → bank  call 'die'  at orders.py:31 order",
        "bank  exit KeyError: 'x'",
        "bank → pool  exit signal KeyError: 'x' (through a link)",
        "client ⇠ bank  failed KeyError: 'x'  after 100.0ms",
        "pool → bank <0.9.0>  spawn",
        "pool — bank <0.9.0>  link",
        "client → bank <0.9.0>  call 'late'  at orders.py:31 order",
        "client → bank <0.9.0>  gave up waiting for late  after 5.00s",
        "client  calls shop:price(3)  at orders.py:31 order",
        "client  returned 30  100.0ms",
    ]
    assert all(line.isprintable() for line in lines)


def test_trouble_is_told_by_more_than_a_colour() -> None:
    kinds = {event.kind: {kind: text for text, kind in spans(event, Labels())} for event in EVENTS}
    assert "trouble" in kinds["failed"]
    assert "trouble" not in kinds["reply"]
