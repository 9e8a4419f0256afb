"""The web shop under load: customers from another program, kills at random, and a check of what came of it."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gevent import get_hub

from demos._shop_customers import UNANSWERED, customer_process
from demos._shop_database import PRODUCTS, connect
from runtime import (
    CallError,
    Instrument,
    Pid,
    exit,
    install_instrument,
    remove_instrument,
    sleep,
    spawn_link,
    unlink,
    which_children,
)

DEEPER = 0.8
"""How often a walk to the next victim goes on from a supervisor to one of its children."""


SOME_OF = {"database": "a connection", "carts": "a cart"}
"""What the children of some supervisors are called, which have names of their own."""


@dataclass
class Load(Instrument):
    """What happened during a load. As an instrument of the node it counts the restarts itself."""

    seconds: float
    kills: Counter[str] = field(default_factory=Counter)
    """By what was killed."""
    restarts: int = 0
    recovered: list[float] = field(default_factory=list)
    """Seconds from a kill to the restart of what was killed."""
    answers: list[tuple[int, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What should not have happened."""
    orders: int = 0
    sold_out: list[str] = field(default_factory=list)
    killed_at: dict[Pid, float] = field(default_factory=dict)

    def event(self, kind: str, fields: dict[str, Any]) -> None:
        """Count a restart."""
        if kind == "restarted":
            self.restarts += 1
            began = self.killed_at.get(fields["old"])
            if began is not None:
                self.recovered.append(time.monotonic() - began)

    def kill(self, what: str, pid: Pid) -> None:
        """Kill a process."""
        self.kills[what] += 1
        self.killed_at[pid] = time.monotonic()
        exit(pid, "kill")

    def report(self) -> str:
        """Return all figures as text."""
        statuses = Counter(status for status, _ in self.answers)
        latencies = sorted(seconds for _, seconds in self.answers)
        refused = [seconds for status, seconds in self.answers if status == 503]
        killed = ", ".join(f"{what} {number}" for what, number in self.kills.most_common())
        lines = [
            f"requests    {len(latencies):8,}   {len(latencies) / self.seconds:,.0f} a second",
            *(f"  {status}       {number:8,}" for status, number in sorted(statuses.items()) if status != UNANSWERED),
            f"  unanswered{statuses[UNANSWERED]:8,}",
            f"latency         half within {_ms(latencies, 0.5)}, 99 % within {_ms(latencies, 0.99)}, "
            f"all within {_ms(latencies, 1)}; 503 within {_ms(sorted(refused), 1)}",
            f"kills       {sum(self.kills.values()):8,}   {killed or 'none'}",
            f"restarts    {self.restarts:8,}   back within {_ms(sorted(self.recovered), 1)} of the kill",
            f"orders      {self.orders:8,}   all that were confirmed are kept, none twice",
            f"sold out    {len(self.sold_out):8,}   {', '.join(self.sold_out) or 'none'}; nothing is oversold",
        ]
        if self.problems:
            lines = [line.partition("   all")[0].partition("; nothing")[0] for line in lines]
        return "\n".join([*lines, *(f"PROBLEM: {problem}" for problem in self.problems)])


def _ms(ordered: list[float], share: float) -> str:
    """Return the time within which a share of the times lies."""
    return f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000:,.0f} ms" if ordered else "0 ms"


def load(port: int, path: str, seconds: float, customers: int, kill_every: float | None, seed: int = 0) -> Load:
    """Let customers buy from the shop for a while, kill processes of it meanwhile, and check the outcome."""
    outcome = Load(seconds)
    install_instrument(outcome)
    try:
        killer = None if kill_every is None else spawn_link(kill_some, outcome, kill_every, random.Random(seed))
        options = ("--seconds", seconds, "--customers", customers, "--pause", 0.02)
        with customer_process(port, *options) as child:
            assert child.stdout is not None
            result = json.loads(child.stdout.read())
        if killer is not None:
            unlink(killer)
            exit(killer, "shutdown")
    finally:
        remove_instrument(outcome)
    outcome.answers, outcome.failures = result["answers"], result["failures"]
    outcome.problems += [f"unanswered: {failure}" for failure in outcome.failures]
    get_hub().threadpool.apply(check, (outcome, path, result["orders"]))
    return outcome


def kill_some(outcome: Load, every: float, choose: random.Random) -> None:
    """Kill some process of the shop, a worker or a supervisor, again and again."""
    while True:
        sleep(every)
        try:
            outcome.kill(*victim("shop", choose))
        except CallError:  # the walk has come by what was killed last: the next one will find it restarted
            continue


def victim(supervisor: Pid | str, choose: random.Random, what: str = "") -> tuple[str, Pid]:
    """Walk down from a supervisor, and return where the walk ends: what it is called, and its pid."""
    children = [child for child in which_children(supervisor) if isinstance(child.pid, Pid)]
    child = choose.choice(children)
    assert isinstance(child.pid, Pid)
    below = child.type == "supervisor" and choose.random() < DEEPER
    if below and any(isinstance(each.pid, Pid) for each in which_children(child.pid)):
        return victim(child.pid, choose, SOME_OF.get(child.id, ""))
    return what or str(child.id), child.pid


def check(outcome: Load, path: str, confirmed: dict[str, dict[str, int]]) -> None:
    """Compare what customers were told with what the database holds."""
    database = connect(path)
    kept: dict[str, dict[str, int]] = {}
    for id, product, number in database.execute('SELECT "order", product, number FROM order_lines'):
        kept.setdefault(id, {})[product] = number
    outcome.orders = len(kept)
    for id, lines in confirmed.items():
        if kept.get(id) != lines:
            outcome.problems.append(f"order {id} was confirmed as {lines}, and is kept as {kept.get(id)}")
    for product, stock in database.execute("SELECT name, stock FROM products"):
        sold = sum(lines.get(product, 0) for lines in kept.values())
        if stock < 0 or stock + sold != PRODUCTS[product][1]:
            outcome.problems.append(f"{stock} {product} are left and {sold} sold, of {PRODUCTS[product][1]}")
        if stock < 1:
            outcome.sold_out.append(product)
    database.close()
