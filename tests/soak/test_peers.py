"""The soak run of peers in short."""

import subprocess
import sys


def test_a_pool_whose_peers_are_killed_loses_no_work() -> None:
    command = [sys.executable, "-m", "tests.soak.peers", "--kills", "4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kills: 4," in done.stdout
    assert done.stdout.endswith("nothing was lost\n")
