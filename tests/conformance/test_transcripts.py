"""Each scenario gives the transcript that a real BEAM printed for it."""

import json
from pathlib import Path

import pytest

from tests.conformance.harness import play
from tests.conformance.scenarios import all_scenarios

EXPECTED = Path(__file__).parent / "expected"
SCENARIOS = all_scenarios()

# Lines that say something only a BEAM can say: throw, and the texts of gen_server's own status page.
BEAM_ONLY = {
    "p03_exit_reason_mapping": ('["uncaught_throw"',),
    "s03_sys_status_and_debug": ('["header"', '["data_keys"'),
    "x07_task_async_await": ('["throw"',),
}


def comparable(name: str, lines: list[str]) -> list[str]:
    """The lines that both sides must agree on, each object's keys in order."""
    left_out = BEAM_ONLY.get(name, ())
    normal = (json.dumps(json.loads(line), separators=(",", ":"), sort_keys=True) for line in lines if line.strip())
    return [line for line in normal if not line.startswith(left_out)] if left_out else list(normal)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_transcript_is_the_beams(name: str) -> None:
    expected = (EXPECTED / f"{name}.txt").read_text().splitlines()
    assert comparable(name, play(SCENARIOS[name])) == comparable(name, expected)


def test_every_recorded_transcript_has_its_scenario() -> None:
    assert sorted(path.stem for path in EXPECTED.glob("*.txt")) == sorted(SCENARIOS)
