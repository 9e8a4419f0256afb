"""Wires that are cut, slow or half open, and nodes that are stopped: each side hears once, and they meet again."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from runtime.distribution.outgoing import BUSY
from tests.support.far_kernel import FarKernel, far_kernel

TICKTIME = 1.0


def command(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=300)


class Wire:
    """Two network namespaces with a wire between them, as two machines have it."""

    def __init__(self) -> None:
        self.ends = [f"pobs{os.getpid()}{side}" for side in "ab"]
        subnet = f"10.{213 + os.getpid() % 20}.{os.getpid() % 250}"
        self.addresses = [f"{subnet}.1", f"{subnet}.2"]

    def lay(self) -> None:
        for end in self.ends:
            command("ip", "netns", "add", end)
        left, right = self.ends
        command("ip", "link", "add", left, "netns", left, "type", "veth", "peer", "name", right, "netns", right)
        for end, address in zip(self.ends, self.addresses, strict=True):
            self.inside(end, "ip", "addr", "add", f"{address}/24", "dev", end)
            self.inside(end, "ip", "link", "set", end, "up")
            self.inside(end, "ip", "link", "set", "lo", "up")

    def inside(self, end: str, *words: str) -> None:
        command("ip", "netns", "exec", end, *words)

    def set(self, state: str) -> None:
        self.inside(self.ends[0], "ip", "link", "set", self.ends[0], state)

    def limit(self, *how: str) -> None:
        """Let through, of what the left end sends, so much; nothing is limited without `how`."""
        end = self.ends[0]
        verb = ["replace", "dev", end, "root", "tbf", *how] if how else ["del", "dev", end, "root"]
        self.inside(end, "tc", "qdisc", *verb)

    def remove(self) -> None:
        for end in self.ends:
            subprocess.run(["ip", "netns", "del", end], capture_output=True, check=False)


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    if shutil.which("ip") is None or shutil.which("tc") is None:
        pytest.skip("ip and tc are not installed; Debian has them in iproute2")
    wire = Wire()
    try:
        try:
            wire.lay()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespace can be made here: {error.stderr.decode().strip()}")
        yield wire
    finally:
        wire.remove()


@pytest.fixture
def pair(wire: Wire) -> Iterator[tuple[FarKernel, FarKernel]]:
    """A node on each end of the wire, connected."""
    names = [f"{side}@{address}" for side, address in zip("ab", wire.addresses, strict=True)]
    left, right = (["ip", "netns", "exec", end] for end in wire.ends)
    with far_kernel(names[0], TICKTIME, left) as a, far_kernel(names[1], TICKTIME, right) as b:
        meet(a, b)
        yield a, b


def meet(a: FarKernel, b: FarKernel, before: int = 0) -> None:
    assert a.ask("connect", b.name) == [["up", b.name]]
    assert b.ask("entries", before + 1)[before:] == [["up", a.name]]


def test_a_wire_that_is_cut_is_down_on_both_sides_once_and_heals(wire: Wire, pair: tuple[FarKernel, FarKernel]) -> None:
    a, b = pair
    wire.set("down")
    assert a.ask("entries", 2) == [["up", b.name], ["down", b.name, "net_tick_timeout"]]
    assert b.ask("entries", 2) == [["up", a.name], ["down", a.name, "net_tick_timeout"]]
    wire.set("up")
    meet(a, b, before=2)


def test_a_wire_that_is_open_in_one_direction_alone_is_down_on_both_sides(
    wire: Wire, pair: tuple[FarKernel, FarKernel]
) -> None:
    a, b = pair
    wire.limit("rate", "8bit", "burst", "10", "limit", "10")  # no packet is that small
    try:
        assert b.ask("entries", 2)[1] == ["down", a.name, "net_tick_timeout"]
        assert a.ask("entries", 2)[1][:2] == ["down", b.name]
    finally:
        wire.limit()
    meet(a, b, before=2)


def test_a_slow_wire_holds_the_sender_back_and_loses_nothing(wire: Wire, pair: tuple[FarKernel, FarKernel]) -> None:
    a, b = pair
    wire.limit("rate", "16mbit", "burst", "32kbit", "latency", "100ms")
    try:
        most = a.ask("flood", b.name, 500)
        assert BUSY < most < BUSY + 300_000
        assert b.ask("received", 500) is True
        assert a.ask("entries", 1) == [["up", b.name]]
    finally:
        wire.limit()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a loopback address for each node")
def test_a_node_that_is_stopped_is_down_and_comes_back() -> None:
    own = f"127.{1 + os.getpid() // 256 % 254}.{os.getpid() % 256}"  # other runs of the tests have other addresses
    with far_kernel(f"a@{own}.2", TICKTIME) as a, far_kernel(f"b@{own}.3", TICKTIME) as b:
        meet(a, b)
        b.process.send_signal(signal.SIGSTOP)
        assert a.ask("entries", 2) == [["up", b.name], ["down", b.name, "net_tick_timeout"]]
        b.process.send_signal(signal.SIGCONT)
        entries = b.ask("entries", 2)
        assert [entry[:2] for entry in entries] == [["up", a.name], ["down", a.name]]
        meet(a, b, before=2)
