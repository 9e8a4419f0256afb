"""The public functions on nodes: their names, connecting to them, and watching them."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, Literal

from gevent.lock import Semaphore

from runtime.distribution import net_kernel as lower
from runtime.distribution.cluster import LocalNode, local_node
from runtime.distribution.cookie import read_cookie
from runtime.distribution.errors import DistributionError
from runtime.distribution.kernel_servers import start_kernel_servers, stop_kernel_servers
from runtime.distribution.net_kernel import Tls
from runtime.distribution.options import check_options
from runtime.kernel.destinations import NO_NODE
from runtime.kernel.node import Node, current_process, running_node, this_node
from runtime.kernel.process import Pid, use_remote_table
from runtime.terms.term import Term
from runtime.terms.text import render

_starting = Semaphore()
"""Held by a caller that gives the node a name: that may take a while, and others go on."""


def start_distribution(
    name: str,
    cookie: str | None = None,
    listen: str = "127.0.0.1",
    port: int = 0,
    hidden: bool = True,
    tls: Tls | None = None,
    *,
    insecure: bool = False,
    trust: Literal["pickle", "terms"] = "pickle",
    allow: tuple[str, ...] = (),
    net_ticktime: float = 60.0,
    epmd: Literal["auto"] | None = "auto",
    binaries: Literal["text", "bytes"] = "text",
    none: Literal["nil", "undefined"] = "nil",
) -> str:
    """Name this node, so that others reach it, and return the name in full (OTP: net_kernel:start/2).

    Whoever knows the cookie can run any code in this program, as in Erlang: with ``trust="pickle"`` another Python node
    sends pickles, and any node may start any function here. So it listens on the loopback interface alone; another
    `listen` address needs `tls` or ``insecure=True``. With ``trust="terms"`` nothing is unpickled, and other nodes may
    start only the functions that `allow` lists, as ``"module:function"``.

    A `name` without ``@`` gets the host's. `cookie` is the secret that the nodes of a cluster share; None reads
    ``~/.erlang.cookie``, which is made where it is missing. `port` 0 takes a free one, which epmd tells the others;
    ``epmd=None`` does without epmd. Other nodes do not pass the name of a `hidden` one on. `net_ticktime` is the time
    in seconds after which a node that does not answer counts as down. `binaries` says what an Erlang binary becomes
    here: ``"text"`` makes a str where it is UTF-8, ``"bytes"`` always makes bytes. `none` says what None becomes there.

    Raises TypeError or ValueError for an option that cannot be one, and DistributionError, which says what to do, when
    the name is taken, a port is, or the host is not found.
    """
    full = _full_name(name)
    options: dict[str, Any] = {
        "listen": listen,
        "port": port,
        "hidden": hidden,
        "tls": tls,
        "insecure": insecure,
        "trust": trust,
        "net_ticktime": net_ticktime,
        "epmd": epmd,
        "binaries": binaries,
        "none": none,
    }
    allowed = check_options(allow=allow, **options)
    node = this_node()
    with _starting:
        if node.cluster is not None:
            raise DistributionError(f"this node is called {node.cluster.name} already; call stop_distribution() first")
        secret = read_cookie() if cookie is None else cookie
        local = LocalNode(node, full, secret)
        local.allowed = None if trust == "pickle" else allowed
        net_kernel = lower.start(full, secret, conversion=local, handler=local, **options)
        _take_up(node, local, net_kernel)
        return local.name


def name_for_run(name: str, cookie: str | None) -> bool:
    """Name this node as `run` was asked to. Returns whether that was to be done: ``observer run --node`` is earlier.

    Raises DistributionError where the node has got another name.
    """
    local = local_node(this_node())
    if local is None:
        start_distribution(name, cookie)
        return True
    if _full_name(name) != local.name or cookie not in (None, local.cookie):
        raise DistributionError(
            f"this node is called {local.name} already, by --node or start_distribution(); leave that out, or give "
            "run() the same node= and cookie="
        )
    return False


def _full_name(name: str) -> str:
    """Return a node's name with its host. Raises DistributionError for what cannot be one."""
    if not isinstance(name, str) or not name or name.startswith("@") or name.endswith("@"):
        raise DistributionError(f"a node is named by a str such as 'shop' or 'shop@127.0.0.1', not {render(name)}")
    return name if "@" in name else f"{name}@{socket.gethostname().partition('.')[0]}"


def _take_up(node: Node, local: LocalNode, net_kernel: lower.NetKernel) -> None:
    """Let a node be reached under its name from now on."""
    local.begin(net_kernel)
    node.cluster = local
    use_remote_table(local.find_remote)
    node.closing.append(local.close)
    start_kernel_servers(local)


def stop_distribution() -> bool:
    """Take this node's name away: every connection ends (OTP: net_kernel:stop/0). Returns whether it had one."""
    node = running_node()
    local = local_node(node)
    if node is None or local is None:
        return False
    node.closing.remove(local.close)
    stop_kernel_servers(local)
    local.close()
    return True


