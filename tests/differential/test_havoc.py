"""The havoc in short, on the kernel that the tests run on."""

import subprocess
import sys


def test_a_thousand_random_kills_leave_nothing_half_done() -> None:
    command = [sys.executable, "-m", "tests.differential.havoc", "1000", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("1,000 kills, ")
    assert done.stdout.endswith("nothing is half done\n")
