from __future__ import annotations

import pytest

from runtime.distribution.parts import ImproperList, Opaque
from runtime.introspection.beam.text import atom_text, call_text, text_of
from runtime.terms.atom import Atom


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (Atom("ok"), "ok"),
        (Atom("Elixir.Shop.Stock"), "Shop.Stock"),
        (Atom("two words"), "'two words'"),
        ("té", '<<"té">>'),
        (b"\xff\x00", "<<255,0>>"),
        ((Atom("state"), 1, -2.5), "{state,1,-2.5}"),
        ([1, 2, [3]], "[1,2,[3]]"),
        ([104, 105], '"hi"'),
        ([], "[]"),
        ({Atom("a"): 1, "b": [True, None]}, '#{a => 1, <<"b">> => [true,nil]}'),
        (ImproperList((Atom("a"),), Atom("b")), "[a|b]"),
        (Opaque("a fun", b"x"), "#<a fun>"),
    ],
)
def test_a_term_is_written_as_erlang_writes_it(term: object, text: str) -> None:
    assert text_of(term) == text


def test_a_long_or_deep_term_is_cut() -> None:
    assert text_of(list(range(1_000, 5_000)), 20) == "[1000,1001,1002,1003..."
    nested: object = 1
    for _ in range(50):
        nested = (nested,)
    assert text_of(nested) == "{" * 13 + "{...}" + "}" * 13


def test_a_call_is_written_with_its_arity() -> None:
    assert call_text((Atom("gen_server"), Atom("loop"), 7)) == "gen_server:loop/7"
    assert call_text((Atom("Elixir.Kernel.CLI"), Atom("-run/1-fun-0-"), 0)) == "Kernel.CLI:-run/1-fun-0-/0"
    assert call_text("nothing") == ""
    assert atom_text("it's") == "'it\\'s'"