def node(pid: Pid | None = None) -> str:
    """Return the name of this node, or of the node that a process belongs to (OTP: node/0, node/1).

    A node without a name is ``"nonode@nohost"``.
    """
    cluster = local_node(running_node())
    if pid is None:
        return NO_NODE if cluster is None else cluster.name
    if not isinstance(pid, Pid):
        raise TypeError(f"node() takes a Pid, not {render(pid)}")
    if cluster is None:
        return NO_NODE if pid.node == 0 else "unknown"
    return cluster.name_of(pid)


def nodes(kind: Literal["connected", "visible", "hidden", "this", "known"] = "connected") -> list[str]:
    """Return the names of the nodes that this one is connected with (OTP: nodes/0, nodes/1).

    `kind` selects: ``"hidden"`` or ``"visible"`` nodes alone, ``"this"`` node, or all that are ``"known"``, connected
    or not.
    """
    if kind not in ("connected", "visible", "hidden", "this", "known"):
        raise ValueError(f"nodes() takes 'connected', 'visible', 'hidden', 'this' or 'known', not {render(kind)}")
    cluster = local_node(running_node())
    if cluster is None:
        return [NO_NODE] if kind in ("this", "known") else []
    if kind == "this":
        return [cluster.name]
    if kind == "known":
        return [cluster.name, *cluster.remotes]
    found = []
    for remote in cluster.remotes.values():
        connection = remote.connection
        if connection is not None and (kind == "connected" or connection.hidden == (kind == "hidden")):
            found.append(remote.name)
    return found


def connect_node(name: str) -> bool:
    """Connect to another node and wait for the outcome (OTP: net_kernel:connect_node/1).

    Returns True when the two are connected, or were, False when they could not be; a wrong cookie is a reason, too. An
    attempt that a send has begun before may fail: then this begins another one.
    """
    _checked(name)
    local = local_node(running_node())
    if local is None:
        return False
    if name == local.name:
        return True
    remote = local.remote(name)
    if remote.connection is not None or remote.is_connecting:
        remote.settled.wait()  # the connection may be about to end, or the attempt to fail
    remote.connect()
    remote.settled.wait()
    return remote.connection is not None


def disconnect_node(name: str) -> bool:
    """End the connection to another node, and wait until it has ended (OTP: erlang:disconnect_node/1).

    Returns whether there was a connection. What is sent afterwards connects the two again.
    """
    _checked(name)
    local = local_node(running_node())
    remote = None if local is None else local.remotes.get(name)
    if remote is None or remote.connection is None:
        return False
    remote.settled.clear()
    remote.connection.close("disconnect")
    remote.settled.wait()
    return True


def set_cookie(name: str, cookie: str) -> bool:
    """Use another cookie with the node of that name from now on (OTP: erlang:set_cookie/2). Returns True.

    For this node's own name it is the one for all nodes that have none of their own. A connection that stands stays;
    the next one needs the new cookie on both sides. A cookie that the other node does not have keeps it away, which is
    how to try a partition. Raises DistributionError for what cannot be a cookie, and without a name.
    """
    local = local_node(running_node())
    if local is None:
        raise DistributionError("set_cookie() needs a node with a name; call start_distribution() first")
    local.net_kernel.set_cookie(_checked(name), cookie)
    if name == local.name:
        local.cookie = cookie
    return True


def get_cookie(name: str | None = None) -> str:
    """Return the cookie that is used with a node, or with those that have none of their own (OTP: erlang:get_cookie/1).

    It is a secret: see `start_distribution`. Raises DistributionError without a name.
    """
    local = local_node(running_node())
    if local is None:
        raise DistributionError("get_cookie() needs a node with a name; call start_distribution() first")
    return local.net_kernel.cookie_for(local.name if name is None else _checked(name))


def ping(name: str) -> bool:
    """Return whether another node can be reached; connects to it if need be (OTP: net_adm:ping/1)."""
    return connect_node(name)


def monitor_node(name: str, on: bool = True) -> bool:
    """Have one `NodeDown` delivered when the connection to a node ends (OTP: monitor_node/2). True.

    It connects first; a node that cannot be reached is down at once. Each call gives one message; with ``on=False`` one
    is taken back. This node itself never goes down.
    """
    _checked(name)
    process = current_process("monitor_node")
    local = local_node(process.node)
    if local is None:
        raise DistributionError("monitor_node() needs a node with a name; call start_distribution() first")
    if name == local.name:
        return True
    monitors = local.node_monitors
    if not on:
        monitors.drop(name, process)
        return True
    monitors.add(name, process)
    local.remote(name).connect()
    return True


def monitor_nodes(on: bool = True) -> bool:
    """Have a `NodeUp` and a `NodeDown` delivered for each node that comes and goes (OTP: net_kernel:monitor_nodes/1).

    Each call with True is one more subscription; with False all of the caller's end. Returns True.
    """
    process = current_process("monitor_nodes")
    local = local_node(process.node)
    if local is None:
        raise DistributionError("monitor_nodes() needs a node with a name; call start_distribution() first")
    if on:
        local.node_monitors.subscribe(process)
    else:
        local.node_monitors.unsubscribe(process)
    return True


def cookie_from(path: str | Path) -> str:
    """Return the cookie in a file."""
    return read_cookie(Path(path))


def _checked(name: Term) -> str:
    if not isinstance(name, str):
        raise TypeError(f"a node is named by a str such as 'shop@127.0.0.1', not {render(name)}")
    return name
