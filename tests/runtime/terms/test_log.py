"""The runtime's own log."""

import logging

import pytest

from runtime.terms.log import Log


class Broken(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise ValueError("I/O operation on closed file")


def test_a_handler_that_raises_costs_the_line_alone() -> None:
    log, broken = Log("runtime.testing_log"), Broken()
    logging.getLogger("runtime.testing_log").addHandler(broken)
    try:
        log.error("%s is lost", "this")
        try:
            raise KeyError(1)
        except KeyError:
            log.exception("this too")
    finally:
        logging.getLogger("runtime.testing_log").removeHandler(broken)


def test_a_line_says_where_it_was_written_and_keeps_what_goes_with_it(caplog: pytest.LogCaptureFixture) -> None:
    Log("runtime.testing_log").warning("%s of %s", 1, 2, extra={"report": "r"})
    (record,) = caplog.records
    assert (record.getMessage(), record.name, record.levelname) == ("1 of 2", "runtime.testing_log", "WARNING")
    assert record.funcName == "test_a_line_says_where_it_was_written_and_keeps_what_goes_with_it"
    assert vars(record)["report"] == "r"
