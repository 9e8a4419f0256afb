"""The compiled codec beside its source: the same bytes, the same values, the same faults, and nothing leaks."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runtime import Pid
from runtime.distribution.frames import FrameBuffer
from runtime.distribution.parts import ImproperList, Opaque, PidParts, RefParts
from runtime.distribution.term_decoder import TermDecoder
from runtime.distribution.term_encoder import TermEncoder
from runtime.kernel.process import ForeignPid
from runtime.terms.atom import Atom
from runtime.terms.ref import Ref
from tests.differential.kernels import compiled


class Conversion:
    """Takes pids apart and puts them together, as a node does. What else has no counterpart stays without one."""

    pid_type: type = Pid
    ref_type: type = Ref

    def pid_parts(self, pid: Any) -> PidParts:
        return PidParts("a@h", pid.id, pid.serial, 1)

    def pid_of(self, parts: PidParts) -> object:
        if parts.id == 13:
            raise ValueError("too many nodes")
        return ForeignPid(parts.id, None, node=1, serial=parts.serial)

    def ref_parts(self, ref: Any) -> RefParts:
        return RefParts("a@h", (ref.id & 0xFFFF, 2, 3), 1)

    def ref_of(self, parts: RefParts) -> object:
        return Ref(parts.ids[0], 1)

    def other(self, value: object) -> object:
        raise TypeError(f"{type(value).__name__} has no counterpart")


@pytest.fixture(scope="module")
def part() -> ModuleType:
    return compiled("runtime.distribution._external_term")


numbers = st.one_of(
    st.integers(-300, 300),
    st.integers(),
    st.sampled_from([sign * 2**bits + more for sign in (1, -1) for bits in (8, 31, 32, 63, 64) for more in (-1, 0, 1)]),
)
texts = st.text(max_size=12)  # with halves of surrogate pairs, which no UTF-8 text has
leaves = st.one_of(
    numbers,
    texts,
    st.none(),
    st.booleans(),
    st.floats(),
    st.binary(max_size=8),
    st.text(st.characters(codec="utf-8"), max_size=8).map(Atom),
    st.builds(Pid, st.integers(0, 20)),
    st.builds(ForeignPid, st.integers(0, 20), st.none(), node=st.just(1), serial=st.integers(0, 3)),
    st.builds(Ref, st.integers(1, 99)),
    st.just(object),
    st.builds(Opaque, st.just("a port"), st.just(b"\x6a")),
)
terms = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(
            st.one_of(texts, texts.map(Atom), numbers, st.booleans(), st.tuples(numbers)), inner, max_size=4
        ),
        st.builds(ImproperList, st.lists(inner, min_size=1, max_size=3).map(tuple), leaves),
    ),
    max_leaves=12,
)


def outcome(function: Callable[..., object], *args: object) -> tuple[str, object]:
    """Return what a function returns, or the class and text of what it raises. Values are compared with their types."""
    try:
        return "returned", described(function(*args))
    except (TypeError, ValueError) as error:
        return type(error).__name__, str(error)


def described(value: object) -> object:
    if isinstance(value, (tuple, list)):
        return type(value), [described(item) for item in value]
    if isinstance(value, dict):
        return type(value), [(described(key), described(item)) for key, item in value.items()]
    return type(value), repr(value)


def nested(levels: int) -> object:
    term: object = Atom("bottom")
    for level in range(levels):
        term = (term,) if level % 2 else [term]
    return term


endless: list[object] = []
endless.append(endless)


@given(terms)
@example(tuple(range(300)))
@example({1: 2, False: 3, Atom("x"): 4})
@example({"a": 1, Atom("b"): 2})
@example([{1: "x", 2: [b"\xff", "é" * 300]}])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_both_write_the_same_bytes_and_raise_the_same_errors(part: ModuleType, term: object) -> None:
    encoder = TermEncoder(Conversion())
    for _ in range(2):  # the second time atoms and pids are kept
        assert outcome(part.encode, encoder, term) == outcome(part.sources["encode"], TermEncoder(Conversion()), term)


@pytest.mark.parametrize(
    "term", [nested(90), nested(250), nested(30_000), endless], ids=["90", "250", "30,000", "endless"]
)
def test_what_is_nested_is_written_and_read_alike(part: ModuleType, term: object) -> None:
    encoder, decoder = TermEncoder(Conversion()), TermDecoder(Conversion())
    written = outcome(part.encode, encoder, term)
    assert written == outcome(part.sources["encode"], encoder, term)
    if written[0] == "returned":
        encoded = part.encode(encoder, term)
        assert part.decode_first(decoder, encoded, 0) == part.sources["decode_first"](decoder, encoded, 0)


DEEP = b"\x83" + b"l\0\0\0\1" * 399 + b"j" * 400


@given(terms, st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_both_read_the_same_values_and_raise_the_same_errors(
    part: ModuleType, term: object, data: st.DataObject
) -> None:
    encoder = TermEncoder(Conversion())
    try:
        encoded = part.sources["encode"](encoder, term)
    except TypeError:
        return
    bad = bytearray(encoded)
    if data.draw(st.booleans()):
        for _ in range(data.draw(st.integers(1, 3))):
            bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
        del bad[data.draw(st.integers(0, len(bad))) :]
    source, one = TermDecoder(Conversion(), max_items=50), TermDecoder(Conversion(), max_items=50)
    for read in (encoded, bytes(bad), DEEP, b"", b"\x83", b"\x83j", b"\x83t\0\0\0\2a\1a\1F?\xf0\0\0\0\0\0\0a\2"):
        for _ in range(2):
            expected = outcome(part.sources["decode_first"], source, read, 0)
            assert outcome(part.decode_first, one, read, 0) == expected, read


@given(st.lists(st.binary(max_size=9), max_size=8), st.lists(st.integers(1, 9), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_both_find_the_same_frames(part: ModuleType, frames: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)
    one, source = FrameBuffer(), FrameBuffer()
    at, number = 0, 0
    while at < len(stream):
        piece = stream[at : at + cuts[number % len(cuts)]]
        at, number = at + len(piece), number + 1
        one.pieces.append(piece)
        source.pieces.append(piece)
        while (frame := part.next_frame(one)) is not None:
            assert frame == part.sources["next_frame"](source) == part.next_frame(one)
            one.frame = source.frame = None
        assert part.sources["next_frame"](source) is None
        assert one._at == source._at
    one.pieces.append(b"\xff\xff\xff\xff")
    with pytest.raises(ValueError, match="at most"):
        part.next_frame(one)


def test_nothing_leaks(part: ModuleType) -> None:
    encoder, decoder = TermEncoder(Conversion()), TermDecoder(Conversion())
    good = {
        "name": [Atom("ok"), 1, -(2**40), 2**90, "é", b"\xff", (None, True, 2.5, Pid(3), Ref(5)), {1: ()}, "x" * 900]
    }
    bad = [object, float("nan"), "\ud800", nested(300)]
    encoded = part.encode(encoder, good)

    def work() -> None:
        part.decode_first(decoder, part.encode(encoder, good), 0)
        for value in bad:
            outcome(part.encode, encoder, [good, value])
        for end in range(0, len(encoded), 7):
            outcome(part.decode_first, decoder, encoded[:end], 0)

    def held() -> tuple[int, int, int]:
        gc.collect()
        return sys.getallocatedblocks(), sys.getrefcount(None), sys.getrefcount(Atom)

    for _ in range(20):
        work()
    before = held()
    for _ in range(200):
        work()
    assert all(after - first < 60 for first, after in zip(before, held(), strict=True))
