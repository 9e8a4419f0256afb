"""Writing to standard output."""

from __future__ import annotations

import json

import pytest

from observer.cli.output import show, show_json


def test_in_a_pipe_nothing_is_cut_or_coloured_or_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    from observer.cli import output

    output._console.cache_clear()
    show("[bold]" + "x" * 300 + " :smile:")
    assert capsys.readouterr().out == "[bold]" + "x" * 300 + " :smile:\n"
    output._console.cache_clear()


def test_json_is_one_value_on_several_lines_or_on_one(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"a": [1, None]})
    text = capsys.readouterr().out
    assert json.loads(text) == {"a": [1, None]}
    assert text.count("\n") > 1
    show_json({"a": [1, None]}, indent=None)
    assert capsys.readouterr().out.count("\n") == 1
