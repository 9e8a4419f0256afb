"""Every key that a view has, pressed once: what it does is seen, and no key is without such a test.

What a key does in all its cases is tested beside the thing it does; here is only that each is bound to it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

from observer.app import VIEWS, ObserverApp
from observer.node.recorded.seen import Seen
from observer.screens.ask_literal import AskLiteral
from observer.screens.chaos_screen import ChaosScreen
from observer.screens.choose_export import ChooseExport
from observer.screens.choose_sort import ChooseSort
from observer.screens.confirm import Confirm
from observer.screens.confirm_kill import ConfirmKill
from observer.screens.events_screen import EventsScreen
from observer.screens.going import AllNodes
from observer.screens.help_screen import HelpScreen
from observer.screens.names_screen import NamesScreen
from observer.screens.node_screen import NodeScreen
from observer.screens.output_screen import OutputScreen
from observer.screens.process_screen import ProcessScreen
from observer.screens.processes_screen import ProcessesScreen
from observer.screens.send_message import SendMessage
from observer.screens.tree_screen import TreeScreen
from observer.screens.view_screen import ViewScreen
from observer.widgets.finding_line import FindingLine
from observer.widgets.line_list import LineList
from observer.widgets.process_table import ProcessTable
from runtime.introspection import wire
from tests.observer.conftest import Drive, Driver
from tests.support import fake_nodes
from tests.support.fake_node import FakeNode
from tests.support.recordings import WELCOME, figures_at

PLACES: tuple[type[DOMNode], ...] = (
    ObserverApp,
    ProcessScreen,
    ChaosScreen,
    ProcessTable,
    LineList,
    FindingLine,
    *VIEWS.values(),
)
"""Where keys are bound, apart from dialogs."""


def busy() -> FakeNode:
    """Return a node with more processes and more events than a screen has lines."""
    node = fake_nodes.crowd(300)
    for _ in range(60):
        node.crash(node.find("worker1"))
    return node


def crashed_once() -> FakeNode:
    """Return a chat with a crash, whose stack has frames of the runtime."""
    node = fake_nodes.chat()
    node.crash(node.find("bob"))
    return node


def pool_in_trouble() -> FakeNode:
    """Return a node with a finding."""
    node = fake_nodes.crowd(300)
    node.find("pool1").lints = ("crash_loop",)
    return node


View = TypeVar("View", bound=ViewScreen)


def screen(driver: Driver) -> str:
    return type(driver.app.screen).__name__


def view(driver: Driver, kind: type[View]) -> View:
    view = driver.app.view
    assert isinstance(view, kind)
    return view


def row(driver: Driver) -> str:
    row = view(driver, TreeScreen).table.row
    return row.name if row else ""


def event(driver: Driver) -> int:
    chosen = view(driver, EventsScreen).log_list.selected
    return chosen.id if chosen else 0


def marked(driver: Driver) -> int:
    return len(view(driver, TreeScreen).marks)


def focused(driver: Driver) -> object:
    return driver.app.screen.focused


def asked(kind: type[wire.Query]) -> Callable[[Driver], bool]:
    return lambda driver: any(isinstance(query, kind) for query in driver.node.asked)


def says(text: str) -> Callable[[Driver], bool]:
    return lambda driver: text in driver.text()


class Remembered(FakeNode):
    """A node of which a few moments are remembered, with a crash in the middle one; that is shown."""

    is_live = True
    refusal = None

    def __init__(self) -> None:
        super().__init__()
        self.recording = seen = Seen(WELCOME)
        for at in (100.0, 101.0, 102.0, 103.0, 104.0):
            crash = [wire.Event(id=int(at), time=at, kind="exit", crashed=True)] if at in (100.0, 104.0) else []
            seen.add(at, figures_at(at, *crash))
        self.shown: float | None = 102.0

    def show(self, time: float | None) -> None:
        """Show another moment."""
        self.shown = time


def shown_moment(driver: Driver) -> float | None:
    """Return the moment that is shown."""
    return driver.app.observed.shown


@dataclass(frozen=True)
class Case:
    """What is pressed to get where the key means something, and what is another there once it was pressed."""

    before: tuple[str, ...]
    seen: Callable[[Driver], object]
    expected: object = True
    node: Callable[[], FakeNode] = fake_nodes.chat


CASES = {
    "up": Case(("j", "j"), row, "chat_server"),
    "down": Case((), row, "chat_server"),
    "page-down": Case((), lambda driver: row(driver) != "app", node=busy),
    "half-page-down": Case((), lambda driver: row(driver) != "app", node=busy),
    "half-page-up": Case(("G",), lambda driver: row(driver) != "worker99", node=busy),
    "page-up": Case(("G",), lambda driver: row(driver) != "worker99", node=busy),
    "first": Case(("G",), row, "app", node=busy),
    "last": Case((), row, "worker99", node=busy),
    "open": Case(("j",), screen, "ProcessScreen"),
    "fold": Case(("j", "j"), lambda driver: "ada" in driver.text(), False),
    "unfold": Case(("j", "j", "h"), says("ada")),
    "filter": Case((), lambda driver: type(focused(driver)).__name__, "FilterLine"),
    "sort": Case((), screen, "ChooseSort"),
    "next-match": Case(("slash", "l", "enter"), row, "charles"),
    "previous-match": Case(("slash", "l", "enter"), row, "listener"),
    "mark": Case((), marked, 1),
    "unmark": Case(("v", "v"), marked, 0),
    "finding": Case((), row, "pool1", node=pool_in_trouble),
    "open-finding": Case(("tab", "tab"), screen, "ProcessScreen", node=pool_in_trouble),
    "isolate": Case(("j", "j"), lambda driver: "chat_server" in driver.text(), False),
    "delta": Case(("2",), lambda driver: view(driver, ProcessesScreen).view.delta),
    "group": Case(("2",), lambda driver: view(driver, ProcessesScreen).view.group_by, "label"),
    "kill": Case(("j",), screen, "ConfirmKill"),
    "kill-now": Case(("j",), asked(wire.Exit)),
    "exit": Case(("j",), screen, "AskLiteral"),
    "suspend": Case(("j",), asked(wire.Suspend)),
    "message": Case(("j",), screen, "SendMessage"),
    "trace": Case(("j",), screen, "TraceScreen"),
    "restart": Case(("j",), says("Restart chat_server?")),
    "terminate": Case(("j",), says("Terminate chat_server?")),
    "delete": Case(("j",), says("Delete chat_server?")),
    "back": Case(("enter",), screen, "TreeScreen"),
    "back-from-chaos": Case(("c",), screen, "TreeScreen"),
    "start-chaos": Case(("c",), asked(wire.Exit)),
    "next-part": Case(("j", "enter"), lambda driver: focused(driver) is view(driver, ProcessScreen).relations, False),
    "state": Case(("j", "enter"), says("Press i to ask")),
    "line-up": Case(("4",), event, 118, node=busy),
    "line-down": Case(("4",), event, 120, node=busy),
    "line-page-up": Case(("4",), lambda driver: event(driver) < 115, node=busy),
    "line-page-down": Case(("4", "g"), lambda driver: event(driver) > 5, node=busy),
    "line-half-page-up": Case(("4",), lambda driver: event(driver) < 118, node=busy),
    "line-half-page-down": Case(("4", "g"), lambda driver: event(driver) > 4, node=busy),
    "line-first": Case(("4",), event, 1, node=busy),
    "line-last": Case(("4", "g"), event, 120, node=busy),
    "line-open": Case(("G", "tab"), screen, "EventDialog", node=busy),
    "filter-events": Case(("4",), lambda driver: type(focused(driver)).__name__, "FilterLine"),
    "kinds": Case(("4",), lambda driver: "all but spawns" in driver.text(), False),
    "event-frames": Case(("4",), says("server_loop.py:90"), node=crashed_once),
    "process-frames": Case(("j", "enter"), says("server_loop.py:90"), node=crashed_once),
    "event-process": Case(("4",), screen, "ProcessScreen", node=busy),
    "filter-names": Case(("6",), lambda driver: type(focused(driver)).__name__, "FilterLine"),
    "next-list": Case(("6",), lambda driver: focused(driver) is view(driver, NamesScreen).names, False),
    "view-cluster": Case((), screen, "ClusterScreen", node=fake_nodes.cluster),
    "node-kill": Case(("7",), screen, "ConfirmNode", node=fake_nodes.cluster),
    "node-stop": Case(("7",), screen, "ConfirmNode", node=fake_nodes.cluster),
    "node-disconnect": Case(("7",), screen, "ConfirmNode", node=fake_nodes.cluster),
    "all-nodes": Case(("7",), lambda driver: driver.app.wanted, AllNodes(), node=fake_nodes.cluster),
    "node-connect": Case(("7", "j"), asked(wire.ControlNode), node=fake_nodes.cluster),
    "constants": Case(("5",), lambda driver: focused(driver) is view(driver, NodeScreen).lints, False),
    "next-node-part": Case(("5",), lambda driver: focused(driver) is view(driver, NodeScreen).lints, False),
    "step-back": Case((), shown_moment, 101.0, node=Remembered),
    "step-on": Case((), shown_moment, 103.0, node=Remembered),
    "failure-before": Case((), shown_moment, 100.0, node=Remembered),
    "next-failure": Case((), shown_moment, 104.0, node=Remembered),
    "now": Case((), shown_moment, None, node=Remembered),
    "freeze": Case((), says("FROZEN")),
    "help": Case((), screen, "HelpScreen"),
    "chaos": Case((), screen, "ChaosScreen"),
    "write": Case((), screen, "ChooseExport"),
    "commands": Case((), screen, "CommandPalette"),
    "copy": Case(("j",), says("Copied <0.11.0>.")),
    "output": Case((), screen, "OutputScreen"),
    "view-tree": Case(("2",), screen, "TreeScreen"),
    "view-processes": Case((), screen, "ProcessesScreen"),
    "view-process": Case(("j",), screen, "ProcessScreen"),
    "view-events": Case((), screen, "EventsScreen"),
    "view-node": Case((), screen, "NodeScreen"),
    "view-names": Case((), screen, "NamesScreen"),
    "view-console": Case((), screen, "ConsoleScreen"),
    "to-shell": Case((), says("There is no shell to go to")),
    "quit": Case((), lambda driver: driver.app.is_running, False),
}
"""A case for each action, by the name it can be remapped by."""


def bindings() -> Iterator[tuple[str, str]]:
    """Yield the name and the key of every binding."""
    found: dict[tuple[str, str], None] = {}
    for place in PLACES:
        for base in place.__mro__:
            for binding in vars(base).get("BINDINGS", ()):
                if isinstance(binding, Binding) and binding.id and base.__module__.startswith("observer."):
                    found.update({(binding.id, key): None for key in binding.key.split(",")})
    yield from found


def test_no_key_is_without_a_case_and_no_case_without_a_key() -> None:
    assert {name for name, _ in bindings()} == set(CASES)


@pytest.mark.parametrize(("name", "key"), bindings())
async def test_a_key_does_what_it_is_there_for(
    drive: Drive, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, key: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "getsid", lambda pid: os.getpgrp())
    case = CASES[name]
    async with drive(case.node()) as driver:
        for before in case.before:
            await driver.press(before)
        await driver.look()
        assert case.seen(driver) != case.expected, "it is so already"
        await driver.press(key)
        for _ in range(3_000):
            if case.seen(driver) == case.expected:
                return
            await driver.pilot.pause()
        assert case.seen(driver) == case.expected


DIALOGS = {
    ConfirmKill: ("j", "x"),
    Confirm: ("j", "t"),
    AskLiteral: ("j", "e"),
    SendMessage: ("j", "m"),
    ChooseSort: ("s",),
    ChooseExport: ("w",),
    HelpScreen: ("question_mark",),
    OutputScreen: ("O",),
}
"""How each dialog is opened."""


@pytest.mark.parametrize("dialog", DIALOGS)
async def test_escape_leaves_every_dialog_and_nothing_is_done(drive: Drive, dialog: type[Screen[object]]) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press(*DIALOGS[dialog])
        assert isinstance(driver.app.screen, dialog)
        await driver.press("escape")
        assert isinstance(driver.app.screen, TreeScreen)
        assert not any(asked(kind)(driver) for kind in (wire.Exit, wire.Send, wire.ControlChild))


@pytest.mark.parametrize(("opened", "done"), [(("j", "x"), wire.Exit), (("j", "t"), wire.ControlChild)])
@pytest.mark.parametrize(("answer", "yes"), [("y", True), ("enter", True), ("n", False), ("escape", False)])
async def test_questions_are_answered_with_letters_too(
    drive: Drive, opened: tuple[str, ...], done: type[wire.Query], answer: str, yes: bool
) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press(*opened, answer)
        assert asked(done)(driver) is yes
