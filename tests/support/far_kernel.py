"""A reachable node in a program of its own, told what to do line by line: ``python -m tests.support.far_kernel``.

It answers each line with one of JSON. Without epmd, every node listens on the same port, each on an address of its own.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gevent
from gevent.os import tp_read

from runtime.distribution.net_kernel import NetKernel
from runtime.terms.atom import Atom
from tests.support.kernels import SEND, Diary, pid_at, start_kernel, wait_until

PORT = 4711


class FarKernel:
    """The other program, seen from the test."""

    def __init__(self, name: str, process: "subprocess.Popen[str]") -> None:
        self.name = name
        self.process = process

    def ask(self, *order: Any) -> Any:
        """Have it do something, and return its answer."""
        self.begin(*order)
        return self.answer()

    def begin(self, *order: Any) -> None:
        """Have it do something, without waiting for its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        """Return the next answer."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())


@contextmanager
def far_kernel(name: str, net_ticktime: float, prefix: Sequence[str] = ()) -> Iterator[FarKernel]:
    """Start such a program, by a command such as ``ip netns exec``."""
    command = [*prefix, sys.executable, "-m", __name__, name, str(net_ticktime)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        kernel = FarKernel(name, process)
        try:
            assert kernel.answer() == "listening"
            yield kernel
        finally:
            process.kill()


def _carry_out(kernel: NetKernel, diary: Diary, order: list[Any]) -> Any:
    match order:
        case ["connect", name]:
            diary.entries.clear()
            kernel.connect(name)
            wait_until(lambda: diary.entries, 120)
            return diary.entries
        case ["entries", int(count)]:
            wait_until(lambda: len(diary.entries) >= count, 120)
            return diary.entries
        case ["flood", name, int(count)]:
            connection = kernel.connections[name]
            most = 0
            for number in range(count):
                connection.send((SEND, Atom(""), pid_at(connection)), (number, b"x" * 10_000))
                most = max(most, connection.queued)
                while connection.is_busy():
                    gevent.sleep(0.002)
            return most
        case ["received", int(count)]:
            wait_until(lambda: len(diary.messages) >= count, 120)
            return [number for number, _ in diary.messages] == [*range(count)]
    raise ValueError(order)


def main(name: str, net_ticktime: str) -> None:
    """Do what comes in, until nothing comes any more."""
    diary = Diary()
    address = name.partition("@")[2]
    ticktime = float(net_ticktime)
    kernel = start_kernel(name, diary, listen=address, port=PORT, epmd=None, insecure=True, net_ticktime=ticktime)
    print('"listening"', flush=True)
    received = b""
    while data := tp_read(0, 10_000):
        received += data
        while b"\n" in received:
            line, _, received = received.partition(b"\n")
            print(json.dumps(_carry_out(kernel, diary, json.loads(line))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
