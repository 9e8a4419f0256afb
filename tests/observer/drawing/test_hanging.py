from __future__ import annotations

from textual.content import Content

from observer.drawing.hanging import hanging


def test_text_behind_a_label_keeps_to_its_own_column() -> None:
    shown = hanging(Content("label  "), Content("one two three four five six"), 27)
    assert shown.plain == "label  one two three four\n       five six"
    assert hanging(Content("label "), Content(""), 40).plain == "label "
