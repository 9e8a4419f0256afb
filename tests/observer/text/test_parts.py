"""The large parts of a state, each in a line."""

from observer.text.parts import part_text
from runtime.introspection.wire import Part


def test_a_container_is_told_with_its_items_and_what_each_takes() -> None:
    assert (
        part_text(Part(name="pages", kind="dict", size=6_000_000, items=300))
        == "pages  5.7M  dict of 300 items, about 20K each"
    )
    assert part_text(Part(name="pages", kind="list", size=20_000, items=1)) == "pages  20K  list of 1 item"


def test_what_a_part_has_gained_is_told_but_for_the_noise_of_an_estimate() -> None:
    first = Part(name="pages", kind="dict", size=1_000_000, items=60)
    grown = Part(name="pages", kind="dict", size=3_000_000, items=180)
    assert part_text(grown, first).endswith("16K each, +1.9M and +120 items since you began to watch")
    assert "since" not in part_text(Part(name="pages", kind="dict", size=1_010_000, items=60), first)
    shrunk = Part(name="log", kind="bytes", size=10)
    assert part_text(shrunk, Part(name="log", kind="bytes", size=2_058)) == (
        "log  10B  bytes, -2.0K since you began to watch"
    )
    assert part_text(
        Part(name="a", kind="set", size=60, items=1), Part(name="a", kind="set", size=60, items=2)
    ).endswith("set of 1 item, -1 item since you began to watch")


def test_anything_else_is_told_by_its_class() -> None:
    assert part_text(Part(name="log\x1b", kind="bytes", size=20_000)).endswith("20K  bytes")
