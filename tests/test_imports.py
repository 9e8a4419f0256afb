"""What importing a package brings along, seen in a fresh interpreter: what a linter of imports cannot see.

Names that load lazily, and imports inside functions that run at import, escape the import contracts in pyproject.toml.
"""

import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import demos
import observer
import runtime

GEVENT = {"gevent", "greenlet"}
SCREEN = {"textual", "rich", "typer"}
WIRE = "runtime.introspection.wire"


def loaded_by(module: str) -> set[str]:
    """Return the names of all modules that are loaded once `module` has been imported, in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return set(done.stdout.split())


def roots_of(modules: set[str]) -> set[str]:
    """Return the top-level packages of modules, without those of the standard library."""
    return {name.partition(".")[0] for name in modules} - sys.stdlib_module_names


@pytest.mark.parametrize("package", [observer, runtime], ids=lambda package: package.__name__)
def test_every_folder_says_what_it_may_import(package: ModuleType) -> None:
    folders = [Path(folder) for folder in package.__path__]
    pages = [page for folder in folders for page in folder.rglob("*/__init__.py")]
    assert [str(page) for page in pages if "ay import" not in page.read_text(encoding="utf-8").split('"""')[1]] == []


def test_importing_the_runtime_loads_nothing_of_its_own_and_no_gevent() -> None:
    loaded = loaded_by("runtime")
    assert {name for name in loaded if name.startswith("runtime.")} == set()
    assert not roots_of(loaded) & (GEVENT | SCREEN)


def test_using_the_runtime_loads_no_user_interface() -> None:
    loaded = loaded_by("runtime, runtime.introspection.launch; runtime.run")
    assert roots_of(loaded) & GEVENT
    assert not roots_of(loaded) & (SCREEN | {"observer"})


def test_the_wire_loads_msgspec_and_the_standard_library_alone() -> None:
    loaded = loaded_by("runtime.introspection.wire")
    assert roots_of(loaded) == roots_of(loaded_by("msgspec, lazy_loader")) | {"runtime"}
    ours = {name for name in loaded if name.startswith("runtime.") and not name.startswith(WIRE)}
    assert ours == {"runtime.introspection"}


def test_the_address_of_a_node_loads_no_gevent() -> None:
    assert not roots_of(loaded_by("runtime.introspection.address")) & (GEVENT | SCREEN)


def test_the_observer_loads_neither_gevent_nor_the_demos_with_all_its_modules() -> None:
    modules = [module.name for module in pkgutil.walk_packages(observer.__path__, "observer.")]
    modules.remove("observer.__main__")  # runs the command
    loaded = loaded_by(", ".join(modules))
    assert "observer.app" in loaded
    assert not roots_of(loaded) & (GEVENT | {"demos"})
    ours = {name for name in loaded if name.startswith("runtime.") and not name.startswith(WIRE)}
    reading = ("reading", "reading.expression", "reading.filter_language", "reading.span")
    recording = (
        "recording",
        *(f"recording.{module}" for module in ("entries", "files", "frames", "kept_boxes", "looks")),
    )
    moment = ("answers", "moment", "process_window", "row_fields", "sorting", "tree_window")
    looks = ("moment", *(f"moment.{module}" for module in moment))
    shared = ("address", "program", "kept_events", *reading, *recording, *looks)
    assert ours == {"runtime.introspection", *(f"runtime.introspection.{module}" for module in shared)}


@pytest.mark.parametrize("package", [demos, observer, runtime], ids=lambda package: package.__name__)
def test_every_package_says_that_it_is_typed(package: ModuleType) -> None:
    assert Path(package.__path__[0], "py.typed").exists()


def test_the_demos_are_listed_without_loading_them() -> None:
    loaded = loaded_by("observer.cli.demos; assert observer.cli.demos.demos()")
    assert not roots_of(loaded) & (GEVENT | {"demos"})
