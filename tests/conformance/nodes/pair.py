"""Two nodes that play scenarios, each a BEAM or a Python program, and the transcript of what happens there."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import Literal

HERE = Path(__file__).parent
COOKIE = "conformance-of-nodes"
PLAYER = "tests.conformance.nodes.player"
NEAR, FAR = "near", "far"

SIGNALS = frozenset(("send", "send_pid", "exit", "link", "unlink", "monitor", "demonitor", "cast"))
"""Verbs that send something and do not wait."""

LONGEST = 120.0
"""Seconds until a command counts as one that is never answered."""

Kind = Literal["beam", "python"]


class Program:
    """One of the two nodes."""

    def __init__(self, pair: Pair, role: str) -> None:
        self.pair = pair
        self.role = role
        self.name = pair.names[role]
        self._start()

    def _start(self) -> None:
        other = FAR if self.role == NEAR else NEAR
        module = "player" if self.pair.kinds[other] == "beam" else PLAYER
        arguments = [self.pair.names[NEAR], self.pair.names[FAR], self.pair.names[other], module]
        if self.pair.kinds[self.role] == "beam":
            words = ",".join(f'"{word}"' for word in arguments)
            command = [
                "erl",
                "-noshell",
                "-name",
                self.name,
                "-setcookie",
                COOKIE,
                "-hidden",
                "-kernel",
                "logger_level",
            ]
            command += ["none", "-pa", str(self.pair.folder), "-eval", f"player:main([{words}])."]
        else:
            command = [sys.executable, "-m", PLAYER, *arguments, self.name, COOKIE]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.results: dict[str, str] = {}
        self.lines: Queue[str] = Queue()
        self.reader = threading.Thread(target=self._read, args=(self.process, self.lines))
        self.reader.start()
        self.result("0")

    @staticmethod
    def _read(process: subprocess.Popen[str], lines: Queue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put("")

    def restart(self) -> None:
        """Kill the node, and start another one of its name."""
        self.kill()
        self._start()

    def kill(self) -> None:
        """End the node by SIGKILL."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def tell(self, number: str, *words: str) -> None:
        """Give a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join((number, *words)) + "\n")
        self.process.stdin.flush()

    def result(self, number: str) -> str:
        """Return what came of a command."""
        while number not in self.results:
            line = self.lines.get(timeout=LONGEST)
            assert line, f"the {self.role} node has ended"
            found, _, what = line.rstrip("\n").partition(" ")
            self.results[found] = what
        return self.results.pop(number)


class Pair:
    """Both nodes."""

    def __init__(self, near: Kind, far: Kind, folder: Path) -> None:
        self.kinds = {NEAR: near, FAR: far}
        self.folder = folder
        if "beam" in (near, far) and not (folder / "player.beam").exists():
            subprocess.run(["erlc", "-o", str(folder), str(HERE / "player.erl")], check=True)
        made = f"{near[0]}{far[0]}{os.getpid()}"
        self.names = {NEAR: f"near{made}@127.0.0.1", FAR: f"far{made}@127.0.0.1"}
        self.programs = {role: Program(self, role) for role in (NEAR, FAR)}

    def close(self) -> None:
        """End both."""
        for program in self.programs.values():
            program.kill()

    def play(self, scenario: Callable[[Play], None]) -> list[str]:
        """Play a scenario, and return its transcript. The nodes are as new afterwards."""
        play = Play(self)
        scenario(play)
        for role in (NEAR, FAR):
            play.player(role, "reset")
        return play.lines


def has_beam() -> bool:
    """Whether a BEAM and its compiler are installed."""
    return shutil.which("erl") is not None and shutil.which("erlc") is not None


class Play:
    """A scenario that is played: who is where, and the transcript so far."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.lines: list[str] = []
        self._roles: dict[str, str] = {}
        self._number = 0

    def _tell(self, role: str, *words: str) -> str:
        self._number += 1
        number = f"{id(self)}.{self._number}"
        self.pair.programs[role].tell(number, *words)
        return number

    def player(self, role: str, *words: str) -> str:
        """Have a program do something itself. It is not in the transcript."""
        return self.pair.programs[role].result(self._tell(role, "player", *words))

    def new(self, *names: str, on: str) -> None:
        """Start actors on a node, and make them known at the other one."""
        for name in names:
            self._roles[name] = on
            self.player(on, "new", name)
            self.player(FAR if on == NEAR else NEAR, "know", name)

    def do(self, actor: str, *words: str) -> str:
        """Have an actor do something, and put down what came of it."""
        found = self.end(self.begin(actor, *words))
        if words[0] in SIGNALS:  # the next command may be for the other node, which is to have it by then
            self.player(self._roles[actor], "sync")
        return found

    def begin(self, actor: str, *words: str) -> tuple[str, str, str]:
        """Have an actor begin with something that takes a while."""
        role = self._roles[actor]
        return role, self._tell(role, actor, *words), " ".join((actor, *words))

    def end(self, begun: tuple[str, str, str]) -> str:
        """Wait for what came of it, and put it down."""
        role, number, words = begun
        result = self.pair.programs[role].result(number)
        self.lines.append(f"{words}: {result}")
        return result

    def spawn(self, actor: str, how: str, name: str) -> None:
        """Have an actor of the near node start another one on the far node."""
        self.do(actor, how, name)
        self._roles[name] = FAR
        ends = time.monotonic() + 60
        while self._quietly(name, "alive", name) != "true":
            assert time.monotonic() < ends, f"{name} did not start"
            time.sleep(0.01)

    def until(self, actor: str, words: tuple[str, ...], wanted: str) -> None:
        """Wait until what an actor does gives a result, and put that down once."""
        ends = time.monotonic() + 60
        while (found := self._quietly(actor, *words)) != wanted:
            assert time.monotonic() < ends, f"{actor} {' '.join(words)} gives {found}"
            time.sleep(0.02)
        self.lines.append(f"{actor} {' '.join(words)}: {wanted}")

    def _quietly(self, actor: str, *words: str) -> str:
        role, number, _ = self.begin(actor, *words)
        return self.pair.programs[role].result(number)

    def kill_far(self) -> None:
        """End the far node by SIGKILL."""
        self.pair.programs[FAR].kill()
        self.lines.append("the far node is killed")

    def restart_far(self) -> None:
        """Start a far node of the same name."""
        self.pair.programs[FAR].restart()
        self.lines.append("a far node of that name begins")
