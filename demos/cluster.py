"""Three nodes, and work that moves when one of them is killed.

``python -m demos.cluster`` starts two more nodes, ``left`` and ``right``, on which six surveys run; kills ``left`` by
SIGKILL, and shows how its surveys go on: at first on ``right``, and on both when ``left`` is back. Then it cuts the
wire between the two, and mends it: a partner on each of them is linked with the other one, and monitors it. In the
observer:

- ``left`` and ``right`` stand for the other two operating-system processes. Press ``x`` on one: its node ends, the
  surveys on it move, and its supervisor starts it again.
- Press ``enter`` on ``surveyor``: its state says which survey is on which node. Its monitors lead to the other nodes.
- ``kill -9`` one of the peers from another terminal, or stop it with ``kill -STOP``.
- Press ``m`` on ``wire`` and send it ``"cut"``: ``left`` and ``right`` lose each other, while both stay connected with
  this node, and the surveys go on. The state of ``surveyor`` says what each partner got: one `Exit` and one `Down`, and
  that what it tried since has failed. Send ``"heal"``: they are linked again.

A survey that moves goes on where it was last reported. A node that is gone is a `Down` with the reason
``"noconnection"`` for each survey that ran there, and one `NodeDown`.

The wire is cut by cookies: the two are disconnected, and each has a cookie for the other that the other one does not
have. So each refuses the other until they have the same one again.
"""

from __future__ import annotations

import logging
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from demos._stage import play
from runtime import (
    ANY,
    ChildSpec,
    Down,
    Exit,
    GenServer,
    NodeDown,
    NodeUp,
    Pid,
    Ref,
    Supervisor,
    call,
    cast,
    connect_node,
    disconnect_node,
    erpc,
    exit,
    flag,
    get_cookie,
    link,
    monitor,
    monitor_nodes,
    nodes,
    peer,
    receive,
    self_,
    send,
    set_cookie,
    sleep,
    spawn,
    spawn_monitor,
    whereis,
    which_children,
)
from runtime import node as this_node

PEERS = ("left", "right")
SURVEYS = ("coast", "desert", "forest", "glacier", "harbour", "island")
PACE = 0.05
"""Seconds between two measurements of a survey."""


def survey(name: str, station: Pid, measured: int) -> None:
    """Measure on, and report each measurement, until the station is lost. This runs on one of the peers.

    Where only the connection has ended, the station has let this survey go on elsewhere: two would be one too many.
    """
    lost = monitor(station)
    while receive(Down(lost, ANY, ANY), timeout=PACE, default=None) is None:
        measured += 1
        cast(station, ("measured", name, measured))


def is_shutdown(message: object) -> bool:
    """Return whether a message asks a process that traps exits to end: its node stops."""
    return isinstance(message, Exit) and message.reason == "shutdown"


def partner(other: str, surveyor: tuple[str, str]) -> None:
    """Stay linked with the partner on another node; tell each loss of it, and each link. This runs on both peers.

    Every `Exit` and `Down` counts that comes from one link and one monitor, so of each one is told for a loss.
    """
    flag(trap_exit=True)
    logging.getLogger("runtime.distribution").setLevel(logging.ERROR)  # that the other node is away is no news here
    while True:
        there = None
        while there is None:
            if receive(is_shutdown, timeout=PACE, default=None) is not None:
                return
            there = whereis(("partner", other))
        link(there)
        cast(surveyor, ("linked", other))
        ref = monitor(there)
        exited = receive(Exit(there, ANY), is_shutdown)
        if exited.pid != there:
            return
        reasons = [exited.reason, receive(Down(ref, ANY, ANY)).reason]
        more = receive(Exit(there, ANY), Down(ref, ANY, ANY), timeout=4 * PACE, default=None)
        cast(surveyor, ("lost", other, [*reasons, *([] if more is None else [more])]))


