"""The External Term Format: what Erlang writes is read, what is written Erlang reads, and bad bytes do no harm."""

import contextlib
import enum
import math
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runtime.distribution.external_term import Codec
from runtime.distribution.parts import ImproperList, Opaque, PidParts, RefParts
from runtime.distribution.term_decoder import MAX_DEPTH, TermTooLargeError
from runtime.terms.atom import Atom
from tests.support.erl import ErlangTerms, needs_erl

codec = Codec()


@pytest.fixture(scope="module")
def erlang() -> Iterator[ErlangTerms]:
    with ErlangTerms() as terms:
        yield terms


words = st.integers(0, 2**32 - 1)
atoms = st.text(st.characters(codec="utf-8"), max_size=20).filter(lambda text: text not in ("true", "false", "nil"))
nodes = st.sampled_from(["a@h", "long-name-of-a-node@some.host.example"])
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**3000), 2**3000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8")),
    st.binary(),
    atoms.map(Atom),
    st.builds(PidParts, nodes, words, words, words.filter(bool)),
    st.builds(RefParts, nodes, st.lists(words, min_size=3, max_size=5).map(tuple), words.filter(bool)),
)
keys = st.one_of(st.text(st.characters(codec="utf-8")), atoms.map(Atom), st.integers())
terms = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
        st.builds(ImproperList, st.lists(inner, min_size=1, max_size=3).map(tuple), leaves),
    ),
    max_leaves=20,
)


def as_read(term: Any) -> Any:
    """What a term is after it was written and read: bytes that are UTF-8 are a str."""
    match term:
        case bytes():
            try:
                return term.decode()
            except UnicodeDecodeError:
                return term
        case PidParts() | RefParts():
            return term
        case ImproperList():
            return ImproperList(tuple(map(as_read, term.items)), as_read(term.tail))
        case tuple():
            return tuple(map(as_read, term))
        case list():
            return [as_read(item) for item in term]
        case dict():
            return {key: as_read(item) for key, item in term.items()}
    return term


@given(terms)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_a_term_comes_back_as_what_it_was(term: object) -> None:
    assert codec.decode(codec.encode(term)) == as_read(term)


@needs_erl
@given(terms, st.sampled_from([b"b", b"o", b"c"]))
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@example(list(range(100_000)), b"b")
@example("x" * 100_000, b"c")
@example(tuple(range(300)), b"b")
@example(2**40_000, b"b")
@example(["a", [1, 2, 3], [255, 256]], b"b")
def test_erlang_reads_what_is_written_and_writes_what_is_read(erlang: ErlangTerms, term: object, how: bytes) -> None:
    back = codec.decode(erlang.there_and_back(codec.encode(term), how))
    assert back == as_read(term)
    if isinstance(term, float):
        assert math.copysign(1, back) == math.copysign(1, term)


VALUES: list[tuple[str, object]] = [
    ("ok.", Atom("ok")),
    ("true.", True),
    ("nil.", None),
    ("undefined.", Atom("undefined")),
    ("'h\\x{e9}llo w\\x{f6}rld'.", Atom("h\u00e9llo w\u00f6rld")),
    ("list_to_atom(lists:duplicate(255, 16#10348)).", Atom("\U00010348" * 255)),
    ("<<\"text\">>.", "text"),
    ("<<255, 0>>.", b"\xff\0"),
    ("\"charlist\".", [*b"charlist"]),
    ("[].", []),
    ("[1, 256, -1, 1 bsl 64].", [1, 256, -1, 1 << 64]),
    ("1.5.", 1.5),
    ("#{a => 1, <<\"b\">> => [2]}.", {"a": 1, "b": [2]}),
    ("{}.", ()),
    ("list_to_tuple(lists:seq(1, 300)).", tuple(range(1, 301))),
    ("-(1 bsl 5000).", -(1 << 5000)),
    ("[a | b].", ImproperList(("a",), "b")),
    ("[alias | 7].", ImproperList(("alias",), 7)),
]  # fmt: skip


