"""What is done at random to supervision trees here comes to the same on a real BEAM, where one is installed."""

import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runtime import run
from runtime.kernel.clock import MockClock, use_clock
from tests.runtime.stateful.supervisor_world import Step, SupervisorWorld
from tests.support.planned_trees import Plan

PLAYER = Path(__file__).parent / "beam" / "tree.escript"
OPERATIONS = [operation for operation in SupervisorWorld.OPERATIONS if operation != "pass_time"]
"""A BEAM's restart windows pass in real time; these trees count all restarts of their lives."""


def play(steps: int, seed: int) -> list[Step]:
    """Do random steps to trees; gives what was done and what came of it."""
    dice = random.Random(seed)
    story: list[Step] = []
    world = SupervisorWorld(story)
    for _ in range(steps):
        world.step(dice.choice(OPERATIONS), [dice.randrange(2**16) for _ in range(3)])
    world.end()
    return story


def term(value: Any) -> str:
    """A value as Erlang writes it: a string is an atom."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return f"'{value}'"
        case dict():
            return "#{" + ",".join(f"{term(key)}=>{term(item)}" for key, item in value.items()) + "}"
        case tuple():
            return "{" + ",".join(map(term, value)) + "}"
        case list():
            return "[" + ",".join(map(term, value)) + "]"
        case Plan():
            return term({**vars(value), "children": [*value.children]})
        case _:
            raise TypeError(f"{value!r} has no Erlang term")


@pytest.mark.parametrize("seed", [1, 2])
def test_random_trees_live_as_on_the_beam(seed: int, tmp_path: Path) -> None:
    escript = shutil.which("escript")
    if escript is None:
        pytest.skip("escript is not installed, so random trees were not compared with a real BEAM")
    with use_clock(MockClock()):
        story: list[Step] = run(play, 300, seed)
    script = tmp_path / "steps"
    script.write_text("".join(f"{term(done)}.\n" for done, _, _ in story))
    played = subprocess.run(
        [escript, str(PLAYER), str(script)], capture_output=True, text=True, check=True, timeout=300
    )
    theirs = [chunk.split() for chunk in played.stdout.split("==\n")[1:]]
    assert len(theirs) == len(story), played.stdout[-1000:]
    for number, ((done, in_order, events), beam) in enumerate(zip(story, theirs, strict=True)):
        ours = [term(event).replace("'", "") for event in events]
        assert (ours == beam) if in_order else (sorted(ours) == sorted(beam)), f"step {number}, {done}: {ours} {beam}"
