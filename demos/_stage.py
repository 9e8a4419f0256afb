"""What the demos share: is somebody watching, and if so, a tree that stands until the node is told to stop."""

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
"""Seconds for which a tree that gave up lies there to be looked at, before it is built again."""


def play(session: Callable[[], None], tree: Callable[[], Pid | None]) -> None:
    """Boot a node that plays `session` and ends; while an observer watches, one that holds `tree` up instead."""
    try:
        if os.environ.get("OBSERVER") == "1":
            run(hold, tree)
        else:
            logging.getLogger("runtime").setLevel(logging.CRITICAL + 1)  # the session says itself what dies
            run(session)
    except KeyboardInterrupt:
        sys.exit(130)


def hold(tree: Callable[[], Pid | None]) -> None:
    """Start a tree with `tree`, and again each time its top supervisor has given up."""
    flag(trap_exit=True)
    while True:
        top = tree()
        match receive(Exit):
            case Exit(pid, reason) if pid != top:  # the node is told to stop
                exit(reason)
        sleep(PAUSE)


def kill(name: str) -> None:
    """Kill the process that has this name, and return when everybody knows of its death."""
    ref = monitor(name)
    pid = whereis(name)
    if pid is not None:
        exit(pid, "kill")
    receive(Down(ref, ANY, ANY))


def named(server: type[GenServer], name: str, *args: Any) -> ChildSpec:
    """Describe a server that is called `name`, both in its supervisor and everywhere else."""
    spec: ChildSpec = server.child_spec(*args, name=name)
    return replace(spec, id=name)


def figure(pid: Pid | None, key: str) -> Any:
    """Give one item of what `process_info` tells of a living process."""
    assert pid is not None
    info = process_info(pid, key)
    assert info is not None
    return info[key]
