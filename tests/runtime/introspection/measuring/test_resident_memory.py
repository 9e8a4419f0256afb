"""How much memory the whole program has."""

import errno
from types import SimpleNamespace
from typing import Any

from runtime.introspection.measuring.resident_memory import ResidentMemory


def refuse() -> Any:
    raise OSError(errno.EMFILE, "Too many open files")


def test_the_last_figure_stays_where_the_system_cannot_be_asked() -> None:
    resident = ResidentMemory()
    assert resident.read() > 1_000_000
    system: Any = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=1_000))
    resident.system = system
    assert resident.read() == 1_000
    system.memory_info = refuse
    assert resident.read() == 1_000
