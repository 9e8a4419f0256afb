"""Filters on the processes of a node, in the language of `filter_language`."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from runtime.introspection.reading.filter_fields import NUMBERS, TEXTS, Subject, name_in_list
from runtime.introspection.reading.filter_language import Fields, parse
from runtime.introspection.reading.tree_path import initial_call

Test = Callable[[Subject], bool]
"""A filter, ready to be asked about processes."""


def parse_filter(text: str) -> Test | None:
    """Return the test that a filter stands for, None for an empty filter. Raises FilterError."""
    return parse(text, _OF_PROCESSES)


def _search(contains: Callable[[str], bool], in_pid: bool) -> Test:
    """Return the test of whether a text is in the name, the pid, the label or the initial call of a process."""
    in_call = lru_cache(1_000)(contains)  # processes by the thousand share a few initial calls

    def test(subject: Subject) -> bool:
        process = subject.process
        if process is None:
            return contains(name_in_list(subject)) or contains("")
        return (
            in_call(initial_call(process))
            or contains(name_in_list(subject))
            or (process.label is not None and contains(process.label))
            or (in_pid and contains(str(process.pid)))
        )

    return test


_OF_PROCESSES = Fields(TEXTS, NUMBERS, _search)
