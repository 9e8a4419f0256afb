"""Pictures of the screen that any viewer draws alike."""

import re
from html import unescape

from observer.patches.svg import CELL, portable
from tests.observer.conftest import Drive
from tests.support import fake_nodes


def texts(svg: str) -> list[tuple[float, str]]:
    """Return the texts of a picture with the cells that they begin at."""
    found = re.findall(r'<text class="[^"]*" x="([^"]*)" y[^>]*>([^<]*)</text>', svg)
    return [(float(x) / CELL, unescape(text)) for x, text in found]


def line(svg: str, y: str) -> str:
    """Put the texts of a line where they stand."""
    shown = [" "] * 120
    for x, text in re.findall(rf'<text class="[^"]*" x="([^"]*)" y="{y}"[^>]*>([^<]*)</text>', svg):
        start = round(float(x) / CELL)
        shown[start : start + len(unescape(text))] = unescape(text)
    return "".join(shown).replace("\xa0", " ").rstrip()


async def test_every_word_stands_where_it_stood_and_no_text_begins_with_a_space(drive: Drive) -> None:
    async with drive(fake_nodes.crashing()) as driver:
        await driver.look()
        before = driver.app.export_screenshot()
    after = portable(before)
    assert not any(" " in text or "\xa0" in text for _, text in texts(after))
    heights = sorted(set(re.findall(r'y="([\d.]+)" textLength', before)))
    assert len(heights) > 20
    assert [line(after, y) for y in heights] == [line(before, y) for y in heights]


async def test_a_picture_needs_nothing_from_the_network(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        svg = portable(driver.app.export_screenshot())
    assert re.findall(r"url\([\"']?(?!#)", svg) == []
    assert "font-size: 20.27px" in svg
