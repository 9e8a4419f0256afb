"""Faults behave alike on both kernels."""

import os
import subprocess
import sys
from pathlib import Path

from runtime.compiled.choice import VARIABLE
from tests.differential.kernels import compiled

ROOT = Path(__file__).parents[2]


def seen(kernel: str) -> list[str]:
    """Return what is seen of faults on a kernel."""
    command = [sys.executable, "-m", "tests.differential.faults"]
    environment = {**os.environ, VARIABLE: kernel}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout.splitlines()


def test_faults_are_seen_alike_on_both_kernels() -> None:
    compiled("runtime.kernel._kernel")
    from_source = seen("python")
    assert len(from_source) > 35
    assert seen("required") == from_source
