"""What may stand in a field: the limits of the protocol, and the types of texts, counts and times."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

PROTOCOL = 1
"""The version of this protocol. A node refuses a client whose version is not its own."""

MAX_REQUEST = 1 << 20
"""Longest frame a node accepts, in bytes. A longer one drops the connection before it is read."""

MAX_REPLY = 32 << 20
"""Longest frame an observer accepts, in bytes."""

MAX_ROWS = 2_000
"""Most rows one window may ask for."""

NOT_SHOWN = "(not shown)"
"""Stands for a text that observers of the node are not shown."""

Status = Literal["running", "runnable", "waiting", "suspended", "exiting", "starting", "restarting", "stopped"]
"""What a row's process does. The last three are children of a supervisor that have no process at the moment."""

Sort = Literal[
    "tree",
    "name",
    "pid",
    "status",
    "message_queue_len",
    "messages_in",
    "messages_out",
    "memory",
    "reductions",
    "cpu_time",
    "restarts",
    "started_at",
    "at",
    "doing",
    "doing_since",
]
"""What a window is sorted by. ``tree`` is the order in which supervisors started their children."""

GroupBy = Literal["", "label", "supervisor", "initial_call", "at", "doing"]
"""What a list may be grouped by, empty for no groups."""

Strategy = Literal["one_for_one", "one_for_all", "rest_for_one", "dynamic"]
"""How a supervisor restarts. ``dynamic`` is a one_for_one without an order (DynamicSupervisor)."""


class Frozen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all values on the wire: immutable, and silent about fields that have their default."""


# -- What may stand in a field ------------------------------------------------------------------------------------

# A node's answers come from another process, which may be broken or mean harm. What decodes them refuses a value that
# does not fit its field. Texts of the program itself (names, messages, states) may hold any character; whoever draws
# them makes them safe first.

Pid = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[!-~]*\Z")]
"""A pid, or what stands for one (``g7``): visible ASCII."""

Word = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[ -~]*\Z")]
"""A word of the protocol's own or a version, in printable ASCII."""

Name = Annotated[str, msgspec.Meta(max_length=20_000)]
"""What the program calls something."""

Key = Annotated[str, msgspec.Meta(max_length=200_000)]
"""A place in the tree: the names on the way to it."""

Text = Annotated[str, msgspec.Meta(max_length=4_000_000)]
"""A sentence, a message or a state."""

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""How many, or the number of something."""

Index = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
"""A position in a list, or its length: more rows than any node has."""

Depth = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
"""How deep in a tree."""

Moment = Annotated[float, msgspec.Meta(ge=0, le=1e11)]
"""Seconds since the epoch, up to the year 5138."""

Span = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
"""Seconds that have passed."""

Delay = Annotated[float, msgspec.Meta(ge=-1e12)]
"""Seconds until something; infinity for never."""
