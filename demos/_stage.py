"""What the demos share: a session to print, or, under an observer, a tree that runs until the node is told to stop."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from runtime import (
    ANY,
    ChildSpec,
    Down,
    Exit,
    GenServer,
    Pid,
    exit,
    flag,
    monitor,
    process_info,
    receive,
    run,
    sleep,
    whereis,
)

PAUSE = 2.0
"""Seconds between the end of a tree that gave up and its next start, so that there is time to look at what is left."""


def play(session: Callable[[], None], tree: Callable[[], Pid | None]) -> None:
    """Boot a node that plays `session` and ends; under an observer, one that keeps `tree` running instead."""
    try:
        if os.environ.get("OBSERVER") == "1":
            run(hold, tree)
        else:
            logging.getLogger("runtime").setLevel(logging.CRITICAL + 1)  # the session prints itself what dies
            run(session)
    except KeyboardInterrupt:
        sys.exit(130)


def hold(tree: Callable[[], Pid | None]) -> None:
    """Start a tree with `tree`, and start it again each time its top supervisor has given up."""
    flag(trap_exit=True)
    while True:
        top = tree()
        match receive(Exit):
            case Exit(pid, reason) if pid != top:  # the node is told to stop
                exit(reason)
        sleep(PAUSE)


def kill(process: Pid | str | tuple[Any, ...]) -> None:
    """Kill a process, given by pid or name, and return when its death has been reported."""
    ref = monitor(process)
    pid = process if isinstance(process, Pid) else whereis(process)
    if pid is not None:
        exit(pid, "kill")
    receive(Down(ref, ANY, ANY))


def named(server: type[GenServer], name: str, *args: Any) -> ChildSpec:
    """Return the child spec of a server whose registered name is `name`, and its id as well."""
    spec: ChildSpec = server.child_spec(*args, name=name)
    return replace(spec, id=name)


def figure(pid: Pid | None, key: str) -> Any:
    """Return one item of `process_info` of a living process."""
    assert pid is not None
    info = process_info(pid, key)
    assert info is not None
    return info[key]
