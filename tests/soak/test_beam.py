"""The soak run with a BEAM node in short."""

import subprocess
import sys

from tests.support.erl import needs_erl


@needs_erl
def test_messages_both_ways_are_neither_lost_nor_doubled_nor_out_of_order() -> None:
    command = [sys.executable, "-m", "tests.soak.beam", "--messages", "20000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("20,000 messages each way")
    assert done.stdout.endswith("nothing was lost\n")
