"""`serve` in a program of the user's: whatever is in its way, the program goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.introspection import address, service
from runtime.kernel.node import this_node

PROGRAM = """
import logging, sys
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
from runtime import introspection
service = introspection.serve("shop", **eval(sys.argv[1] if len(sys.argv) > 1 else "{}"))
print(service.path, flush=True)
service.close()
"""


def run(folder: Path, *arguments: str) -> tuple[str, str]:
    """Run the program and return what it printed and logged."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, "OBSERVER_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return done.stdout.strip(), done.stderr


def test_a_name_that_is_free_is_taken(folder: Path) -> None:
    assert run(folder) == (str(folder / "shop.sock"), "")


def test_a_name_that_is_taken_gets_the_process_id_behind_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVER_DIR", str(folder))
    first = address.reserve(["shop"])
    first.path.chmod(address.OPEN)
    first.listener.listen(1)
    path, logged = run(folder)
    assert Path(path).name.startswith("shop-")
    assert "WARNING There is a node called shop already. This node is called shop-" in logged
    first.cancel()


def test_a_file_in_the_way_stays_and_is_named(folder: Path) -> None:
    file = folder / "shop.sock"
    file.write_text("precious")
    path, logged = run(folder)
    assert Path(path).name.startswith("shop-")
    assert f"{file} is a file and no socket: move it away, or choose another name." in logged
    assert file.read_text() == "precious"


def test_a_folder_that_is_not_safe_is_a_warning(folder: Path) -> None:
    folder.chmod(0o755)
    path, logged = run(folder)
    assert path == "None"
    assert logged.startswith("WARNING The node cannot be observed:")
    assert "open to other users" in logged


def test_a_folder_that_cannot_be_made_is_a_warning_with_what_to_do(folder: Path) -> None:
    (folder / "file").touch()
    path, logged = run(folder / "file" / "below")
    assert path == "None"
    assert f"no socket can be made in {folder / 'file' / 'below'} (Not a directory). Set OBSERVER_DIR to" in logged


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"name": "../x"}, ValueError),
        ({"name": 5}, TypeError),
        ({"stall_limit": 0}, ValueError),
        ({"stall_limit": float("nan")}, ValueError),
        ({"stall_limit": "1"}, TypeError),
    ],
)
def test_wrong_arguments_are_refused_where_the_node_is_served_already(
    wrong: dict[str, Any], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_services", {this_node(): object()})
    with pytest.raises(error):
        service.serve(**wrong)


def test_what_is_no_name_is_refused_at_once(folder: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run(folder, "{'stall_limit': 0}")
