"""The plans of several nodes, put together as one."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.introspection import wire

ENDED = wire.Failed(why="These processes have ended, or their nodes have.", kind="noproc")


def is_ended(answer: wire.Answer) -> bool:
    """Return whether there is no plan because the process has ended."""
    return isinstance(answer, wire.Failed) and answer.kind == "noproc"


def of_all(answers: Sequence[tuple[str, wire.Answer]]) -> wire.Answer:
    """Return the plan for the processes of all nodes, out of what each node has answered.

    A node that has not said what will happen is named with the reason, since its processes are asked to end too. Where
    no node has said it, the first reason is the answer.
    """
    left = [(node, answer) for node, answer in answers if not is_ended(answer)]
    plans = [answer for _, answer in left if isinstance(answer, wire.Plan)]
    if not plans:
        if len(answers) == 1:
            return answers[0][1]
        return left[0][1] if left else ENDED
    told = "; ".join(f"on {node}: {_told(answer)}" for node, answer in left)
    return wire.Plan(
        sentence=plans[0].sentence if len(answers) == 1 else told,
        kills=tuple(one for each in plans for one in each.kills),
        restarts=tuple(one for each in plans for one in each.restarts),
        gives_up=tuple(one for each in plans for one in each.gives_up),
        assumes=tuple(dict.fromkeys(one for each in plans for one in each.assumes)),
        reason=plans[0].reason,
    )


def _told(answer: wire.Answer) -> str:
    match answer:
        case wire.Plan(sentence=sentence):
            return sentence
        case wire.Failed(why=why):
            return f"not known ({why.rstrip('.')})"
    return "not known"
