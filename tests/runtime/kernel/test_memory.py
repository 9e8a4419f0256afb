from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import pytest

from runtime import dictionary, receive, run, self_, sleep, spawn
from runtime.kernel import memory
from runtime.kernel.memory import measure, referents, walk


def test_what_a_measurement_will_not_look_at_is_not_kept_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    longest = 0

    class Watched(deque[Any]):
        def extend(self, items: Iterable[Any], /) -> None:
            nonlocal longest
            super().extend(items)
            longest = max(longest, len(self))

    def main() -> None:
        def hold() -> None:
            rows = [[float(n) for n in range(900)] for _ in range(900)]
            receive()
            del rows

        pid = spawn(hold)
        sleep(0.01)
        monkeypatch.setattr(memory, "deque", Watched)
        assert pid.process is not None
        assert sum(walk(pid.process, limit=2_000)) > 900 * 900 * 8

    run(main)
    assert 900 < longest <= 2_000


def test_measuring_runs_no_code_of_the_program() -> None:
    called: list[str] = []

    class Spy:
        def __sizeof__(self) -> int:
            called.append("size")
            return 1

        @property  # type: ignore[misc]
        def __class__(self) -> type:
            called.append("class")
            return int

        def __len__(self) -> int:
            called.append("length")
            return 1

    class SpyList(list[int]):
        def __len__(self) -> int:
            called.append("length")
            return 10**9

        def __iter__(self) -> Any:
            called.append("iteration")
            return iter(())

    def main() -> int:
        def hold() -> None:
            held = [Spy(), SpyList(range(10_000))]
            receive()
            del held

        pid = spawn(hold)
        sleep(0.01)
        assert pid.process is not None
        return measure(pid.process)

    assert run(main) > 10_000 * 8
    assert called == []


@pytest.mark.parametrize("value", [[*range(100)], dict.fromkeys(range(100)), {*range(100)}, (*range(100),)])
def test_of_what_a_value_refers_to_as_much_is_given_as_was_asked_for(value: object) -> None:
    assert [*referents(value, 3)] == [0, 1, 2]
    assert [*referents(value, 0)] == []
    assert [*referents(value, -1)] == []


def test_what_refers_to_nothing_gives_nothing() -> None:
    assert [*referents("text", 3)] == []


def test_a_process_is_charged_for_what_it_holds_and_not_for_what_it_refers_to() -> None:
    def main() -> tuple[int, int]:
        own, other = self_(), spawn(receive)
        sleep(0.01)
        assert own.process is not None
        assert other.process is not None
        return measure(own.process), measure(other.process)

    sizes = run(main)
    assert all(1_000 < size < 100_000 for size in sizes)


@pytest.mark.parametrize("shape", ["a value within itself", "one value in several places"])
def test_what_is_reached_twice_counts_once(shape: str) -> None:
    def main() -> None:
        def hold() -> None:
            held: list[Any] = [bytes(100_000)]
            held.append(held if shape == "a value within itself" else held[0])
            held.append([held[0], held])
            receive()
            del held

        pid = spawn(hold)
        sleep(0.01)
        assert pid.process is not None
        assert 100_000 < sum(walk(pid.process, limit=10_000)) < 200_000

    run(main)


class Uncompared(type):
    """The metaclass of classes that cannot be compared, or be in a set."""

    def __eq__(cls, other: object) -> bool:
        raise LookupError

    def __hash__(cls) -> int:
        raise LookupError


def test_a_class_that_cannot_be_compared_is_measured() -> None:
    def main() -> int:
        dictionary()["held"] = Uncompared("Held", (), {})()
        process = self_().process
        assert process is not None
        return measure(process)

    assert run(main) > 0
