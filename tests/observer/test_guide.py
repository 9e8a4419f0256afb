"""The guide keeps its word: its keys and findings exist, its pictures are there, its journeys are tested."""

import ast
import re
from pathlib import Path

from textual.binding import Binding
from textual.dom import DOMNode

from observer.app import VIEWS, ObserverApp
from observer.drawing.advice import ADVICE
from observer.drawing.columns import ALL, DELAYED, STATUS
from observer.screens.chaos_screen import ChaosScreen
from observer.screens.confirm_kill import ConfirmKill
from observer.screens.process_screen import ProcessScreen
from observer.widgets.line_list import LineList
from observer.widgets.node_header import VIEWS as TITLES
from observer.widgets.process_table import ProcessTable

ROOT = Path(__file__).parent.parent.parent
GUIDE = (ROOT / "observer" / "GUIDE.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

NAMES = {
    "?": "question_mark",
    "/": "slash",
    "esc": "escape",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
} | {
    "{": "left_curly_bracket",
    "}": "right_curly_bracket",
    "|": "vertical_line",
}
"""How Textual calls keys that the guide calls otherwise."""


def bindings(*classes: type[DOMNode]) -> list[Binding]:
    """Return the bindings of these classes and of those they are made of."""
    found = [binding for each in classes for base in each.__mro__ for binding in vars(base).get("BINDINGS", ())]
    return [binding if isinstance(binding, Binding) else Binding(*binding) for binding in found]


PARTS: tuple[type[DOMNode], ...] = (ObserverApp, ProcessTable, LineList, ProcessScreen, *VIEWS.values())


def test_every_key_that_the_guide_names_does_something() -> None:
    named = set(re.findall(r"`([A-Za-z0-9?/]|esc|enter|tab|space|ctrl\+\w)`", GUIDE))
    assert {"x", "X", "?", "/", "esc", "enter", "4"} <= named
    bound = {key for binding in bindings(*PARTS, ChaosScreen, ConfirmKill) for key in binding.key.split(",")}
    assert {NAMES.get(key, key) for key in named} - bound == {ObserverApp.COMMAND_PALETTE_BINDING}


def test_the_guide_explains_every_key_that_the_key_bar_shows() -> None:
    shown = {each.key.split(",")[0] for each in bindings(*PARTS) if each.show and not each.system and each.id}
    words = {value: key for key, value in NAMES.items()}
    assert {key for key in shown if f"`{words.get(key, key)}`" not in GUIDE} == set()


def test_there_is_a_page_for_every_view_with_its_picture() -> None:
    pages = {title: text for title, _, text in (page.partition("\n") for page in GUIDE.split("\n## ")[1:])}
    wanted = {f"{key} {title}" for key, title in TITLES} - {"6 Names"} | {
        "6 Names and timers",
        "Before a kill",
        "Chaos",
    }
    assert wanted <= set(pages)
    assert {title for title in wanted if "](../screenshots/" not in pages[title]} == set()


def test_every_column_sign_and_finding_is_explained() -> None:
    assert {column.title for column in ALL.values() if f"| {column.title}" not in GUIDE} == set()
    assert {sign for sign, *_ in [*STATUS.values(), DELAYED] if f"`{sign}`" not in GUIDE} == set()
    assert set(re.findall(r"^\| (\w+) \|", GUIDE, re.MULTILINE)) >= set(ADVICE)


def test_the_journeys_of_the_guide_are_those_that_are_tested() -> None:
    source = (ROOT / "tests" / "integration" / "test_journeys.py").read_text(encoding="utf-8")
    tested = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    told = re.findall(r"^Test: `(\w+)`\.$", GUIDE, re.MULTILINE)
    assert told == [name for name in tested if name.startswith("test_")]
    numbers = re.findall(r"^### (\d+)\. ", GUIDE, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(told) + 1)]


def test_each_journey_begins_with_the_demo_that_its_test_starts() -> None:
    source = (ROOT / "tests" / "integration" / "test_journeys.py").read_text(encoding="utf-8")
    assert re.findall(r"^1\. `observer demo (\w+)", GUIDE, re.MULTILINE) == re.findall(r'"demo", "(\w+)"', source)


def test_every_picture_is_shown_and_none_is_missing() -> None:
    made = {path.name for path in (ROOT / "screenshots").glob("*.svg")}
    shown = {Path(link).name for link in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", GUIDE + README)}
    assert shown == made


def test_no_picture_shows_where_it_was_made() -> None:
    for path in (ROOT / "screenshots").glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"/(?:tmp|work|home|root|Users)/", text) == [], path.name
        assert "http" not in text.replace("http://www.w3.org/", "").replace("https://www.textualize.io", ""), path.name
