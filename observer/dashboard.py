"""Runs the dashboard in this terminal, and leaves the terminal as it was however the observer is told to end."""

from __future__ import annotations

import asyncio
import signal

from observer.app import ObserverApp
from observer.settings import Settings
from observer.source import Source

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""Signals that end the observer as ``q`` does. Without that, their default would leave the screen as it stands."""


def watch(source: Source, settings: Settings) -> int:
    """Show the dashboard until the user quits or a signal ends it; give the exit status for the command."""
    return asyncio.run(_watch(ObserverApp(source, settings)))


async def _watch(app: ObserverApp) -> int:
    received: list[int] = []

    def leave(number: int) -> None:
        received.append(number)
        app.exit()

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, leave, number)
    await app.run_async()
    return 128 + received[0] if received else app.return_code or 0
