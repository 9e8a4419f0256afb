"""What the tests of the demos' trees share."""

from runtime import Pid, which_children


def children(supervisor: str) -> dict[str, Pid]:
    """Return the pids of a supervisor's children by id."""
    return {child.id: child.pid for child in which_children(supervisor)}
