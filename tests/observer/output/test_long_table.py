"""A table of very many rows."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from observer.output import tables
from observer.output.long_table import LongTable
from runtime.introspection.wire import Row


def test_columns_stand_below_each_other_and_figures_at_their_right() -> None:
    table = LongTable(["NAME", "MAILBOX"], right=("MAILBOX",))
    table.add_row(Text("höchst", "bold"), "7")
    table.add_row("漢字", "1,234,567")
    console = Console(width=20, color_system=None)
    with console.capture() as captured:
        console.print(table)
    assert captured.get().splitlines() == [
        "NAME       MAILBOX",
        "──────────────────",
        "höchst           7",
        "漢字     1,234,567",
    ]


def test_a_list_longer_than_rich_can_draw_in_good_time_is_such_a_table() -> None:
    rows = [Row(key=str(number), pid=f"<0.{number}.0>", name="member") for number in range(tables.MOST_DRAWN + 1)]
    assert isinstance(tables.processes(rows, 0.0), LongTable)
    assert not isinstance(tables.processes(rows[1:], 0.0), LongTable)
