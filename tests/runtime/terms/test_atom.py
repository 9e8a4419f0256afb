"""Atoms: strings that other nodes get as atoms."""

import copy
import pickle

import pytest

from runtime.terms.atom import Atom
from runtime.terms.isolation import isolate


def test_an_atom_equals_the_plain_string_and_prints_as_an_atom() -> None:
    atom = Atom("ok")
    assert atom == "ok"
    names: dict[str, int] = {atom: 1}
    assert names["ok"] == 1
    assert repr(atom) == "Atom('ok')"
    assert str(atom) == "ok"
    assert f"{atom}!" == "ok!"


def test_an_atom_stays_one_through_copies_pickles_and_messages() -> None:
    atom = Atom("h\u00e9llo")
    for other in (copy.copy(atom), copy.deepcopy([atom])[0], pickle.loads(pickle.dumps(atom)), isolate((atom,))[0]):
        assert type(other) is Atom
        assert other == atom


def test_what_can_be_no_atom_is_refused() -> None:
    with pytest.raises(TypeError, match="not from int"):
        Atom(1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at most 255 characters; this text has 256"):
        Atom("x" * 256)
    assert len(Atom("x" * 255)) == 255
