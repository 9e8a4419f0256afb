"""A program to be observed: a tree whose workers do what they are told by a cast."""

from __future__ import annotations

import os
import re
import time
from typing import Any

from runtime import (
    ChildSpec,
    DynamicSupervisor,
    GenServer,
    Supervisor,
    call,
    receive,
    run,
    sleep,
    spawn,
    start_child,
)


class Worker(GenServer):
    """Fails in the way it is asked to."""

    def init(self, number: int = 0, name: str = "") -> None:
        """Keep a number, and a secret."""
        self.number = number
        self.secret = "swordfish"

    def format_status(self, state: dict[str, Any]) -> Any:
        """Show the number alone."""
        return {"number": state["number"], "secret": "<hidden>"}

    def handle_call(self, request: Any, caller: Any) -> Any:
        """Return the number, or call another server."""
        match request:
            case "get":
                return self.number
            case ("ask", other):
                return call(other, "get", timeout=30.0)
        return request

    def handle_cast(self, message: Any) -> None:
        """Do it."""
        match message:
            case "crash":
                raise ValueError("told to crash")
            case "hog":
                while True:
                    self.number += 1
            case "hog and swallow":
                while True:
                    try:
                        while True:
                            self.number += 1
                    except BaseException:
                        self.number = 0
            case "block":
                time.sleep(60)
            case "match":
                re.match(r"(a+)+$", "a" * 27 + "b")
            case "wait":
                sleep(60)
            case ("ask", other, request):
                call(other, request, timeout=30.0)
            case "exit":
                os._exit(3)


class Talker(GenServer):
    """Counts what it is told, so that messages flow."""

    def init(self) -> None:
        """Start at nothing."""
        self.heard = 0

    def handle_cast(self, message: Any) -> None:
        """Count it."""
        self.heard += 1


def choosy() -> None:
    """Receive what never comes."""
    receive(("nothing", "of", "the", "sort"))


def main() -> None:
    """Start the tree, and wait."""
    pool = [
        ChildSpec(id=f"worker-{number}", start=(Worker.start_link, number), restart="permanent") for number in range(3)
    ]
    Supervisor.start_link(
        [
            ChildSpec(
                id="pool",
                start=(lambda: Supervisor.start_link(pool, max_restarts=50, max_seconds=60.0, name="pool"),),
                type="supervisor",
            ),
            ChildSpec(
                id="guests",
                start=(lambda: DynamicSupervisor.start_link(name="guests", max_restarts=50),),
                type="supervisor",
            ),
            ChildSpec(
                id="fragile",
                start=(lambda: Supervisor.start_link([(Worker, 7)], max_restarts=0, name="fragile"),),
                type="supervisor",
            ),
            ChildSpec(id="a/b", start=(Talker.start_link,), restart="transient"),
        ],
        strategy="one_for_one",
        max_restarts=10,
        name="app",
    )
    for number in range(2):
        start_child("guests", (Worker, number))
    spawn(choosy, name="choosy")
    receive("end")


if __name__ == "__main__":
    run(main)
