"""All cores of the machine: a pool of peers under a supervisor, and CPU-bound work on them.

    from runtime import cores

    pool = cores.Pool.start_link()
    for outcome in cores.async_stream(pool, numbers, is_prime):
        ...
    task = cores.async_(pool, factorize, n)
    await_(task)
    cores.PartitionSupervisor.start_link((Index, "en"), pool=pool, name="indexes")
    call(("via", "indexes", word), ("find", word))

A pool has a peer for each core, which `runtime.peer` describes. One that dies is started again. What ran on it ends
with ``"noconnection"``, or with ``retry=True`` is run again on another peer, ten times at most: then a function may run
more than once. ``retry=3`` is another number. `PartitionSupervisor` keeps servers there, one on each peer by default.

Functions, arguments and results are pickled, so a function is one that a module has.

The modules may import `runtime.peer` and what lies below it.
"""

from __future__ import annotations

from runtime.cores.partition_supervisor import PartitionSupervisor
from runtime.cores.pool import Pool, nodes
from runtime.cores.stream import async_stream
from runtime.cores.task import async_

__all__ = ["PartitionSupervisor", "Pool", "async_", "async_stream", "nodes"]
