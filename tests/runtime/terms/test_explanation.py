"""Exit reasons in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtime.terms.crash import Crash, StackFrame
from runtime.terms.explanation import LIMIT, explain, overdrawn, place_of, short_path

CRASH = Crash("KeyError", "'port'", [StackFrame("app.py", 12, "init")])
SAID = "KeyError: 'port' (app.py:12 in init)"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("boom", "boom"),
        (CRASH, SAID),
        (("shutdown", ("failed_to_start_child", "counter", CRASH)), f"child counter did not start: {SAID}"),
        (
            ("failed_to_start_child", "inner", ("failed_to_start_child", "w", CRASH)),
            f"child inner did not start: child w did not start: {SAID}",
        ),
        (
            ("failed_to_start_child", "w", 42),
            "child w did not start: it returned 42; a start function returns a Pid, (Pid, extra) or None, or raises "
            "StartError",
        ),
        (("failed_to_start_child", "w", "tired"), "child w did not start: tired"),
        (("EXIT", CRASH), SAID),
        (("bad_return", CRASH), SAID),
        (("bad_return", (("Shop", "start", ()), CRASH)), f"Shop.start() failed: {SAID}"),
        ((CRASH, ("Shop", "start", ())), f"Shop.start() failed: {SAID}"),
        (
            ("noproc", ("gen_server", "call", ("shop", "go", 5.0))),
            "call to shop failed: noproc: no process is registered as 'shop'; it was not started, has ended, or has "
            "another name",
        ),
        (("mine", ("gen_server", "call", ("shop", "go"))), "mine: (gen_server, call, (shop, go))"),
        (("start_spec", ("bad_restart", 7)), "start_spec: (bad_restart, 7)"),
        (("application_terminated", "shop", CRASH), f"the application shop ended: {SAID}"),
        (("application_start_failure", "shop", CRASH), f"the application shop did not start: {SAID}"),
    ],
)
def test_a_reason_is_told_from_the_outside_to_its_cause(reason: object, said: str) -> None:
    assert explain(reason) == said


def test_two_children_with_one_name_are_told_with_what_to_write() -> None:
    text = explain(("start_spec", ("duplicate_child_name", "Worker")))
    assert text.startswith("start_spec: duplicate_child_name: Worker; give each child an id of its own: child_spec(")


def test_an_explanation_is_one_line_of_bounded_length() -> None:
    assert explain(Crash("ValueError", "x")) == "ValueError: x"
    assert "\n" not in explain("two\nlines")
    assert len(explain("x" * 10_000)) <= LIMIT
    deep: object = CRASH
    for number in range(1_000):
        deep = ("failed_to_start_child", number, deep)
    assert explain(deep).startswith("child 999 did not start: child 998 did not start")


def test_the_place_is_the_innermost_line_of_the_programs_own() -> None:
    own, library = StackFrame("app.py", 3, "work"), StackFrame(os.__file__, 9, "getcwd")
    runtime = StackFrame(explain.__code__.co_filename, 9, "explain")
    compiled = StackFrame("runtime/kernel/_messages.pxi", 9, "runtime.kernel._kernel.send")
    assert place_of(Crash("E", "", [own, library, compiled, runtime])) == "app.py:3 in work"
    assert place_of(Crash("E", "", [library])) == f"{os.__file__}:9 in getcwd"
    assert place_of(Crash("E", "", [library, compiled, runtime])) == f"{os.__file__}:9 in getcwd"
    assert place_of(Crash("E", "", [compiled, runtime])) is None
    assert place_of(Crash("E", "")) is None
    evaluated = StackFrame("<string>", 1, "<module>")
    assert place_of(Crash("E", "", [own, evaluated])) == "app.py:3 in work"
    assert place_of(Crash("E", "", [evaluated, library])) == "<string>:1 in <module>"


def test_a_path_is_shortened_below_the_current_folder_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert short_path(str(tmp_path / "demos" / "hog.py")) == "demos/hog.py"
    assert short_path(f"{tmp_path}-other/hog.py") == f"{tmp_path}-other/hog.py"


def test_what_a_supervisor_that_gave_up_had_exceeded() -> None:
    assert [overdrawn(allowed, 5.0) for allowed in (0, 1, 3)] == [
        "no restart is allowed",
        "more than 1 restart in 5 s",
        "more than 3 restarts in 5 s",
    ]
