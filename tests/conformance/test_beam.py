"""The recorded transcripts of the scenarios written here are still what a BEAM prints, where one is installed."""

import shutil

import pytest

from tests.conformance.beam_side import EXPECTED, PLAYERS, names_for, transcripts

TRIES = 20
"""A BEAM keeps real time, and on a machine that is busy enough a margin is missed: they grow from try to try."""


@pytest.mark.parametrize("command", PLAYERS)
def test_the_beam_prints_what_was_recorded(command: str) -> None:
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed, so the recordings were not compared with a real BEAM")
    recorded = {name: (EXPECTED / f"{name}.txt").read_text().splitlines() for name in names_for(command)}
    different = recorded
    for attempt in range(TRIES):
        printed = transcripts(command, different, slowness=4 ** min(attempt, 2))
        different = {name: printed.get(name, []) for name in different if printed.get(name) != recorded[name]}
        if not different:
            break
    assert not different, f"{[*different]} differ from the recordings, {TRIES} times in a row"
