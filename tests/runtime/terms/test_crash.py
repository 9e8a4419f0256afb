"""Crashes: what is kept of an exception that a process died of."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import weakref
from pathlib import Path

import pytest

from runtime.terms.crash import MAX_FRAMES, MAX_MESSAGE, Crash, StackFrame, source_line, stack_of, trim_stack


class _Odd(Exception):
    pass


class _Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def _caught(error: BaseException) -> Crash:
    try:
        raise error
    except BaseException as caught:
        return Crash.from_exception(caught)


def test_it_names_the_class_the_text_and_the_line() -> None:
    crash = _caught(KeyError("port"))
    assert (crash.exception, crash.message) == ("KeyError", "'port'")
    assert crash.stacktrace[-1].function == "_caught"
    assert crash.stacktrace[-1].source == "raise error"
    assert repr(crash) == "KeyError: 'port'"


def test_a_class_of_the_programs_is_named_with_its_module() -> None:
    assert _caught(_Odd()).exception == f"{__name__}._Odd"
    assert repr(_caught(_Odd())) == f"{__name__}._Odd"


def test_only_the_first_line_of_a_message_is_shown_and_all_of_it_is_kept() -> None:
    crash = _caught(ValueError("first\nsecond"))
    assert repr(crash) == "ValueError: first"
    assert crash.message == "first\nsecond"


def test_an_exception_that_cannot_say_what_it_is_does_no_harm() -> None:
    assert _caught(_Unspeakable("x")).message == "<the exception's __str__ raised RuntimeError>"


def test_a_long_message_is_cut() -> None:
    assert len(_caught(ValueError("x" * 100_000)).message) <= MAX_MESSAGE


def test_crashes_are_equal_by_class_and_text_wherever_they_happened() -> None:
    here, there = Crash("KeyError", "'x'", [StackFrame("a.py", 1, "f")]), Crash("KeyError", "'x'")
    assert here == there
    assert hash(here) == hash(there)
    assert here != Crash("KeyError", "'y'")
    assert here != Crash("IndexError", "'x'")
    assert here != "KeyError: 'x'"


def test_it_is_immutable_and_travels_whole() -> None:
    crash = _caught(ValueError("x"))
    with pytest.raises(AttributeError, match="immutable"):
        crash.message = "y"
    with pytest.raises(AttributeError, match="immutable"):
        del crash.message
    assert copy.deepcopy(crash) is crash
    again = pickle.loads(pickle.dumps(crash))
    assert (again, again.stacktrace) == (crash, crash.stacktrace)
    crash.stacktrace.clear()
    assert crash.stacktrace == again.stacktrace


def test_it_keeps_nothing_of_the_exception_alive() -> None:
    class Held:
        pass

    def fail(held: Held) -> None:
        raise ValueError(held.__class__.__name__)

    held = Held()
    gone = weakref.ref(held)
    try:
        fail(held)
    except ValueError as error:
        crash = Crash.from_exception(error)
    del held
    gc.collect()
    assert gone() is None
    assert crash.message == "Held"


def test_the_middle_of_a_very_long_stack_is_left_out() -> None:
    frames = [StackFrame("app.py", number, "f") for number in range(1, 1_001)]
    kept = trim_stack(frames)
    assert len(kept) == MAX_FRAMES + 1
    assert (kept[0], kept[-1]) == (frames[0], frames[-1])
    assert [frame.function for frame in kept if not frame.file] == [f"... {1_000 - MAX_FRAMES} frames ..."]


def test_the_runtimes_own_outermost_frames_are_left_out_unless_there_are_no_others() -> None:
    runtime = StackFrame(Crash.__init__.__code__.co_filename.replace("terms/crash.py", "kernel/body.py"), 1, "run")
    own = StackFrame("app.py", 2, "main")
    assert trim_stack([runtime, own, runtime]) == [own, runtime]
    assert trim_stack([runtime]) == [runtime]


def test_without_a_traceback_there_is_no_stack() -> None:
    assert stack_of(None) == []
    assert StackFrame("no such file.py", 3, "f").source == ""


def test_what_a_class_has_in_the_place_of_pythons_own_attributes_does_no_harm() -> None:
    class Names(type):
        def __getattribute__(cls, name: str) -> object:
            if name in ("__qualname__", "__module__", "__name__"):
                raise RuntimeError("no name")
            return type.__getattribute__(cls, name)

    class Odd(Exception, metaclass=Names):
        @property
        def args(self) -> tuple[object, ...]:  # type: ignore[override]
            raise RuntimeError("no arguments")

        @property
        def __traceback__(self) -> None:  # type: ignore[override]
            raise RuntimeError("no traceback")

    crash = _caught(Odd("text"))
    assert crash.exception.endswith("Odd")
    assert crash.stacktrace


def test_a_line_is_read_of_an_ordinary_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "app.py"
    path.write_text("first\n  second\n")
    assert source_line(str(path), 2) == "second"
    assert source_line(str(path), 3) == ""
    for file in ("/dev/zero", str(tmp_path), str(tmp_path / "missing.py"), "a\0b", "<string>"):
        assert source_line(file, 1) == ""
    for odd in (0, None):
        assert source_line(odd, 1) == ""  # type: ignore[arg-type]
    monkeypatch.syspath_prepend(str(tmp_path))
    os.mkfifo(tmp_path / "pipe.py")
    assert source_line("app.py", 1) == "first"
    assert source_line("pipe.py", 1) == ""  # it would be read until someone writes to it
    monkeypatch.setattr("runtime.terms.crash.LARGEST_SOURCE", 3)
    assert source_line(str(path), 1) == ""
