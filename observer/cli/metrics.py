"""The command that hands a node's figures to Prometheus: metrics."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from observer.cli import options
from observer.cli.errors import CommandError, WrongUsageError, say
from observer.node.client import Client, NodeRefusedError
from observer.node.source import NodeLostError
from runtime.introspection import wire

if TYPE_CHECKING:
    from observer.output.metrics import NodeMetrics, Reading

FOLD_OVER = 50
"""Supervisors with more children than this are one row: the metrics of a great node must stay cheap."""

MOST_EVENTS = 10_000
"""How many events are looked at for stalls that happened since the last scrape."""


def metrics(
    node: options.Node = None,
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="HOST:PORT", help="Serve them over HTTP, until ctrl-c, for Prometheus."),
    ] = None,
) -> None:
    """Print the figures of a node as OpenMetrics text, or serve them for Prometheus."""
    from observer.cli import lookup
    from observer.output.metrics import NodeMetrics

    address = None if listen is None else _address(listen)
    found = lookup.find(node)
    reader = _Reader(found.name)
    if address is None:
        # A node that cannot be reached is an error here, and a series with 0 for Prometheus.
        once = reader.ask()
        print(NodeMetrics(found.name, lambda: once).text(), end="")
        return
    _serve(NodeMetrics(found.name, reader.read), *address)


class _Reader:
    """Reads a node for the metrics: with a connection of its own each time, so that a node may come back."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._last_event = -1
        self._started_at = 0.0
        self._one_at_a_time = threading.Lock()

    def read(self) -> Reading | None:
        """Return what the node says now, None when it cannot be reached or refuses."""
        from observer.node.discovery import NodeNotFoundError

        with self._one_at_a_time:
            try:
                return self.ask()
            except (NodeLostError, NodeRefusedError, NodeNotFoundError):
                return None

    def ask(self) -> Reading:
        """Return what the node says now. Raises what the other commands raise."""
        from observer.cli import lookup
        from observer.output.metrics import Reading

        # A black box does not stand in for a node that has ended: that would count as one that is up.
        with lookup.dial(self.name, takes_black_box=False) as client:
            stats = client.expect(wire.Stats, wire.GetStats()).stats
            if client.welcome.started_at != self._started_at:  # another node of that name counts anew
                self._started_at, self._last_event = client.welcome.started_at, -1
            fullest = client.expect(wire.Window, wire.GetProcesses(sort="message_queue_len", limit=1)).rows
            is_searched = "lint_count" not in stats.untold
            findings = client.expect(wire.Lints, wire.GetLints()).lints if is_searched else None
            return Reading(
                welcome=client.welcome,
                stats=stats,
                longest_mailbox=max((row.message_queue_len for row in fullest), default=0),
                tree=tuple(lookup.tree(client, filter="", fold_over=FOLD_OVER)),
                findings=findings,
                new_events=self._new_events(client),
            )

    def _new_events(self, client: Client) -> tuple[wire.Event, ...]:
        query = wire.GetEvents(after=self._last_event, limit=MOST_EVENTS)
        batch = client.expect(wire.Events, query)
        self._last_event = max(batch.last, 0)
        return batch.events


def _address(text: str) -> tuple[str, int]:
    """Return the host and port in ``127.0.0.1:9400``. Raises `WrongUsageError`."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise WrongUsageError(f"--listen takes HOST:PORT, such as 127.0.0.1:9400; {text!r} is something else.")
    return host.strip("[]") or "127.0.0.1", int(port)


def _serve(metrics: NodeMetrics, host: str, port: int) -> None:
    from prometheus_client import start_http_server

    try:
        server, thread = start_http_server(port, host, metrics.registry())
    except OSError as error:
        raise CommandError(f"Nothing can listen on {host} port {port}: {error.strerror or error}.") from None
    at = server.server_address
    say(f"observer: metrics of {metrics.node} at http://{host}:{at[1]}/metrics; ctrl-c ends.")
    try:
        with suppress(KeyboardInterrupt):
            thread.join()
    finally:
        server.shutdown()
        server.server_close()