class Surveyor(GenServer):
    """Keeps every survey running on one of the nodes that are there."""

    def init(self) -> None:
        """Start them all."""
        monitor_nodes()
        self.measured = dict.fromkeys(SURVEYS, 0)
        self.places: dict[str, str] = {}
        self.running: dict[Ref, tuple[str, Pid]] = {}
        self.moved = 0
        self.partners: dict[str, str | list[object]] = {}
        """What the partner of each peer has got last: ``"linked"``, or the reasons of its Exit and its Down."""
        self.spread()
        for name in nodes():
            self.pair(name)

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

    def pair(self, node: str) -> None:
        """Start the partner on a node, whose own partner is on the other one."""
        others = [node_name(each) for each in PEERS if each != short(node)]
        if short(node) in PEERS:
            spawn(partner, *others, ("surveyor", this_node()), node=node, name="partner")

    def balance(self) -> None:
        """Take surveys off the fuller node, so that they start on the other one."""
        load = Counter(self.places.values())
        for _, pid in list(self.running.values())[: max(load.values(), default=0) - len(SURVEYS) // len(PEERS)]:
            exit(pid, "moves")

    def handle_call(self, request: object, caller: object) -> dict[str, list[str]] | dict[str, str | list[object]]:
        """Say which surveys are on which node, or what the partners have got."""
        if request == "partners":
            return self.partners
        return {
            node: [name for name in SURVEYS if short(self.places.get(name, "")) == node]
            for node in sorted(set(map(short, self.places.values())))
        }

    def handle_cast(self, message: tuple[object, ...]) -> None:
        """Take a measurement, or what a partner tells of the one on the other node."""
        match message:
            case ("measured", str(name), int(measured)):
                self.measured[name] = measured
            case ("linked", str(other)):
                self.partners[other_of(other)] = "linked"
            case ("lost", str(other), list(reasons)):
                self.partners[other_of(other)] = reasons

    def handle_info(self, message: object) -> None:
        """Let what ended with a node go on elsewhere."""
        match message:
            case Down(ref, _, _):
                name, _ = self.running.pop(ref)
                del self.places[name]
                self.moved += 1
                self.spread()
            case NodeUp(name):
                self.pair(name)
                self.spread()
                self.balance()
            case NodeDown(name, "disconnect"):
                spawn(connect_node, name)  # it runs on: an observer has cut the connection
            case NodeDown():
                pass  # each of its surveys has reported it already


class Wire(GenServer):
    """The wire between the peers: cuts it when it is sent ``"cut"``, and mends it when it is sent ``"heal"``."""

    def init(self) -> None:
        """Begin with a wire that holds."""
        self.is_cut = False

    def handle_info(self, message: object) -> None:
        """Cut it, or mend it."""
        if message not in ("cut", "heal"):
            return
        left, right = map(node_name, PEERS)
        self.is_cut = message == "cut"
        for node, other in ((left, right), (right, left)):
            erpc.call(node, refuse if self.is_cut else allow, other)
        if self.is_cut:
            erpc.call(left, disconnect_node, right)


def refuse(other: str) -> None:
    """Have a cookie for another node that it does not have. This runs on one of the peers."""
    set_cookie(other, f"cut by {os.getpid()}")


def allow(other: str) -> None:
    """Have the cookie for another node that all have. This runs on one of the peers."""
    set_cookie(other, get_cookie())


def node_name(short_name: str) -> str:
    """Return the name of a peer's node. This program's number is in it, so that two demos can run at once."""
    return f"{short_name}-{os.getpid()}@127.0.0.1"


def other_of(node: str) -> str:
    """Return the peer that has this one for a partner."""
    return next(each for each in PEERS if each != short(node))


def short(node: str) -> str:
    """Return the part of a peer's name that says which one it is."""
    return node.partition("-")[0]


def tree() -> Pid | None:
    """Start the peers, each under its name, and the surveyor."""
    started = [replace(named_peer(name), id=name) for name in PEERS]
    children = [*started, Surveyor.child_spec(name="surveyor"), Wire.child_spec(name="wire")]
    return Supervisor.start_link(children, max_restarts=10, name="cluster")


def named_peer(name: str) -> ChildSpec:
    """Return the spec of a peer."""
    return peer.child_spec(node_name(name))


def show(what: str) -> None:
    """Print where the surveys are."""
    places = call("surveyor", "where")
    print(what, *(f"{len(surveys)} surveys on {node}" for node, surveys in places.items()), sep="\n")


def wait_until(is_so: Callable[[dict[str, Any]], bool], what: str = "where") -> None:
    """Wait until a function is true of what the surveyor says."""
    while not is_so(call("surveyor", what)):
        sleep(PACE)


def are_balanced(places: dict[str, Any]) -> bool:
    """Return whether three surveys are on each of the two peers."""
    return len(places) == 2 and all(len(surveys) == 3 for surveys in places.values())


def are_linked(partners: dict[str, Any]) -> bool:
    """Return whether both partners are linked with each other."""
    return len(partners) == 2 and all(state == "linked" for state in partners.values())


def session() -> None:
    """Kill a node, and show how its work moves; then cut a wire, and mend it."""
    tree()
    wait_until(are_balanced)
    show("Three nodes, this one and two with surveys:")
    os.kill(peer.os_pid(left()), signal.SIGKILL)
    wait_until(lambda places: len(places.get("right", ())) == 6)
    show("left was killed, and its surveys went on:")
    wait_until(are_balanced)
    print("left is back, with three surveys again.")
    wait_until(are_linked, "partners")
    print("A partner on left and one on right are linked. The wire between the two is cut:")
    send("wire", "cut")
    wait_until(lambda partners: not any(state == "linked" for state in partners.values()), "partners")
    for node, reasons in sorted(call("surveyor", "partners").items()):
        print(f"the partner on {node} got one Exit and one Down: {reasons}")
    send("wire", "heal")
    wait_until(are_linked, "partners")
    print("The wire is mended, and they are linked again.")


def left() -> Pid:
    """Return the process that stands for the first peer."""
    found = next(child.pid for child in which_children("cluster") if child.id == "left")
    assert isinstance(found, Pid)
    return found


if __name__ == "__main__":
    play(session, tree)
