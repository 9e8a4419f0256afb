"""Names are completed as at Python's own prompt, and that of the program is left alone."""

from __future__ import annotations

import subprocess
import sys

from runtime.introspection.console.completion import MOST, completions


def test_names_and_attributes_are_completed() -> None:
    names = {"word": "text", "words": 2}
    assert completions("wor", names) == ["word", "words"]
    assert [each.rstrip("()") for each in completions("word.upp", names)] == ["word.upper"]
    assert completions("nothing_like_it", names) == []


def test_no_more_are_offered_than_anyone_reads() -> None:
    assert len(completions("n", {f"n{number}": None for number in range(MOST + 10)})) == MOST


def test_the_prompt_of_the_program_is_left_alone() -> None:
    code = (
        "import sys; from runtime.introspection.console.completion import completions\n"
        "print(completions('ab', {}), [each for each in ('readline', 'rlcompleter') if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "['abs('] []\n"
