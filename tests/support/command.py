"""The command ``observer`` run in this process on a scripted node, for the tests of the commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from observer.cli import main
from runtime.introspection import wire
from tests.support.fake_endpoint import of_rows

SUPERVISOR = wire.Row(
    key="app",
    pid="<0.2.0>",
    kind="supervisor",
    name="app_sup",
    registered_name="app_sup",
    child_count=2,
    strategy="one_for_one",
    max_restarts=3,
    max_seconds=5.0,
    restarts_used=1,
)
WORKER = wire.Row(
    key="app/w",
    pid="<0.3.0>",
    name="evil\x1b[2J\x9bname",
    registered_name="worker",
    child_id="w",
    depth=1,
    parent_key="app",
    supervisor="<0.2.0>",
    restart="permanent",
    restarts=2,
    message_queue_len=1234,
    memory=4000,
    memory_age=0.5,
)
STOPPED = wire.Row(
    key="app/v", name="v", child_id="v", depth=1, parent_key="app", status="stopped", supervisor="<0.2.0>"
)
GROUP = wire.Row(key="others", kind="group", name="under no supervisor", child_count=1)
LONELY = wire.Row(key="<0.9.0>", pid="<0.9.0>", name="lonely", label="lonely", depth=1, parent_key="others")
ROWS = (SUPERVISOR, WORKER, STOPPED, GROUP, LONELY)

EVENTS = (
    wire.Event(id=4, time=1.0, kind="kill", pid="<0.1.0>", reason="kill"),
    wire.Event(id=5, time=2.0, kind="exit", pid="<0.1.0>", reason="killed", cause=4, crashed=True),
    wire.Event(id=6, time=3.0, kind="restart", pid="<0.3.0>", old_pid="<0.1.0>", name="w\x1b[31m", cause=5),
)


class Result(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("observer.model.settings.settings_path", lambda: tmp_path / "none" / "settings.toml")


@pytest.fixture
def observer(
    socket_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Result]:
    """Return the command: a function of its arguments that returns its exit status and what it printed."""

    def command(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["observer", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        assert not set(out + err) & set("\x1b\x9b\x07\x08\u202e\u200b"), "control characters reached the terminal"
        assert "Traceback" not in out + err
        return Result(int(left.value.code or 0), out, err)

    return command


Command = Callable[..., Result]


def scripted(query: wire.Query) -> wire.Answer:
    """Answer what `of_rows` does not."""
    match query:
        case wire.GetEvents(after=after, limit=limit):
            known = EVENTS[-limit:] if after < 0 else tuple(event for event in EVENTS if event.id > after)
            return wire.Events(events=known, last=6)
        case wire.GetLints():
            return wire.Lints(lints=(wire.Lint(kind="hog", weight=3, pids=("<0.3.0>",), sentence="It\x1b[1m hogs."),))
        case wire.Send(message=message, via=via):
            return wire.Done(sentence="Sent.", value=f"{via} {message}" if via == "call" else None)
        case _:
            return of_rows(ROWS)(query)
