"""What goes wrong between nodes, as sentences."""

from __future__ import annotations

from runtime.terms.errors import RuntimeFault


class DistributionError(RuntimeFault, OSError):
    """A node cannot be made reachable, or another one not reached. The message says why and what to do."""

    __module__ = "runtime"
