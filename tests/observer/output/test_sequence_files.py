"""Sequence diagrams as files: whatever the program's texts are, they are shown and mean nothing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observer.drawing.sequence import Diagram
from observer.output.sequence_files import html, mermaid, svg
from observer.output.slow_calls import SlowCalls
from runtime.introspection import wire
from tests.support.traces import EVENTS, HOSTILE

MERMAID_LINE = re.compile(
    r"sequenceDiagram|  participant p\d+ as (?:[^;#\n<>\":{}\[\]%]|#\d+;)+"
    r"|  (?:Note over p\d+|p\d+(?:->>|-\)|-->>|--x|->)p\d+): (?:[^;#\n<>\":{}\[\]%]|#\d+;)+"
)


def hostile(text: str) -> list[wire.TraceEvent]:
    """Return events of every kind in which all that the program chooses is this text."""
    process = wire.Related(pid="<0.1.0>", name=text)
    frame = wire.Frame(file=text, line=1, function=text, source=text)
    return [
        msgspec.structs.replace(event, source=event.source and process, what=text, request=text, at=frame)
        for event in EVENTS
    ]


class Tags(HTMLParser):
    """Keeps which tags and attributes a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(name for name, _ in attrs)}


def test_mermaid_has_the_participants_and_the_arrows() -> None:
    lines = mermaid(Diagram(EVENTS)).splitlines()
    assert lines[:3] == ["sequenceDiagram", "  participant p0 as client", "  participant p1 as bank"]
    assert "  p0->>p1: ('get', 17)" in lines
    assert "  p1-->>p0: 1.00ms 'ok'" in lines
    assert "  Note over p1: exit KeyError#58; 'x'" in lines
    assert "  p3->p1: link" in lines


@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(exclude_categories=())) | st.sampled_from([HOSTILE, "end", "END", "", " ", "#", ";"]))
def test_no_text_leaves_its_place(text: str) -> None:
    diagram = Diagram(hostile(text))
    for line in mermaid(diagram).splitlines():
        assert MERMAID_LINE.fullmatch(line), line
    ET.fromstring(svg(diagram).encode("utf-8"))
    plain, page = Tags(), Tags()
    plain.feed(html(Diagram(hostile("x")), "x", "x", ()))
    page.feed(html(diagram, text, text, ()))
    assert page.found <= plain.found


def test_a_label_that_ends_a_block_of_mermaid_is_written_by_its_number() -> None:
    (line,) = [line for line in mermaid(Diagram(hostile("end"))).splitlines() if line.startswith("  p0->>")][:1]
    assert line.endswith(": #101;nd")


def test_svg_draws_each_step_and_each_lifeline() -> None:
    diagram = Diagram(EVENTS)
    root = ET.fromstring(svg(diagram))
    space = {"s": "http://www.w3.org/2000/svg"}
    assert len(root.findall("s:g", space)) == len(diagram.steps)
    assert [each.text for each in root.findall("s:text[@class='name']", space)] == diagram.lifelines
    titles = [each.text for each in root.findall("s:g/s:title", space)]
    assert titles[0] == "('get', 17) at orders.py:31 order"


def test_an_empty_trace_is_an_empty_diagram() -> None:
    assert mermaid(Diagram()) == "sequenceDiagram\n"
    ET.fromstring(svg(Diagram()))


def test_the_page_needs_nothing_else_and_runs_nothing() -> None:
    slow = SlowCalls()
    slow.add(EVENTS)
    page = html(Diagram(EVENTS), "shop", "15 events.", slow.records())
    assert "default-src 'none'" in page
    assert not re.search(r"<script|src=|href=|@import|url\((?!#tip)", page)
    assert "orders.py:31 order" in page
    assert "15 events." in page
    for figure in ("p50", "p99", "100.0ms"):
        assert figure in page


@pytest.mark.parametrize("write", [mermaid, svg])
def test_what_is_written_is_utf8_without_control_characters(write: object) -> None:
    assert callable(write)
    text = write(Diagram(hostile("\ud800\x00\x1b\u202e")))
    assert not set(text.encode("utf-8").decode()) & set("\x00\x1b\u202e")
