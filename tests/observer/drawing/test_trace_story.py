"""An event of a trace in full."""

from __future__ import annotations

import msgspec

from observer.drawing.event_story import plain
from observer.drawing.trace_story import story
from tests.support.traces import EVENTS, HOSTILE


def test_all_that_is_known_stands_in_lines_of_its_own() -> None:
    lines = plain(story(EVENTS[0])).splitlines()
    assert lines[0].startswith("kind  call at ")
    assert lines[1:] == [
        "from  client <0.4.0>",
        "to    bank <0.3.0>",
        "what  ('get', 17)",
        "at    /srv/shop/orders.py:31 in order",
        "      call(bank, ('get', 17))",
    ]
    assert "after 1.00ms" in plain(story(EVENTS[2]))
    assert "from  outside" in plain(story(EVENTS[4]))


def test_it_is_safe_to_draw() -> None:
    hostile = msgspec.structs.replace(EVENTS[0], what=HOSTILE)
    assert all(line.isprintable() for line in plain(story(hostile)).split("\n"))
