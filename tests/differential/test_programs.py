"""Random programs see the same on the compiled kernel as on its sources."""

import os
import subprocess
import sys
from pathlib import Path

from runtime.compiled.choice import VARIABLE
from tests.differential.kernels import compiled

ROOT = Path(__file__).parents[2]


def played(kernel: str) -> list[str]:
    """Return what a hundred programs see on a kernel."""
    command = [sys.executable, "-m", "tests.differential.programs", "0", "100"]
    environment = {**os.environ, VARIABLE: kernel, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout.splitlines()


def test_any_program_sees_the_same_on_both_kernels() -> None:
    compiled("runtime.kernel._kernel")
    from_source = played("python")
    assert len(from_source) > 1_000
    assert played("required") == from_source
