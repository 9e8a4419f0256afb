from __future__ import annotations

from runtime import spawn, whereis
from runtime.introspection.reading.filter_fields import NUMBERS, TEXTS, Subject
from runtime.introspection.reading.tree_path import position_of
from tests.support.in_node import in_node
from tests.support.trees import start_tree


@in_node
def test_every_field_can_be_read_of_every_process() -> None:
    start_tree()
    spawn(lambda: None, name="quick")
    for pid in [pid for name in ("app", "pool0", "guests", "quick") if (pid := whereis(name))]:
        process = pid.process
        assert process is not None
        subject = Subject(process, position_of(process), "")
        assert all(isinstance(read(subject), str) for read in TEXTS.values())
        assert all(isinstance(read(subject), (int, float)) for read in NUMBERS.values())


def test_a_child_without_a_process_has_a_text_and_a_number_for_every_field() -> None:
    subject = Subject(None, None, "app/pool/w1")
    assert TEXTS["key"](subject) == "app/pool/w1"
    assert TEXTS["state"](subject) == "stopped"
    assert {read(subject) for read in NUMBERS.values()} == {0}
