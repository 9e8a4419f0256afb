"""The restart strategies side by side, and a failure that climbs.

Alone, ``python -m demos.strategies`` kills the second of three workers under each strategy and prints which were
started again. In the observer, kill workers with ``x`` (the plan says before the kill what will happen) and compare
pids and restart counts:

- ``one_for_one``: only the one that died is started again.
- ``one_for_all``: all three are, since none of them can do without the others.
- ``rest_for_one``: the one that died, and those started after it, since they depend on it.
- ``glass`` stands on ``shelf``, ``shelf`` stands in ``cupboard``, and each of them may restart its child once in ten
  seconds. Kill ``glass`` twice: ``shelf`` gives up and is restarted. Twice more: ``cupboard`` gives up as well, and
  ``strategies`` restarts that. The events show how the failure climbed.
"""

from __future__ import annotations

import random

from demos._stage import kill, named, play
from runtime import ChildSpec, GenServer, Pid, Supervisor, Timeout, registered, sleep, whereis, which_children

STRATEGIES = {"one_for_one": "one", "one_for_all": "all", "rest_for_one": "rest"}
"""The strategies, and what the names of their workers begin with."""


class Worker(GenServer):
    """Does a little work every second or so."""

    def init(self) -> Timeout:
        """Begin with a rest."""
        self.done = 0
        return Timeout(random.uniform(0.5, 2))

    def handle_info(self, message: object) -> Timeout:
        """Work when the rest is over, and rest again."""
        self.done += 1
        return Timeout(random.uniform(0.5, 2))


def group(strategy: str, prefix: str) -> ChildSpec:
    """Describe three workers under one strategy, with a supervisor that allows ten restarts in five seconds."""
    workers = [named(Worker, f"{prefix}_{letter}") for letter in "abc"]
    return Supervisor.child_spec(workers, strategy=strategy, max_restarts=10, name=strategy)


def fragile() -> ChildSpec:
    """Describe a worker under two supervisors that allow one restart each."""
    shelf = Supervisor.child_spec([named(Worker, "glass")], max_restarts=1, max_seconds=10.0, name="shelf")
    return Supervisor.child_spec([shelf], max_restarts=1, max_seconds=10.0, name="cupboard")


def tree() -> Pid | None:
    """Start a supervisor of each strategy, and the fragile ones."""
    groups = [group(strategy, prefix) for strategy, prefix in STRATEGIES.items()]
    return Supervisor.start_link([*groups, fragile()], name="strategies")


def session() -> None:
    """Kill the second worker under each strategy, then the fragile one until the failure has climbed to the top."""
    tree()
    for strategy, prefix in STRATEGIES.items():
        print(f"{strategy}: {kill_and_compare(f'{prefix}_b', strategy)}")
    for _ in range(4):
        print(f"fragile: {kill_and_compare('glass', 'shelf')}")


def kill_and_compare(name: str, supervisor: str) -> str:
    """Kill a worker, wait until it has been started again, and say which processes are new."""
    before = {name: whereis(name) for name in registered()}
    kill(name)
    while whereis(name) is None:
        sleep(0.001)
    which_children(supervisor)  # answered when the supervisor has restarted all that it restarts
    new = [name for name, pid in before.items() if whereis(name) != pid]
    return f"killed {name}, started again: {', '.join(sorted(new))}"


if __name__ == "__main__":
    play(session, tree)
