"""An instrument that keeps the reports of a node."""

from collections.abc import Iterator
from contextlib import contextmanager

from runtime import Instrument, Report, install_instrument, remove_instrument


class Reports(Instrument):
    """Keeps the reports of a node."""

    def __init__(self) -> None:
        self.made: list[Report] = []

    def reported(self, report: Report) -> None:
        self.made.append(report)


@contextmanager
def reported(context: str) -> Iterator[list[object]]:
    """Yield a list that holds, after the block, the reasons of the supervisor reports with that context."""
    reports, reasons = Reports(), list[object]()
    install_instrument(reports)
    try:
        yield reasons
    finally:
        remove_instrument(reports)
        reasons += [report.fields["reason"] for report in reports.made if report.fields.get("context") == context]


@contextmanager
def kept_reports() -> Iterator[list[Report]]:
    """Yield a list to which every report of the block is added."""
    reports = Reports()
    install_instrument(reports)
    try:
        yield reports.made
    finally:
        remove_instrument(reports)
