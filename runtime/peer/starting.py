"""Starting and stopping peers, and the spec by which a supervisor does."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from itertools import count
from os import getpid
from typing import Any

from runtime.distribution.cluster import LocalNode, local_node
from runtime.distribution.errors import DistributionError
from runtime.distribution.nodes import start_distribution
from runtime.kernel.node import current_process
from runtime.kernel.process import Destination, Pid
from runtime.otp.calls import call
from runtime.otp.child_spec import ChildSpec
from runtime.otp.gen_server import stop as stop_server
from runtime.peer.process import STARTING, STOPPING, Peer
from runtime.terms.errors import StartError
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument, seconds_of

_numbers = count(1)


def start_link(
    name: str | None = None,
    *,
    env: Mapping[str, str] | None = None,
    timeout: TimeoutArgument = STARTING,
    **options: Any,
) -> tuple[Pid, str]:
    """Start a peer that is linked with the caller, and wait until it is connected (OTP: peer:start_link/1).

    Returns the Pid of the process that stands for it, and the name of the node. `name` is made up where none is given;
    one without ``@`` is on this host's loopback address. `env` are variables of its environment beside this program's.
    The `options` are those of `start_distribution` but `tls`: ``hidden``, ``trust`` and so on; `net_ticktime` is by
    default this node's. A node without a name gets one first, with a cookie that no other program knows. Raises
    StartError when the peer does not start within `timeout` seconds, with what it said; None is no limit.
    """
    return _start(name, env, timeout, options, link=True)


def start(
    name: str | None = None,
    *,
    env: Mapping[str, str] | None = None,
    timeout: TimeoutArgument = STARTING,
    **options: Any,
) -> tuple[Pid, str]:
    """Start a peer without a link (OTP: peer:start/1); otherwise as `start_link`."""
    return _start(name, env, timeout, options, link=False)


def _start(
    name: str | None, env: Mapping[str, str] | None, timeout: TimeoutArgument, options: dict[str, Any], link: bool
) -> tuple[Pid, str]:
    seconds = seconds_of(timeout)
    if name is not None and not isinstance(name, str):
        raise TypeError(f"a peer is named by a str such as 'worker' or 'worker@127.0.0.1', not {render(name)}")
    try:
        json.dumps(options)
    except (TypeError, ValueError) as error:
        raise TypeError(f"a peer is sent its options as JSON, which {render(options)} cannot become: {error}") from None
    local = named_node()
    full = name or f"{local.name.partition('@')[0]}-peer{next(_numbers)}"
    if "@" not in full:
        full = f"{full}@{local.name.partition('@')[2]}"
    starter = Peer.start_link if link else Peer.start
    pid = starter(full, dict(env or {}), options, seconds)
    if pid is None:
        raise StartError("ignore")
    return pid, full


def named_node() -> LocalNode:
    """Return this node as others reach it; one without a name gets one now, and a cookie of its own."""
    node = current_process("peer.start").node
    local = local_node(node)
    if local is None:
        try:
            start_distribution(f"node{getpid()}@127.0.0.1", secrets.token_hex(16))
        except DistributionError:
            if local_node(node) is None:  # else another process has just given it one
                raise
        local = local_node(node)
    assert local is not None
    return local


def stop(pid: Destination, timeout: TimeoutArgument = None) -> None:
    """Stop a peer and wait until it has ended (OTP: peer:stop/1). Raises CallError."""
    stop_server(pid, "normal", timeout)


def name_of(pid: Destination) -> str:
    """Return the name of the node that a peer's process stands for. Raises CallError."""
    return str(call(pid, "name"))


def os_pid(pid: Destination) -> int:
    """Return the number of a peer's operating-system process. Raises CallError."""
    return int(call(pid, "os_pid"))


def child_spec(name: str | None = None, **options: Any) -> ChildSpec:
    """Return the spec by which a supervisor starts a peer, with the arguments of `start_link`; its id is the name.

    Without a name each start makes one up.
    """
    return ChildSpec(id=name or "peer", start=(_Start(options), name), shutdown=2 * STOPPING, modules=[Peer])


class _Start:
    """Starts a peer with options; compares and prints well, for a child spec."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def __call__(self, name: str | None) -> tuple[Pid, str]:
        return start_link(name, **self.options)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Start) and self.options == other.options

    def __hash__(self) -> int:
        return hash(_Start)

    def __repr__(self) -> str:
        return "peer.start_link"
