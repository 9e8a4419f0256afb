"""What `observer chaos --nodes` does: it ends or disconnects nodes of the cluster at a rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from observer.cli import output
from observer.cli.errors import WrongUsageError, say

if TYPE_CHECKING:
    from observer.model.node_chaos import NodeChaos, NodeOrders, NodeVictim


def carry_out(node: str | None, orders: NodeOrders, plan: bool, json: bool) -> None:
    """Say what the chaos would do; unless only the plan is wanted, do it and say what happened.

    Ends with status 1 when a node that should come back has not.
    """
    from observer.cli import lookup
    from observer.model.node_chaos import ACTIONS, NodeChaos, NodeReport
    from observer.output import cluster as drawn

    if orders.action not in ACTIONS:
        raise WrongUsageError(f"--nodes says what is done to nodes: {', '.join(ACTIONS)}; not {orders.action!r}.")
    with lookup.dial(node) if plan else lookup.dial_to_act(node) as client:
        chaos = NodeChaos(client.ask, orders, tell=_silent if json else _tell)
        plans = _plans(chaos, json)
        report = NodeReport(plans, 0.0) if plan else chaos.run()
        if json:
            output.show_json(drawn.of_chaos(client.name, orders, report))
    if report.problem:
        say(f"observer: {report.problem}")
    if not plan and not report.passed:
        raise typer.Exit(1)


def _plans(chaos: NodeChaos, json: bool) -> tuple[NodeVictim, ...]:
    from observer.text.safe_text import safe

    plans = tuple(chaos.plans())
    for each in () if json else plans:
        print(f"plan        {safe(each.planned)}")
    return plans


def _tell(victim: NodeVictim) -> None:
    from observer.text.safe_text import safe

    print(f"happened    {safe(victim.happened)}", flush=True)


def _silent(victim: NodeVictim) -> None:
    """Say nothing: all is in the record."""
