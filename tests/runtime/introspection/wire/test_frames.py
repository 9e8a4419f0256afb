"""Frames: whatever a program's texts and numbers are, they can be sent."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.introspection import wire

ODD = os.fsdecode(b"caf\xe9.txt")
"""What os.listdir() says of a file whose name is not UTF-8."""

ESCAPED = "caf\\udce9.txt"


def sent(answer: wire.Answer) -> wire.Answer:
    """Return an answer as the observer reads it."""
    data = wire.frame(wire.Reply(id=1, answer=answer))  # type: ignore[arg-type]
    (length,) = wire.HEADER.unpack_from(data)
    assert length == len(data) - wire.HEADER.size
    return wire.decode_reply(data[wire.HEADER.size :]).answer


def test_text_that_is_not_utf8_arrives_escaped_wherever_it_stands() -> None:
    row = wire.Row(key=ODD, name=ODD, label=ODD, child_id=ODD, initial_call=ODD, lints=(ODD,))
    details = wire.Details(
        row=row,
        links=(wire.Related(pid="<0.1.0>", name=ODD),),
        messages=(ODD, "plain"),
        state=ODD,
        dictionary={ODD: ODD},
        current_stacktrace=(wire.Frame(file=ODD, line=1, function=ODD, source="é"),),
    )
    arrived = sent(details)
    assert isinstance(arrived, wire.Details)
    assert arrived.row == wire.Row(
        key=ESCAPED, name=ESCAPED, label=ESCAPED, child_id=ESCAPED, initial_call=ESCAPED, lints=(ESCAPED,)
    )
    assert arrived.dictionary == {ESCAPED: ESCAPED}
    assert arrived.messages == (ESCAPED, "plain")
    assert arrived.current_stacktrace == (wire.Frame(file=ESCAPED, line=1, function=ESCAPED, source="é"),)
    assert arrived.links[0].name == arrived.state == ESCAPED


@pytest.mark.parametrize(("number", "arrives"), [(10**30, 2**63 - 1), (-(10**30), -(2**63)), (2**64 - 1, 2**64 - 1)])
def test_a_number_that_no_frame_holds_arrives_as_the_nearest_one_that_it_does(number: int, arrives: int) -> None:
    names = sent(wire.Names(sockets=(wire.SocketEntry(fd=number, family="tcp", local=""),)))
    assert isinstance(names, wire.Names)
    assert names.sockets[0].fd == arrives


@given(text=st.text(st.characters(categories=("Cs", "Lu", "Cc", "So"))))
def test_any_text_is_printable_once_it_is_made_so(text: str) -> None:
    printable = wire.printable(text)
    assert printable.encode().decode() == printable
    assert (printable == text) == (not any(0xD800 <= ord(each) <= 0xDFFF for each in text))
