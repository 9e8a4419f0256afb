"""Random operations on processes, trees and calls, each followed by a comparison with a model of the rules."""

import subprocess
import sys

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.runtime.stateful.call_world import CallWorld
from tests.runtime.stateful.process_world import ProcessWorld
from tests.runtime.stateful.supervisor_world import SupervisorWorld
from tests.support.inside import Inside

CHOICES = st.tuples(*[st.integers(0, 2**16)] * 3)


class Machine(RuleBasedStateMachine):
    """Steps of a world of its own, inside a node of its own."""

    World: type[ProcessWorld] | type[SupervisorWorld] | type[CallWorld]

    def __init__(self) -> None:
        super().__init__()
        self.inside = Inside().__enter__()
        self.world: ProcessWorld | SupervisorWorld | CallWorld = self.inside(self.World)

    def teardown(self) -> None:
        try:
            self.inside(self.world.end)
        finally:
            self.inside.__exit__(None, None, None)


class Processes(Machine):
    World = ProcessWorld

    @rule(operation=st.sampled_from(ProcessWorld.OPERATIONS), choices=CHOICES)
    def step(self, operation: str, choices: tuple[int, int, int]) -> None:
        self.inside(lambda: self.world.step(operation, choices))


class Trees(Machine):
    World = SupervisorWorld

    @rule(operation=st.sampled_from(SupervisorWorld.OPERATIONS), choices=CHOICES)
    def step(self, operation: str, choices: tuple[int, int, int]) -> None:
        self.inside(lambda: self.world.step(operation, choices))


class Calls(Machine):
    World = CallWorld

    @rule(operation=st.sampled_from(CallWorld.OPERATIONS), choices=CHOICES)
    def step(self, operation: str, choices: tuple[int, int, int]) -> None:
        self.inside(lambda: self.world.step(operation, choices))


BRIEF = settings(
    max_examples=30,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[*HealthCheck],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],  # explaining would trace each line, for minutes
)

TestProcessesKeepTheRules = Processes.TestCase
TestProcessesKeepTheRules.settings = BRIEF
TestTreesKeepTheRules = Trees.TestCase
TestTreesKeepTheRules.settings = BRIEF

TestCallsKeepTheRules = Calls.TestCase
TestCallsKeepTheRules.settings = BRIEF


def test_the_long_run_ends_well_and_leaves_no_greenlet_behind() -> None:
    command = [sys.executable, "-m", "tests.runtime.stateful.stateful_run", "--steps", "3000"]
    played = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert played.returncode == 0, played.stderr
    assert "3000 steps from seed 0 kept the rules" in played.stdout
