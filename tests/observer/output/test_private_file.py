"""Files with what processes say are for their owner alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from observer.output import private_file


def test_a_new_file_is_private_and_one_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    new, shared = tmp_path / "new", tmp_path / "shared"
    shared.write_text("what was there")
    shared.chmod(0o644)
    for path in (new, shared):
        private_file.prepare(path)
    assert shared.read_text() == "what was there"
    for path in (new, shared):
        private_file.write(path, "é\n")
        assert path.read_text(encoding="utf-8") == "é\n"
    assert [path.stat().st_mode & 0o777 for path in (new, shared)] == [0o600, 0o644]


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        private_file.prepare(tmp_path / "none" / "file")
