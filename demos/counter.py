"""A process that counts, by itself and under a supervisor.

Alone, ``python -m demos.counter`` starts a counter, lets it count, kills one that is supervised, and shows what is left
of its count. In the observer, two counters are clicked a few times a second:

- ``counter`` has a supervisor. Press ``x`` on it: it comes back under a new pid, and counts from 0 again.
- ``lonely`` has none, so it stands under *no supervisor* (``l`` opens that). Press ``x`` on it: it is gone for good.
- Press ``x`` on ``counter`` four times within five seconds: that is one more than its supervisor allows, so the
  supervisor gives up too. The demo builds it again after a while.
- Press ``enter`` on ``clicker`` to see where it waits, and how many messages it has sent.
"""

from __future__ import annotations

import random

from demos._stage import kill, play
from runtime import ChildSpec, Pid, Supervisor, receive, self_, send, sleep, spawn, spawn_link, whereis, which_children

COUNTER = "counter"
LONELY = "lonely"


def counter(count: int = 0) -> None:
    """Keep a count; answer ``("get", sender)`` with it."""
    while True:
        match receive("increment", "decrement", ("get", Pid)):
            case "increment":
                count += 1
            case "decrement":
                count -= 1
            case ("get", sender):
                send(sender, count)


def start_counter() -> Pid:
    """Start the counter that a supervisor keeps."""
    return spawn_link(counter, name=COUNTER)


def clicker() -> None:
    """Click on both counters a few times a second, under whichever pids they have at the moment."""
    while True:
        sleep(random.uniform(0.1, 0.5))
        for pid in (whereis(COUNTER), whereis(LONELY)):
            if pid is not None:  # between a death and a restart no process has the name
                send(pid, random.choice(["increment", "increment", "decrement"]))


def start_clicker() -> Pid:
    """Start the clicker."""
    return spawn_link(clicker, label="clicker")


def show_count(pid: Pid | None) -> None:
    """Ask a counter for its count and print it."""
    assert pid is not None
    send(pid, ("get", self_()))
    print("Current count:", receive(int))


def session() -> None:
    """Count by hand, then under a supervisor that starts the counter again."""
    print("start")
    pid = spawn(counter)
    print("increment")
    send(pid, "increment")
    print("get")
    show_count(pid)

    print("start under a supervisor")
    Supervisor.start_link([ChildSpec(id=COUNTER, start=(start_counter,))], name="supervisor")
    print("increment")
    send(COUNTER, "increment")
    print("get")
    show_count(whereis(COUNTER))
    print("kill")
    kill(COUNTER)
    which_children("supervisor")  # answered after the supervisor has handled the death
    print("get")
    show_count(whereis(COUNTER))


def tree() -> Pid | None:
    """Start a counter with a supervisor, one without, and a process that clicks on both."""
    if whereis(LONELY) is None:
        spawn(counter, name=LONELY)
    return Supervisor.start_link(
        [ChildSpec(id=COUNTER, start=(start_counter,)), ChildSpec(id="clicker", start=(start_clicker,))],
        name="supervisor",
    )


if __name__ == "__main__":
    play(session, tree)
