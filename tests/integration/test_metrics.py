"""A real Prometheus scrapes a real node."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.nodes import ObservedNode, eventually
from tests.support.ports import free_port

PROMETHEUS = shutil.which("prometheus")


@pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed (Debian: apt install prometheus)")
def test_prometheus_scrapes_a_node(node: ObservedNode, folder: Path, tmp_path: Path) -> None:
    assert PROMETHEUS is not None
    exporter, server = free_port(), free_port()
    settings = tmp_path / "prometheus.yml"
    settings.write_text(
        "scrape_configs:\n"
        "  - job_name: node\n"
        "    scrape_interval: 1s\n"
        f"    static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]\n"
    )
    serve = [sys.executable, "-m", "observer", "metrics", "node", "--listen", f"127.0.0.1:{exporter}"]
    scrape = [
        PROMETHEUS,
        f"--config.file={settings}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{server}",
    ]
    environment = {**os.environ, "OBSERVER_DIR": str(folder)}
    with (
        subprocess.Popen(serve, env=environment, stderr=subprocess.DEVNULL) as serving,
        subprocess.Popen(scrape, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as scraping,
    ):
        try:
            # A node that the machine hardly runs may be late to answer the first times.
            (up,) = eventually(lambda: [each for each in _query(server, "runtime_up") if each["value"][1] == "1"])
            assert up["metric"]["node"] == "node"
            (processes,) = eventually(lambda: _query(server, "runtime_processes"))
            assert int(processes["value"][1]) > 1
            restarts = eventually(lambda: _query(server, "runtime_supervisor_max_restarts"))
            assert all(each["metric"]["supervisor"] for each in restarts)
        finally:
            serving.send_signal(signal.SIGINT)
            scraping.terminate()


def _query(port: int, metric: str) -> list[dict[str, Any]]:
    """Return the newest sample of each series of a metric; none while Prometheus has not begun, or is late."""
    address = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(metric)}"
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    except (OSError, http.client.HTTPException):
        return []
    return found
