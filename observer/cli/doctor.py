"""The command that looks at the observer's own surroundings: doctor."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer

from observer.cli import options, output
from observer.output.records import CheckRecord
from runtime.introspection.wire import Welcome

PACKAGES = ("process-observer", "gevent", "greenlet", "msgspec", "textual", "rich", "typer", "psutil")
"""Packages whose versions are printed."""

PTH = "process-observer.pth"
"""The file by which Python finds, at its start, what has a program observed."""

WIDEST, HIGHEST = 80, 24
"""Columns and lines that the dashboard is made for, at least."""


def doctor(json: options.AsJson = False) -> None:
    """Say what the observer runs on, and what does not work here and why. Exits with 1 when something does not."""
    found = [record for check in CHECKS for record in check()]
    if json:
        output.show_json(found)
    else:
        from observer.output import tables

        output.show(tables.checks(found))
    if not all(each.ok for each in found):
        raise typer.Exit(1)


def _versions() -> Iterator[CheckRecord]:
    yield _good("python", f"{platform.python_version()} at {sys.executable}")
    for package in PACKAGES:
        try:
            yield _good(package, version(package))
        except PackageNotFoundError:
            yield _bad(package, "not installed", f"Install it with 'pip install {package}'.")
    yield _kernel()


def _kernel() -> CheckRecord:
    from runtime.compiled.about import kernel_in_use
    from runtime.compiled.choice import kernel

    try:
        name, why = kernel_in_use()
    except ImportError as error:
        return _bad("kernel", "none", f"{error}")
    if kernel.is_unused:
        return _bad("kernel", name, why)
    return _good("kernel", f"{name}: {why}")


def _system() -> Iterator[CheckRecord]:
    yield _good("system", f"{platform.system()} {platform.release()} on {platform.machine()}")
    missing = [name for name in ("SIGURG", "SIGPROF") if not hasattr(signal, name)]
    if missing:
        advice = "A process that holds the hub cannot be interrupted, or its processor time not be sampled."
        yield _bad("signals", f"no {' and no '.join(missing)}", advice)
    else:
        yield _good("signals", "SIGURG and SIGPROF")


def _sockets() -> Iterator[CheckRecord]:
    from observer.model import settings
    from observer.node import discovery
    from runtime.introspection import address

    try:
        folder = address.socket_dir()
        address.socket_path("x" * 40)
    except (OSError, ValueError) as error:
        yield _bad("socket folder", "none that can be used", str(error))
        return
    if not folder.exists():
        yield _good("socket folder", f"{folder}, made when the first node starts")
    else:
        yield _folder(folder)
    try:
        nodes = discovery.nodes()
    except OSError as error:
        yield _bad("nodes", "cannot be listed", str(error))
        return
    for each in nodes:
        name = f"node {each.name}"
        yield _good(name, _greeting(each.welcome)) if each.welcome else _bad(name, "lost", each.problem)
    if not nodes:
        yield _good("nodes", "no node is running")
    try:
        settings.load()
    except settings.SettingsError as error:
        yield _bad("settings", "cannot be used", str(error))
    else:
        path = settings.settings_path()
        yield _good("settings", f"{path}{'' if path.exists() else ' (does not exist: defaults are used)'}")


def _variable() -> Iterator[CheckRecord]:
    if any(Path(folder, PTH).exists() for folder in sys.path):
        yield _good("OBSERVER=1", "has any gevent program of this Python observed")
    else:
        yield _good(
            "OBSERVER=1",
            f"acts only in programs that import runtime, because {PTH} is not installed: install the package again, "
            f"or say 'observer instrument -- COMMAND'",
        )


def _greeting(welcome: Welcome) -> str:
    return f"answers, pid {welcome.os_pid}{f', {welcome.kernel} kernel' if welcome.kernel else ''}"


def _folder(folder: Path) -> CheckRecord:
    try:
        info = folder.stat()
    except OSError as error:
        return _bad("socket folder", str(folder), f"It cannot be looked at: {error.strerror}.")
    if not stat.S_ISDIR(info.st_mode):
        return _bad("socket folder", f"{folder} is not a folder", "Remove it, or set OBSERVER_DIR to another place.")
    if info.st_uid != os.geteuid():
        return _bad("socket folder", f"{folder} belongs to uid {info.st_uid}", "Set OBSERVER_DIR to a folder of yours.")
    if stat.S_IMODE(info.st_mode) & 0o077:
        return _bad("socket folder", f"{folder} is open to other users", f"Close it: chmod 700 {folder}")
    if not os.access(folder, os.W_OK):
        return _bad("socket folder", f"{folder} is not writable", f"Make it writable: chmod 700 {folder}")
    return _good("socket folder", str(folder))


def _terminal() -> Iterator[CheckRecord]:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield _good("terminal", "none here: the dashboard needs one, the commands do not")
    else:
        kind = os.environ.get("TERM", "")
        if kind in ("", "dumb"):
            yield _bad(
                "terminal", f"TERM is {kind or 'not set'}", "The dashboard needs a terminal with a cursor: set TERM."
            )
        else:
            yield _good("terminal", kind)
        yield _size()
        yield _good("colours", os.environ.get("COLORTERM", "") or "those that TERM promises")
    encoding = sys.stdout.encoding or "none"
    if encoding.replace("-", "").lower() == "utf8":
        yield _good("encoding", encoding)
    else:
        advice = "It lacks the characters of trees and bars: set LANG or PYTHONIOENCODING to UTF-8."
        yield _bad("encoding", encoding, advice)


def _size() -> CheckRecord:
    columns, lines = os.get_terminal_size()
    text = f"{columns} by {lines}"
    told = shutil.get_terminal_size()
    if columns < WIDEST or lines < HIGHEST:
        return _bad("size", text, f"The dashboard is made for {WIDEST} by {HIGHEST} and more.")
    if (told.columns, told.lines) != (columns, lines):
        text += f" (COLUMNS and LINES say {told.columns} by {told.lines}; the dashboard goes by the terminal)"
    return _good("size", text)


CHECKS: tuple[Callable[[], Iterator[CheckRecord]], ...] = (_versions, _system, _variable, _sockets, _terminal)
"""The checks, in order."""


def _good(name: str, found: str) -> CheckRecord:
    return CheckRecord(name=name, found=found, ok=True, advice="")


def _bad(name: str, found: str, advice: str) -> CheckRecord:
    return CheckRecord(name=name, found=found, ok=False, advice=advice)