@needs_erl
@pytest.mark.parametrize(("expression", "value"), VALUES, ids=[expression for expression, _ in VALUES])
def test_a_value_of_erlang_is_read_and_goes_back_as_the_same(
    erlang: ErlangTerms, expression: str, value: object
) -> None:
    read = codec.decode(erlang.evaluate(expression))
    assert read == value
    assert type(read) is type(value)
    assert erlang.is_same(codec.encode(read))


@needs_erl
@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("hd(erlang:ports()).", "a port"),
        ("fun lists:map/2.", "a fun"),
        ("fun(X) -> X + 1 end.", "a fun"),
        ("(fun(Y) -> fun() -> Y end end)(make_ref()).", "a fun"),
        ("<<5:3>>.", "a bitstring"),
        ("<<1, 2, 3:7>>.", "a bitstring"),
        ("#{1 => a, 1.0 => b}.", "a map"),
        ("#{a => 1, <<\"a\">> => 2}.", "a map"),
        ("#{[1] => x}.", "a map"),
        ("#{#{} => x}.", "a map"),
    ],
)  # fmt: skip
def test_a_value_that_python_has_no_type_for_goes_back_unchanged(
    erlang: ErlangTerms, expression: str, kind: str
) -> None:
    read = codec.decode(erlang.evaluate(expression))
    assert isinstance(read, Opaque)
    assert read.kind == kind
    assert erlang.is_same(codec.encode(read))


@needs_erl
@pytest.mark.parametrize("expression", ["self().", "make_ref().", "{self(), [make_ref()]}.", "alias()."])
def test_a_pid_or_a_reference_of_erlang_goes_back_as_the_same(erlang: ErlangTerms, expression: str) -> None:
    assert erlang.is_same(codec.encode(codec.decode(erlang.evaluate(expression))))


OLD_TAGS: list[tuple[bytes, object]] = [
    (b"d\0\3foo", Atom("foo")),
    (b"s\3foo", Atom("foo")),
    (b"s\1\xe9", Atom("\u00e9")),
    (b"v\0\3foo", Atom("foo")),
    (b"c1.50000000000000000000e+00\0\0\0\0\0", 1.5),
    (b"gd\0\3a@h\0\0\0\1\0\0\0\2\3", PidParts("a@h", 1, 2, 3)),
    (b"ed\0\3a@h\0\0\0\1\3", RefParts("a@h", (1,), 3)),
    (b"r\0\2d\0\3a@h\3\0\0\0\1\0\0\0\2", RefParts("a@h", (1, 2), 3)),
    (b"fd\0\3a@h\0\0\0\1\3", Opaque("a port", b"fd\0\3a@h\0\0\0\1\3")),
    (b"Yw\3a@h\0\0\0\1\0\0\0\3", Opaque("a port", b"Yw\3a@h\0\0\0\1\0\0\0\3")),
    (b"l\0\0\0\1a\1l\0\0\0\1a\2j", [1, 2]),
    (b"l\0\0\0\1a\1k\0\2\2\3", [1, 2, 3]),
    (b"l\0\0\0\0a\1", 1),
    (b"o\0\0\0\2\1\0\1", -256),
]


@pytest.mark.parametrize(("data", "value"), OLD_TAGS)
def test_tags_that_only_older_nodes_write_are_read(data: bytes, value: object) -> None:
    assert codec.decode(b"\x83" + data) == value


class Colour(enum.IntEnum):
    RED = 1


class Point(NamedTuple):
    x: int
    y: int


