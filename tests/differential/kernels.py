"""Both kernels in one interpreter: the compiled parts, and the sources that they were made from."""

from __future__ import annotations

import importlib.util
from types import ModuleType
from unittest.mock import patch

import pytest

from runtime.compiled import choice


def compiled(name: str) -> ModuleType:
    """Return a compiled module. The test is skipped where the sources run."""
    part = choice.part(name)
    if part is None:
        pytest.skip(f"the sources run: {choice.kernel.why}")
    return part


def from_source(module: ModuleType) -> ModuleType:
    """Return a module of the runtime anew, as it is without the compiled kernel."""
    assert module.__file__ is not None
    spec = importlib.util.spec_from_file_location(f"{module.__name__}_from_source", module.__file__)
    assert spec is not None
    assert spec.loader is not None
    source = importlib.util.module_from_spec(spec)
    with patch.object(choice, "part", lambda name: None):
        spec.loader.exec_module(source)
    return source
