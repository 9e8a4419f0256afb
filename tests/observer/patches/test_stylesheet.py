from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from textual.css import parse, stylesheet
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet, StylesheetParseError
from textual.css.types import CSSLocation

from observer.patches.stylesheet import KeptStylesheet, _parsed
from tests.observer.conftest import Drive
from tests.support import fake_nodes

DARK, LIGHT = {"ink": "white"}, {"ink": "black"}
SOURCE = "Label { color: $ink; }"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[object]:
    """Count how often each source is parsed in the same rank."""
    counts: Counter[object] = Counter()

    def counting(scope: str, css: str, read_from: CSSLocation, **named: Any) -> Iterable[RuleSet]:
        counts[scope, css, read_from, named["is_default_rules"], named["tie_breaker"]] += 1
        return parse.parse(scope, css, read_from, **named)

    monkeypatch.setattr(stylesheet, "parse", counting)
    _parsed.clear()
    return counts


def of(sheet: Stylesheet) -> list[str]:
    return [rule.css for rule in sheet.rules]


async def test_the_views_parse_each_source_once(drive: Drive, parsed: Counter[object]) -> None:
    async with drive(fake_nodes.chat()) as seen:
        await seen.press("2", "4", "5")
    assert parsed.total() > 20
    assert max(parsed.values()) == 1
    before = parsed.total()
    async with drive(fake_nodes.chat()):
        pass
    assert parsed.total() == before


def test_a_theme_has_its_own_rules_and_keeps_them(parsed: Counter[object]) -> None:
    kept = KeptStylesheet(variables=DARK)
    kept.add_source(SOURCE)
    dark = of(kept)
    kept.set_variables(LIGHT)
    kept.reparse()
    plain = Stylesheet(variables=LIGHT)
    plain.add_source(SOURCE)
    assert of(kept) == of(plain) != dark
    before = parsed.total()
    kept.set_variables(DARK)
    kept.reparse()
    assert of(kept) == dark
    assert parsed.total() == before


def test_a_source_that_is_wrong_leaves_the_rules_as_they_are() -> None:
    kept = KeptStylesheet(variables=DARK)
    kept.add_source(SOURCE)
    rules = of(kept)
    kept.add_source("Label { colour: white; }")
    with pytest.raises(StylesheetParseError):
        kept.reparse()
    kept.source.popitem()
    kept.reparse()
    assert of(kept) == rules