def test_subclasses_go_out_as_what_they_are() -> None:
    assert codec.decode(codec.encode([Colour.RED, Point(1, 2), bytearray(b"ab")])) == [1, (1, 2), "ab"]


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({1, 2}, "{1, 2}"),
        (len, "len"),
        ([1, ("deep", object)], "object"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (2j, "2j"),
        ("\ud800", "surrogate"),
        ({True: 1, Atom("true"): 2}, "same key"),
        ({"a": 1, b"a": 2}, "same key"),
        ({("a",): 1, (b"a",): 2}, "same key"),
    ],
)
def test_a_value_without_a_counterpart_is_refused_by_name(value: object, named: str) -> None:
    with pytest.raises(TypeError, match=named):
        codec.encode(value)


def test_an_integer_that_no_beam_node_takes_is_refused() -> None:
    with pytest.raises(TypeError, match="too large"):
        codec.encode(1 << 5_000_000)


def test_a_value_that_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(TypeError, match="contains itself"):
        codec.encode(value)


def test_options_choose_bytes_and_undefined() -> None:
    other = Codec(binaries="bytes", none="undefined")
    assert other.decode(other.encode(["text", None, Atom("nil")])) == [b"text", None, Atom("nil")]
    assert codec.decode(other.encode(None)) == Atom("undefined")


# -- Bad bytes -----------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_are_a_term_or_a_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        codec.decode(b"\x83" + data)


@given(terms, st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_a_term_that_was_damaged_is_a_term_or_a_value_error(term: object, data: st.DataObject) -> None:
    encoded = bytearray(codec.encode(term))
    for _ in range(data.draw(st.integers(1, 3))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(encoded)))
    with contextlib.suppress(ValueError):
        codec.decode(bytes(encoded[:cut]))


@given(terms)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_every_beginning_of_a_term_is_a_value_error(term: object) -> None:
    encoded = codec.encode(term)
    for end in {*range(min(len(encoded), 40)), len(encoded) - 1}:
        with pytest.raises(ValueError):
            codec.decode(encoded[:end])


@pytest.mark.parametrize(
    "data",
    [
        b"l\xff\xff\xff\xffa\1",
        b"i\xff\xff\xff\xffa\1",
        b"t\xff\xff\xff\xffa\1",
        b"m\xff\xff\xff\xffa",
        b"o\xff\xff\xff\xff\0a",
        b"P\xff\xff\xff\xff" + zlib.compress(b"a" * 1000),
        b"P\0\0\0\2" + zlib.compress(b"m\0\x0f\x42\x40" + b"x" * 1_000_000),
        b"P\0\0\0\2nonsense",
        b"R\0",
        b"F\x7f\xf0\0\0\0\0\0\0",
        b"w\2\xff\xff",
        b"Z\0\0w\3a@h\0\0\0\1",
        b"a\1a\2",
    ],
)
def test_lengths_that_lie_and_values_that_cannot_be_are_value_errors(data: bytes) -> None:
    with pytest.raises(ValueError):
        codec.decode(b"\x83" + data)


@pytest.mark.parametrize("opening", [b"l\0\0\0\1", b"h\1", b"t\0\0\0\1a\1"])
def test_depth_is_bounded(opening: bytes) -> None:
    with pytest.raises(TermTooLargeError):
        codec.decode(b"\x83" + opening * 100_000 + b"j")
    deep = codec.decode(b"\x83" + opening * 100 + b"j" + b"j" * 100 * (opening[0] == 108))
    assert deep
    assert MAX_DEPTH > 100


def test_the_number_of_items_is_bounded() -> None:
    with pytest.raises(TermTooLargeError, match="more than 10 items"):
        Codec(max_items=10).decode(codec.encode([[1] * 6, [1000] * 6]))


def test_a_long_chain_of_lists_is_read_in_linear_time() -> None:
    assert len(codec.decode(b"\x83" + b"l\0\0\0\1a\1" * 200_000 + b"j")) == 200_000


def test_atoms_from_outside_fill_no_table() -> None:
    other = Codec()
    for number in range(20_000):
        other.decode(b"\x83w\x05" + b"%05d" % number)
    assert len(other.decode.__self__._atoms) < 5_000  # type: ignore[attr-defined]
