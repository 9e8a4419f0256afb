"""The machine that the figures were measured on: without it they mean nothing."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@cache
def machine() -> dict[str, str]:
    """Return processor, cores, system and versions, as text."""
    facts = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }
    for package in ("gevent", "greenlet", "pykka"):
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            continue
    if shutil.which("erl"):
        facts["Erlang/OTP"] = _erlang_version()
    return facts


def load() -> str:
    """Return the load average of the last minute: how many processes wanted the cores."""
    return f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _erlang_version() -> str:
    asked = ["-noshell", "-eval", "io:put_chars(erlang:system_info(otp_release)), halt()."]
    return subprocess.run(["erl", *asked], capture_output=True, text=True, timeout=30, check=False).stdout.strip()
