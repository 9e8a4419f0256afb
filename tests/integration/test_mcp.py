"""A real agent's client on a real node: it finds out why the deadlock demo stands still."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.nodes import PATIENCE, observed


def test_an_agent_finds_the_cause_of_a_deadlock(folder: Path) -> None:
    mcp = pytest.importorskip("mcp")  # takes two seconds, in each process that imports the tests

    async def find() -> tuple[Any, Any]:
        server = mcp.StdioServerParameters(
            command=sys.executable,
            args=["-m", "tests.support.patient", "mcp", "node"],
            env={**os.environ, "OBSERVER_DIR": str(folder)},
        )
        stdio: Any = importlib.import_module("mcp.client.stdio")
        stdio.stdio_client.__wrapped__.__defaults__ = (
            sys.__stderr__,
        )  # it keeps that of the test that imports it first
        async with mcp.Client(server) as agent:

            async def call(tool: str, **arguments: Any) -> Any:
                return json.loads((await agent.call_tool(tool, arguments)).content[0].text)["data"]

            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                found = [each for each in await call("findings") if each["kind"] == "deadlock"]
                if found:
                    return found[0], [await call("process", pid=pid) for pid in found[0]["pids"]]
                await asyncio.sleep(0.1)
        raise AssertionError("no deadlock was found")

    with observed(folder, program=("-m", "demos.deadlock")):
        finding, processes = asyncio.run(find())
    pids = finding["pids"]
    assert len(pids) >= 2
    assert {each["waiting_for"] for each in processes} == set(pids)
    assert "waits" in finding["advice"]
