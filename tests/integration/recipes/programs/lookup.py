"""A server of zerorpc's; its argument is the port."""

from __future__ import annotations

import sys

import gevent
import shop  # beside this file
import zerorpc


class Lookup:
    """What clients may call."""

    def slow(self) -> str:
        """Wait for long."""
        gevent.sleep(60)
        return "slow"

    def block(self) -> str:
        """Hold the hub."""
        shop.compute(1.0)
        return "block"

    def double(self, number: int) -> int:
        """Return twice a number; raises ValueError for one that is less than nothing."""
        if number < 0:
            raise ValueError(f"{number} is less than nothing")
        return 2 * number


server = zerorpc.Server(Lookup())
server.bind(f"tcp://127.0.0.1:{sys.argv[1]}")
server.run()
