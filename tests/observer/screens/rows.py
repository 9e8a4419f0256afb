"""What tests ask of the rows that a view shows."""

from __future__ import annotations

from observer.widgets.process_table import ProcessTable
from tests.observer.conftest import Driver


def table(driver: Driver) -> ProcessTable:
    """Return the table of the view in front."""
    view = driver.app.view
    assert view is not None
    return view.query_one(ProcessTable)


def selected(driver: Driver) -> str:
    """Return the name of the selected row, or an empty text."""
    row = table(driver).row
    return row.name if row else ""
