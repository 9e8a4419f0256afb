from __future__ import annotations

from pathlib import Path

import pytest

from observer.cli import demos


@pytest.fixture(autouse=True)
def some_demos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "some_demos"
    package.mkdir()
    (package / "__init__.py").write_text('"""Demos."""')
    (package / "_shared.py").write_text("raise SystemExit")
    (package / "chat.py").write_text('"""People talk.\n\nMore.\n"""\nraise SystemExit')
    (package / "broken.py").write_text("def")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(demos, "PACKAGE", "some_demos")


def test_demos_are_listed_with_their_first_line_and_never_imported() -> None:
    assert demos.demos() == [demos.Demo("broken", ""), demos.Demo("chat", "People talk.")]
    assert demos.find("chat").summary == "People talk."


@pytest.mark.parametrize(("name", "hint"), [("chta", "Did you mean chat"), ("zzz", "There are: broken, chat")])
def test_an_unknown_demo_gets_names_suggested(name: str, hint: str) -> None:
    with pytest.raises(demos.DemoNotFoundError, match=hint):
        demos.find(name)


def test_without_the_package_there_are_no_demos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demos, "PACKAGE", "demos_that_nobody_installed")
    assert demos.demos() == []
    with pytest.raises(demos.DemoNotFoundError, match="There are: none"):
        demos.find("chat")
