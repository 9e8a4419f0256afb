"""`OBSERVER=1` alone: the package's .pth file has a program observed that does not know of this project."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from runtime.introspection.program import SITE
from tests.support.instrumented import PYTHON, end_of, environment, live
from tests.support.nodes import eventually

ROOT = Path(__file__).parents[2]

PTH = SITE / "process-observer.pth"

PACKAGES = "import site; site.addsitedir({!r})\n"
"""Reads the .pth files of a folder as Python reads those of its packages at its start."""


@pytest.fixture
def packages(folder: Path) -> str:
    """Return code that has Python begin as where the package is installed, with nothing else that would begin it."""
    installed = folder / "packages"
    installed.mkdir()
    shutil.copy(PTH, installed)
    (installed / "runtime").symlink_to(ROOT / "runtime")
    return PACKAGES.format(str(installed))


def test_a_program_that_knows_nothing_of_this_project_is_observed(folder: Path, packages: str) -> None:
    script = folder / "shop.py"
    script.write_text(packages + "import gevent; gevent.sleep(60)")
    with subprocess.Popen([PYTHON, str(script)], env=environment(folder, OBSERVER="1")) as process:
        try:
            assert eventually(lambda: live(folder)) == ["shop"]
        finally:
            process.kill()


SEEN = "import sys, gevent\ngevent.sleep(0.1)\nprint([each for each in sys.modules if each.startswith('runtime')][:1])"


def test_without_the_variable_nothing_happens(folder: Path, packages: str) -> None:
    assert end_of([PYTHON, "-c", packages + SEEN], folder) == (0, "[]\n", "")


def test_a_python_that_is_told_to_ignore_the_environment_does(folder: Path, packages: str) -> None:
    assert end_of([PYTHON, "-E", "-c", packages + SEEN], folder, OBSERVER="1") == (0, "[]\n", "")


def test_a_folder_of_packages_that_is_read_twice_begins_it_once(folder: Path, packages: str) -> None:
    code = packages * 2 + "print(sum(each.__name__ == 'HubFinder' for each in sys.meta_path if isinstance(each, type)))"
    assert end_of([PYTHON, "-c", f"import sys\n{code}"], folder, OBSERVER="1") == (0, "1\n", "")


def test_a_process_without_a_hub_loads_nothing(folder: Path, packages: str) -> None:
    code = f"import sys\nbefore = {{*sys.modules}}\n{packages}print({{*sys.modules}} - before - {{'site'}})"
    assert end_of([PYTHON, "-c", code], folder, OBSERVER="1") == (0, "set()\n", "")


def _built(folder: Path, kind: str, ending: str) -> Path:
    pytest.importorskip(
        "setuptools", minversion="77", reason="setuptools builds what is installed: see the extra 'dev'"
    )
    project = folder / "project"
    for path in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "runtime/__init__.py"):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, project / path)
    shutil.copytree(SITE, project / SITE.relative_to(ROOT))
    build = f"import setuptools.build_meta as backend; backend.build_{kind}({str(folder)!r})"
    pure = {name: value for name, value in os.environ.items() if name != "RUNTIME_KERNEL"}
    done = subprocess.run(
        [PYTHON, "-c", build], cwd=project, env=pure, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob(f"*{ending}")
    return built


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_what_is_installed_has_the_file(folder: Path, kind: str) -> None:
    line = zipfile.ZipFile(_built(folder, kind, ".whl")).read(PTH.name).decode()
    assert len(line.splitlines()) == 1
    assert (str(folder / "project") in line) == (kind == "editable")


def test_what_can_be_built_again_from_has_the_file(folder: Path) -> None:
    with tarfile.open(_built(folder, "sdist", ".tar.gz")) as archive:
        names = {Path(*Path(name).parts[1:]) for name in archive.getnames()}
    assert PTH.relative_to(ROOT) in names
