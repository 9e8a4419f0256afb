"""Chooses between the compiled kernel and its sources: all of one, or all of the other.

The compiled parts lie in one file, which carries two numbers in its name: that of the sources it was built from, and
that of what is in it. So a build that is half there, or that was made from other sources, is never loaded, and a
running program keeps the file it has.

The environment variable ``RUNTIME_KERNEL`` decides: ``auto`` takes the compiled kernel where there is one that fits,
``python`` the sources, and ``required`` refuses to start without the compiled one.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import sys
from collections.abc import Callable
from functools import cache, update_wrapper
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

VARIABLE = "RUNTIME_KERNEL"

CHOICES = ("auto", "python", "required")

FOLDER = Path(__file__).parent

PARTS = {
    "runtime.terms._isolation": "terms/_isolation.pyx",
    "runtime.kernel._kernel": "kernel/_kernel.pyx",
    "runtime.distribution._external_term": "distribution/_external_term.pyx",
    "runtime.distribution._exchange": "distribution/_exchange.pyx",
}
"""The compiled modules beside those of the sources, and the files that they are made from, below the package."""

WHOLE = {f"runtime.supervision.{name}": f"supervision/{name}.py" for name in ("child", "children", "ordered")}
"""Modules that are compiled from the source itself, and take its place. A ``.pxd`` file beside each declares types."""

RELIES_ON = (
    "terms/_c_stack.pxi",
    *(
        f"kernel/_{name}.pxi"
        for name in (
            "records",
            "mailboxes",
            "messages",
            "lifecycle",
            "signals",
            "matching",
            "timing",
            "scheduling",
            "working",
            "callbacks",
            "serving",
            "starting",
        )
    ),
    "build.py",
    *(f"terms/{name}.py" for name in ("atom", "crash", "immutable", "isolation", "pattern", "ref", "signal_handlers")),
    *(
        f"kernel/{name}.py"
        for name in (
            "body",
            "instrument",
            "mailbox",
            "node",
            "process",
            "processes",
            "remains",
            "scheduler",
            "send_after",
            "signals",
            "table",
            "timers",
        )
    ),
    *(
        f"distribution/{name}.py"
        for name in (
            "term_encoder",
            "term_decoder",
            "frames",
            "pickled",
            "cluster",
            "connection",
            "connection_state",
            "hub_calls",
            "incoming",
            "outgoing",
            "remote_calls",
            "remote_node",
            "remote_process",
            "transport",
        )
    ),
    *(source.replace(".py", ".pxd") for source in WHOLE.values()),
    *(f"otp/{name}.py" for name in ("callbacks", "calls", "gen_server", "returns", "server_loop")),
)
"""Files besides these that a build must fit: what the compiled modules call, and what says how they are built."""

FRAMES = ("runtime/kernel/_", "runtime/terms/_", "runtime/distribution/_", "runtime/supervision/")
"""The beginnings of the file names that tracebacks give for compiled functions."""

FIRST = "runtime.terms.isolation"
"""The module whose import loads the parts. They import it in turn, so it asks for them in its last lines."""

HOW = "python -m runtime.build"
"""The command that builds the kernel."""

SUFFIX = EXTENSION_SUFFIXES[0]
"""The end of the name of a file that this very interpreter can load."""

logger = logging.getLogger("runtime")


class KernelError(ImportError):
    """The kernel that the environment asks for cannot be used."""


@cache
def build_number() -> str:
    """Return the number of the sources as they are now."""
    names = (*PARTS.values(), *WHOLE.values(), *RELIES_ON)
    text = b"".join((FOLDER.parent / name).read_bytes() for name in names)
    return importlib.util.source_hash(text).hex()


def file_name(contents: bytes) -> str:
    """Return the name of a file with these contents: the compiled kernel of these sources, for this interpreter."""
    return f"kernel-{build_number()}-{importlib.util.source_hash(contents).hex()}{SUFFIX}"


def builds(folder: Path = FOLDER) -> list[Path]:
    """Return the builds for this interpreter, whatever sources they were made from."""
    return sorted(path for path in folder.glob("kernel-*") if path.name.endswith(SUFFIX))


def fitting(found: list[Path]) -> Path | None:
    """Return the build that was made from the sources as they are now; None when none was.

    Raises OSError when such builds are there, and each of them is damaged or cannot be read. To load a file that is cut
    off would crash the program.
    """
    problem: OSError | None = None
    for path in found:
        if path.name.startswith(f"kernel-{build_number()}-"):
            try:
                if path.name == file_name(path.read_bytes()):
                    return path
                problem = OSError(f"{path} is damaged")
            except OSError as error:
                problem = error
    if problem is not None:
        raise problem
    return None


def unsuited() -> str:
    """Return why this interpreter cannot run a compiled kernel, as a sentence; empty when it can."""
    if sys.implementation.name != "cpython":
        return f"Only CPython can load it, and this is {sys.implementation.name}."
    if "t" in sys.abiflags:  # its lock may be on all the same, as importing greenlet switches it on
        return "A free-threaded interpreter cannot load it."
    return ""


class Kernel:
    """The kernel in use; its parts are loaded together, when the first of them is asked for."""

    def __init__(self) -> None:
        self.parts: dict[str, ModuleType] | None = None
        self.why = ""
        self.is_unused = False
        """Whether the sources run although there is a build for this interpreter; `why` says why."""
        self.is_loading = False

    def load(self) -> dict[str, ModuleType]:
        """Return the compiled modules by name, none where the sources run. Raises KernelError."""
        if self.parts is None:
            importlib.import_module(FIRST)  # which calls this again; another thread waits here for the import
        if self.parts is None and not self.is_loading:
            self.is_loading = True
            try:
                self.parts = self._choose()
            finally:
                self.is_loading = False
        return self.parts or {}

    def _choose(self) -> dict[str, ModuleType]:
        wanted = os.environ.get(VARIABLE, "") or "auto"
        if wanted not in CHOICES:
            raise KernelError(f"{VARIABLE} is {wanted!r}; it may be {', '.join(CHOICES)}")
        if wanted == "python":
            self.why = f"{VARIABLE} is python."
            return {}
        self.why = unsuited()
        is_suited = not self.why
        parts = self._take() if is_suited else {}
        if wanted == "required" and not parts:
            raise KernelError(f"{VARIABLE} is required, and there is no compiled kernel to use. {self.why}")
        self.is_unused = is_suited and not parts and bool(builds())
        if self.is_unused:  # there is something to do about it
            logger.warning("%s Until then the sources run.", self.why)
        return parts

    def _take(self) -> dict[str, ModuleType]:
        """Load the parts of the build that fits, and note why they are used, or none is."""
        parts: dict[str, ModuleType] = {}
        found = builds()
        try:
            path = fitting(found)
            if path is None:
                stale = f"The compiled kernel was built from other sources. Build it anew with '{HOW}'."
                self.why = stale if found else f"No compiled kernel is there. Build it with '{HOW}'."
                return {}
            for name in PARTS:
                parts[name] = sys.modules[name] = _load(name, path)
            sys.meta_path.insert(0, Finder(path))
        except Exception as error:
            for name in PARTS:
                sys.modules.pop(name, None)
            self.why = f"The compiled kernel cannot be loaded ({error}). Build it anew with '{HOW}'."
            return {}
        self.why = f"{path.name} fits the sources."
        return parts


def _load(name: str, path: Path) -> ModuleType:
    spec = _spec(name, path)
    module = importlib.util.module_from_spec(spec)
    assert spec.loader is not None
    spec.loader.exec_module(module)
    return module


def _spec(name: str, path: Path) -> ModuleSpec:
    spec = importlib.util.spec_from_file_location(name, path, loader=ExtensionFileLoader(name, str(path)))
    assert spec is not None
    return spec


class Finder:
    """Finds the modules of `WHOLE` in the compiled kernel in use. It has no base: `importlib.abc` imports much."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return how a module is imported that is compiled; None for any other."""
        return _spec(name, self.path) if name in WHOLE else None


kernel = Kernel()


def compiled(name: str, as_name: str | None = None) -> Callable[[Function], Function]:
    """Return a decorator that puts a compiled function in the place of one of the sources.

    It is in the part `name`, and is called `as_name` there, or as the function that it replaces.
    """

    def replace(function: Function) -> Function:
        module = part(name)
        if module is None:
            return function
        key = as_name or function.__name__
        module.sources[key] = function
        return cast("Function", update_wrapper(getattr(module, key), function))

    return replace


def part(name: str) -> ModuleType | None:
    """Return the compiled module of that name, or None where the sources run."""
    return kernel.load().get(name)
