"""`python -m tests.conformance.play DIR [NAME...]` writes the transcripts of the scenarios named, or of all, into DIR.

Without a name, every scenario is played. For looking at one: DIR may be `-`, which prints.
"""

import sys
from pathlib import Path

from tests.conformance.harness import play
from tests.conformance.scenarios import all_scenarios


def main(directory: str, *names: str) -> None:
    scenarios = all_scenarios()
    for name in names or scenarios:
        transcript = "\n".join(play(scenarios[name])) + "\n"
        if directory == "-":
            print(transcript, end="")
        else:
            Path(directory, f"{name}.txt").write_text(transcript)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {__doc__}")
    main(*sys.argv[1:])
