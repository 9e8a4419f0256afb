"""``python -m tests.soak.beam``: 10,000,000 messages each way between this node and a busy BEAM node, at once.

Several pairs of processes talk, each message with a number. Both sides look whether the next number is the one that
comes: so nothing is lost, nothing comes twice, and the order of each pair is kept. Meanwhile processes of the BEAM node
compute. Ends with status 1 otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil

from runtime import Atom, Pid, connect_node, receive, register, run, self_, send, spawn, whereis

PAIRS = 4

COOKIE = "soak"

PATIENCE = 120.0
"""Seconds for which nothing may come."""

TELL_EVERY = 500_000

BEAM = """
    Burn = fun Burn(N) -> erlang:phash2(N), Burn(N + 1) end,
    [spawn(fun() -> process_flag(priority, low), Burn(0) end) || _ <- lists:seq(1, 2)],
    Take = fun
        Take(Next, Count, Owner, Id) when Next =:= Count -> Owner ! {taken, Id, Next};
        Take(Next, Count, Owner, Id) ->
            receive
                {item, Id, Next} -> Take(Next + 1, Count, Owner, Id);
                Other -> Owner ! {wrong, Id, Next, Other}
            end
    end,
    Give = fun
        Give(Next, Count, _, _) when Next =:= Count -> ok;
        Give(Next, Count, To, Id) -> To ! {item, Id, Next}, Give(Next + 1, Count, To, Id)
    end,
    register(soak, self()),
    Serve = fun Serve() ->
        receive
            {pair, Owner, To, Id, Count} ->
                Taker = spawn(fun() -> Take(0, Count, Owner, Id) end),
                spawn(fun() -> Give(0, Count, To, Id) end),
                Owner ! {pair, Id, Taker},
                Serve()
        end
    end,
    Serve().
"""
"""What the BEAM node evaluates."""


def give(to: Pid, pair: int, count: int) -> None:
    """Send so many numbered messages."""
    item = Atom("item")
    for number in range(count):
        send(to, (item, pair, number))


def take(owner: Pid, pair: int, count: int) -> None:
    """Take so many numbered messages, and tell the owner, or what came instead."""
    for number in range(count):
        # the BEAM node is asked for the first after this has begun, and hears of it behind what other pairs send
        message = receive(timeout=PATIENCE if number else None, default="nothing")
        if message != ("item", pair, number):
            send(owner, ("wrong", pair, number, message))
            return
        if number and number % TELL_EVERY == 0:
            print(f"pair {pair}: {number:,} taken, {psutil.Process().memory_info().rss / 1e6:.1f} MB", flush=True)
    send(owner, ("taken", pair, count))


@contextlib.contextmanager
def beam(name: str) -> Iterator[tuple[str, str]]:
    """Start the BEAM node, and end it; yield once it can be talked to."""
    command = ["erl", "-noinput", "-name", name, "-setcookie", COOKIE, "-eval", BEAM]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            ends = time.monotonic() + PATIENCE
            while not (connect_node(name) and whereis(("soak", name))):
                if time.monotonic() > ends:
                    raise RuntimeError(f"{name} cannot be reached")
                time.sleep(0.1)
            yield "soak", name
        finally:
            process.kill()


def soak(messages: int) -> list[str]:
    """Run it all. Returns what is wrong."""
    register("owner", self_())
    count = messages // PAIRS
    problems: list[str] = []
    with beam(f"soakbeam{os.getpid()}@127.0.0.1") as there:
        started, used = time.monotonic(), time.process_time()
        for pair in range(PAIRS):
            taker = spawn(take, self_(), pair, count)
            send(there, (Atom("pair"), self_(), taker, pair, count))
            _, _, other = receive(("pair", pair, Pid))
            spawn(give, other, pair, count)
        left = 2 * PAIRS
        while left and not problems:
            message = receive(timeout=2 * PATIENCE, default="nothing")
            if message == "nothing" and psutil.Process().cpu_percent(1.0) < 1.0:
                problems.append(f"{left} of {2 * PAIRS} ways are not done, and nothing happens")
            elif message != "nothing" and message[0] == "taken":
                left -= 1
            elif message != "nothing":
                problems.append(f"instead of a message that was sent: {message}")
        seconds, used = time.monotonic() - started, time.process_time() - used
    memory = psutil.Process().memory_info().rss / 1e6
    print(f"{PAIRS * count:,} messages each way in {seconds:.0f} s, {used:.0f} s of this processor; {memory:.1f} MB")
    return problems


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.beam", description=__doc__.split("\n\n")[0])
    parser.add_argument("--messages", type=int, default=10_000_000, help="messages each way (default: 10,000,000)")
    options = parser.parse_args()
    problems = run(soak, options.messages, node=f"soak{os.getpid()}@127.0.0.1", cookie=COOKIE)
    for problem in problems:
        print(f"PROBLEM: {problem}")
    print(f"{len(problems)} problems" if problems else "nothing was lost")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
