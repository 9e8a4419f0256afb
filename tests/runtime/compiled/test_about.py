"""What a program says of itself: versions, and which kernel runs and why."""

import os
import subprocess
import sys

import runtime
from runtime.compiled import choice
from runtime.compiled.about import kernel_in_use

PROGRAM = "import runtime; about = runtime.about(); print(about.kernel, about.python, about.gevent, about.why)"


def test_a_program_says_which_kernel_it_runs() -> None:
    environment = {**os.environ, "RUNTIME_KERNEL": "python"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, check=True, timeout=300
    )
    kernel, python, gevent, *why = done.stdout.split()
    assert (kernel, python) == ("python", ".".join(map(str, sys.version_info[:3])))
    assert gevent == runtime.about().gevent
    assert " ".join(why) == "RUNTIME_KERNEL is python."


def test_the_kernel_is_the_one_that_was_chosen() -> None:
    kernel, why = kernel_in_use()
    assert kernel == ("compiled" if choice.kernel.load() else "python")
    assert why == choice.kernel.why == runtime.about().why
