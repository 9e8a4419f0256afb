"""A server that crashes on some of its input, again and again, and now and then too often for its supervisor.

Alone, ``python -m demos.crash_loop`` sends a few orders, some of which are nonsense, and prints what became of each.
In the observer every fifth order is nonsense, and every half minute comes a whole burst of it:

- ``orders`` dies of each bad order. Its restart count climbs, the supervisor ``kitchen`` shows how much of its budget
  is used, and the finding ``crash loop`` points there. ``enter`` on ``orders`` shows the earlier lives and why each
  of them ended: the stack names the line, the last message is the order that caused it.
- With the burst ``kitchen`` gives up, and the failure climbs to ``restaurant``, which starts it again. The events show
  the chain: crash, restart, crash, ..., gave up, restart one level higher.
- What cures it: check the orders where they come in, and answer a bad one with an error.
"""

from __future__ import annotations

from itertools import count

from demos._stage import named, play
from runtime import (
    CallError,
    ChildSpec,
    GenServer,
    Pid,
    Supervisor,
    call,
    cast,
    sleep,
    spawn_link,
    whereis,
    which_children,
)

PRICES = {"tea": 2, "soup": 5, "cake": 4}
EVERY = 0.4
BURST = 75
"""After so many orders come five bad ones at once."""


class Orders(GenServer):
    """Adds up what is ordered."""

    def init(self) -> None:
        """Begin with an empty till."""
        self.total = 0

    def price(self, order: str) -> int:
        """Look the price up. It fails for what is not on the menu: a bug that has not been found yet."""
        return PRICES[order]

    def handle_call(self, order: str, caller: object) -> int:
        """Take an order; the reply is its price."""
        self.handle_cast(order)
        return self.price(order)

    def handle_cast(self, order: str) -> None:
        """Take an order whose sender does not wait."""
        self.total += self.price(order)


def guests() -> None:
    """Order something every now and then, mostly from the menu."""
    for number in count(1):
        sleep(EVERY)
        orders = ["no such dish"] * 5 if number % BURST == 0 else ["no such dish" if number % 5 == 0 else "tea"]
        for order in orders:
            if whereis("orders") is not None:
                cast("orders", order)
                sleep(0.02)  # let it be started again before the next one comes


def start_guests() -> Pid:
    """Start the guests."""
    return spawn_link(guests, label="guests")


def tree() -> Pid | None:
    """Start the kitchen, whose supervisor allows three restarts in five seconds, and the guests."""
    return Supervisor.start_link(
        [
            Supervisor.child_spec([named(Orders, "orders")], max_restarts=3, name="kitchen"),
            ChildSpec(id="guests", start=(start_guests,)),
        ],
        name="restaurant",
    )


def session() -> None:
    """Order five things, two of which are not on the menu."""
    Supervisor.start_link([named(Orders, "orders")], name="kitchen")
    for order in ("tea", "no such dish", "soup", "no such dish", "cake"):
        try:
            print(f"{order}: {call('orders', order)}")
        except CallError as error:
            print(f"{order}: {error}")
            which_children("kitchen")  # answered when the supervisor has started the server again


if __name__ == "__main__":
    play(session, tree)
