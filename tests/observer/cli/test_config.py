from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import Command


def test_a_settings_file_that_is_wrong_is_a_sentence(
    observer: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    monkeypatch.setattr("observer.model.settings.settings_path", lambda: file)
    assert observer("config", "--path").out == f"{file}\n"
    assert observer("config", "--json").value["exists"] is False
    file.write_text('interval = 2.0\n[keys]\nquit = "z"\n')
    out = observer("config").out
    assert "interval = 2.0" in out
    assert out.endswith('[keys]\nquit = "z"\n')
    file.write_text("interval = 'often'")
    status, _, err = observer("config")
    assert status == 1
    assert str(file) in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed_for_each_shell(socket_folder: Path, shell: str) -> None:
    command = [sys.executable, "-m", "observer", "completion", shell]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert "_OBSERVER_COMPLETE" in result.stdout
