"""What both kinds of chaos have in common: settings, a button, results, and the events beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from math import inf
from time import monotonic
from typing import ClassVar, Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from observer.model.observed_node import ObservedNode
from observer.screens.view_screen import ViewScreen
from observer.text import tones
from observer.text.safe_text import safe
from observer.widgets.event_list import EventList
from observer.widgets.line_input import LineInput
from runtime.introspection import wire

EVENTS = 200
"""How many of the latest events are shown beside the results."""

REST = 1.0
"""Seconds after the end of a chaos in which none is started: a key that is pressed then was meant to stop that one."""

SECONDS = ("seconds", "For", "30s", "how long: 30s, 2m")
"""The setting that says for how long a chaos acts."""


class Stoppable(Protocol):
    """A chaos that goes on: it acts, and then waits for what is to come back."""

    @property
    def is_waiting(self) -> bool:
        """Whether nothing more is done, and what is to come back is waited for."""

    def stop(self, at_once: bool = False) -> None:
        """Do no more; `at_once` also waits no longer for what is to come back."""


class OrdersScreen(ViewScreen):
    """Asks for the settings of a chaos, starts and stops it, and shows its results. Leaving the screen stops it.

    A subclass says in `FIELDS` what is asked, and how a chaos begins and ends.
    """

    CSS_PATH = ["view_screen.tcss", "orders_screen.tcss"]
    FIELDS: ClassVar[Sequence[tuple[str, str, str, str]]] = ()
    """The settings. Each is a name, a title, the value at first, and a hint."""
    INTRODUCTION: ClassVar[str] = ""
    """What is shown in the place of results before the first start."""
    BINDINGS = [
        Binding("escape", "back", "Back", id="back-from-chaos", key_display="esc"),
        Binding("ctrl+s", "start", "Start or stop", id="start-chaos", key_display="^s"),
    ]

    def __init__(self, observed: ObservedNode, values: Mapping[str, str] | None = None) -> None:
        super().__init__(observed)
        self.chaos: Stoppable | None = None
        """What goes on, from its start until it is over."""
        self._over_at = -inf
        values = values or {}
        self._lines = {
            name: LineInput(values.get(name, first), placeholder=hint, classes="line", id=name)
            for name, _, first, hint in self.FIELDS
        }
        self.figures = Static(id="figures", classes="framed")
        self.button = Button("Start", variant="error", id="start")
        self.log_list = EventList("Nothing has happened yet.")

    def compose_body(self) -> ComposeResult:
        """Lay out the settings, the results and, where there is room, the events."""
        with Container(id="chaos"):
            with Container(id="run"):
                with Container(id="orders", classes="framed") as orders:
                    orders.border_title = "Settings"
                    for name, title, *_ in self.FIELDS:
                        with Horizontal(classes="order"):
                            yield Label(title)
                            yield self._lines[name]
                    yield self.button
                yield from self.compose_results()
            yield self.log_list.add_class("framed")

    def compose_results(self) -> ComposeResult:
        """Lay out the results."""
        yield self.figures

    def on_mount(self) -> None:
        """Wait for a start: opening the screen does nothing."""
        super().on_mount()
        self.figures.border_title = "Results"
        self.log_list.border_title = "Events"
        self.log_list.can_focus = False
        self.take_events(())
        self.figures.update(Content.assemble((self.INTRODUCTION, tones.MUTED)))
        self.focus_home()

    def take_events(self, fresh: Sequence[wire.Event]) -> None:
        """Show the latest events: kills, ends, restarts."""
        latest = islice(reversed(self.observed.record.events), EVENTS)
        self.log_list.replace([event for event in latest if event.kind != "spawn"][::-1])

    def focus_home(self) -> None:
        """Focus the first setting."""
        self.query_one(f"#{self.FIELDS[0][0]}").focus()

    @property
    def goes_on(self) -> bool:
        """Whether a chaos was started and is not over."""
        return self.chaos is not None

    def begin(self, typed: Mapping[str, str]) -> None:
        """Start a chaos with these settings. Raises ValueError with what is wrong with them."""
        raise NotImplementedError

    def end(self) -> None:
        """Do no more; what is to come back is still waited for. A second time, wait no longer."""
        if self.chaos is None:
            return
        if self.chaos.is_waiting:
            self.end_at_once()
        else:
            self.chaos.stop()
            self.show_results()

    def end_at_once(self) -> None:
        """Do no more, and wait for nothing."""
        if self.chaos is not None:
            self.chaos.stop(at_once=True)

    def finish(self) -> None:
        """Offer the start again."""
        self.chaos, self._over_at = None, monotonic()
        self.button.label = "Start"

    def show_results(self) -> None:
        """Show how it stands."""
        raise NotImplementedError

    def progress(self) -> str:
        """Say what goes on, and how it is stopped."""
        if self.chaos is not None and self.chaos.is_waiting:
            return "Waiting for what is to come back; enter stops that."
        return "It goes on; enter stops it."

    @on(Input.Submitted)
    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        """Start; when it goes on already, stop. Do nothing when it has just come to its end."""
        if self.goes_on:
            self.end()
            return
        if monotonic() - self._over_at < REST:
            return
        if self.observed.read_only:
            self.say("This is a read-only view: nothing can be killed from here.")
            return
        try:
            self.begin(self.typed())
        except ValueError as error:
            self.say(str(error))
            return
        self.button.label = "Stop"

    def typed(self) -> dict[str, str]:
        """Return the value of each setting, by its name."""
        return {name: line.value.strip() for name, line in self._lines.items()}

    def say(self, sentence: str) -> None:
        """Say what is wrong, in the place of the results."""
        self.figures.update(Content.assemble((f"! {safe(sentence)}", tones.BAD)))

    def action_back(self) -> None:
        """Stop what goes on, and leave."""
        self.end_at_once()
        super().action_back()
