"""The repository keeps its own rules: what stands at its top, and what must never be written into it."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FOLDERS = {"runtime", "observer", "demos", "tests", "screenshots"}
FILES = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "setup.py"}

FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.-])/(?:home|root|work|Users)/[\w.-]+"),
    "where packages are fetched from": re.compile(r"index[-_]url\s*[=:]?\s*\w+:|[p]ythonhosted|pypi[.]\w+|/simple/\w"),
    "a file outside the repository": re.compile(r"[.][.]/shared"),
    "a conflict that was not resolved": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}
"""What no file may hold, and why it has no business there."""

LARGEST = 1_000_000
"""Bytes that a file may have."""


LONGEST = 450
"""Lines that a module may have: past that it is about two things."""


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


def test_no_module_is_longer_than_can_be_read_in_one_sitting() -> None:
    lengths = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in modules()}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def modules() -> list[Path]:
    """Return the Python files that git keeps."""
    return [path for path in tracked() if path.suffix == ".py"]


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


# -- Each module has a test of its name -------------------------------------------------------------------------------

ONLY_TYPES = {
    "runtime/introspection/wire/cluster",
    "runtime/terms/term",
    "runtime/introspection/wire/answers",
    "runtime/introspection/wire/entries",
    "runtime/introspection/wire/fields",
    "runtime/introspection/wire/requests",
}
"""Modules without a line that could go wrong at run time."""

SEEN_FROM_OUTSIDE = {
    "runtime/cores/task": "tests/runtime/cores",
    "runtime/distribution/attempts": "tests/runtime/distribution",
    "runtime/boot/peer_program": "tests/runtime",
    "runtime/distribution/cluster": "tests/runtime/distribution",
    "runtime/distribution/connection": "tests/runtime/distribution",
    "runtime/distribution/connection_state": "tests/runtime/distribution",
    "runtime/distribution/epmd_server": "tests/runtime/distribution",
    "runtime/distribution/errors": "tests/runtime/distribution",
    "runtime/distribution/figures": "tests/runtime/introspection/answers",
    "runtime/distribution/greeting": "tests/runtime/distribution",
    "runtime/distribution/guard": "tests/runtime/distribution",
    "runtime/distribution/handshake": "tests/runtime/distribution",
    "runtime/distribution/hub_calls": "tests/runtime/distribution",
    "runtime/distribution/incoming": "tests/runtime/distribution",
    "runtime/distribution/kernel_servers": "tests/runtime/distribution",
    "runtime/distribution/node_monitors": "tests/runtime/distribution",
    "runtime/distribution/nodes": "tests/runtime/distribution",
    "runtime/distribution/orderly_stop": "tests/runtime/introspection/answers",
    "runtime/distribution/parts": "tests/runtime/distribution",
    "runtime/distribution/pickled": "tests/runtime/distribution",
    "runtime/distribution/probes": "tests/runtime/introspection/answers",
    "runtime/distribution/reasons": "tests/runtime/distribution",
    "runtime/distribution/refusals": "tests/runtime/distribution",
    "runtime/distribution/registration": "tests/runtime/distribution",
    "runtime/distribution/remote_calls": "tests/runtime/distribution",
    "runtime/distribution/remote_node": "tests/runtime/distribution",
    "runtime/distribution/remote_procedure": "tests/runtime/distribution",
    "runtime/distribution/remote_spawn": "tests/runtime/distribution",
    "runtime/distribution/spawn_requests": "tests/runtime/distribution",
    "runtime/distribution/term_decoder": "tests/runtime/distribution",
    "runtime/distribution/term_encoder": "tests/runtime/distribution",
    "runtime/introspection/answers/cluster_questions": "tests/runtime/introspection/answers",
    "runtime/introspection/answers/commands/node": "tests/runtime/introspection/answers",
    "runtime/introspection/answers/console": "tests/runtime/introspection/console",
    "runtime/introspection/answers/senders": "tests/runtime/introspection/measuring",
    "runtime/introspection/measuring/watched_mailbox": "tests/runtime/introspection/measuring",
    "runtime/introspection/black_box": "tests/integration",
    "runtime/introspection/console/bare": "tests/integration",
    "runtime/introspection/reading/filter_language": "tests/runtime/introspection/reading",
    "runtime/introspection/recording": "tests/runtime/introspection/recording",
    "runtime/introspection/instrument": "tests/integration",
    "runtime/introspection/moment": "tests/observer/node/recorded",
    "runtime/introspection/beam": "tests/runtime/introspection/beam",
    "runtime/introspection/answers/memory": "tests/runtime/introspection",
    "runtime/introspection/last_words": "tests/integration",
    "runtime/introspection/measuring/sample_size": "tests/runtime/introspection/measuring",
    "runtime/introspection/reading/adapters": "tests/runtime/introspection",
    "runtime/introspection/reading/described": "tests/runtime/introspection/reading",
    "runtime/ets": "tests/runtime",
    "runtime/spans": "tests/runtime",
    "runtime/pg": "tests/runtime",
    "runtime/peer": "tests/runtime",
    "runtime/kernel": "tests/runtime/kernel",
    "runtime/preemption/hub_stack": "tests/runtime/preemption",
    "runtime/terms/ordered": "tests/runtime/kernel",
    "runtime/boot/stop_signals": "tests/integration",
    "observer/app": "tests/observer/screens",
    "observer/screens": "tests/observer/screens",
    "observer/widgets": "tests/observer/screens",
    "observer/chaos/run": "tests/observer/cli",
    "observer/drawing/activity": "tests/observer/drawing",
    "observer/node/command": "tests/observer/node",
    "observer/node/program_node": "tests/observer/node",
    "observer/node/recorded": "tests/observer/node/recorded",
    "observer/output/node_records": "tests/observer/output",
    "observer/cli": "tests/integration",
}
"""Modules and folders whose work is seen only together with others, and where the tests of that are.

The kernel is tested by what processes do with each other, screens and widgets by the keys of a person and by pictures,
commands by running them.
"""


def untested(package: str) -> set[str]:
    """Return the modules of a package that have no test of their name in the folder that mirrors theirs."""
    modules = {path.relative_to(ROOT).with_suffix("") for path in (ROOT / package).rglob("*.py")}
    tests = {path.relative_to(ROOT / "tests").with_suffix("") for path in (ROOT / "tests" / package).rglob("test_*.py")}
    tested = {test.with_name(test.name.removeprefix("test_")) for test in tests}
    return {str(module) for module in modules - tested if not module.name.startswith("__")}


@pytest.mark.parametrize("package", ["runtime", "observer"])
def test_each_module_has_a_test_of_its_name(package: str) -> None:
    found = [each for each in untested(package) - ONLY_TYPES if not is_below(each, SEEN_FROM_OUTSIDE)]
    assert found == [], "write tests/<folder>/test_<module>.py, or say in SEEN_FROM_OUTSIDE where it is tested"


def is_below(module: str, places: Iterable[str]) -> bool:
    """Return whether a module is one of these, or in one of these folders."""
    return any(f"{module}/".startswith(f"{place}/") for place in places)


def test_the_folders_that_test_the_exceptions_are_there() -> None:
    places = {ROOT / folder for folder in SEEN_FROM_OUTSIDE.values()}
    assert [str(folder) for folder in places if not any(folder.rglob("test_*.py"))] == []
