"""Killing at random below a supervisor, and seeing that everything comes back."""

from __future__ import annotations

import os
import random
import signal
from typing import Literal

from runtime import Down, Pid, connect_node, disconnect_node, monitor, now, peer, receive, sleep, whereis
from runtime.testing.arguments import check_process, check_rate, check_seconds
from runtime.testing.crashing import Crashed, NotRestarted, assert_restarted, children_of, crash, place_of

RETRY = 0.01
"""Seconds between two attempts to reach a node."""

Peers = Literal["kill", "stop", "disconnect"]


def chaos(
    supervisor: Pid | str,
    seconds: float = 1.0,
    rate: float = 20.0,
    seed: int = 0,
    timeout: float = 2.0,
    peers: Peers | None = None,
) -> list[Crashed]:
    """Kill random workers below `supervisor` for a while, and return what was killed, in order.

    There are at most `rate` kills a second, and each victim has to be back within `timeout` seconds before the next
    kill. A supervisor gives up when that is more than it allows, so its `max_restarts` has to fit. The same `seed`
    chooses the same victims. Raises LookupError when there is no such supervisor, and NotRestarted, with the seed and
    the number of the kill, when one is not restarted. Raises TypeError or ValueError, before any kill, for `seconds` or
    a `timeout` below 0 and for a `rate` that is not above 0.

    With `peers` the victims are the nodes below `supervisor` that `runtime.peer` has started, those of a pool among
    them: ``"kill"`` ends their programs by SIGKILL, ``"stop"`` in order, and ``"disconnect"`` cuts the connection,
    after which they have to be reached again. A peer takes its time to start, so give a `timeout` of some seconds.
    """
    __tracebackhide__ = True  # a failure is shown at the line of the test
    check_process(supervisor, "supervisor")
    check_seconds(seconds, "seconds")
    check_rate(rate, "rate")
    check_seconds(timeout, "timeout")
    choose = random.Random(seed)
    killed: list[Crashed] = []
    if children_of(whereis(supervisor) if isinstance(supervisor, str) else supervisor) is None:
        raise LookupError(f"there is no supervisor {supervisor}")
    end = now() + seconds
    while now() < end:
        victims = [pid for pid in workers(supervisor) if peers is None or _is_peer(pid)]
        if not victims:
            break
        victim = choose.choice(victims)
        crashed = crash(victim) if peers is None else _take(victim, peers, timeout)
        killed.append(crashed)
        try:
            if peers == "disconnect":
                _assert_connected(peer.name_of(crashed.pid), timeout)
            else:
                assert_restarted(crashed, timeout)
        except NotRestarted as error:
            raise NotRestarted(f"kill {len(killed)} with seed {seed}: {error}") from None
        sleep(1 / rate)
    return killed


def _is_peer(pid: Pid) -> bool:
    return pid.process is not None and isinstance(pid.process.body, peer.Peer)


def _take(pid: Pid, how: Peers, timeout: float) -> Crashed:
    """Do it to the node that a peer's process stands for, and return once the process, or the connection, has ended."""
    __tracebackhide__ = True
    place = place_of(pid, timeout)
    if how == "disconnect":
        disconnect_node(peer.name_of(pid))
        return Crashed(pid, "disconnect", *place)
    ref = monitor(pid)
    if how == "kill":
        os.kill(peer.os_pid(pid), signal.SIGKILL)
    else:
        peer.stop(pid)
    down = receive(Down(ref, object, object), timeout=timeout, default=None)
    if down is None:
        raise AssertionError(f"{pid} still stands for its node {timeout} s after the {how}")
    return Crashed(pid, down.reason, *place)


def _assert_connected(name: str, timeout: float) -> None:
    __tracebackhide__ = True
    ends = now() + timeout
    while not connect_node(name):
        if now() >= ends:
            raise NotRestarted(f"{name} was not reached again within {timeout} s")
        sleep(RETRY)


def workers(supervisor: Pid | str) -> list[Pid]:
    """Return the workers below a supervisor, at every depth, in the order of `which_children`."""
    top = whereis(supervisor) if isinstance(supervisor, str) else supervisor
    found: list[Pid] = []
    for child in children_of(top) or ():
        if isinstance(child.pid, Pid):
            # a child may be called a supervisor and be none, such as a registry
            found += [child.pid] if children_of(child.pid) is None else workers(child.pid)
    return found
