"""What is large in the state of a server: its attributes with their sizes, read beside the server's own work."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.measuring.sample_size import SampleSize
from runtime.introspection.reading.tree_path import text_of
from runtime.introspection.threads.racy_read import some
from runtime.kernel.memory import builtin_container
from runtime.kernel.process import Process
from runtime.otp.callbacks import Callbacks
from runtime.otp.gen_server import GenServer
from runtime.supervision.server import SupervisorServer

LARGE_PART = 10_000
"""Bytes from which on an attribute is worth naming."""

MAX_ATTRIBUTES = 200
"""Attributes that are looked at."""

MAX_PARTS = 5
"""Parts that are named."""


def parts_of(process: Process) -> tuple[wire.Part, ...]:
    """Return the large attributes of a server, the largest first; none of one that chooses what is shown of it."""
    body = process.body
    if not isinstance(body, GenServer) or isinstance(body, SupervisorServer):
        return ()
    if type(body).format_status is not Callbacks.format_status:
        return ()
    sizes = SampleSize()
    parts = [_part(name, value, sizes) for name, value in some(vars(body).items(), MAX_ATTRIBUTES)]
    large = [part for part in parts if part.size >= LARGE_PART]
    return tuple(sorted(large, key=lambda part: -part.size)[:MAX_PARTS])


def _part(name: object, value: object, sizes: SampleSize) -> wire.Part:
    kind = type(value)
    own = builtin_container(kind)
    items = None if own is None else int(own.__len__(value))
    return wire.Part(name=text_of(name), kind=text_of(kind.__name__), size=sizes.of(value), items=items)
