"""The command that evaluates Python in a node: console."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from observer.cli import options
from observer.cli.errors import CommandError
from observer.node.console import ConsoleSession
from observer.text import python_input
from observer.text.console_lines import ConsoleLines
from observer.text.safe_text import safe

if TYPE_CHECKING:
    from observer.node.child import Child

BARE_NODE = "runtime.introspection.console.bare"
"""The program of a node that does nothing but evaluate."""


def console(
    node: options.Node = None,
    start: Annotated[bool, typer.Option("--start", help="Start a node that does nothing else, and end it.")] = False,
) -> None:
    """Evaluate Python in a node, in a process of its own, as in IEx.

    What is piped into it is evaluated too. ctrl-c ends what is being evaluated, ctrl-d leaves.
    """
    from observer.cli import lookup

    with ExitStack() as stack:
        child = stack.enter_context(_bare_node()) if start else None
        client = stack.enter_context(lookup.dial_to_act(node if child is None else child.name))
        session = ConsoleSession(client)
        if not sys.stdin.isatty():
            _evaluate_all(session, sys.stdin.read())
            return
        from observer.cli.console_prompt import ConsolePrompt

        about = client.welcome
        print(f"Python {about.python_version}, gevent {about.gevent_version}: node {safe(about.node)}.")
        print(f"This is process {session.pid}. i(PID) and tree() look around, ctrl-d leaves.")
        ConsolePrompt(session, safe(about.node), child).run()


@contextmanager
def _bare_node() -> Iterator[Child]:
    from observer.node import discovery
    from observer.node.child import Child

    reservation = discovery.reserve_name("console")
    with Child(reservation.name, ["-m", BARE_NODE], reservation=reservation) as child:
        if not child.wait_until_listening():
            raise CommandError("\n".join(["The node could not be started.", *child.stderr()]))
        yield child


def _evaluate_all(session: ConsoleSession, source: str) -> None:
    """Evaluate what is piped in, statement by statement. Exits with 1 when one of them fails; the others are run."""
    failed = [_evaluate(session, each) for each in python_input.statements(source)]
    if any(failed):
        raise typer.Exit(1)


def _evaluate(session: ConsoleSession, source: str) -> bool:
    """Evaluate and print. Return whether something went wrong."""
    failed = False
    shown = ConsoleLines()

    pieces = ((each.kind, each.text) for texts in session.evaluate(source) for each in texts)
    for kind, line in itertools.chain(shown.feed(pieces), shown.flush()):
        failed |= kind == "error"
        print(line, file=sys.stderr if kind == "error" else sys.stdout)
    return failed
