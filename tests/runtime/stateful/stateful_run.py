"""`python -m tests.runtime.stateful.stateful_run --steps 100000` plays the stateful tests' random operations for long.

Plain processes, supervision trees and clients of servers take turns, a thousand steps each in a fresh node.
`--seed` repeats a run. Ends with status 1 and the last operations when the processes and the model part ways.
"""

import argparse
import gc
import logging
import random
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from runtime import run
from runtime.kernel.clock import MockClock, use_clock
from runtime.kernel.process import Worker
from tests.runtime.stateful.call_world import CallWorld
from tests.runtime.stateful.process_world import ProcessWorld
from tests.runtime.stateful.supervisor_world import SupervisorWorld

STEPS_OF_A_NODE = 1_000
WORLDS: tuple[Callable[[], Any], ...] = (ProcessWorld, SupervisorWorld, CallWorld)


def play(World: Callable[[], Any], steps: int, seed: int) -> None:
    """Do random steps in the calling process; an AssertionError is given the operations that led to it."""
    dice = random.Random(seed)
    world = World()
    last: deque[tuple[str, list[int]]] = deque(maxlen=12)
    try:
        for _ in range(steps):
            last.append((dice.choice(world.OPERATIONS), [dice.randrange(2**16) for _ in range(3)]))
            world.step(*last[-1])
        world.end()
    except AssertionError as error:
        error.add_note(f"{type(world).__name__} with seed {seed}, the last steps: {[*last]}")
        raise


def greenlets_left() -> int:
    """How many workers of ended nodes are still there."""
    gc.collect()
    return sum(1 for thing in gc.get_objects() if type(thing) is Worker and not thing.dead)


def main() -> None:
    """Read the options and play."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.getLogger("runtime").setLevel(logging.CRITICAL)  # thousands of crashes, all of them wanted
    started, nodes = time.monotonic(), max(1, options.steps // STEPS_OF_A_NODE)
    for number in range(nodes):
        with use_clock(MockClock()):
            run(play, WORLDS[number % len(WORLDS)], min(STEPS_OF_A_NODE, options.steps), options.seed + number)
        if sys.stdout.isatty():
            print(f"{(number + 1) * STEPS_OF_A_NODE} steps", end="\r", flush=True)
    assert not greenlets_left(), f"{greenlets_left()} greenlets outlived their nodes"
    print(f"{options.steps} steps from seed {options.seed} kept the rules, in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
