"""What to do about what looks wrong: for each kind of finding, where to look next and what cures it."""

from __future__ import annotations

from observer.drawing.event_line import Spans
from observer.drawing.frames import without_folders
from observer.text import tones, units
from observer.text.safe_text import safe
from runtime.introspection.wire import Lint

WEIGHTS = {1: ("·", tones.MUTED), 2: ("!", tones.WARN), 3: ("✗", tones.BAD)}
"""A sign and a tone for each weight of a finding."""

ADVICE = {
    "hog": "It computes and never waits. Let it work in pieces, with sleep(0) between them, or run the program with "
    "--time-slice. X ends it in the middle of its work.",
    "held_hub": "It is over, but may happen again: the events (4) show when and how often. Let it work in pieces, with "
    "sleep(0) between them, or run the program with --time-slice.",
    "blocks": "It waits in a call that stops the whole thread, not the process alone. Use the module of gevent for it "
    "(gevent.socket, gevent.subprocess), call gevent.monkey.patch_all() first, or hand it to gevent's threadpool: "
    "gevent.get_hub().threadpool.apply(function).",
    "blocked_hub": "It is over, and may come again: the events (4) tell when and how often. Use the module of gevent "
    "for such a call, call gevent.monkey.patch_all() first, or hand it to gevent.get_hub().threadpool.apply(function).",
    "starved": "No process is to blame. See what else runs on this machine, and which other threads of the program "
    "compute: they share one interpreter with the hub.",
    "was_starved": "It is over, and no process was to blame. See what else ran on this machine at that time, and which "
    "other threads of the program compute: they share one interpreter with the hub.",
    "crash_loop": "Look at the exits in the events (4): each shows the line that failed, and the message it failed on.",
    "mailbox_grows": "It receives more than it can handle: the senders should wait for its answers (call, not cast). "
    "Its view (3) names who sends most, and the line that does. Suspend that one with S, and see whether the mailbox "
    "gets shorter.",
    "memory_grows": "It keeps what it should drop: its state shows what that is. "
    "flag(max_heap_size=...) ends it at a bound.",
    "program_grows": "No process holds it: 'observer memory NODE' says which variables of modules and which types "
    "grow. Give caches a bound, and remove from lists and dicts what is done with.",
    "deadlock": "Each of them waits for an answer from another one of them. Kill one with X, and the others go on. The "
    "cure is a third process that asks both, or a timeout.",
    "never_received": "It waits for messages of another form: the first one in its mailbox shows what is sent instead.",
    "unanswered": "Its callers got None for a reply. End the match with case _: return super().handle_call(request, "
    "caller): such a call then fails, and its error names the request. A state machine's callers get no reply: there, "
    "end it with case _: raise NotImplementedError(event).",
    "calls_itself": "It should call its own function directly.",
    "remains": "Its finally, or a handler that catches everything, goes on after the process was killed. enter asks "
    "whether to stop it; in the program, let such code end by itself.",
    "unwatched": "Start it under a supervisor, or link to it or monitor it, so that its end is noticed.",
}
"""What to do, by kind of finding."""


def sign(lint: Lint) -> tuple[str, str]:
    """Return the sign and the tone of a finding's weight."""
    return WEIGHTS.get(lint.weight, WEIGHTS[3])


def explained(lint: Lint, now: float) -> list[Spans]:
    """Return a finding in full as lines: what it is, since when, and what can be done about it."""
    mark, tone = sign(lint)
    told: list[Spans] = [[(f"{mark} ", tone), (safe(without_folders(lint.sentence)), tones.TEXT)]]
    if lint.since is not None:
        told.append([(f"Seen for {units.duration(max(0.0, now - lint.since))}.", tones.MUTED)])
    if advice := ADVICE.get(lint.kind):
        told += [[], [(advice, tones.TEXT)]]
    if lint.pids:
        told += [[], [("⏎ ", tones.KEY), (f"shows {safe(lint.pids[0])}", tones.MUTED)]]
    return told
