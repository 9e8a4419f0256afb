from __future__ import annotations

from observer.model.targets import Marks
from runtime.introspection.wire import Row


def test_marks_mean_the_process_that_stands_in_the_place_now() -> None:
    marks = Marks()
    marks.toggle(Row(key="a", pid="<0.1.0>", name="ada"))
    marks.toggle(Row(key="b"))
    marks.seen([Row(key="a", pid="<0.9.0>", name="ada")])
    assert [target.pid for target in marks.targets] == ["<0.9.0>"]
    marks.toggle(Row(key="a", pid="<0.9.0>"))
    assert len(marks) == 0
