"""The command with the patience that a busy machine asks for: ``python -m tests.support.patient`` for ``observer``.

Some of its limits are short, because a person waits in front of it. A machine with much else to do uses them up.
"""

from observer.cli import lookup, main
from observer.model import aftermath
from observer.node import discovery
from observer.node.client import Client
from observer.node.connection import Connection


def patient() -> None:
    """Run the command with longer limits."""
    discovery.PROBE_TIMEOUT = discovery.CLOSES_WITHIN = 60.0
    lookup.MEASURE_TIMEOUT = 5.0  # what is never measured takes as long
    aftermath.END_TIMEOUT = aftermath.RETURN_TIMEOUT = 30.0
    for kind in (Client, Connection):
        kind.__init__.__defaults__ = (60.0, 60.0)
    main()


if __name__ == "__main__":
    patient()
