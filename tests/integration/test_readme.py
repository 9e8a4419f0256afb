"""The README keeps its word: its program runs and can be observed, its links lead somewhere, its commands exist."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGES = ["README.md", "demos/README.md", "observer/GUIDE.md"]


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page that are in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)


def observer(*arguments: str, environment: dict[str, str]) -> str:
    """Run the command and give what it prints."""
    return subprocess.run(
        [sys.executable, "-m", "observer", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_the_program_of_the_readme_is_fifteen_lines_and_can_be_observed(tmp_path: Path) -> None:
    (source,) = blocks("README.md", "python")
    assert len([line for line in source.splitlines() if line]) <= 15
    script = tmp_path / "counter.py"
    script.write_text(source, encoding="utf-8")
    environment = {**os.environ, "OBSERVER": "1", "OBSERVER_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-u", str(script)]
    with subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "Current count: 1\n"
        tree = json.loads(observer("tree", "counter", "--json", environment=environment))
        child.terminate()
    assert [root["registered_name"] for root in tree][:1] == ["top"]
    assert [below["registered_name"] for below in tree[0]["children"]] == ["counter"]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_that_exists(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_the_page_of_the_demos_names_them_all() -> None:
    page = (ROOT / "demos" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\((\w+)\.py\)", page))
    assert named == {path.stem for path in (ROOT / "demos").glob("[!_]*.py")}


def test_every_command_that_the_readme_names_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`observer (\w+)", text)) | set(
        re.findall(r"`(\w+)`", text[text.index("for scripts") : text.index("at a rate")])
    )
    assert {"demo", "run", "attach", "tree", "chaos"} <= named
    for command in sorted(named):
        assert "Usage: observer" in observer(command, "--help", environment={**os.environ})
