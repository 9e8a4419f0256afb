"""An Elixir program and a Python one: what both say. What they do over nodes is tested in tests/runtime."""

import os
import shutil
import subprocess
import sys

import pytest

from demos.elixir import Greeter, Worker, primes
from runtime import call, cast
from tests.support.in_node import in_node

SAID = """\
Elixir asks greeter: Hello, Elixir!
Elixir asks again: Hola, José!
Python computed for Elixir: [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
Two Python workers computed: [[2, 3, 5, 7, 11], [2, 3, 5, 7, 11]]
a Python worker was killed: {:python_exited, 137}
its supervisor has started the next one, which computed: [2, 3, 5, 7]
Python has adder add 1, 2 and 39: 42
adder died of as asked
the next adder begins at 0
greeter ended: :normal
"""


@in_node
def test_the_greeter_greets_in_the_language_that_it_was_told() -> None:
    greeter = Greeter.start_link()
    assert call(greeter, ("greet", "Ada")) == "Hello, Ada!"
    cast(greeter, ("in", "Spanish"))
    assert call(greeter, ("greet", "Ada")) == "Hola, Ada!"


@in_node
def test_a_worker_does_the_jobs_of_an_elixir_program() -> None:
    assert call(Worker.start_link(), ("primes", 8)) == [2, 3, 5, 7]


def test_primes_are_primes() -> None:
    assert primes(12) == [2, 3, 5, 7, 11]


def test_each_calls_the_other() -> None:
    if shutil.which("elixir") is None:
        pytest.skip("elixir is not installed")
    # Both write to one pipe: unbuffered, a line of Python's is several writes, and Elixir's may come in between.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-m", "demos.elixir"], capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line for line in lines if line in SAID.splitlines()] == SAID.splitlines(), done.stdout
