"""The command for the other nodes of a cluster: cluster."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from observer.cli import options, output
from observer.cli.errors import CommandError, WrongUsageError
from runtime.introspection import wire

if TYPE_CHECKING:
    from observer.node.client import Client

MEASURED_WITHIN = 1.5
"""Seconds that the command waits for what has to be asked of the other nodes."""

PERIOD = 0.05


def cluster(
    node: options.Node = None,
    kill: Annotated[str | None, typer.Option(metavar="NAME", help="End that node by SIGKILL.")] = None,
    stop: Annotated[str | None, typer.Option(metavar="NAME", help="Stop that node in order.")] = None,
    disconnect: Annotated[str | None, typer.Option(metavar="NAME", help="Cut the connection to that node.")] = None,
    connect: Annotated[str | None, typer.Option(metavar="NAME", help="Connect with that node, known or not.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what it would do, and do nothing.")] = False,
    json: options.AsJson = False,
) -> None:
    """Print the nodes that a node is connected with, or was: state, processes, latency, what waits to be sent.

    With one of the options, do something to one of them, and say what came of it.
    """
    from observer.cli import lookup

    wanted: list[tuple[wire.NodeAction, str]] = []
    for action, name in (("kill", kill), ("stop", stop), ("disconnect", disconnect), ("connect", connect)):
        if name is not None:
            wanted.append((action, name))  # type: ignore[arg-type]  # one of the four
    if len(wanted) > 1:
        raise WrongUsageError("Say one of --kill, --stop, --disconnect and --connect at a time.")
    if plan and not wanted:
        raise WrongUsageError("--plan says what --kill, --stop or --disconnect would do: give one of them, too.")
    if not wanted:
        with lookup.dial(node) as client:
            _show(client, json)
        return
    ((action, name),) = wanted
    if plan:
        with lookup.dial(node) as client:
            _plan(client, action, name, json)
    else:
        with lookup.dial_to_act(node) as client:
            _act(client, action, name, json)


def _show(client: Client, json: bool) -> None:
    from observer.cli import lookup
    from observer.output import cluster as drawn

    found = _measured(client)
    if json:
        output.show_json(drawn.of_cluster(found))
        return
    if not found.name:
        raise CommandError(f"{client.name} has no name that other nodes could reach: run(main, node=...) gives it one.")
    if not found.nodes:
        print(f"{found.name} has not been connected with another node yet.")
        return
    output.show(drawn.table(found, lookup.now(client)))


def _measured(client: Client) -> wire.Cluster:
    """Return the nodes, once those that are connected have answered, or after a while."""
    ends = time.monotonic() + MEASURED_WITHIN
    while True:
        found = client.expect(wire.Cluster, wire.GetCluster())
        if all(each.latency is not None for each in found.nodes if each.state == "up") or time.monotonic() > ends:
            return found
        time.sleep(PERIOD)


def _plan(client: Client, action: wire.NodeAction, name: str, json: bool) -> None:
    from observer.output import cluster as drawn
    from observer.output import tables

    planned = client.expect(wire.Plan, wire.GetNodePlan(node=name, action=action))
    if json:
        output.show_json(drawn.of_action(name, action, planned))
    else:
        output.show(tables.plan(planned))


def _act(client: Client, action: wire.NodeAction, name: str, json: bool) -> None:
    """Do it, and wait for what comes of it."""
    from observer.model.node_outcome import NodeOutcome
    from observer.output import cluster as drawn
    from observer.text.safe_text import safe

    planned = client.expect(wire.Plan, wire.GetNodePlan(node=name, action=action))
    before = next(
        (each for each in client.expect(wire.Cluster, wire.GetCluster()).nodes if each.name == name),
        wire.ClusterNode(name=name, state="down"),
    )
    at = client.expect(wire.Stats, wire.GetStats()).stats.time
    done = client.expect(wire.Done, wire.ControlNode(node=name, action=action))
    outcome = NodeOutcome(before, action, planned, done.sentence, at)
    while True:
        now = client.expect(wire.Stats, wire.GetStats()).stats.time
        told = outcome.told(client.expect(wire.Cluster, wire.GetCluster()).nodes, now)
        if told is not None:
            break
        time.sleep(PERIOD)
    if json:
        output.show_json(drawn.of_action(name, action, planned, told, done.event))
    else:
        print(safe(told))
