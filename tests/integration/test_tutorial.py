"""The tutorial keeps its word: each of its programs runs and prints what stands below it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "runtime" / "TUTORIAL.md").read_text(encoding="utf-8")

FILES = {name: source for source, name in re.findall(r"^```python\n(# (\S+\.py)\n.*?)^```$", TUTORIAL, re.M | re.S)}
SESSIONS = re.findall(r"^```console\n\$ (python [^\n]+)\n(.*?)^```$", TUTORIAL, re.M | re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds every file of the tutorial."""
    folder = tmp_path_factory.mktemp("tutorial")
    for name, source in FILES.items():
        folder.joinpath(name).write_text(source, encoding="utf-8")
    return folder


@pytest.mark.parametrize(("command", "printed"), SESSIONS, ids=[command for command, _ in SESSIONS])
def test_a_program_prints_what_the_tutorial_says(folder: Path, command: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, *command.split()[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if "pytest" in command:
        assert printed.strip() in done.stdout
    elif status := re.search(r"exit status (\d+)", printed):
        assert done.returncode == int(status[1]), done.stderr
    else:
        assert done.stdout == printed, done.stderr
        assert done.returncode == 0


def test_every_file_of_the_tutorial_is_run_or_used(folder: Path) -> None:
    run = " ".join(command for command, _ in SESSIONS)
    sources = "\n".join(FILES.values())
    unused = [
        name
        for name in FILES
        if name not in run and not re.search(rf"^(?:from|import) {name.removesuffix('.py')}\b", sources, re.M)
    ]
    assert unused == []
    assert len(FILES) == len(re.findall(r"^```python$", TUTORIAL, re.M))
