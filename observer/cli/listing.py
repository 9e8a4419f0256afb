"""The commands that list: nodes, tree, ps."""

from __future__ import annotations

from typing import Annotated, cast, get_args

import typer

from observer.cli import options, output, progress
from observer.cli.errors import WrongUsageError, say
from runtime.introspection import wire

FOLD_OVER = 200
"""Supervisors with more children than this are printed folded."""


RECENTLY = 3_600.0
"""Seconds for which a node that has ended is named."""

MOST_NAMED = 5
"""How many of them are named."""


def nodes(json: options.AsJson = False) -> None:
    """List the nodes that run. Those of one program stand together, below the process that has started them."""
    from observer.clock import SystemClock
    from observer.node import discovery, programs
    from observer.output import node_records, tables

    found = discovery.nodes()
    groups = programs.running(found)
    if json:
        output.show_json(node_records.of_nodes(groups))
    elif groups:
        output.show(tables.nodes(groups, SystemClock().now()))
    elif not found:
        print("No node is running. 'observer demo' starts one.")
    for each in found:
        if each.welcome is None:
            say(f"observer: {each.problem}")
    if not json:
        _tell_ended(SystemClock().now())


def _tell_ended(now: float) -> None:
    """Name the nodes that ended a short time ago and have left their last events."""
    from observer.text import units
    from observer.text.safe_text import safe
    from runtime.introspection import kept_events

    recent = [kept for kept in kept_events.ended() if now - kept.ended_at < RECENTLY]
    if recent:
        named = ", ".join(
            f"{safe(kept.name)} ({units.duration(now - kept.ended_at)} ago)" for kept in recent[:MOST_NAMED]
        )
        more = f" and {len(recent) - MOST_NAMED} more" if len(recent) > MOST_NAMED else ""
        print(f"Ended: {named}{more}. 'observer events NAME' prints the last events.")


def tree(
    node: options.NodeOrProgram = None,
    filter: options.Filter = "",
    everything: Annotated[
        bool, typer.Option("--all", help=f"Unfold supervisors with more than {FOLD_OVER} children.")
    ] = False,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Print the trees of the other nodes of its cluster as well.")
    ] = False,
    json: options.AsJson = False,
) -> None:
    """Print the supervision tree of a node, or those of all nodes of its cluster.

    The name of a program stands for all its workers.
    """
    from observer.cli import cluster_tree, lookup, workers
    from observer.output import cluster as of_nodes
    from observer.output import records, tables

    fold_over = 2**31 if json or everything else FOLD_OVER
    if cluster:
        with lookup.dial(node) as client:
            cluster_tree.show(client, filter, fold_over, json)
        return
    with workers.dialled(node) as (clients, several):
        with progress.busy("reading the tree …") as tell:
            found = workers.answers(
                clients, lambda each: lookup.tree(each, filter=filter, fold_over=fold_over, tell=tell)
            )
        if not json:
            for client, rows in found:
                output.show(tables.tree(client.welcome.node, rows, lookup.now(client)))
        elif not several:
            output.show_json(records.of_tree(found[0][1]))
        else:
            trees = [(client.welcome.node, records.of_tree(rows)) for client, rows in found]
            output.show_json([of_nodes.NodeTreeRecord(node=name, tree=tree, problem=None) for name, tree in trees])


COLUMNS = tuple(name for name in get_args(wire.Sort) if name != "tree")
"""What can be sorted by, as the protocol calls it."""

ALIASES = {"mailbox": "message_queue_len", "cpu": "cpu_time", "messages": "messages_in", "uptime": "started_at"}
"""Other names for some of them, as the screen has them."""


def sort_of(text: str) -> wire.Sort:
    """Return the column that `text` names. Raises `CommandError` with the columns there are."""
    name = ALIASES.get(text, text)
    if name not in COLUMNS:
        raise WrongUsageError(f"There is no column {text!r} to sort by. Choose one of: {', '.join(COLUMNS)}.")
    return cast(wire.Sort, name)


def _sorts(incomplete: str) -> list[str]:
    return sorted(name for name in (*COLUMNS, *ALIASES) if name.startswith(incomplete))


SortBy = Annotated[
    str,
    typer.Option(
        "--sort", "-s", metavar="COLUMN", help="What to sort by, e.g. memory, mailbox.", autocompletion=_sorts
    ),
]


def ps(
    node: options.NodeOrProgram = None,
    filter: options.Filter = "",
    sort: SortBy = "pid",
    descending: Annotated[bool, typer.Option("--descending", "-d", help="Largest first.")] = False,
    limit: Annotated[
        int | None, typer.Option("-n", "--limit", metavar="NUMBER", min=1, help="Print so many at most.")
    ] = None,
    cluster: options.Cluster = False,
    json: options.AsJson = False,
) -> None:
    """Print the processes of a node, or of all nodes of its cluster.

    The name of a program stands for all its workers. Of each node of a cluster, the first 2,000 rows of its tree are
    looked at; of many nodes, fewer.
    """
    from observer.cli import lookup, workers
    from observer.output import records, tables
    from runtime.introspection.moment.sorting import ORDERS

    column = sort_of(sort)
    with workers.dialled(node, cluster) as (clients, several):
        with progress.busy("reading the processes …") as tell:
            found = workers.answers(
                clients,
                lambda client: list(
                    lookup.processes(
                        client,
                        filter=filter,
                        sort=column,
                        descending=descending,
                        limit=limit,
                        wait=lookup.MEASURE_TIMEOUT,
                        tell=tell,
                    )
                ),
            )
        # The pids of two nodes have nothing to do with each other.
        order = None if column == "pid" else ORDERS[column]
        listed = workers.merged(found, order and (lambda _, row: order(row)), descending, limit, several)
        if json:
            output.show_json([records.of_process(each.row, each.node) for each in listed])
        else:
            rows = [each.row for each in listed]
            output.show(tables.processes(rows, lookup.now(clients[0]), workers.nodes_of(listed)))
