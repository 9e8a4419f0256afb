"""Three greenlets that wait for orders in a Redis, with redis-py; its argument is the port."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402

import gevent  # noqa: E402
import redis  # noqa: E402
import shop  # noqa: E402  # beside this file

store = redis.Redis(port=int(sys.argv[1]), socket_timeout=None)


def pack() -> None:
    """Take orders until there are no more, and count what was packed."""
    while True:
        order = store.blpop(["orders"])[1].decode()
        if order == "none":
            return
        if order == "large":
            shop.compute(1.0)
        elif order == "fragile":
            wrap()
        store.incr(f"packed:{order}")


def wrap() -> None:
    """Wait for long."""
    gevent.sleep(60)


gevent.joinall([gevent.spawn(pack) for _ in range(3)])
