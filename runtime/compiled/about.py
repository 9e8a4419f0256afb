"""Says what a program runs on: the versions, and which kernel."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Literal

from runtime.compiled.choice import kernel


@dataclass(frozen=True, slots=True)
class About:
    """What a program runs on: what `about` returns."""

    version: str
    """The runtime's version; empty when it is not installed as a package."""
    python: str
    gevent: str
    greenlet: str
    kernel: Literal["compiled", "python"]
    """``compiled`` when the parts that ``python -m runtime.build`` has built are in use, ``python`` for the sources."""
    why: str
    """Why it is this kernel, as a sentence."""


def about() -> About:
    """Return the versions in use, and which kernel runs and why: the sources, or the compiled one.

    ``python -m runtime.build`` compiles it. With ``RUNTIME_KERNEL=python`` in the environment the sources run all the
    same, and with ``RUNTIME_KERNEL=required`` a program without a compiled kernel ends at once, with an ImportError.
    """
    name, why = kernel_in_use()
    return About(
        version=_version("process-observer"),
        python=platform.python_version(),
        gevent=_version("gevent"),
        greenlet=_version("greenlet"),
        kernel=name,
        why=why,
    )


def kernel_in_use() -> tuple[Literal["compiled", "python"], str]:
    """Return which kernel runs, and why, loading it if it is not yet."""
    return "compiled" if kernel.load() else "python", kernel.why


def _version(package: str) -> str:
    from importlib import metadata  # loaded when asked: it takes a tenth of the time in which a peer starts

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
