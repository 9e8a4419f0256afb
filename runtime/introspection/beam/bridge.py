"""The program between a BEAM node and observers: ``python -m runtime.introspection.beam.bridge app@host``.

It connects to the node by distribution, as a hidden node, and listens on a socket for observers as any node does.
"""

from __future__ import annotations

import _socket
import argparse
import logging
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from runtime.boot.run import run
from runtime.distribution.cookie import read_cookie
from runtime.distribution.errors import DistributionError
from runtime.distribution.nodes import connect_node, start_distribution
from runtime.introspection import wire
from runtime.introspection.address import Reservation, reserve, socket_path
from runtime.introspection.beam.answers import BeamAnswers, Facts
from runtime.introspection.beam.erlang import Beam, BeamError
from runtime.introspection.endpoint.listener import Endpoint
from runtime.introspection.endpoint.session import ClientDroppedError, Session
from runtime.introspection.program import fit
from runtime.kernel.mailbox import receive
from runtime.kernel.node import this_node
from runtime.kernel.threads import sleep, start_thread
from runtime.terms.atom import Atom

GRACE = 3.0
"""Seconds between the end of the lifeline and the end of this process."""

PERIOD = 1.0
"""Seconds between two looks at whether the node is still connected."""


class Bridge:
    """Serves observers of one BEAM node."""

    def __init__(self, answers: BeamAnswers, reservation: Reservation, options: argparse.Namespace) -> None:
        self.answers = answers
        self.endpoint = Endpoint(reservation, self._serve, lambda text: print(text, file=sys.stderr, flush=True))
        facts = answers.facts
        self._welcome = wire.Welcome(
            protocol=wire.PROTOCOL,
            node=reservation.name,
            os_pid=facts.os_pid,
            started_at=facts.started_at,
            runtime_version="",
            python_version="",
            gevent_version="",
            command=f"Erlang/OTP {facts.release}, {facts.name}",
            read_only=options.read_only,
            program=reservation.name,
            distributed_as=facts.name,
        )

    def _serve(self, session: Session) -> None:
        """Talk with one observer until it hangs up. On a thread of its own."""
        if session.read_hello().protocol != wire.PROTOCOL:
            session.send(
                wire.Refused(why=f"This observer speaks another version than {wire.PROTOCOL} of the protocol.")
            )
            raise ClientDroppedError("it speaks another version of the protocol")
        session.send(self._welcome)
        while True:
            request = session.read_request()
            session.send(wire.Reply(id=request.id, answer=self.answers.answer(request.query)))


def main(arguments: list[str] | None = None) -> None:
    """Connect, listen, and serve until the node is gone or this process is told to end."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    if options.lifeline is not None:
        start_thread(_hold_on, (options.lifeline,))
    os.environ["OBSERVER"] = ""  # the bridge itself is not observed
    run(_bridge, options)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m runtime.introspection.beam.bridge")
    parser.add_argument("--name", help="what observers know the node by; by default after the node")
    parser.add_argument("--listener", type=int, metavar="FD", help="a socket that is bound to the name, to listen on")
    parser.add_argument("--lifeline", type=int, metavar="FD", help="end when this pipe ends")
    parser.add_argument("--ending", type=int, metavar="FD", help="write to this pipe what it ended of")
    parser.add_argument("--cookie-file", metavar="FILE", help="the file of the cookie, by default ~/.erlang.cookie")
    parser.add_argument("--read-only", action="store_true", help="let observers change nothing")
    parser.add_argument("--no-state", action="store_true", help="do not show what processes hold")
    parser.add_argument("node", help="the node to observe: app@host")
    return parser.parse_args(arguments)


def _bridge(options: argparse.Namespace) -> None:
    try:
        cookie = None if options.cookie_file is None else read_cookie(Path(options.cookie_file))
        start_distribution(_own_name(options.node), cookie, trust="terms")
    except (DistributionError, OSError, ValueError) as error:
        _fail(options, f"The observer could not become a node: {error}")
    logging.getLogger("runtime.distribution").setLevel(logging.ERROR)  # why there is no connection is told below
    if not connect_node(options.node):
        _fail(options, f"There is no connection to {options.node}: {_why(options.node)}.")
    beam = Beam(options.node)
    try:
        answers = BeamAnswers(beam, _called(options), _facts(beam), options.read_only, not options.no_state)
        answers.look()
    except BeamError as error:
        _fail(options, f"{error}. Is it an Erlang or Elixir node?")
    bridge = Bridge(answers, _reservation(options), options)
    bridge.endpoint.start()
    this_node().closing.append(bridge.endpoint.close)
    local = this_node().cluster
    while receive("stop", timeout=PERIOD, default=None) is None:
        remote = local.remotes[options.node]  # type: ignore[union-attr]  # a LocalNode, since it has a name
        if remote.connection is None:
            _fail(options, f"The connection to {options.node} has ended: {remote.end_reason or 'it has gone'}.")


def _why(name: str) -> str:
    local = this_node().cluster
    return str(local.remotes[name].end_reason) or "it does not answer"  # type: ignore[union-attr]  # a LocalNode


def _own_name(target: str) -> str:
    """Return a name in the same style, long or short, as the node's: others than it need not find this one."""
    host = target.partition("@")[2]
    if host in ("127.0.0.1", "localhost"):
        return f"observer{os.getpid()}@{host}"
    return f"observer{os.getpid()}@{'127.0.0.1' if '.' in host else socket.gethostname().partition('.')[0]}"


def _facts(beam: Beam) -> Facts:
    release = "".join(map(chr, beam.call("erlang", "system_info", Atom("otp_release"))))
    started = beam.call("erlang", "system_info", Atom("start_time"))
    now = beam.call("erlang", "monotonic_time")
    up = beam.call("erlang", "convert_time_unit", now - started, Atom("native"), Atom("millisecond")) / 1000
    os_pid = "".join(map(chr, beam.call("os", "getpid")))
    return Facts(beam.name, release, max(0.0, time.time() - up), int(os_pid) if os_pid.isdigit() else 0)


def _called(options: argparse.Namespace) -> str:
    return options.name or fit(options.node.partition("@")[0])


def _reservation(options: argparse.Namespace) -> Reservation:
    if options.listener is not None:
        listener = _socket.socket(fileno=options.listener)
        os.set_inheritable(options.listener, False)
        return Reservation(options.name, socket_path(options.name), listener)
    return reserve([_called(options)])


def _fail(options: argparse.Namespace, sentence: str) -> NoReturn:
    """Say why it ends, on standard error and to the observer that has started it."""
    print(sentence, file=sys.stderr, flush=True)
    if options.ending is not None:
        with suppress(OSError):
            os.write(options.ending, sentence.encode())
    os._exit(1)


def _hold_on(lifeline: int) -> None:
    """Wait, on a native thread, until the observer is gone; then end this process."""
    with suppress(OSError):
        while os.read(lifeline, 4_096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    sleep(GRACE)
    os._exit(1)


if __name__ == "__main__":
    main()
