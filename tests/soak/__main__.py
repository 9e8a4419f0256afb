"""``python -m tests.soak``: kills 100,000 processes of a tree of a thousand servers, and looks for what was lost.

Prints a summary, and ends with status 1 when a supervised child is missing, a message between living processes was
lost, or a greenlet, file descriptor, name, timer, monitor or memory has leaked.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

import gevent.subprocess

from runtime import install, remove, run, sleep
from runtime.introspection.answers import answers
from runtime.introspection.service import Service, serve
from runtime.introspection.threads import background
from runtime.kernel.node import Node, this_node
from tests.soak.figures import Figures, faults, forget_talk
from tests.soak.havoc import Count, wreak
from tests.soak.member import Soak
from tests.soak.tree import start_tree

WARM_UP = 10_000
"""Kills before the first count, or a tenth of those that follow: the event log and the pools fill up meanwhile."""

PATIENCE = 60.0
"""Seconds after which a node that has been left alone must be at rest."""


REMEMBERED = 0.5
"""Seconds for which the node remembers what an observer has asked, and with it processes that are dead by now, and goes
on measuring, which takes memory too."""


class Observer:
    """The watching program, and how it is told what to do."""

    def __init__(self, path: str) -> None:
        arguments = [sys.executable, "-m", "tests.soak.watcher", path]
        pipe = gevent.subprocess.PIPE
        self._program: Any = gevent.subprocess.Popen(arguments, stdin=pipe, stdout=pipe, bufsize=0)

    def tell(self, order: str) -> str:
        """Give an order and wait for the answer."""
        self._program.stdin.write(f"{order}\n".encode())
        answer: bytes = self._program.stdout.readline()
        return answer.decode()

    def end(self) -> dict[str, int]:
        """End it and give what it did."""
        counts: dict[str, int] = json.loads(self.tell("end"))
        self._program.wait()
        return counts


@dataclass
class Result:
    """How a run went."""

    before: Figures
    after: Figures
    problems: list[str]
    observed: dict[str, int]
    outgrown: int
    seconds: float


def soak(kills: int, width: int) -> Result:
    """Run it all, as the first process of a node."""
    node = this_node()
    count = Count()
    install(count)
    answers.REMEMBERED = background.ATTENTION = REMEMBERED
    service = serve("soak")
    observer = Observer(str(service.path))
    Soak.count = width**3
    supervisors, members = start_tree(width)
    wreak(max(WARM_UP, kills // 10), supervisors, members)
    come_to_rest(node, service, observer, supervisors + members)
    forget_talk(node)
    before = Figures.of(node)
    wake(observer)
    started = time.monotonic()
    wreak(kills, supervisors, members)
    seconds = time.monotonic() - started
    come_to_rest(node, service, observer, supervisors + members)
    problems = [*faults(node, supervisors + members)]
    forget_talk(node)
    after = Figures.of(node)
    problems += before.changes(after)
    observed = observer.end()
    remove(count)
    if observed["dropped"]:
        problems.append(f"the observer was dropped {observed['dropped']} times")
    return Result(before, after, problems, observed, count.outgrown, seconds)


def wake(observer: Observer) -> None:
    """Let everybody talk again."""
    Soak.quiet = False
    observer.tell("go on")


def come_to_rest(node: Node, service: Service, observer: Observer, names: list[str]) -> None:
    """Let nobody say anything, and wait until all has been said, restarted and unwound."""
    Soak.quiet = True
    deadline = time.monotonic() + PATIENCE
    while not is_at_rest(node, len(names)) and time.monotonic() < deadline:
        sleep(0.05)
    observer.tell("hush")
    sleep(REMEMBERED + 2.0)  # an errand of the observer's may still be under way, and the node remembers its questions
    while service.answers.node.memory.is_under_way and time.monotonic() < deadline:
        sleep(0.05)
    while len(service._caches) > 1 and time.monotonic() < deadline:
        sleep(0.05)  # who sent garbage is still being dropped


def is_at_rest(node: Node, count: int) -> bool:
    """Whether the tree is complete and nobody has anything to do; the caller is one process more."""
    return (
        node.alive == count + 1
        and len(node.names) == count
        and not node.scheduler.remains
        and not any(process.message_queue_len or process.waiting_for for process in node.processes())
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=100_000, help="processes to kill (default: 100,000)")
    parser.add_argument("--width", type=int, default=10, help="children of each supervisor (default: 10)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="repeats a run's choices")
    options = parser.parse_args()
    random.seed(options.seed)
    logging.getLogger("runtime").setLevel(logging.CRITICAL)  # a line for each kill would be all that is soaked
    with tempfile.TemporaryDirectory() as folder:
        os.environ["OBSERVER_DIR"] = folder
        result = run(soak, options.kills, options.width)
    show(options, result)
    sys.exit(1 if result.problems else 0)


def show(options: Any, result: Result) -> None:
    """Print the summary."""
    print(f"{options.kills:,} kills in {result.seconds:.0f} s (seed {options.seed}), {Soak.heard:,} items heard")
    print(f"{result.outgrown} ended by max_heap_size; the observer: {result.observed}")
    print(f"before: {result.before}")
    print(f"after:  {result.after}")
    for problem in result.problems:
        print(f"PROBLEM: {problem}")
    print(f"{len(result.problems)} problems" if result.problems else "nothing was lost")


if __name__ == "__main__":
    main()
