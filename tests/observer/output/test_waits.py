"""Waits in words and as records."""

from __future__ import annotations

import msgspec

from observer.output.waits import of_wait, sentence
from runtime.introspection import wire

BANK, TILL = wire.Related(pid="<0.3.0>", name="bank"), wire.Related(pid="<0.4.0>", name="till\x1b[2J")


def test_a_chain_is_one_sentence_and_safe() -> None:
    wait = wire.Wait(pid="<0.2.0>", kind="reply", chain=(BANK, TILL), end="timer", end_what="3.0 s at most")
    assert sentence(wait) == "a reply of bank, which waits for till␛[2J, which waits for a timer (3.0 s at most)"
    cycle = msgspec.structs.replace(wait, cycle=True, end=None)
    assert sentence(cycle).endswith(": a cycle")
    lock = wire.Wait(pid="<0.2.0>", kind="lock", chain=(BANK,))
    assert sentence(lock) == "a lock held by bank"
    assert sentence(wire.Wait(pid="<0.2.0>", kind="socket", what="recv, connected to 1.2.3.4:5")) == (
        "a socket (recv, connected to 1.2.3.4:5)"
    )
    assert [each.name for each in of_wait(wait).chain] == ["bank", "till\x1b[2J"]
