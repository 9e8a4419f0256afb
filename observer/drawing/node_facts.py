"""Another node of the cluster, as text: its state with a sign, its figures, and what is known of it."""

from __future__ import annotations

from observer.clock import of_day
from observer.text import tones, units
from observer.text.safe_text import safe
from runtime.introspection.wire import ClusterNode

STATES = {
    "up": ("●", tones.GOOD, "connected"),
    "connecting": ("◌", tones.WARN, "being connected"),
    "down": ("■", tones.BAD, "gone; what is shown is what was last seen"),
    "unreachable": ("✕", tones.BAD, "could not be connected with"),
}
"""Each state as a sign, a tone and a meaning."""

SILENT = 2.0
"""Seconds without an answer from which a node is said to owe one."""

KINDS = {"python": "Python", "beam": "BEAM", "": "?"}


def kind_of(node: ClusterNode) -> str:
    """Return what a node runs: ``Python 0.1.0``, ``BEAM, OTP 25``."""
    if not node.version:
        return KINDS[node.kind]
    return f"{KINDS[node.kind]}{', ' if node.kind == 'beam' else ' '}{safe(node.version)}"


def answer_of(node: ClusterNode) -> tuple[str, str]:
    """Return how soon a node answers, with its tone; of one that owes an answer, for how long."""
    if node.state == "up" and node.silent_for > SILENT:
        return f"none for {units.lag(node.silent_for)}", tones.BAD
    if node.latency is None:
        return "-", tones.MUTED
    return milliseconds(node.latency), tones.TEXT if node.state == "up" else tones.FAINT


def milliseconds(seconds: float) -> str:
    """Return a latency: ``0.21ms``, ``12ms``, ``1.2s``."""
    return f"{seconds * 1000:.2f}ms" if seconds < 0.0095 else units.lag(seconds)


def span_of(node: ClusterNode, now: float) -> str:
    """Return for how long a node has been in its state."""
    return "-" if node.since is None else units.duration(now - node.since)


def facts_of(node: ClusterNode, now: float) -> list[tuple[str, str, str]]:
    """Return what is known of a node: labels with texts and tones."""
    _, tone, meaning = STATES[node.state]
    answer, answer_tone = answer_of(node)
    state = f"{node.state} ({meaning})"
    if node.reason:
        state = f"{state}: {safe(node.reason)}"
    facts = [("state", state, tone)]
    if node.since is not None:
        facts.append(("since", f"{of_day(node.since)}, {span_of(node, now)} ago", tones.TEXT))
    facts += [
        ("runs", kind_of(node) + (", hidden" if node.hidden else ""), tones.TEXT),
        ("answers in", answer, answer_tone),
        ("processes", "-" if node.processes is None else f"{node.processes:,}", tones.TEXT),
        ("messages", f"{node.messages_in:,} in, {node.messages_out:,} out", tones.TEXT),
        ("bytes", f"{units.size(node.bytes_in)} in, {units.size(node.bytes_out)} out", tones.TEXT),
        ("to be sent", _queue(node), tones.WARN if node.suspended or node.waiting else tones.TEXT),
        ("from here", f"{node.linked:,} links, {node.monitored:,} monitors", tones.TEXT),
    ]
    if node.peer:
        facts.append(("peer", f"started by {safe(node.peer)} of this node", tones.TEXT))
    return facts


def _queue(node: ClusterNode) -> str:
    text = units.size(node.queued)
    if node.waiting:
        text += f", and {node.waiting:,} messages wait for a connection"
    if node.suspended:
        text += f", and {units.many(node.suspended, 'process waits', 'processes wait')} here: it reads too slowly"
    return text
