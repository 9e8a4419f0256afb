"""The large parts of a state, each in a line."""

from observer.text.parts import part_text
from runtime.introspection.wire import Part


def test_a_container_is_told_with_its_items_and_what_each_takes() -> None:
    assert (
        part_text(Part(name="pages", kind="dict", size=6_000_000, items=300))
        == "pages  5.7M  dict of 300 items, about 20K each"
    )
    assert part_text(Part(name="pages", kind="list", size=20_000, items=1)) == "pages  20K  list of 1 item"


def test_anything_else_is_told_by_its_class() -> None:
    assert part_text(Part(name="log\x1b", kind="bytes", size=20_000)).endswith("20K  bytes")
