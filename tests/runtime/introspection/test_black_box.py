"""When a node writes black boxes by itself."""

from __future__ import annotations

from pathlib import Path

from runtime.introspection import wire
from runtime.introspection.answers.answers import Answers
from runtime.introspection.black_box.black_box import MOST, BlackBox
from runtime.introspection.black_box.settings import BlackBoxSettings
from tests.support.in_node import in_node
from tests.support.outside import in_thread
from tests.support.recordings import WELCOME
from tests.support.trees import Observer


@in_node
def test_those_that_were_asked_for_take_no_place_of_those_for_failures(tmp_path: Path) -> None:
    observer = Observer()
    said: list[str] = []
    settings = BlackBoxSettings(str(tmp_path))
    box = BlackBox(settings, Answers(observer.node), observer.log, observer.watchdog, _welcome, said.append)
    for _ in range(MOST):
        in_thread(lambda: box.write("asked for with SIGUSR2", is_asked=True))
    assert box._may(), said
    in_thread(lambda: box.write("the program failed: KeyError"))
    assert not box._may()
    assert len([*tmp_path.glob("*.observed")]) == MOST + 1, said


def _welcome() -> wire.Welcome:
    return WELCOME
