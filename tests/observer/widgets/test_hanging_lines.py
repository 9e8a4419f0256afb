"""Lines with labels, whose texts go on below themselves."""

from __future__ import annotations

from tests.observer.conftest import Drive
from tests.support import fake_nodes


async def test_a_fact_that_is_longer_than_its_line_goes_on_beside_its_label(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.find("bob").lints = ("mailbox_grows",)
    async with drive(node, (80, 24)) as driver:
        await driver.press("slash", *"bob", "enter", "enter")
        await driver.look()
        lines = driver.text().splitlines()
        first = next(number for number, line in enumerate(lines) if line.lstrip().startswith("Advice"))
        column = lines[first].index("mailbox_grows:")
        assert lines[first + 1][:column].strip() == ""
        assert lines[first + 1][column] != " "
