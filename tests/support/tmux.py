"""A real terminal to run the command in: keys go in through tmux, and what stands on its screen comes out."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import pytest

WITHOUT_TMUX = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

WAIT = 180.0
"""Seconds after which something that was waited for is taken to never happen."""

LOOKS_APART = 0.1
"""Seconds from one look at the screen to the next."""

_numbers = count(1)


class Screen:
    """Runs ``observer ARGUMENTS`` in a terminal. A context manager that leaves nothing running."""

    def __init__(self, folder: Path, *arguments: str, columns: int = 120, lines: int = 40) -> None:
        # A socket of its own: a server that is about to end takes its own along, with who has just asked there. It does
        # not have the name of a node's socket, which the observer would ask and wait for.
        self._tmux = ["tmux", "-S", str(folder / f"tmux{next(_numbers)}"), "-f", "/dev/null"]
        self._folder = folder
        size = ("-x", str(columns), "-y", str(lines))
        self._do("new-session", "-d", *size, *self._shell(arguments))
        self.shell = psutil.Process(int(self._do("display-message", "-p", "#{pane_pid}")))

    def _shell(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        observer = f"{sys.executable} -m tests.support.patient {' '.join(arguments)}"
        # Where these are set, the size of the terminal is not asked for.
        script = (
            f'trap : INT; unset COLUMNS LINES; before=$(stty -g); {observer}; echo "left with $?"; '
            '[ "$(stty -g)" = "$before" ] && echo as before; cat'
        )
        return ("-e", f"OBSERVER_DIR={self._folder}", "sh", "-c", script)

    def open_beside(self, *arguments: str) -> None:
        """Run ``observer ARGUMENTS`` in another terminal, which is the one that is looked at from now on."""
        self._do("new-window", *self._shell(arguments))

    def close_beside(self) -> None:
        """Close that terminal, and look at the first one again."""
        self._do("kill-window")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        children = self.children()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.terminate()  # sooner done than with the terminal gone
        psutil.wait_procs(children, WAIT)
        with suppress(subprocess.CalledProcessError):  # it ends by itself with the last program in it
            self._do("kill-server")

    def _do(self, *words: str) -> str:
        return subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True, timeout=WAIT).stdout

    def children(self) -> list[psutil.Process]:
        """Return the observer and every process it started."""
        return self.shell.children(recursive=True)

    def keys(self, *keys: str) -> None:
        """Press keys, each by tmux's name for it."""
        self._do("send-keys", *keys)

    def types(self, line: str) -> None:
        """Type a line as it is, whatever tmux would make of it, and press enter."""
        self._do("send-keys", "-l", line)
        self.keys("Enter")

    def text(self) -> str:
        """Return the text on the screen."""
        return self._do("capture-pane", "-p")

    def whole_application(self) -> bool:
        """Tell whether the terminal shows the screen that applications have for themselves."""
        return self._do("display-message", "-p", "#{alternate_on}").strip() == "1"

    def shows(self, pattern: str) -> re.Match[str]:
        """Wait until a line of the screen matches `pattern`; give the match."""
        found = self.seen(pattern, WAIT)
        assert found is not None, f"{pattern!r} never stood on the screen, but:\n{self.text()}"
        return found

    def seen(self, pattern: str, seconds: float) -> re.Match[str] | None:
        """Wait until a line of the screen matches `pattern`, for so long at most; give the match."""
        deadline, pause = time.monotonic() + seconds, threading.Event()
        while (found := re.search(pattern, self.text(), re.MULTILINE)) is None and time.monotonic() < deadline:
            pause.wait(LOOKS_APART)
        return found

    def select(self, name: str) -> None:
        """Go to the row of that name, down from the top, once more where rows have come or gone on the way."""
        selected = rf"^▌.*[─▾▸] {name}\b"
        for _ in range(5):
            self.shows(rf"[─▾▸] {name}\b")
            self.keys("g")
            lines = [line for line in self.text().splitlines() if re.match(r".{0,12}[─▾▸] ", line)]
            down = [number for number, line in enumerate(lines) if re.search(rf"[─▾▸] {name}\b", line)]
            self.keys(*"j" * down[0] if down else "")
            if self.seen(selected, WAIT / 10):
                return
        self.shows(selected)
