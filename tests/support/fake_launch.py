"""Stands in for the launch of a program: opens a node's socket (unless told not to) and behaves as told.

Run as ``python -m tests.support.fake_launch --name NAME --lifeline FD BEHAVIOUR``.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time

from runtime.introspection.address import socket_path
from tests.support.fake_endpoint import FakeEndpoint, of_rows


def main() -> None:
    """Behave as the last argument says until the lifeline ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--name")
    parser.add_argument("--listener", type=int)
    parser.add_argument("--lifeline", type=int)
    parser.add_argument("--ending", type=int)
    parser.add_argument("-m", action="store_true")
    parser.add_argument("behaviour")
    parser.add_argument("arguments", nargs="*")
    arguments = parser.parse_args()
    if arguments.behaviour == "fails":
        print("no such luck", file=sys.stderr)
        sys.exit(3)
    if arguments.behaviour == "mute":
        os.read(arguments.lifeline, 1)
        return
    if arguments.listener is not None:
        socket_path(arguments.name).unlink()  # it listens on a socket of its own
    with FakeEndpoint(arguments.name, of_rows(())):
        match arguments.behaviour:
            case "offspring":
                sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
                print(sleeper.pid, flush=True)
            case "stubborn":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                print("ready", flush=True)
                while True:
                    time.sleep(600)
            case "failing":  # it has failed, and has not ended yet
                signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
                os.write(arguments.ending, b"KeyError: 'port'")
                print("ready", flush=True)
            case "talks":
                print("".join(f"line {number}\n" for number in range(2_000)) + "x" * 5_000 + "\n\x1b[2Jend", end="")
                sys.stdout.flush()
            case "dies":
                threading.Timer(0, os._exit, (7,)).start()
        os.read(arguments.lifeline, 1)


if __name__ == "__main__":
    main()
