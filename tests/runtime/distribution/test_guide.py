"""The programs of DISTRIBUTION.md print what it says that they print."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from runtime.distribution.epmd import names

GUIDE = Path(__file__).parents[3] / "runtime" / "DISTRIBUTION.md"


def test_the_two_programs_of_the_guide_talk_to_each_other(epmd_port: int, tmp_path: Path) -> None:
    shop, till = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[:2]
    (tmp_path / "shop.py").write_text(shop)
    (tmp_path / "till.py").write_text(till)
    before = os.environ.get("ERL_EPMD_PORT")
    os.environ["ERL_EPMD_PORT"] = str(epmd_port)
    environment = {**os.environ, "HOME": str(tmp_path)}
    server = subprocess.Popen([sys.executable, tmp_path / "shop.py"], env=environment)
    try:
        ends = time.monotonic() + 120
        while "shop" not in names("localhost"):
            assert time.monotonic() < ends
            time.sleep(0.02)
        said = subprocess.run(
            [sys.executable, tmp_path / "till.py"], env=environment, capture_output=True, text=True, timeout=300
        )
    finally:
        server.kill()
        server.wait()
        if before is None:
            del os.environ["ERL_EPMD_PORT"]
        else:
            os.environ["ERL_EPMD_PORT"] = before
    assert (said.stdout, said.stderr) == ("True ['shop@127.0.0.1']\n('ok', 2)\n", "")
