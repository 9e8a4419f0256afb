"""The repository keeps its own rules: what stands at its top, and what must never be written into it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FOLDERS = {"runtime", "observer", "demos", "tests", "screenshots"}
FILES = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml"}

FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.-])/(?:home|root|work|Users)/[\w.-]+"),
    "where packages are fetched from": re.compile(r"index[-_]url\s*[=:]?\s*\w+:|[p]ythonhosted|pypi[.]\w+|/simple/\w"),
    "a file outside the repository": re.compile(r"[.][.]/shared"),
    "a conflict that was not resolved": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}
"""What no file may hold, and why it has no business there."""

LARGEST = 1_000_000
"""Bytes that a file may have."""


def tracked() -> list[Path]:
    """Return the files that git keeps."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of the repository")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_the_top_of_the_repository_holds_the_parts_that_the_design_names() -> None:
    tops = {path.relative_to(ROOT).parts[0]: len(path.relative_to(ROOT).parts) > 1 for path in tracked()}
    visible = {name: is_folder for name, is_folder in tops.items() if not name.startswith(".")}
    assert {name for name, is_folder in visible.items() if is_folder} <= FOLDERS
    assert {name for name, is_folder in visible.items() if not is_folder} <= FILES


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = {}
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="replace")
        if match := FORBIDDEN[what].search(text):
            found[str(path.relative_to(ROOT))] = match[0]
    assert found == {}


def test_no_file_is_too_large_to_read() -> None:
    assert {str(path): size for path in tracked() if (size := path.stat().st_size) > LARGEST} == {}


def test_every_dependency_says_what_it_is_for() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    tables = re.findall(r"^(?:dependencies|test|dev) = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    lines = [line for table in tables for line in table.splitlines()]
    assert len(lines) > 10
    assert [line for line in lines if "#" not in line and "process-observer[" not in line] == []


def test_ci_runs_the_very_command_that_the_readme_gives_for_the_tests() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^python3 -m venv .* -m pytest$", readme, re.MULTILINE)
    done = subprocess.run(
        [str(ROOT / ".ci" / "run"), "--show-test-command"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == command
