"""The program's own frames come first, and where they are is told in short."""

from __future__ import annotations

from pathlib import Path

import pytest

import runtime
from observer.drawing.frames import folded, is_own, own_frame, place, without_folders
from runtime.compiled.choice import FRAMES
from runtime.introspection.wire import Frame


def frame(file: str, line: int = 1) -> Frame:
    return Frame(file=file, line=line, function="f")


OWN = frame("/srv/shop/till.py", 31)
FOREIGN = [
    frame("/srv/venv/lib/python3.11/site-packages/gevent/hub.py"),
    frame("/srv/venv/lib/python3.11/site-packages/runtime/kernel/scheduler.py"),
    frame("/srv/process-observer/runtime/otp/server_loop.py"),
    frame("/srv/process-observer/runtime/boot/run.py"),
    frame("/usr/lib/python3.11/socket.py"),
    frame("<frozen runpy>"),
]


@pytest.mark.parametrize("foreign", FOREIGN)
def test_frames_of_the_runtime_gevent_and_python_are_not_the_programs(foreign: Frame) -> None:
    assert not is_own(foreign)


def test_every_module_of_the_runtime_is_the_runtimes() -> None:
    root = Path(runtime.__file__).parent
    files = [file for kind in ("py", "pyx", "pxi") for file in root.rglob(f"*.{kind}")]
    modules = [file for file in files if file not in (root / "__init__.py", root / "__main__.py")]
    assert len(modules) > 200
    named = [str(file) for file in modules] + [f"{beginning}any.pxi" for beginning in FRAMES]
    assert [file for file in named if is_own(frame(file))] == []


@pytest.mark.parametrize(
    "file",
    ["/srv/shop/till.py", "/srv/venv/lib/python3.11/site-packages/shop/till.py", "/srv/runtime/app.py", "<string>"],
)
def test_all_other_frames_are(file: str) -> None:
    assert is_own(frame(file))


def test_the_innermost_own_frame_is_found_below_those_of_the_runtime() -> None:
    assert own_frame([frame("/srv/shop/main.py"), OWN, *FOREIGN]) is OWN
    assert own_frame(FOREIGN) is FOREIGN[-1]


def test_own_frames_are_shown_innermost_first_and_the_others_counted() -> None:
    outer = frame("/srv/shop/main.py")
    assert folded([FOREIGN[0], outer, OWN, FOREIGN[1]]) == ([OWN, outer], 2)
    assert folded(FOREIGN[:2]) == (FOREIGN[1::-1], 0)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("hog holds the hub at /a/long/path/demos/hog.py:31 in compute", "hog holds the hub at hog.py:31 in compute"),
        ("/srv/till.py:3", "till.py:3"),
        ("till.py:3", "till.py:3"),
        ("<0.14.0> in demos/hog.py:12 in spin", "<0.14.0> in hog.py:12 in spin"),
        ("GET /a/b/c failed", "GET /a/b/c failed"),
        ("/x/a.py:1 and /y/b.py:2", "a.py:1 and b.py:2"),
        ("died (/srv/app.py:12 in handle)", "died (app.py:12 in handle)"),
        ("../shop/till.pyx:3", "till.pyx:3"),
        ("http://host/a.py is no file of it", "http://host/a.py is no file of it"),
    ],
)
def test_folders_before_a_file_are_left_out_wherever_they_stand(text: str, short: str) -> None:
    assert without_folders(text) == short


@pytest.mark.parametrize("text", ["-" * 400_000 + "/", "/a" * 200_000, "/-" * 200_000, "a.py/" * 80_000, "/" * 400_000])
def test_a_long_text_without_a_file_takes_no_more_than_one_reading(text: str) -> None:
    """A pattern that begins anew at each character would not come to an end with these."""
    assert without_folders(text) == text


def test_a_frame_is_told_by_its_file_and_line_first() -> None:
    assert place(OWN) == "till.py:31 f"


def test_a_text_that_was_evaluated_is_told_only_where_no_file_of_the_program_is() -> None:
    evaluated = frame("<string>")
    assert own_frame([*FOREIGN, OWN, evaluated]) is OWN
    assert folded([*FOREIGN, OWN, evaluated]) == ([OWN], len(FOREIGN) + 1)
    assert own_frame([evaluated, *FOREIGN]) is evaluated
