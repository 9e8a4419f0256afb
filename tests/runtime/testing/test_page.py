"""The page about testing keeps its word: its examples are one test module, and they pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[3] / "runtime" / "TESTING.md"


def test_every_example_of_the_page_passes(pytester: pytest.Pytester) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    pytester.makepyfile("\n".join(blocks))
    tests = "\n".join(blocks).count("\ndef test_")
    assert pytester.runpytest_subprocess("-q", "-W", "error").parseoutcomes() == {"passed": tests}
