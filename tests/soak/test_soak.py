"""The soak run in short: everything in it happens, and nothing is lost."""

import re
import subprocess
import sys


def test_a_thousand_kills_lose_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--width", "6", "--warm-up", "4000", "--kills", "1000"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("nothing was lost\n")
    for what in ("hogs killed", "garbage", "answers"):
        (count,) = re.findall(rf"'{what}': (\d+)", done.stdout)
        assert int(count) > 0, done.stdout
