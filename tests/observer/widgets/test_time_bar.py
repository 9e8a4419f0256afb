"""The line of moments below a recording."""

from __future__ import annotations

from pathlib import Path

from observer.app import ObserverApp
from observer.node.recorded.node import RecordedNode
from observer.node.recorded.recording import RecordedFile
from tests.observer.conftest import SELDOM
from tests.support.recordings import figures_at, written
from tests.support.shown import shown


async def test_what_of_a_recording_cannot_be_read_has_a_line_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path / "a.observed", [(at, figures_at(at)) for at in (100.0, 101.0)], ended=False)
    with RecordedFile(path) as opened:
        app = ObserverApp(RecordedNode(opened), SELDOM)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            lines = [line.strip() for line in shown(app).splitlines()]
    assert "! It was cut short: this is as far as it goes." in lines
