"""Builds the compiled kernel: ``python -m runtime.build``.

It needs a C compiler, Python's headers, and two packages: ``pip install 'process-observer[kernel]'``. Programs that run
keep the kernel they have loaded; the next one that starts takes the new one.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import signal
import sys
import sysconfig
import tempfile
from contextlib import redirect_stdout, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from runtime.compiled.choice import FOLDER, PARTS, VARIABLE, WHOLE, build_number, builds, file_name, fitting, unsuited

FLAGS = ("-O2", "-fwrapv", "-fno-strict-aliasing", "-g0", "-Wno-unused-function", "-pipe")
"""What the compiler is told. It uses pipes for its own temporary files, which would stay where a build is stopped."""

DIRECTIVES = {"language_level": 3, "annotation_typing": False, "nonecheck": True}
"""How sources are compiled: their annotations are for people, and types are declared in the ``.pxd`` files alone."""

ROOM = 32 << 20
"""Bytes that the compilers' temporary files take, with some to spare."""

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that stop a build, unless they are ignored."""


class BuildError(Exception):
    """The kernel cannot be built here; the text says what is missing and what to do."""


def build(into: Path = FOLDER) -> Path:
    """Compile the kernel into a folder, remove older builds for this interpreter, and return the file.

    Raises BuildError.
    """
    trouble = unsuited()
    if trouble:
        raise BuildError(trouble)
    try:
        build_number()  # kept from here on, so that a source that changes while this compiles does not fit
    except OSError as error:
        raise BuildError(f"A source cannot be read: {error}.") from None
    try:
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=into):  # to fail now, and not after it has compiled
            pass
    except OSError as error:
        raise _unwritable(into, error) from None
    with _temporary_folder() as folder:
        contents = _compile(Path(folder)).read_bytes()
    target = into / file_name(contents)
    older = builds(into)  # what another build puts there from now on may be newer
    try:
        _write(contents, target)
    except OSError as error:
        raise _unwritable(into, error) from None
    for old in older:
        if old != target:
            with suppress(OSError):  # what cannot be removed does no harm
                old.unlink()
    return target


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder for what the compilers write, with room for it."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="kernel-")
    except OSError as error:
        raise BuildError(f"There is no folder for temporary files: {error.strerror}.") from None
    if shutil.disk_usage(folder.name).free < ROOM:
        folder.cleanup()
        raise BuildError(f"{Path(folder.name).parent} has too little room: {ROOM >> 20} MiB are needed.")
    return folder


def _unwritable(folder: Path, error: OSError) -> BuildError:
    return BuildError(f"{folder} cannot be written to: {error.strerror}.")


def _write(contents: bytes, target: Path) -> None:
    """Put a file in place, whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=".kernel-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(contents)
        os.chmod(name, 0o755)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _compile(folder: Path) -> Path:
    """Compile into a folder for this alone, and return the file."""
    try:
        cythonize = importlib.import_module("Cython.Build").cythonize
        tools = importlib.import_module("setuptools")
    except ImportError as error:
        cure = "pip install 'Cython>=3.1' 'setuptools>=77'"
        raise BuildError(f"{error.name} is not installed. Install what a build needs with: {cure}") from None
    python = Path(sysconfig.get_paths()["include"], "Python.h")
    headers = Path(importlib.import_module("greenlet").__file__ or "").parent
    if not python.exists():
        raise BuildError(
            f"Python's headers are not installed ({python}); on Debian and Ubuntu: apt install python3-dev"
        )
    compiler = [*os.environ.get("CC", "").split(), *(sysconfig.get_config_var("CC") or "cc").split()][0]
    if shutil.which(compiler) is None:
        raise BuildError(f"There is no C compiler ({compiler}); on Debian and Ubuntu: apt install gcc")
    root = FOLDER.parent
    extensions = [tools.Extension(name, [str(root / source)]) for name, source in {**PARTS, **WHOLE}.items()]
    try:
        made = cythonize(
            extensions,
            build_dir=str(folder),
            quiet=True,
            include_path=[str(root.parent)],
            compiler_directives={**DIRECTIVES},
        )
        sources = [source for extension in made for source in extension.sources]
        whole = tools.Extension("kernel", sources, include_dirs=[str(headers)], extra_compile_args=[*FLAGS])
        distribution = tools.Distribution({"name": "kernel", "ext_modules": [whole]})
        command: Any = distribution.get_command_obj("build_ext")
        command.build_lib = command.build_temp = str(folder)
        command.ensure_finalized()
        command.run()
    except Exception as error:  # whatever the compiler, Cython or setuptools make of it
        raise BuildError(f"It does not compile: {error}") from error
    return Path(command.get_ext_fullpath("kernel"))


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit status is 1 when there is no new kernel."""
    parser = argparse.ArgumentParser(
        prog="python -m runtime.build",
        description="Compile the parts of the runtime that programs spend their time in. It takes about 20 seconds.",
    )
    parser.add_argument("--check", action="store_true", help="build nothing; exit with 1 unless it is up to date")
    options = parser.parse_args(arguments)
    if options.check:
        return _check()
    try:
        with redirect_stdout(sys.stderr):  # what setuptools tells goes there; stdout is for the result
            path = build()
    except BuildError as error:
        print(f"No kernel was built. {error}", file=sys.stderr)
        return 1
    print(f"Built {path}. Programs that start from now on use it, unless {VARIABLE} is python.")
    return 0


def _check() -> int:
    """Say whether the kernel that is there fits; the exit status is 1 when it does not."""
    try:
        is_there = fitting(builds(FOLDER)) is not None
    except OSError as error:
        print(f"The compiled kernel cannot be used: {error}.")
        return 1
    print("The compiled kernel fits the sources." if is_there else "There is no compiled kernel of these sources.")
    return 0 if is_there else 1


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """End on a signal, with the temporary files removed."""
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    print(f"No kernel was built. It was stopped by {signal.Signals(number).name}.", file=sys.stderr)
    sys.exit(128 + number)


if __name__ == "__main__":
    for number in STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    sys.exit(main())
