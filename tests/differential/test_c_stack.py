"""The C stack is never the limit: a program that goes round through the runtime gets a RecursionError, no crash."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.compiled import choice
from runtime.compiled.choice import VARIABLE
from tests.differential.rounds import ROUNDS

ROOT = Path(__file__).parents[2]

FAR = 50_000
"""A recursion limit that the C stack has no room for."""


def how_it_ends(name: str, *, limit: int = FAR, kib: int = 0, depth: int = 0, main_kib: int = 0) -> list[str]:
    """Return what a program of `tests.differential.rounds` prints, on the kernel that runs here."""

    def shrink() -> None:
        if main_kib:
            resource.setrlimit(resource.RLIMIT_STACK, (main_kib * 1024, resource.RLIM_INFINITY))

    command = [sys.executable, "-m", "tests.differential.rounds", name, *map(str, (limit, kib, depth))]
    environment = {**os.environ, VARIABLE: "python" if choice.part("runtime.kernel._kernel") is None else "required"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False, preexec_fn=shrink
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ROUNDS)
def test_a_round_through_the_runtime_ends_with_a_recursion_error(name: str) -> None:
    assert how_it_ends(name) == ["RecursionError", "well"]


@pytest.mark.parametrize("name", ["send", "call", "reduced send", "receive"])
def test_so_it_does_on_the_small_stack_of_a_thread(name: str) -> None:
    if choice.part("runtime.kernel._kernel") is None and sys.version_info < (3, 12):
        limit = 1_000  # the sources cannot ask how much of the C stack is left
    else:
        limit = FAR
    assert how_it_ends(name, kib=512, limit=limit, depth=100) == ["RecursionError", "well"]


@pytest.mark.parametrize("depth", [0, 500])
def test_so_it_does_on_a_small_main_stack_at_any_depth(depth: int) -> None:
    assert how_it_ends("send", main_kib=1_024, depth=depth) == ["RecursionError", "well"]


def test_tuples_that_are_nested_deeper_than_the_c_stack_can_be_sent() -> None:
    assert how_it_ends("nested", limit=10**6) == ["sent", "well"]
    assert how_it_ends("nested") == ["RecursionError", "well"]


@pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="Python 3.13 itself drops such a value only where the C stack is larger"
)
@pytest.mark.parametrize("name", ["nested", "nested list"])
@pytest.mark.parametrize("kib", [48, 64, 96])
def test_so_they_can_from_the_smallest_stacks_of_threads(name: str, kib: int) -> None:
    assert how_it_ends(name, kib=kib, limit=1_000) == ["RecursionError", "well"]
