"""Settings come from a file, or are said to be wrong in a sentence with the file's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from observer.model.settings import Settings, SettingsError, load


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml") == Settings()


def test_a_file_can_set_everything(tmp_path: Path) -> None:
    text = 'theme = "nord"\ninterval = 2\ncolumns = ["memory"]\nread_only = true\n[keys]\nkill = "k"\n'
    assert load(written(tmp_path, text)) == Settings("nord", 2, ("memory",), {"kill": "k"}, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("interval = ", "not valid TOML"),
        ("interval = 0", "is wrong"),
        ('interval = "fast"', "is wrong"),
        ("colour = 1", "It may set: theme, interval, columns, keys, read_only"),
        ('columns = ["size"]', "'size'. There are: pid"),
    ],
)
def test_a_wrong_file_is_told_in_a_sentence_with_its_path(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path)
