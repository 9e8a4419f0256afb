"""Three nodes, and work that moves when one of them is killed.

``python -m demos.cluster`` starts two more nodes, ``left`` and ``right``, on which six surveys run; kills ``left`` by
SIGKILL, and shows how its surveys go on: at first on ``right``, and on both when ``left`` is back. In the observer:

- ``left`` and ``right`` stand for the other two operating-system processes. Press ``x`` on one: its node ends, the
  surveys on it move, and its supervisor starts it again.
- Press ``enter`` on ``surveyor``: its state says which survey is on which node. Its monitors lead to the other nodes.
- ``kill -9`` one of the peers from another terminal, or stop it with ``kill -STOP``.

A survey that moves goes on where it was last reported. A node that is gone is a `Down` with the reason
``"noconnection"`` for each survey that ran there, and one `NodeDown`.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from dataclasses import replace

from demos._stage import play
from runtime import (
    ChildSpec,
    Down,
    GenServer,
    NodeDown,
    NodeUp,
    Pid,
    Ref,
    Supervisor,
    call,
    cast,
    exit,
    monitor_nodes,
    nodes,
    peer,
    self_,
    sleep,
    spawn_monitor,
    which_children,
)

PEERS = ("left", "right")
SURVEYS = ("coast", "desert", "forest", "glacier", "harbour", "island")
PACE = 0.05
"""Seconds between two measurements of a survey."""


def survey(name: str, station: Pid, measured: int) -> None:
    """Measure on, and report each measurement. This runs on one of the peers."""
    while True:
        sleep(PACE)
        measured += 1
        cast(station, ("measured", name, measured))


class Surveyor(GenServer):
    """Keeps every survey running on one of the nodes that are there."""

    def init(self) -> None:
        """Start them all."""
        monitor_nodes()
        self.measured = dict.fromkeys(SURVEYS, 0)
        self.places: dict[str, str] = {}
        self.running: dict[Ref, tuple[str, Pid]] = {}
        self.moved = 0
        self.spread()

    def spread(self) -> None:
        """Start each survey that does not run, on the node that has the fewest."""
        there = [name for name in nodes() if short(name) in PEERS]
        for name in SURVEYS if there else ():
            if name not in self.places:
                load = Counter(self.places.values())
                node = min(there, key=lambda node: (load[node], node))
                pid, ref = spawn_monitor(survey, name, self_(), self.measured[name], node=node)
                self.running[ref] = name, pid
                self.places[name] = node

    def balance(self) -> None:
        """Take surveys off the fuller node, so that they start on the other one."""
        load = Counter(self.places.values())
        for _, pid in list(self.running.values())[: max(load.values(), default=0) - len(SURVEYS) // len(PEERS)]:
            exit(pid, "moves")

    def handle_call(self, request: object, caller: object) -> dict[str, list[str]]:
        """Say which surveys are on which node."""
        return {
            node: [name for name in SURVEYS if short(self.places.get(name, "")) == node]
            for node in sorted(set(map(short, self.places.values())))
        }

    def handle_cast(self, message: tuple[str, str, int]) -> None:
        """Take a measurement."""
        _, name, measured = message
        self.measured[name] = measured

    def handle_info(self, message: object) -> None:
        """Let what ended with a node go on elsewhere."""
        match message:
            case Down(ref, _, _):
                name, _ = self.running.pop(ref)
                del self.places[name]
                self.moved += 1
                self.spread()
            case NodeUp():
                self.spread()
                self.balance()
            case NodeDown():
                pass  # its surveys have each told of it already


def short(node: str) -> str:
    """Return the part of a peer's name that says which one it is."""
    return node.partition("-")[0]


def tree() -> Pid | None:
    """Start the peers, each under its name, and the surveyor."""
    started = [replace(named_peer(name), id=name) for name in PEERS]
    return Supervisor.start_link([*started, Surveyor.child_spec(name="surveyor")], max_restarts=10, name="cluster")


def named_peer(name: str) -> ChildSpec:
    """Return the spec of a peer whose node has this program's number in its name, so that two demos can run at once."""
    return peer.child_spec(f"{name}-{os.getpid()}@127.0.0.1")


def show(what: str) -> None:
    """Print where the surveys are."""
    places = call("surveyor", "where")
    print(what, *(f"{len(surveys)} surveys on {node}" for node, surveys in places.items()), sep="\n")


def wait_until(is_so: object) -> None:
    """Wait until a function is true of where the surveys are."""
    assert callable(is_so)
    while not is_so(call("surveyor", "where")):
        sleep(PACE)


def session() -> None:
    """Kill a node, and show how its work moves."""
    tree()
    wait_until(lambda places: all(len(surveys) == 3 for surveys in places.values()) and len(places) == 2)
    show("Three nodes, this one and two with surveys:")
    os.kill(peer.os_pid(left()), signal.SIGKILL)
    wait_until(lambda places: len(places.get("right", ())) == 6)
    show("left was killed, and its surveys went on:")
    wait_until(lambda places: all(len(surveys) == 3 for surveys in places.values()) and len(places) == 2)
    print("left is back, with three surveys again.")


def left() -> Pid:
    """Return the process that stands for the first peer."""
    found = next(child.pid for child in which_children("cluster") if child.id == "left")
    assert isinstance(found, Pid)
    return found


if __name__ == "__main__":
    play(session, tree)
