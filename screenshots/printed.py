"""Pictures of what commands print: the command runs in a terminal of its own, and its lines and colours are drawn."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from typing import Any

from rich.console import Console
from rich.text import Text

from observer.patches.svg import portable

COMMAND = (sys.executable, "-m", "observer")

LONGEST = 40
"""Lines that are drawn; what follows is left out, as if it had not been scrolled to."""


def picture_of(arguments: tuple[str, ...], columns: int) -> str:
    """Run ``observer ARGUMENTS`` in a terminal that is so wide, and return what it prints as SVG."""
    return _drawn(_printed(arguments, columns), arguments, columns)


def picture_of_agent(node: str, tool: str, columns: int) -> str:
    """Return what an agent sees of ``observer mcp NODE`` when it uses a tool, as SVG."""
    answer = asyncio.run(_asked(node, tool))
    request = json.dumps({"method": "tools/call", "params": {"name": tool}})
    return _drawn(f"→ {request}\n← {json.dumps(answer, indent=2)}", ("mcp", node), columns)


def _printed(arguments: tuple[str, ...], columns: int) -> str:
    mine, its = pty.openpty()
    try:
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", LONGEST, columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        command, nowhere = [*COMMAND, *arguments], subprocess.DEVNULL  # for the line that says what it is busy with
        with subprocess.Popen(command, stdin=its, stdout=its, stderr=nowhere, env=environment):
            os.close(its)
            its = -1
            return _all_of(mine).replace("\r\n", "\n")
    finally:
        os.close(mine)
        if its >= 0:
            os.close(its)


def _all_of(terminal: int) -> str:
    parts = []
    try:
        while part := os.read(terminal, 65_536):
            parts.append(part)
    except OSError:  # its other end is closed
        pass
    return b"".join(parts).decode()


async def _asked(node: str, tool: str) -> Any:
    import mcp  # an extra

    server = mcp.StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], "mcp", node], env={**os.environ})
    async with mcp.Client(server) as agent:
        answer = await agent.call_tool(tool, {})
        return json.loads(answer.content[0].text)


def _drawn(printed: str, arguments: tuple[str, ...], columns: int) -> str:
    command = f"observer {' '.join(arguments)}"
    console = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True, highlight=False)
    lines = printed.rstrip().split("\n")
    console.print(Text(f"$ {command}", style="bold"))
    for line in lines[:LONGEST]:
        console.print(Text.from_ansi(line))
    return portable(console.export_svg(title=command))
