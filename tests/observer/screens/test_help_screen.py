"""Help that explains everything there is to see."""

from __future__ import annotations

import re

from observer.drawing.columns import ALL
from observer.screens.help_screen import FIGURES
from tests.observer.conftest import Drive
from tests.support import fake_nodes

TALL = (200, 220)
"""A terminal that all of the help fits into."""


async def test_every_figure_of_the_header_is_explained(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), size=TALL) as driver:
        line = driver.text().splitlines()[1]
        figures = re.findall(r"(?:^ |   )([a-z][a-z /]*?) (?=[\d<-])", line)
        assert len(figures) == 8
        assert set(figures) <= set(FIGURES)
        await driver.press("question_mark")
        text = driver.text()
        assert all(f"  {figure}" in text for figure in figures)


async def test_every_column_is_explained(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), size=TALL) as driver:
        await driver.press("question_mark")
        text = driver.text()
        assert all(column.title in text and column.meaning[:40] in text for column in ALL.values())


async def test_a_long_term_stands_above_its_meaning(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), size=TALL) as driver:
        await driver.press("question_mark")
        lines = [line.strip(" │") for line in driver.text().splitlines()]
        assert lines[lines.index("sorted 2 s ago") + 1].startswith("a big node sorts its list")
