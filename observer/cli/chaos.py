"""The command that kills processes at a rate: chaos."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, cast

import typer

from observer.cli import node_chaos, options, output
from observer.cli.errors import WrongUsageError
from observer.text.quantity import per_second
from runtime.introspection import wire

if TYPE_CHECKING:
    from observer.chaos.recoveries import Report
    from observer.chaos.run import Orders
    from observer.node.discovery import Found
    from observer.output.records import ChaosRecord


def chaos(
    node: options.Node = None,
    rate: Annotated[str, typer.Option("--rate", metavar="RATE", help="How many kills, e.g. 20/s or 90/m.")] = "1/s",
    duration: Annotated[float, options.time_option("--for", default="10s", help="Kill for so long.")] = 10.0,
    aim: Annotated[
        str,
        typer.Option("--target", "-t", metavar="EXPR", help="Which workers, as in --filter of ps, e.g. 'sup~pool'."),
    ] = "",
    settle: Annotated[
        float,
        options.time_option("--settle", default="10s", help="At the end, wait so long for what has not come back."),
    ] = 10.0,
    seed: Annotated[int | None, typer.Option("--seed", metavar="NUMBER", help="Choose the same victims again.")] = None,
    nodes: Annotated[
        str | None,
        typer.Option(
            "--nodes",
            metavar="ACTION",
            help="Kill, stop or disconnect other nodes of the cluster; --target is a pattern of their names.",
        ),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="With --nodes: say what it would do, and do nothing.")] = False,
    json: options.AsJson = False,
) -> None:
    """Kill workers at a rate and measure what comes back. Exits with 1 when something never came back.

    Without --target, any worker that its supervisor would restart. Ctrl-C stops the killing and reports. With --nodes
    ACTION, other nodes of the cluster are taken, never NODE itself; without --target those that it has started.
    """
    from observer.chaos.run import Orders

    try:
        orders = Orders(rate=per_second(rate), seconds=duration, target=aim, settle=settle, seed=seed)
    except ValueError as error:
        raise WrongUsageError(str(error)) from error
    if nodes is not None:
        from observer.model.node_chaos import NodeOrders

        action = cast(wire.NodeAction, nodes)
        node_orders = NodeOrders(action, orders.rate, orders.seconds, aim, orders.settle, seed)
        node_chaos.carry_out(node, node_orders, plan=plan, json=json)
    elif plan:
        raise WrongUsageError("--plan says what --nodes would do: give that, too.")
    else:
        _kill_workers(node, orders, json)


def _kill_workers(node: str | None, orders: Orders, json: bool) -> None:
    import asyncio

    from observer.cli import lookup
    from observer.cli.errors import say

    found = lookup.find(node)
    with lookup.dial_to_act(found.name) as client:
        query = wire.GetProcesses(filter=orders.target, limit=1)
        client.expect(wire.Window, query)  # a target that means nothing is refused
    report = asyncio.run(_carry_out(found, orders))
    if json:
        output.show_json(_record(found.name, orders, report))
    else:
        _print(report)
    if report.problem:
        say(f"observer: {report.problem}")
    if not report.passed:
        raise typer.Exit(1)


async def _carry_out(found: Found, orders: Orders) -> Report:
    import asyncio

    from rich.console import Console

    from observer.chaos.run import Chaos
    from observer.node.connection import Connection

    console = Console(stderr=True, highlight=False)
    status = console.status("killing ...")

    def progress(report: Report) -> None:
        late = f"; {report.short}" if report.short else ""
        key = "; ctrl-c waits no longer" if unleashed.is_waiting else ""
        status.update(f"{report.kills} killed, {report.recovered} back, {len(report.pending)} not yet{late}{key}")

    source = Connection(found.name, found.path)
    unleashed = Chaos(source, orders, progress)
    try:
        await source.connect()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: unleashed.stop(unleashed.is_waiting))
        with status if sys.stderr.isatty() else nullcontext():
            return await unleashed.run()
    finally:
        await source.close()


def _record(node: str, orders: Orders, report: Report) -> ChaosRecord:
    from observer.output import records

    return records.ChaosRecord(
        node=node,
        rate=orders.rate,
        seconds=orders.seconds,
        target=orders.target,
        kills=report.kills,
        due=report.due,
        short=report.short or None,
        recovered=report.recovered,
        not_expected=report.not_expected,
        missed=report.missed,
        time_to_recovery=records.RecoveryRecord(p50=report.p50, p99=report.p99, worst=report.worst),
        never_came_back=[
            records.VictimRecord(
                pid=victim.pid, place=victim.key, name=victim.name, killed_at=victim.killed_at, why=victim.why
            )
            for victim in report.pending
        ],
        gave_up=list(report.gave_up),
        elapsed=report.elapsed,
        problem=report.problem or None,
        passed=report.passed,
    )


def _print(report: Report) -> None:
    from observer.text import units
    from observer.text.safe_text import safe

    print(f"killed      {report.kills} in {units.duration(report.elapsed)}")
    if report.short:
        print(f"too few     {report.short}")
    print(f"came back   {report.recovered}")
    if report.not_expected:
        print(f"temporary   {report.not_expected}, which no supervisor restarts")
    if report.worst is not None and report.p50 is not None and report.p99 is not None:
        print(f"after       p50 {_span(report.p50)}, p99 {_span(report.p99)}, worst {_span(report.worst)}")
    if report.missed:
        print(f"too late    {report.missed}, which were gone already")
    for key, times in Counter(report.gave_up).items():
        print(f"gave up     {safe(key)} used up its restarts{f' ({times} times)' if times > 1 else ''}")
    for victim in report.pending:
        why = f": {safe(victim.why)}" if victim.why else ""
        name = "not back  " if report.problem else "never back"
        print(f"{name}  {safe(victim.name)} {victim.pid} in {safe(victim.key)}{why}")


def _span(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
