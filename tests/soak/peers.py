"""``python -m tests.soak.peers``: kills 10,000 peers of a pool by SIGKILL, and looks for work that was lost.

Some die while they work, some while they start. Meanwhile the pool runs streams and tasks. What is to be run again has
the right result in the end, in its place, once; what is not has a result or was told of. Ends with status 1 otherwise,
or when the node keeps monitors, processes or descriptors of what is over.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable

import psutil

from runtime import Pid, await_, cores, exit, flag, monitor, process_info, processes, receive, run, sleep, spawn
from runtime.kernel.node import this_node

PEERS = 2

PAUSE = 0.1
"""Seconds between two kills at most."""

STREAM = 2_000
"""Items of a stream."""

TASKS = 20
"""Tasks that wait at a time."""

WHILE_STARTING = 0.02
"""How likely a look that finds a peer starting kills one all the same, if work was done since the last such kill.

Otherwise no peer would come up on a machine so busy that a start takes minutes.
"""

REST = 0.05
"""Seconds between two streams, so that the processor is for the peers that start."""

AGAIN = 1_000
"""How often what a peer has died with is run again: more often than it ever happens."""

PATIENCE = 600.0

TELL_EVERY = 30.0

WHAT_IS_LEFT = ("initial_call", "status", "current_stacktrace", "message_queue_len", "parent")
"""What is told of a process that should have ended."""


def compute(number: int) -> int:
    """Compute for a moment."""
    return sum(range(number % 1_000)) + number


class Work:
    """What runs on the pool, and what became of it."""

    def __init__(self, pool: Pid) -> None:
        self.pool = pool
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.is_over = False

    def stream(self, retry: int) -> None:
        """Run streams, one after another, and compare what they yield."""
        flag(trap_exit=True)
        while not self.is_over:
            offset = random.randrange(10**6)
            numbers = range(offset, offset + STREAM)
            outcomes = [*cores.async_stream(self.pool, numbers, compute, retry=retry)]
            sleep(REST)
            if len(outcomes) != STREAM:
                self.problems.append(f"a stream of {STREAM} items had {len(outcomes)} outcomes")
            for number, outcome in zip(numbers, outcomes, strict=False):
                self._judge("items", outcome, number, retry)

    def tasks(self, retry: int) -> None:
        """Run tasks, many at a time."""
        flag(trap_exit=True)
        while not self.is_over:
            sleep(REST)
            tasks = {number: cores.async_(self.pool, compute, number, retry=retry) for number in range(TASKS)}
            for number, task in tasks.items():
                try:
                    self._judge("tasks", ("ok", await_(task, PATIENCE)), number, retry)
                except Exception as error:
                    reason = getattr(error, "reason", error)
                    self._judge("tasks", ("exit", reason), number, retry)
            while receive(timeout=0, default=None) is not None:
                pass  # the exit signals of the tasks

    def _judge(self, what: str, outcome: tuple[str, object], number: int, retry: int) -> None:
        if outcome == ("ok", compute(number)):
            self.counts[f"{what} done"] += 1
        elif outcome == ("exit", "noconnection") and not retry:
            self.counts[f"{what} told"] += 1
        else:
            self.problems.append(f"{what}: {number} became {outcome}, retry={retry}")


def kill_peers(work: Work, goes_on: Callable[[], bool]) -> None:
    """Kill one child of this program after the other, whatever it is doing."""
    told = time.monotonic()
    done_then = -1
    me = psutil.Process()
    while goes_on() and not work.problems:
        sleep(random.random() * PAUSE)
        peers = [child for child in me.children() if "runtime.boot.peer_program" in _command(child)]
        up = len(cores.nodes(work.pool))
        done = work.counts["items done"] + work.counts["tasks done"]
        if not peers or (up < PEERS and (done == done_then or random.random() > WHILE_STARTING)):
            continue
        if up < PEERS:
            done_then = done
        os.kill(random.choice(peers).pid, signal.SIGKILL)
        work.counts["kills"] += 1
        work.counts["kills while a peer started"] += up < PEERS
        if time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            print(describe(work), flush=True)


def _command(child: psutil.Process) -> str:
    try:
        return " ".join(child.cmdline())
    except psutil.Error:  # it has ended meanwhile
        return ""


def describe(work: Work) -> str:
    """Say in a line how far it is."""
    memory = psutil.Process().memory_info().rss / 1e6
    return f"{', '.join(f'{what}: {count:,}' for what, count in sorted(work.counts.items()))}; {memory:.1f} MB"


def soak(kills: int, seconds: float) -> list[str]:
    """Run it all. Returns what is wrong."""
    node = this_node()
    pool = cores.Pool.start_link(PEERS)
    assert pool is not None
    alive, before = node.alive, {*processes()}
    descriptors = psutil.Process().num_fds()
    work = Work(pool)
    runners = []
    for retry in (0, AGAIN):
        for body in (work.stream, work.tasks):
            runners.append(spawn(body, retry))
    ends = time.monotonic() + seconds
    kill_peers(work, lambda: work.counts["kills"] < kills and time.monotonic() < ends)
    work.is_over = True
    for runner in runners:
        ref = monitor(runner)
        down = receive(lambda message, ref=ref: getattr(message, "ref", None) == ref, timeout=PATIENCE, default=None)
        if down is None or down.reason not in ("normal", "noproc"):
            work.problems.append(f"what runs work ended so: {down}")
    until = time.monotonic() + PATIENCE
    while (len(cores.nodes(pool)) < PEERS or node.alive > alive) and time.monotonic() < until:
        sleep(0.1)
    if len(cores.nodes(pool)) != PEERS or node.alive != alive:
        work.problems.append(f"{len(cores.nodes(pool))} peers, {node.alive} processes after all, {alive} before")
        work.problems += [f"left: {process_info(pid, *WHAT_IS_LEFT)}" for pid in processes() if pid not in before]
    if psutil.Process().num_fds() > descriptors + PEERS:
        work.problems.append(f"{psutil.Process().num_fds()} descriptors after all, {descriptors} before")
    print(describe(work))
    flag(trap_exit=True)
    exit(pool, "shutdown")
    receive(lambda message: getattr(message, "pid", None) == pool, timeout=PATIENCE)
    return work.problems


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.peers", description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=10_000, help="peers to kill (default: 10,000)")
    parser.add_argument("--for", type=float, default=float("inf"), dest="seconds", help="end after so many seconds")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="repeats a run's choices")
    options = parser.parse_args()
    random.seed(options.seed)
    logging.disable(logging.CRITICAL)  # a line for each kill
    problems = run(soak, options.kills, options.seconds)
    for problem in problems[:20]:
        print(f"PROBLEM: {problem}")
    print(f"{len(problems)} problems" if problems else "nothing was lost")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
