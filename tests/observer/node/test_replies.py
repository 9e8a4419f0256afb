"""What a node says is checked where it is read: a node that means harm gives a sentence, or something harmless."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator

import msgspec
import pytest
from rich.console import Console, RenderableType

from observer.node import replies
from observer.node.source import NodeLostError
from observer.output import files, lint_records, records, strict_json, tables
from runtime.introspection import wire
from tests.support.hostile_answers import EVIL, answers, encoded, extreme, full, hostile, with_evil_text

UNSAFE = {chr(code) for code in (*range(32), 127, *range(128, 160))} - {"\n"} | set("\u202e\u200b")


def assert_shown_safely(answer: wire.Answer) -> None:
    """Print an answer in every way the commands do: what is printed is safe for a terminal, and strict JSON."""
    out = io.StringIO()
    console = Console(file=out, width=1_000, highlight=False, markup=False, emoji=False)
    for drawn in drawings(answer):
        console.print(drawn)
    for record in records_of(answer):
        json.loads(strict_json.encode(record), parse_constant=pytest.fail)
    if isinstance(answer, wire.Window):
        out.write("".join(each.write(answer.rows) for each in files.FORMATS if each.ending not in ("csv", "json")))
    assert not set(out.getvalue()) & UNSAFE


def drawings(answer: wire.Answer) -> Iterator[RenderableType]:
    match answer:
        case wire.Window(rows=rows):
            yield tables.tree("node", rows, 10.0)
            yield tables.processes(rows, 10.0)
            yield tables.busiest([(row, tables.gained(row, row, 1.0, 10.0)) for row in rows], 10.0)
        case wire.Details():
            yield tables.details(answer, 10.0)
        case wire.Events(events=events):
            yield from map(tables.event, events)
        case wire.Lints(lints=lints):
            yield tables.lints(lints)
        case wire.Stats():
            yield tables.node(answer, welcome())


def records_of(answer: wire.Answer) -> Iterator[object]:
    match answer:
        case wire.Window(rows=rows):
            yield records.of_tree(rows)
            yield from map(records.of_process, rows)
        case wire.Details():
            yield records.of_details(answer)
        case wire.Events(events=events):
            yield from map(records.of_event, events)
        case wire.Lints(lints=lints):
            yield from (lint_records.of_lint(lint, EVIL) for lint in lints)
        case wire.Stats():
            yield records.of_stats(answer, welcome())


def welcome() -> wire.Welcome:
    return msgspec.convert({**full(wire.Welcome), "command": EVIL}, wire.Welcome)


@pytest.mark.parametrize("kind", answers())
def test_a_harmless_answer_of_each_type_is_read(kind: type[wire.Answer]) -> None:
    _, answer = replies.read_reply("chat", encoded(full(kind)))
    assert isinstance(answer, kind)
    assert_shown_safely(answer)


@pytest.mark.parametrize("kind", answers())
def test_text_that_may_be_anything_reaches_no_terminal_raw(kind: type[wire.Answer]) -> None:
    _, answer = replies.read_reply("chat", encoded(with_evil_text(kind)))
    assert_shown_safely(answer)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("kind", answers())
def test_figures_at_their_limits_can_be_shown(kind: type[wire.Answer], largest: bool) -> None:
    _, answer = replies.read_reply("chat", encoded(extreme(kind, largest)))
    assert_shown_safely(answer)


@pytest.mark.parametrize("kind", answers())
def test_a_field_that_does_not_fit_is_a_sentence_and_all_others_can_be_shown(kind: type[wire.Answer]) -> None:
    refused = [sentence for name, value in hostile(kind) if (sentence := read_and_shown(name, value))]
    assert refused
    for sentence in refused:
        assert sentence.startswith("chat sent an answer that does not fit the protocol")
        assert not set(sentence) & UNSAFE
        assert len(sentence) < 400


def read_and_shown(name: str, value: object) -> str:
    """Read an answer and show it; return why it is refused, or nothing when it can be shown."""
    try:
        _, answer = replies.read_reply("chat", encoded(value))
    except NodeLostError as error:
        return str(error)
    try:
        assert_shown_safely(answer)
    except Exception as error:
        raise AssertionError(f"with {name}") from error
    return ""


ROW_LIMITS = [
    ("pid", EVIL),
    ("pid", "<0.1.0>\n"),
    ("pid", "<0.1 .0>"),
    ("pid", "x" * 65),
    ("lints", [EVIL]),
    ("lints", ["hog"] * 101),
    ("restart", EVIL),
    ("supervisor", EVIL),
    ("depth", 10**18),
    ("depth", -1),
    ("message_queue_len", -1),
    ("started_at", math.nan),
    ("started_at", 1e300),
    ("cpu_time", math.inf),
    ("max_seconds", math.nan),
    ("name", "x" * 20_001),
]


@pytest.mark.parametrize(
    ("field", "value"), ROW_LIMITS, ids=[f"{field} {number}" for number, (field, _) in enumerate(ROW_LIMITS)]
)
def test_a_row_that_no_node_would_send_is_refused_with_the_name_of_the_field(field: str, value: object) -> None:
    window = {**full(wire.Window), "rows": [{"key": "a", field: value}]}
    with pytest.raises(NodeLostError, match=rf"rows\[0\]\.{field}"):
        replies.read_reply("chat", encoded(window))


@pytest.mark.parametrize("field", ["total", "offset", "anchor_index", "matched"])
def test_a_list_longer_than_any_node_has_is_refused(field: str) -> None:
    with pytest.raises(NodeLostError, match=field):
        replies.read_reply("chat", encoded({**full(wire.Window), field: 10**18}))


def test_more_rows_than_one_window_may_have_are_refused() -> None:
    rows = [{"key": str(number)} for number in range(wire.MAX_ROWS + 1)]
    with pytest.raises(NodeLostError, match="rows"):
        replies.read_reply("chat", encoded({**full(wire.Window), "rows": rows}))


def test_a_limit_of_infinity_is_read_and_is_null_in_json() -> None:
    rows = [{"key": "a", "max_seconds": math.inf}]
    _, answer = replies.read_reply("chat", encoded({**full(wire.Window), "rows": rows}))
    assert isinstance(answer, wire.Window)
    assert answer.rows[0].max_seconds == math.inf
    (record,) = json.loads(strict_json.encode(records.of_tree(answer.rows)))
    assert record["max_seconds"] is None


def deep(levels: int) -> bytes:
    """Return a reply with a field that holds lists in lists, that many levels deep."""
    body = msgspec.msgpack.encode({"id": 1, "answer": {"answer": "done", "new": 0}})
    return body[:-1] + b"\x91" * levels + b"\x00"


GARBAGE = {
    "nothing": b"",
    "unused byte": b"\xc1",
    "not UTF-8": encoded({"answer": "done", "sentence": "abcd"}).replace(b"abcd", b"\xff\xfe\xff\xfe"),
    "cut short": encoded({"answer": "done"})[:-1],
    "a list of billions": b"\xdd\xff\xff\xff\xff",
    "lists in lists": deep(1_000_000),
}


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE.keys())
def test_bytes_that_are_no_reply_are_a_sentence(body: bytes) -> None:
    with pytest.raises(NodeLostError, match="does not fit the protocol"):
        replies.read_reply("chat", body)
    with pytest.raises(NodeLostError, match="does not speak the observer's protocol"):
        replies.read_welcome("chat", body)


def test_fields_that_a_newer_node_adds_are_ignored() -> None:
    number, answer = replies.read_reply("chat", encoded({**full(wire.Done), "new": [1, {"a": None}]}))
    assert number == 1
    assert isinstance(answer, wire.Done)
    assert answer.sentence == "text"
