"""What the command does however it is called."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Callable

import pytest

from observer.cli import main


def test_the_end_of_the_command_does_not_walk_all_objects_for_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    at_exit: list[Callable[..., object]] = []
    monkeypatch.setattr(atexit, "register", at_exit.append)
    monkeypatch.setattr(sys, "argv", ["observer", "--version"])
    with pytest.raises(SystemExit):
        main()
    assert gc.freeze in at_exit
