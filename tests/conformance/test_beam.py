"""The recorded transcripts of the scenarios written here are still what a BEAM prints, where one is installed."""

import shutil

import pytest

from tests.conformance.beam_side import EXPECTED, PLAYERS, names_for, transcripts


@pytest.mark.parametrize("command", PLAYERS)
def test_the_beam_prints_what_was_recorded(command: str) -> None:
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed, so the recordings were not compared with a real BEAM")
    names = names_for(command)
    recorded = {name: (EXPECTED / f"{name}.txt").read_text().splitlines() for name in names}
    assert transcripts(command, names) == recorded
