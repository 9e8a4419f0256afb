"""The figures of the whole node: counted by the runtime, or summed up a little at a time."""

from __future__ import annotations

import errno
import math
import os
import platform
import resource
import signal
import sys
import time

import gevent
import greenlet
import psutil

from runtime.introspection import wire
from runtime.introspection.endpoint.listener import MAX_CLIENTS
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.events.greenlets import Greenlets
from runtime.introspection.measuring.counters import Totals
from runtime.introspection.measuring.resident_memory import ResidentMemory
from runtime.introspection.threads.pace import Pace
from runtime.kernel import scheduler
from runtime.kernel.node import Node
from runtime.otp import server_loop
from runtime.preemption.time_slice import TimeSlices
from runtime.preemption.watchdog import Watchdog
from runtime.terms.text import shorten

MEMORY_EVERY = 0.8
"""Seconds between two looks at the memory of the whole program. Several observers ask several times a second, and the
system takes longer to tell than all other figures together."""

SETTINGS_EVERY = 5.0
"""Seconds between two looks at how the node is set, most of which never changes."""


class NodeFigures:
    """Collects `wire.NodeStats`. Used by one thread at a time."""

    def __init__(
        self, node: Node, name: str, log: EventLog, watchdog: Watchdog, greenlets: Greenlets, read_only: bool = False
    ) -> None:
        self.node = node
        self.name = name
        self.read_only = read_only
        self.supervisors = 0
        self.lint_count = 0
        self._log = log
        self._watchdog = watchdog
        self._greenlets = greenlets
        self._totals = Totals(node)
        self._messages = self._reductions = 0
        self._resident, self._rss = ResidentMemory(), 0
        self._rss_at = self._settings_at = -math.inf
        self._settings: dict[str, str] = {}

    def stats(self, pace: Pace, scope: str | None = None) -> wire.NodeStats:
        """Return the figures as they are now; `scope` is a note on what is older."""
        node, log, watchdog = self.node, self._log, self._watchdog
        self._sum(pace)
        busy_at, busy_with = watchdog.busy_at, watchdog.busy_with
        spawned, alive = node.spawned, node.alive
        return wire.NodeStats(
            name=self.name,
            time=time.time(),
            started_at=node.started_at,
            os_pid=os.getpid(),
            process_count=alive,
            greenlet_count=len(self._greenlets),
            supervisor_count=self.supervisors,
            run_queue=len(node.scheduler.ready),
            messages=self._messages,
            reductions=self._reductions,
            spawned=spawned,
            exited=max(0, spawned - alive),
            crashed=log.crashed,
            restarted=log.restarted,
            rss=self.memory(),
            cpu_time=time.process_time(),
            hub_lag=round(watchdog.lag, 6),
            hub_busy_with=None if busy_at is None else "?" if busy_with is None else str(busy_with.pid),
            hub_busy_at=None if busy_at is None else shorten(busy_at),
            timers=len(node.timers.pending),
            names=len(node.names),
            remains=len(node.scheduler.remains),
            events_dropped=log.dropped,
            last_event=log.last,
            lint_count=self.lint_count,
            distributed_as="" if node.cluster is None else node.cluster.name,
            connected=connected_nodes(node),
            read_only=self.read_only,
            scope=scope,
        )

    def memory(self) -> int:
        """Return how much memory the program has, as of less than a second ago."""
        present = time.monotonic()
        if present - self._rss_at >= MEMORY_EVERY:
            self._rss, self._rss_at = self._resident.read(), present
        return self._rss

    def settings(self) -> dict[str, str]:
        """Return the node's constants: versions, and how the scheduler is set; as of some seconds ago."""
        present = time.monotonic()
        if present - self._settings_at >= SETTINGS_EVERY:
            self._settings, self._settings_at = self._read_settings(), present
        return self._settings

    def _read_settings(self) -> dict[str, str]:
        system = os.uname()
        return {
            "python": platform.python_version(),
            "gevent": gevent.__version__,
            "greenlet": greenlet.__version__,
            "event loop": type(self.node.hub.loop).__module__,
            "platform": " ".join((system.sysname, system.release, system.machine)),
            "processors": str(os.cpu_count()),
            "open files": _open_files(self._resident.system),
            "time slice": _time_slice(),
            "scheduler batch": f"{scheduler.BATCH * 1000:g} ms",
            "messages in one turn of a server": str(server_loop.TURN),
            "idle workers kept": str(scheduler.MAX_IDLE),
            "idle workers": str(len(self.node.scheduler.idle)),
            "watchdog limit": f"{self._watchdog.limit * 1000:g} ms",
            "recursion limit": str(sys.getrecursionlimit()),
            "events kept": str(self._log.capacity),
            "observers at a time": str(MAX_CLIENTS),
        }

    def _sum(self, pace: Pace) -> None:
        past_messages, past_reductions = self._log.past_messages, self._log.past_reductions
        messages, reductions = self._totals.update(pace)
        # A process that died between the two reads is in neither of them; sums never go back because of that.
        self._messages = max(self._messages, messages + past_messages)
        self._reductions = max(self._reductions, reductions + past_reductions)


def connected_nodes(node: Node) -> int:
    """Return how many other nodes this one is connected with."""
    net_kernel = getattr(node.cluster, "net_kernel", None)
    return 0 if net_kernel is None else len(net_kernel.connections)


def _time_slice() -> str:
    """Say how long a process may hold the hub while others could run."""
    slices = getattr(signal.getsignal(signal.SIGALRM), "__self__", None)
    return f"{slices.seconds * 1000:g} ms" if isinstance(slices, TimeSlices) else "off"


def _open_files(system: psutil.Process) -> str:
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = "any number" if allowed == resource.RLIM_INFINITY else f"{allowed:,}"
    try:
        return f"{system.num_fds():,} of {limit} allowed"
    except OSError as error:
        return f"all of {limit} allowed" if error.errno == errno.EMFILE else f"{limit} allowed"
    except (psutil.Error, AttributeError):
        return f"{limit} allowed"
