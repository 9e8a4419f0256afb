"""Chaos among nodes: ends or disconnects other nodes of the cluster at a rate, and tells which come back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input
from textual.worker import Worker

from observer.model.node_chaos import ACTIONS, Ask, NodeChaos, NodeOrders, NodeReport, NodeVictim
from observer.model.observed_node import ObservedNode
from observer.model.poller import Looked
from observer.node.source import NodeLostError
from observer.screens.orders_screen import SECONDS, OrdersScreen
from observer.text import quantity, tones
from observer.text.safe_text import safe
from observer.widgets.scroll import Scroll
from runtime.introspection import wire

MOST_TOLD = 100
"""How many of the last nodes to which something was done are named."""


class NodeChaosScreen(OrdersScreen):
    """Says what would come of each node first. The node that is asked is never taken."""

    VIEW = "Cluster"
    FIELDS = (
        ("action", "Action", "kill", "kill (SIGKILL), stop (in order) or disconnect"),
        ("rate", "Rate", "12/m", "nodes a second or minute: 1/s, 12/m"),
        SECONDS,
        ("target", "Target", "", "a pattern of names, left*; empty: the peers that this node has started"),
    )

    def __init__(self, observed: ObservedNode) -> None:
        super().__init__(observed)
        self._planned: list[NodeVictim] = []
        self._happened: list[NodeVictim] = []
        self._over: NodeReport | None = None
        self._stopping = threading.Event()
        self._planning: Worker[None] | None = None

    def compose_results(self) -> ComposeResult:
        """Lay out the results, which may be long."""
        with Scroll(id="told", classes="framed"):
            yield self.figures.remove_class("framed")

    def on_mount(self) -> None:
        """Say what would come of each node that may be taken."""
        super().on_mount()
        self.query_one("#told").border_title = "Results"
        self._plan_anew()

    def looked(self, news: Looked) -> None:
        """Plan for the nodes that have come meanwhile, until something is done."""
        super().looked(news)
        if self.goes_on:
            self.show_results()
        elif self._over is None and not news.held and (self._planning is None or self._planning.is_finished):
            self._plan_anew()  # a plan that takes longer than from look to look is not begun anew, and comes in the end

    def on_unmount(self) -> None:
        """Do no more."""
        self.end_at_once()

    @on(Input.Changed)
    def _plan_anew(self) -> None:
        """Say what would come of the nodes that may be taken, as the settings are now."""
        if self.goes_on:
            return
        try:
            orders = self._orders(self.typed())
        except ValueError as error:
            self.workers.cancel_group(self, "plan")  # it would come in the place of what is wrong
            self._planned = []
            self.say(str(error))
        else:
            self._planning = self._plan(orders)

    @work(exclusive=True, group="plan")
    async def _plan(self, orders: NodeOrders) -> None:
        loop = asyncio.get_running_loop()
        chaos = NodeChaos(self._ask_from_thread(loop), orders)
        try:
            planned = await asyncio.to_thread(lambda: [*chaos.plans()])
        except NodeLostError as lost:
            self.say(str(lost))
            return
        finally:
            chaos.stop(at_once=True)  # its thread goes on when this is cancelled
        if not self.goes_on:
            self._planned = planned
            self.show_results()

    def _orders(self, typed: Mapping[str, str]) -> NodeOrders:
        if typed["action"] not in ACTIONS:
            raise ValueError(f"The action is one of {', '.join(ACTIONS)}; not {typed['action']!r}.")
        return NodeOrders(
            action=typed["action"],
            rate=quantity.per_second(typed["rate"]),
            seconds=quantity.seconds(typed["seconds"]),
            target=typed["target"],
        )

    def begin(self, typed: Mapping[str, str]) -> None:
        """Start with the nodes. Raises ValueError with what is wrong with the settings."""
        orders = self._orders(typed)
        loop = asyncio.get_running_loop()
        self._happened, self._over = [], None
        self._stopping.clear()
        self.chaos = chaos = NodeChaos(
            self._ask_from_thread(loop),
            orders,
            tell=lambda victim: _tell_in(loop, self._take_victim, victim),
            clock=self.observed.clock,
            sleep=self._stopping.wait,
        )
        self._run(chaos)

    def end_at_once(self) -> None:
        """Do no more, and wait for nothing, not even for the next look."""
        super().end_at_once()
        if self.goes_on:
            self._stopping.set()

    @work(group="chaos")
    async def _run(self, chaos: NodeChaos) -> None:
        try:
            self._planned = await asyncio.to_thread(lambda: [*chaos.plans()])
            self.show_results()
            self._over = await asyncio.to_thread(chaos.run)
        except NodeLostError as lost:
            self._over = NodeReport(tuple(self._happened), 0.0, str(lost))
        self.finish()
        self.show_results()

    def _ask_from_thread(self, loop: asyncio.AbstractEventLoop) -> Ask:
        def ask(query: wire.Query) -> wire.Answer:
            try:
                return asyncio.run_coroutine_threadsafe(self._ask(query), loop).result()
            except CancelledError:  # the dashboard ends
                raise NodeLostError("The observer ends.") from None

        return ask

    async def _ask(self, query: wire.Query) -> wire.Answer:
        return await self.observed.source.ask(query)

    def _take_victim(self, victim: NodeVictim) -> None:
        self._happened.append(victim)
        self.show_results()

    def show_results(self) -> None:
        """Show what was planned, what has happened, and how it ended."""
        lines: list[tuple[str, list[tuple[str, str]]]] = []
        if self._over is not None:
            lines.append(("", [_verdict(self._over)]))
        elif self.goes_on:
            lines.append(("", [(self.progress(), tones.MUTED)]))
        elif self._planned:
            lines.append(("", [("Nothing was done yet. Enter, or the button, starts; esc leaves.", tones.MUTED)]))
        else:
            lines.append(("", [("No connected node may be taken: Target names others.", tones.WARN)]))
        for number, victim in enumerate(reversed(self._happened[-MOST_TOLD:])):
            sign, tone = ("✗ ", tones.BAD) if victim.is_missed else ("✓ ", tones.GOOD)
            told = [(sign, tone), (safe(victim.happened), tones.TEXT)]
            lines.append(("" if number else "happened", told))
        for number, victim in enumerate(self._planned):
            lines.append(("" if number else "plan", [(safe(victim.planned), tones.TEXT)]))
        self.figures.update(
            Content("\n").join(Content.assemble((label.ljust(10), tones.MUTED), *spans) for label, spans in lines)
        )


def _tell_in(loop: asyncio.AbstractEventLoop, take: Callable[[NodeVictim], None], victim: NodeVictim) -> None:
    """Hand over what happened in the loop's own thread; a loop that is over wants no more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(take, victim)


def _verdict(report: NodeReport) -> tuple[str, str]:
    if report.passed:
        return f"✓ {len(report.victims)} taken, all that should come back are back", tones.GOOD
    if report.problem:
        return f"! {safe(report.problem)}", tones.WARN
    missed = sum(victim.is_missed for victim in report.victims)
    return (f"✗ {missed} of {len(report.victims)} did not come back" if missed else "✗ nothing was done"), tones.BAD
