"""Events in one line."""

from __future__ import annotations

import pytest

from observer.clock import of_day
from observer.drawing.event_line import CRASH, MEANINGS, SIGNS, exit_tone, line, sign
from observer.text import tones
from runtime.introspection.wire import Event


def _text(kind: str, **fields: object) -> str:
    event = Event(id=1, time=0.0, kind=kind, **{"pid": "<0.7.0>", "name": "shop", **fields})  # type: ignore[arg-type]
    return "".join(text for text, _ in line(event)).removeprefix(of_day(0.0))


@pytest.mark.parametrize(
    ("kind", "fields", "text"),
    [
        ("spawn", {}, " + shop <0.7.0> spawned"),
        ("exit", {}, " ○ shop exited: normal  <0.7.0>"),
        ("exit", {"reason": "killed", "crashed": True}, " ✗ shop exited: killed  <0.7.0>"),
        ("exit", {"name": ""}, " ○ <0.7.0> exited: normal"),
        ("restart", {"old_pid": "<0.6.0>"}, " ↻ shop restarted <0.6.0> → <0.7.0>"),
        ("restart_failed", {"reason": "no disk"}, " ↯ shop could not be restarted: no disk"),
        ("gave_up", {}, " ⚑ shop <0.7.0> gave up"),
        ("kill", {}, " † shop <0.7.0> was sent kill by an observer"),
        ("kill", {"reason": "boom"}, " † shop <0.7.0> was sent boom by an observer"),
        ("stall", {"seconds": 1.5, "message": "held at /srv/a/hog.py:7 in work"}, " ◷ shop <0.7.0> held the hub for"),
        (
            "stall",
            {"stall": "starved", "seconds": 0.12, "message": "it was not run: others ran", "pid": None, "name": ""},
            " ◷ node was not run for 120ms: others ran",
        ),
        (
            "stall",
            {
                "seconds": 0.3,
                "pid": None,
                "name": "",
                "message": "several in turn held the hub for 0.30 s at a.py:1 in f",
            },
            " ◷ several in turn held the hub for 300ms at a.py:1 in f",
        ),
        (
            "stall",
            {"seconds": 0.3, "pid": None, "name": "", "message": "something else"},
            " ◷ node held the hub for 300ms",
        ),
        ("gave_up", {"restarts_used": 4, "max_restarts": 3}, " ⚑ shop <0.7.0> gave up: more than 3 restarts"),
        ("action", {"message": "suspended"}, " » shop <0.7.0> suspended"),
        ("action", {"message": "suspended shop"}, " » observer: suspended shop <0.7.0>"),
        ("report", {"pid": None, "name": "", "message": "told"}, " i node told"),
    ],
)
def test_who_and_what_happened_and_why(kind: str, fields: dict[str, object], text: str) -> None:
    assert _text(kind, **fields).startswith(text)


def test_the_place_of_a_stall_has_no_folders() -> None:
    assert _text("stall", seconds=1.5, message="held at /srv/a/hog.py:7 in work").endswith(" at hog.py:7 in work")


def test_restarts_are_told_with_their_budget() -> None:
    text = _text("restart", old_pid="<0.6.0>", restarts_used=2, max_restarts=3, max_seconds=5.0)
    assert "2" in text.rpartition("<0.7.0>")[2]
    assert "3" in text.rpartition("<0.7.0>")[2]


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (None, "shop restarted <0.6.0> → <0.7.0>  2 of 3 restarts in 5s"),
        (66, "shop restarted <0.6.0> → <0.7.0>  2 of 3 restarts in 5s"),
        (65, "shop restarted → <0.7.0>  2 of 3 restarts in 5s"),
        (57, "shop restarted → <0.7.0>  2 of 3 in 5s"),
        (48, "shop restarted  2 of 3 in 5s"),
        (30, "shop restarted <0.6.0> → <0.7.0>  2 of 3 restarts in 5s"),
    ],
)
def test_where_there_is_little_room_a_restart_keeps_its_figures_and_loses_its_pids(
    width: int | None, text: str
) -> None:
    budget = {"restarts_used": 2, "max_restarts": 3, "max_seconds": 5.0}
    event = Event(id=1, time=0.0, kind="restart", pid="<0.7.0>", old_pid="<0.6.0>", name="shop", **budget)  # type: ignore[arg-type]
    told = "".join(text for text, _ in line(event, width))
    assert told == f"{of_day(0.0)} ↻ {text}"


def test_where_there_is_little_room_one_that_gave_up_loses_its_pid() -> None:
    event = Event(id=1, time=0.0, kind="gave_up", pid="<0.7.0>", name="shop", max_restarts=3, max_seconds=5.0)
    told = [f"{of_day(0.0)} ⚑ shop{pid} gave up: more than 3 restarts in 5s" for pid in (" <0.7.0>", "")]
    assert ["".join(text for text, _ in line(event, width)) for width in (len(told[0]), len(told[1]))] == told


def test_every_sign_has_a_meaning_and_no_two_kinds_share_one() -> None:
    signs = [mark for mark, _ in [*SIGNS.values(), CRASH]]
    assert set(signs) == set(MEANINGS)
    assert len(signs) == len(set(signs))


def test_only_an_abnormal_exit_is_in_the_colour_of_trouble() -> None:
    crash, end = (Event(id=1, time=0.0, kind="exit", crashed=crashed) for crashed in (True, False))
    assert (sign(crash), exit_tone(crash)) == (CRASH, tones.BAD)
    assert (sign(end), exit_tone(end)) == (SIGNS["exit"], tones.TEXT)


def test_what_a_program_calls_itself_cannot_move_the_cursor() -> None:
    assert "\x1b" not in _text("exit", name="\x1b[2J", reason="\x1b]0;x")
