"""What is large in a state is named with its size, without asking the server."""

from __future__ import annotations

from collections import deque

import pytest

from runtime import GenServer, Pid
from runtime.introspection.answers.state_parts import LARGE_PART, parts_of
from runtime.introspection.measuring import sample_size
from runtime.introspection.measuring.sample_size import SampleSize
from runtime.kernel.process import Process
from runtime.terms.term import Term
from runtime.terms.text import render
from tests.support.in_node import in_node


class Cache(GenServer):
    def init(self) -> None:
        self.pages = {number: bytes(20_000) for number in range(300)}
        self.log = bytearray(30_000)
        self.name = "cache"


class Discreet(Cache):
    def format_status(self, state: dict[str, Term]) -> Term:
        return "(secret)"


def started(kind: type[GenServer]) -> Process:
    pid = kind.start()
    assert isinstance(pid, Pid)
    assert pid.process is not None
    return pid.process


@in_node
def test_the_large_attributes_are_named_the_largest_first() -> None:
    pages, log = parts_of(started(Cache))
    assert (pages.name, pages.kind, pages.items) == ("pages", "dict", 300)
    assert 300 * 20_000 < pages.size < 310 * 20_100
    assert (log.name, log.kind, log.items) == ("log", "bytearray", None)
    assert 30_000 < log.size < 30_200


@in_node
def test_a_server_that_chooses_what_is_shown_keeps_its_attributes_to_itself() -> None:
    assert parts_of(started(Discreet)) == ()


@in_node
def test_a_small_state_has_no_large_part() -> None:
    process = started(Cache)
    vars(process.body).update(pages={}, log=b"")
    assert parts_of(process) == ()
    vars(process.body)["log"] = bytes(LARGE_PART)
    assert [part.name for part in parts_of(process)] == ["log"]


def test_the_work_is_bounded_whatever_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[object] = []

    def note(value: object) -> int:
        looked_at.append(value)
        return 1

    monkeypatch.setattr(sample_size, "shallow_size", note)
    nested: list[object] = []
    for _ in range(100):
        nested = [nested] * 100
    nested.append(nested)
    sizes = SampleSize()
    for _ in range(1_000):
        sizes.of(nested)
    assert len(looked_at) <= sample_size.MOST


def test_each_kind_of_container_counts_what_is_in_it() -> None:
    page = 10_000
    for value in ([bytes(page)] * 10, deque([bytes(page)] * 10), {"a": [bytes(page)] * 10}, {1: {2: bytes(10 * page)}}):
        assert 10 * page < SampleSize().of(value) < 11 * page


def test_binary_data_that_is_too_long_is_shown_by_its_length_and_first_bytes() -> None:
    assert render(bytes(20_000)) == r"<bytes of 20,000 bytes, b'\x00' ...>"
    assert render(b"\x89PNG" * 5_000) == f"<bytes of 20,000 bytes, {(4 * bytes([137, 80, 78, 71]))!r} ...>"
