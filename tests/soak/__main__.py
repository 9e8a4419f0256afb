"""``python -m tests.soak``: kills 100,000 processes of a tree of a thousand servers, and looks for what was lost.

Prints a summary, and ends with status 1 when a supervised child is missing, a message between living processes was
lost, or a greenlet, file descriptor, name, timer, monitor or memory has leaked.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import gevent.subprocess

from runtime import install_instrument, remove_instrument, run, sleep
from runtime.introspection.answers import answers
from runtime.introspection.service import Service, serve
from runtime.introspection.threads import background
from runtime.kernel.node import Node, this_node
from runtime.preemption.time_slice import TimeSlices
from tests.soak.figures import Figures, faults, forget_talk, grown, growth
from tests.soak.havoc import Havoc, Outgrown, Surprises, kills, seconds
from tests.soak.member import REGISTRY, Soak
from tests.soak.tree import start_tree

WARM_UP = 10_000
"""Kills before the first count, if not told otherwise: the event log and the pools fill up meanwhile."""

ROUNDS = 4
"""Stretches of a run at least; after each the node comes to rest and is looked through."""

LONGEST_ROUND = 120.0
"""Seconds that one may last, the first included where the run is for a time."""

TIME_SLICE = 0.005
"""Seconds of a time slice in every second round; in the others there are none."""

PATIENCE = 60.0
"""Seconds after which a node that has been left alone must be at rest."""


TELL_EVERY = 1.0
"""Seconds between two words to a terminal on how far it is."""

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
        """Send an order and wait for the answer."""
        self._program.stdin.write(f"{order}\n".encode())
        answer: bytes = self._program.stdout.readline()
        return answer.decode()

    def end(self) -> dict[str, int]:
        """End it and give what it did."""
        counts: dict[str, int] = json.loads(self.tell("end"))
        self._program.wait()
        return counts


@dataclass
class Round:
    """One stretch of the run, and what there was at rest after it."""

    seconds: float
    time_slice: float | None
    figures: Figures


@dataclass
class Result:
    """How a run went."""

    warm: Figures
    rounds: list[Round]
    problems: list[str]
    observed: dict[str, int]
    counts: dict[str, int]


def soak(options: argparse.Namespace) -> Result:
    """Run it all, as the first process of a node."""
    node = this_node()
    outgrown = Outgrown()
    install_instrument(outgrown)
    answers.REMEMBERED = background.ATTENTION = REMEMBERED
    service = serve("soak")
    observer = Observer(str(service.path))
    Soak.count = options.width**3
    supervisors, members = start_tree(options.width)
    havoc = Havoc(supervisors, members)
    surprises = Surprises(options.signals)
    problems: list[str] = []

    def stretch(goes_on: Callable[[], bool], time_slice: float | None) -> Round:
        wake(observer)
        started = time.monotonic()
        with surprises, nullcontext() if time_slice is None else TimeSlices(node, time_slice):
            havoc.wreak(surprises.until(shown(havoc.counts, goes_on)))
            seconds = time.monotonic() - started
        come_to_rest(node, service, observer, havoc)
        problems.extend(faults(node, [*supervisors, REGISTRY, *members]))
        forget_talk(node)
        return Round(seconds, time_slice, Figures.of(node))

    enough = kills(havoc, options.warm_up or max(WARM_UP, options.kills // 10))
    in_time = seconds(math.inf if options.seconds is None else LONGEST_ROUND)
    warm = stretch(lambda: enough() and in_time(), None)
    rounds: list[Round] = []
    started = time.monotonic()
    number = ROUNDS if options.seconds is None else max(ROUNDS, int(options.seconds / LONGEST_ROUND))
    for index in range(number):
        if options.seconds is None:
            goes_on = kills(havoc, options.kills // number)
        else:
            goes_on = seconds(max(0.0, started + options.seconds * (index + 1) / number - time.monotonic()))
        rounds.append(stretch(goes_on, TIME_SLICE if index % 2 else None))
        if options.seconds is not None:
            print(describe(index + 1, rounds[-1], havoc.counts), flush=True)
        if problems:
            break
    problems += warm.figures.changes(rounds[-1].figures)
    problems += growth("bytes of memory at rest", [each.figures.resident for each in (warm, *rounds)])
    pieces = [*growth("pieces of memory at rest", [each.figures.blocks for each in (warm, *rounds)])]
    problems += pieces
    if pieces:
        problems += grown(rounds[len(rounds) // 2].figures, rounds[-1].figures)
    observed = observer.end()
    remove_instrument(outgrown)
    if observed["dropped"]:
        problems.append(f"the observer was dropped {observed['dropped']} times")
    counts = {**havoc.counts, "ended by max_heap_size": outgrown.count, "signals that raised": surprises.raised}
    return Result(warm.figures, rounds, problems, observed, counts)


def shown(counts: Mapping[str, int], goes_on: Callable[[], bool]) -> Callable[[], bool]:
    """Return `goes_on`, which tells a terminal on standard error now and then how many are killed by now."""
    if not sys.stderr.isatty():
        return goes_on
    told = 0.0

    def telling() -> bool:
        nonlocal told
        if time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            print(f"\r{counts['kills']:,} kills so far \x1b[K\r", end="", file=sys.stderr, flush=True)
        return goes_on()

    return telling


def wake(observer: Observer) -> None:
    """Let everybody talk again."""
    Soak.quiet = False
    observer.tell("go on")


def come_to_rest(node: Node, service: Service, observer: Observer, havoc: Havoc) -> None:
    """Let all members be quiet, and wait until every message is taken and everything restarted and unwound."""
    Soak.quiet = True
    deadline = time.monotonic() + PATIENCE
    count = len(havoc.supervisors) + len(havoc.members) + 1  # the registry
    while not is_at_rest(node, count) and time.monotonic() < deadline:
        sleep(0.05)
    observer.tell("hush")
    sleep(REMEMBERED + 2.0)  # an errand of the observer's may still be under way, and the node remembers its questions
    while service.answers.node.memory.is_under_way and time.monotonic() < deadline:
        sleep(0.05)
    while len(service._caches) > 1 and time.monotonic() < deadline:
        sleep(0.05)  # who sent garbage is still being dropped
    while not is_at_rest(node, count) and time.monotonic() < deadline:
        sleep(0.05)  # the observer may have ended one more before it was hushed


def is_at_rest(node: Node, count: int) -> bool:
    """Whether the tree is complete, and no process has anything to do or is to be ended for what it holds.

    The caller is one process more.
    """
    return (
        node.alive == count + 1
        and len(node.names) == count
        and not node.scheduler.remains
        and not node.scheduler.remains.computing
        and not node.heap_limits._limited
        and not any(process.message_queue_len or process.waiting_for for process in node.processes())
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.split("\n\n")[0])
    parser.add_argument("--warm-up", type=int, help=f"kills before the first count (default: {WARM_UP:,} or more)")
    parser.add_argument("--kills", type=int, default=100_000, help="processes to kill (default: 100,000)")
    parser.add_argument("--for", type=float, dest="seconds", metavar="SECONDS", help="run for so long instead")
    parser.add_argument("--width", type=int, default=10, help="children of each supervisor (default: 10)")
    parser.add_argument(
        "--signals", type=float, default=0.0, metavar="SECONDS", help="send signals whose handler raises"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="repeats a run's choices")
    options = parser.parse_args()
    random.seed(options.seed)
    logging.disable(logging.CRITICAL)  # a line for each kill would be all that is soaked
    with tempfile.TemporaryDirectory() as folder:
        os.environ["OBSERVER_DIR"] = folder
        result = run(soak, options)
    show(options, result)
    sys.exit(1 if result.problems else 0)


def describe(number: int, stretch: Round, counts: Mapping[str, int]) -> str:
    """Say in a line what there was after a round."""
    slices = "no slices" if stretch.time_slice is None else f"slices of {stretch.time_slice * 1_000:g} ms"
    memory = f"{stretch.figures.resident / 1e6:.1f} MB"
    return f"round {number}: {stretch.seconds:.0f} s, {slices}, {counts['kills']:,} kills so far, {memory} at rest"


def show(options: argparse.Namespace, result: Result) -> None:
    """Print the summary."""
    total = sum(stretch.seconds for stretch in result.rounds)
    print(f"{result.counts['kills']:,} kills in {total:.0f} s (seed {options.seed}), {Soak.heard:,} items heard")
    print(", ".join(f"{what}: {count:,}" for what, count in result.counts.items()))
    print(f"the observer: {result.observed}")
    print(f"before: {result.warm}")
    print(f"after:  {result.rounds[-1].figures}")
    print(f"memory at rest, MB: {', '.join(f'{each.figures.resident / 1e6:.1f}' for each in result.rounds)}")
    print(f"pieces of memory at rest: {', '.join(f'{each.figures.blocks:,}' for each in result.rounds)}")
    for problem in result.problems:
        print(f"PROBLEM: {problem}")
    print(f"{len(result.problems)} problems" if result.problems else "nothing was lost")


if __name__ == "__main__":
    main()
