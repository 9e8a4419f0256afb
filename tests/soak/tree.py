"""The soaked tree: a supervisor of supervisors of supervisors of members."""

from __future__ import annotations

from runtime import ChildSpec, Pid, Registry, Supervisor
from tests.soak.member import REGISTRY, Member

WITHOUT_END = 10**9
"""Restarts that no supervisor runs out of: they are not what is soaked."""


def supervisor_spec(name: str, children: list[ChildSpec]) -> ChildSpec:
    """Return the spec of a supervisor called `name`."""

    def start() -> Pid | None:
        return Supervisor.start_link(children, max_restarts=WITHOUT_END, name=name)

    return ChildSpec(id=name, start=(start,), type="supervisor", shutdown="infinity")


def member_spec(number: int) -> ChildSpec:
    """Return the spec of one member."""

    def start() -> Pid | None:
        return Member.start_link(number, name=f"member-{number}")

    return ChildSpec(id=number, start=(start,), restart="permanent", shutdown=1.0)


def start_tree(width: int) -> tuple[list[str], list[str]]:
    """Start a tree of ``width ** 3`` members and their registry.

    Returns the names of all its supervisors, the top first, and of the members.
    """
    names = ["top"]
    branches = []
    for branch in range(width):
        twigs = []
        for twig in range(width):
            first = (branch * width + twig) * width
            names.append(f"twig-{branch}-{twig}")
            twigs.append(supervisor_spec(names[-1], [member_spec(first + number) for number in range(width)]))
        names.append(f"branch-{branch}")
        branches.append(supervisor_spec(names[-1], twigs))
    Supervisor.start_link([Registry.child_spec(name=REGISTRY), *branches], max_restarts=WITHOUT_END, name="top")
    return names, [f"member-{number}" for number in range(width**3)]
