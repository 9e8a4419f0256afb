"""A producer that is faster than its consumer: the mailbox between them only grows.

Alone, ``python -m demos.overload`` sends work for a second and prints how much of it waits. In the observer:

- The mailbox of ``consumer`` grows by about fifty messages a second. Its bar and its place at the top (``s``, mailbox)
  show it before memory does.
- Press ``S`` on ``producer`` to suspend it, and watch the mailbox drain; ``S`` again lets it go on. Press ``x`` on
  ``consumer``: its mailbox dies with it, and so does the work in it.
- What cures it: ``polite_producer`` does as much work, but with ``call`` instead of ``cast``. It waits until each piece
  is done, so that the mailbox of ``other_consumer`` never holds more than one.
"""

from __future__ import annotations

from collections.abc import Callable

from demos._stage import figure, named, play
from runtime import ChildSpec, GenServer, Pid, Supervisor, call, cast, sleep, spawn_link

EVERY = 0.01
"""Seconds from one piece of work to the next."""

TAKES = 0.02
"""Seconds that a piece of work takes."""


class Consumer(GenServer):
    """Does one piece of work after another."""

    def init(self) -> None:
        """Begin with nothing done."""
        self.done = 0

    def work(self) -> int:
        """Wait, as a piece of work waits for a disk or a database."""
        sleep(TAKES)
        self.done += 1
        return self.done

    def handle_cast(self, message: object) -> None:
        """Work for a sender that does not wait."""
        self.work()

    def handle_call(self, request: object, caller: object) -> int:
        """Work for a caller that waits."""
        return self.work()


def producer(ask: Callable[[str, str], object], consumer: str) -> None:
    """Ask for a piece of work again and again."""
    while True:
        sleep(EVERY)
        ask(consumer, "work")


def start_producer(label: str, ask: Callable[[str, str], object], consumer: str) -> Pid:
    """Start a producer."""
    return spawn_link(producer, ask, consumer, label=label)


def tree() -> Pid | None:
    """Start a consumer with a producer that does not wait for it, and one with a producer that does."""
    rude = [
        named(Consumer, "consumer"),
        ChildSpec(id="producer", start=(start_producer, "producer", cast, "consumer")),
    ]
    polite = [
        named(Consumer, "other_consumer"),
        ChildSpec(id="polite_producer", start=(start_producer, "polite_producer", call, "other_consumer")),
    ]
    return Supervisor.start_link(
        [Supervisor.child_spec(rude, name="overloaded"), Supervisor.child_spec(polite, name="balanced")],
        name="supervisor",
    )


def session() -> None:
    """Send a hundred pieces of work in a second, and count what waits."""
    pid = Consumer.start_link(name="consumer")
    assert pid is not None
    for sent in range(1, 101):
        cast(pid, "work")
        sleep(EVERY)
        if sent % 25 == 0:
            waiting = figure(pid, "message_queue_len")
            print(f"{sent:3} pieces of work sent, {waiting:2} of them wait")


if __name__ == "__main__":
    play(session, tree)
