"""The scenarios give one transcript: between two BEAM nodes, between two of ours, and between one of each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conformance.nodes.more_scenarios import SCENARIOS
from tests.conformance.nodes.pair import Kind, Pair, has_beam

RECORDED = Path(__file__).parent / "transcripts.txt"
TRIES = 3
"""The nodes keep real time: on a machine that is busy enough a wait is missed now and then."""

WAYS: tuple[tuple[Kind, Kind], ...] = (
    ("beam", "beam"),
    ("python", "python"),
    ("python", "beam"),
    ("beam", "python"),
)


def recorded() -> dict[str, list[str]]:
    """Return the transcripts of two BEAM nodes, by scenario."""
    found: dict[str, list[str]] = {}
    for line in RECORDED.read_text().splitlines():
        if line.startswith("== "):
            lines = found[line[3:]] = []
        else:
            lines.append(line)
    return found


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_the_transcripts_are_those_of_two_beam_nodes(way: tuple[Kind, Kind], tmp_path: Path) -> None:
    if "beam" in way and not has_beam():
        pytest.skip("erl or erlc is not installed, so nothing was played with a real BEAM")
    wanted = recorded()
    pair = Pair(*way, tmp_path)
    try:
        different = {name: pair.play(SCENARIOS[name]) for name in SCENARIOS}
        for _ in range(TRIES):
            different = {name: lines for name, lines in different.items() if lines != wanted[name]}
            if not different:
                break
            different = {name: pair.play(SCENARIOS[name]) for name in different}
    finally:
        pair.close()
    assert different == {name: wanted[name] for name in different}


def test_every_recorded_transcript_has_its_scenario() -> None:
    assert [*recorded()] == [*SCENARIOS]
    assert len(SCENARIOS) >= 40


def record() -> None:
    """Write down what two BEAM nodes do: ``python -m tests.conformance.nodes.test_pairs``."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        pair = Pair("beam", "beam", Path(folder))
        lines: list[str] = []
        for name, scenario in SCENARIOS.items():
            print(name, file=sys.stderr)
            lines += [f"== {name}", *pair.play(scenario)]
        pair.close()
    RECORDED.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    record()
