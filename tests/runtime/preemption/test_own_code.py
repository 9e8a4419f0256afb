from __future__ import annotations

import json
import sys
from types import FrameType

import gevent
import pytest

from runtime.kernel import scheduler
from runtime.preemption.own_code import LIBRARY, MACHINERY, OWN, own_frames, owner


@pytest.mark.parametrize(
    ("file", "whose"),
    [
        (__file__, OWN),
        ("/srv/shop/app.py", OWN),
        ("<string>", OWN),
        ("/srv/shop/.venv/lib/python3.11/site-packages/redis/client.py", LIBRARY),
        ("/usr/lib/python3/dist-packages/redis/client.py", LIBRARY),
        ("/srv/shop/.venv/lib/python3.11/site-packages/gevent/server.py", MACHINERY),
        ("src/gevent/greenlet.py", MACHINERY),
        ("<frozen importlib._bootstrap>", MACHINERY),
        (str(json.__file__), MACHINERY),
        (str(gevent.__file__), MACHINERY),
        (str(scheduler.__file__), MACHINERY),
    ],
)
def test_a_file_is_the_programs_or_a_librarys_or_none_of_its_business(file: str, whose: int) -> None:
    assert owner(file) == whose


def _frame() -> FrameType:
    return sys._getframe()


def test_the_innermost_frame_of_the_programs_own_comes_first() -> None:
    own = own_frames(_frame())
    assert own[0].f_code is _frame.__code__
    assert own[1].f_code.co_name == "test_the_innermost_frame_of_the_programs_own_comes_first"
    assert all(owner(frame.f_code.co_filename) == OWN for frame in own)


def test_what_python_itself_does_for_the_program_is_told_by_the_line_that_asked_for_it() -> None:
    seen: list[FrameType] = []

    class Spy:
        def __str__(self) -> str:
            return "spy"

    json.dumps({"spy": Spy()}, default=lambda value: seen.append(sys._getframe(1)) or str(value))  # type: ignore[func-returns-value]
    assert owner(seen[0].f_code.co_filename) == MACHINERY
    assert own_frames(seen[0])[0].f_code.co_name == sys._getframe().f_code.co_name


def test_a_stack_without_own_code_is_told_by_its_innermost_frame() -> None:
    frames: list[FrameType] = []
    code = compile("frames.append(getframe())", "<frozen nothing>", "exec")
    thread_like = {"frames": frames, "getframe": sys._getframe}
    gevent.get_hub().threadpool.apply(exec, (code, thread_like))
    assert own_frames(frames[0])[0] is frames[0]
    assert own_frames(None) == []
