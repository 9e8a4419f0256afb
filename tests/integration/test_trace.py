"""Tracing a real node: printed by the command, and drawn in a real terminal."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.support.copies import OBSERVER
from tests.support.nodes import ObservedNode
from tests.support.tmux import WITHOUT_TMUX, Screen


def traced(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OBSERVER_DIR": str(folder), "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return OBSERVER.run("tests.support.patient", "trace", "node", *arguments, environment=environment)


def test_the_command_follows_a_node_until_its_time_is_over(node: ObservedNode, folder: Path) -> None:
    done = traced(folder, "--for", "0.3s", "--json")
    assert done.returncode == 0
    value = json.loads(done.stdout)
    assert value["ending"] == "The time of 0.3 s is over."
    assert value["noted"] == len(value["events"])
    refused = traced(folder, "--target", "mailbox>")
    assert refused.returncode == 2
    assert "a value is missing" in refused.stderr
    assert "Traceback" not in refused.stderr


@WITHOUT_TMUX
def test_t_draws_the_chat_in_a_terminal(folder: Path) -> None:
    with Screen(folder, "demo", "chat", columns=120, lines=36) as screen:
        screen.shows(r"chat_server|server")
        screen.keys("T")
        screen.shows(r"Trace of chat")
        screen.shows(r"Ada .*Bob|Bob .*Ada|Ada .*Charles|Charles .*Ada")
        screen.shows(r"[<>─]\('message'")
        screen.keys("k")
        screen.shows(r"at +.*chat\.py:\d+ in ")
        screen.keys("s")
        screen.shows(r"Save the trace")
        screen.keys("Escape")  # it would be written into the current folder
        screen.shows(r"Trace anew")
        screen.keys("Escape")
        screen.shows(r"Mailbox")
        screen.keys("q")
        screen.shows(r"^left with 0$")
