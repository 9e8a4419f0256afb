"""The program's own line: found behind the runtime's frames, and not looked for without end."""

from __future__ import annotations

import sys

from runtime.introspection.reading.own_line import NOWHERE, WALK, OwnLine, own_line
from runtime.terms.text import render


class Shown:
    """Keeps which line showed it."""

    line: OwnLine

    def __repr__(self) -> str:
        self.line = own_line(sys._getframe(1))  # of the runtime
        return "shown"


def test_the_innermost_line_of_the_program_is_found_behind_the_frames_of_the_runtime() -> None:
    shown = Shown()
    render(shown)
    assert shown.line.code is test_the_innermost_line_of_the_program_is_found_behind_the_frames_of_the_runtime.__code__
    assert shown.line.line == shown.line.code.co_firstlineno + 2


def test_a_stack_without_a_frame_of_the_program_has_no_line() -> None:
    assert own_line(None) == NOWHERE


def test_only_so_many_frames_are_looked_at() -> None:
    space: dict[str, object] = {"own_line": own_line, "sys": sys}
    library = "/x/site-packages/deep.py"
    source = "def down(left):\n    return down(left - 1) if left else own_line(sys._getframe())\n"
    exec(compile(source, library, "exec"), space)
    down = space["down"]
    assert callable(down)
    assert down(WALK - 2).code is not None
    assert down(WALK) == NOWHERE
