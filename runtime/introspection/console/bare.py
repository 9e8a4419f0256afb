"""A node that does nothing by itself: what ``python -m runtime`` evaluates in."""

from __future__ import annotations

from runtime.boot.run import run
from runtime.kernel.mailbox import receive


class _Never:
    """What no message is an instance of."""


def main() -> None:
    """Wait until the node is told to stop. Messages are left where they are."""
    receive(_Never)


if __name__ == "__main__":
    run(main)
