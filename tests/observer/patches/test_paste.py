from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual import events

from observer.patches.paste import END, START, Cleaner, CleanParser

PIECES = st.lists(st.integers(1, 5), min_size=1, max_size=60)
"""How many characters come at once."""


def split(text: str, sizes: list[int]) -> list[str]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    return [piece for piece in (*pieces, text[at:]) if piece]


@given(st.text(st.sampled_from("aX\x1b[201~\x9b\x07\x00\n\té漢")).filter(lambda text: END not in text), PIECES)
def test_a_paste_is_one_event_without_control_characters_however_it_arrives(text: str, sizes: list[int]) -> None:
    parser, found = CleanParser(), []
    for piece in split(f"{START}{text}{END}k", [len(START), *sizes]):
        found += list(parser.feed(piece))
    pastes = [event.text for event in found if isinstance(event, events.Paste)]
    keys = [event.key for event in found if isinstance(event, events.Key)]
    assert keys == ["k"]
    assert "".join(pastes) == "".join(sign for sign in text if sign.isprintable() or sign in "\n\t")


@given(st.text().filter(lambda text: START not in text), PIECES)
def test_what_is_typed_is_left_as_it_is(text: str, sizes: list[int]) -> None:
    cleaner = Cleaner()
    assert "".join(map(cleaner.clean, split(text, sizes))) == text


def test_keys_that_are_sequences_are_keys() -> None:
    parser = CleanParser()
    assert [event.key for event in parser.feed("\x1b[A\x1b[B") if isinstance(event, events.Key)] == ["up", "down"]
