"""The same scenarios on a real BEAM: `beam/*.erl` through escript and `beam/*.exs` through elixir.

`python -m tests.conformance.beam_side NAME...` plays scenarios there and records what they print in `expected/`;
without a name, all that have a BEAM side here.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

BEAM = Path(__file__).parent / "beam"
EXPECTED = Path(__file__).parent / "expected"

PLAYERS = {"escript": ("run.escript", "*.erl"), "elixir": ("run.exs", "*.exs")}
"""What plays the scenarios of which sources, by the command that it needs."""

PATIENCE = 120.0
"""Seconds for a play of all scenarios, which takes 20: one that misses a timeout on a busy machine may wait forever."""

CALM = "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none"
"""Flags of a BEAM that is not late on a busy machine: its threads wait for no one, and do not use up their share."""

DEFINITION = re.compile(r"^\s*(?:def )?([a-z]\d\d_\w+)(?:\(\) ->| do$|\(\) do$)", re.MULTILINE)


def names_for(command: str) -> list[str]:
    """The scenarios whose BEAM side that command plays."""
    sources = sorted(BEAM.glob(PLAYERS[command][1]))
    return sorted(name for source in sources for name in DEFINITION.findall(source.read_text()))


def transcripts(command: str, names: Iterable[str], slowness: int = 1) -> dict[str, list[str]]:
    """Play scenarios one after another in one VM; gives the lines that each printed, until `PATIENCE` is over.

    Those with the narrowest margins take `slowness` times as long, and have margins that are as many times as wide.
    Raises subprocess.CalledProcessError when the VM fails; what it said is in the error's `stderr`.
    """
    program = shutil.which(command)
    assert program is not None, f"{command} is not installed; Debian has it in the packages erlang-base and elixir"
    play = [program, str(BEAM / PLAYERS[command][0]), *names]
    try:
        environment = {**os.environ, "ERL_FLAGS": CALM, "SLOWNESS": str(slowness)}
        printed = subprocess.run(play, env=environment, capture_output=True, check=True, timeout=PATIENCE).stdout
    except subprocess.TimeoutExpired as error:
        printed = error.stdout or b""
    found: dict[str, list[str]] = {}
    for line in printed.decode().splitlines():
        if line.startswith("== "):
            lines = found[line[3:]] = []
        else:
            lines.append(line)
    return found


def main(*wanted: str) -> None:
    for command in PLAYERS:
        names = [name for name in names_for(command) if not wanted or name in wanted]
        for name, lines in transcripts(command, names).items() if names else ():
            (EXPECTED / f"{name}.txt").write_text("\n".join(lines) + "\n")
            print(f"recorded {name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
