"""How sure a finding is, and why: what it was told from, by kind."""

from __future__ import annotations

from typing import Literal, NamedTuple

Level = Literal["certain", "likely", "possible"]
"""``certain``: it was seen itself. ``likely``: a trend or a sample shows it. ``possible``: it may be meant so."""


class Confidence(NamedTuple):
    """How sure a finding is, and why, in a sentence."""

    level: Level
    reason: str


_HELD = "The hub was asked and did not answer in time, and the stack of its thread was read meanwhile."

CONFIDENCE: dict[str, Confidence] = {
    "hog": Confidence("certain", _HELD),
    "held_hub": Confidence("certain", _HELD),
    "blocks": Confidence(
        "likely", "The hub's thread used no processor while it was held; the call is the one on its stack."
    ),
    "blocked_hub": Confidence(
        "likely", "The hub's thread used no processor while it was held; the call is the one that was on its stack."
    ),
    "starved": Confidence("likely", "The hub's thread had work and was not run, as its processor time tells."),
    "was_starved": Confidence("likely", "The hub's thread had work and was not run, as its processor time tells."),
    "crash_loop": Confidence("certain", "The supervisor's own count of restarts says so."),
    "deadlock": Confidence("certain", "Each process in the ring was seen to wait in a call to the next one."),
    "mailbox_grows": Confidence(
        "likely", "The mailbox was longer at each of several looks, a second apart; a burst looks alike at first."
    ),
    "memory_grows": Confidence(
        "likely", "Estimates of its memory rose at each of several looks; a cache that fills looks alike at first."
    ),
    "program_grows": Confidence(
        "likely", "The memory of the whole program rose for a while; a cache that fills looks alike at first."
    ),
    "never_received": Confidence(
        "likely", "A receive has passed over these messages for some seconds; a later one may still take them."
    ),
    "unanswered": Confidence("certain", "Each such call was counted when it came."),
    "calls_itself": Confidence("certain", "The call was seen when it was made."),
    "remains": Confidence("certain", "The process is dead, and its frames still run."),
    "unwatched": Confidence("possible", "Nothing is linked to it and nothing monitors it, which may be meant."),
}
"""By kind of finding."""

UNKNOWN = Confidence("possible", "The node knows a kind of finding that this observer does not.")


def confidence_of(kind: str) -> Confidence:
    """Return how sure a finding of that kind is."""
    return CONFIDENCE.get(kind, UNKNOWN)
