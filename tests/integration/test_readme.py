"""The README keeps its word: its program runs and can be observed, its links lead somewhere, its commands exist."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.copies import OBSERVER

ROOT = Path(__file__).parent.parent.parent
PAGES = ["README.md", "demos/README.md", "observer/GUIDE.md"]


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page that are in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)


def observer(*arguments: str, environment: dict[str, str]) -> str:
    """Run the command and give what it prints."""
    return subprocess.run(
        [sys.executable, "-m", "tests.support.patient", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
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


def test_every_picture_stands_in_a_page_and_is_made_by_the_script() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in (*ROOT.glob("*.md"), *ROOT.glob("*/*.md")))
    script = (ROOT / "screenshots" / "make.py").read_text(encoding="utf-8")
    pictures = {path.stem for path in (ROOT / "screenshots").glob("*.svg")}
    assert set(re.findall(r"screenshots/([\w-]+)\.svg", pages)) == pictures
    assert {name for name in pictures if f'"{name}"' not in script} == set()


def test_the_readme_is_read_in_a_few_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 1_400


LIMPS = (
    r"\b(nobody|somebody|everybody)\b",
    r"\b(for ever|told of|of whom|what there is of|what it comes to|to be reached, and was)\b",
    r"\b(is none\b|the one in force|goes to the next order|held up while|is named while it does)",
)
"""Words and turns that a reader stumbles over."""


def test_pages_demos_and_help_are_in_plain_words() -> None:
    texts = {page: (ROOT / page).read_text(encoding="utf-8") for page in (*PAGES, "runtime/TUTORIAL.md")}
    for path in (ROOT / "demos").glob("*.py"):
        texts[path.name] = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    for path in (ROOT / "observer" / "cli").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        commands = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]
        helps = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "help"]
        texts[path.name] = " ".join(
            [*(ast.get_docstring(node) or "" for node in commands), *(ast.unparse(text) for text in helps)]
        )
    found = {name: re.findall("|".join(LIMPS), " ".join(text.split())) for name, text in texts.items()}
    assert {name: words for name, words in found.items() if words} == {}


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
        assert "Usage: observer" in OBSERVER.run("observer", command, "--help").stdout
