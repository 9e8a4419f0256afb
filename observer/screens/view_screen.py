"""What all views of a node have in common: the header, the keys, and what they ask the node at each look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Static

from observer.model.observed_node import ObservedNode
from observer.model.poller import Looked
from observer.node.cluster.whole_cluster import WholeCluster
from observer.screens.going import GoingApp
from observer.widgets.key_bar import MORE, KeyBar
from observer.widgets.node_header import NodeHeader
from observer.widgets.time_bar import TimeBar
from runtime.introspection import wire

LEAST_WIDTH, LEAST_HEIGHT = 40, 12
"""The smallest terminal that anything can be shown in."""


class ViewScreen(Screen[None]):
    """A view: it says its `questions`, and takes the answers."""

    AUTO_FOCUS = ""  # each view knows where its keys belong
    CSS_PATH = ["view_screen.tcss"]
    VIEW: ClassVar[str] = ""
    """Its title among the views of the header."""
    AMONG_ALL: ClassVar[str] = ""
    """What it says in a dashboard of all nodes, where it is not about all; ``{home}`` is the node one came from."""
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (LEAST_WIDTH, "-narrow"), (100, "-normal"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST_HEIGHT, "-low"), (20, "-short"), (32, "-tall"), (50, "-very-tall")]
    BINDINGS = [
        Binding("escape", "back", "Back", id="back", key_display="esc", show=False),
        Binding(
            "y", "copy", "Copy", id="copy", group=MORE, tooltip="Copy the pid, the stack or the event to the clipboard"
        ),
    ]

    def __init__(self, observed: ObservedNode) -> None:
        super().__init__()
        self.observed = observed
        source = observed.source
        self.one_node = (source.home if isinstance(source, WholeCluster) else source).name
        """The name of the node that the views of one node alone are about."""
        note = self.AMONG_ALL.format(home=self.one_node) if isinstance(source, WholeCluster) else ""
        self.header = NodeHeader(observed.record, source.name, self.VIEW, note)
        self.time_bar = TimeBar(observed)
        self._telling = observed.telling

    def compose(self) -> ComposeResult:
        """Lay out the header, the view's own parts, the keys; and a sentence for when there is no room."""
        yield self.header
        with Container(id="body"):
            yield from self.compose_body()
        yield self.time_bar
        yield KeyBar()
        yield Static(id="too-small")

    def compose_body(self) -> ComposeResult:
        """Yield the parts between the header and the keys."""
        yield from ()

    def questions(self) -> Sequence[wire.Query]:
        """Return what this view wants to know now."""
        return [wire.GetStats()]

    def take(self, query: wire.Query, answer: wire.Answer) -> None:
        """Take the answer to one of the questions."""

    def take_events(self, fresh: Sequence[wire.Event]) -> None:
        """Take the events that are new since the last look at this or any other view."""

    def tell_anew(self) -> None:
        """Draw what the record tells: another moment of the node is shown, and its events are others."""

    def looked(self, news: Looked) -> None:
        """Take all that one look brought."""
        if self._telling != self.observed.telling:
            self._telling = self.observed.telling
            self.tell_anew()
        self.time_bar.keep_up()
        if not news.held:
            self.header.stats = self.observed.record.stats
            self.take_events(news.fresh)
        for query, answer in news.answers:
            self.take(query, answer)

    def show_reachability(self) -> None:
        """Show whether the node can be reached, and whether the display is frozen."""
        header = self.header
        header.reachability = self.observed.reachability
        header.frozen = self.observed.frozen
        header.shown = self.observed.shown
        self.time_bar.look(bool(getattr(self.app, "playing", False)))
        header.stats = self.observed.record.stats
        self.set_class(not self.observed.reachability.connected, "-lost")

    def on_mount(self) -> None:
        """Start with what is known."""
        self.show_reachability()

    def on_screen_resume(self) -> None:
        """Catch up after another screen was in front."""
        self.show_reachability()
        self._keep_focus()
        self.observed.poller.soon()

    def focus_home(self) -> None:
        """Focus the part that should have the focus first."""

    def _keep_focus(self) -> None:
        # While the terminal is too small all parts are hidden, and what is hidden loses the focus.
        if self.focused is None and not self._too_small:
            self.focus_home()

    @property
    def _too_small(self) -> bool:
        return self.has_class("-tiny") or self.has_class("-flat")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Let no key do anything to what cannot be seen: a terminal that is too small shows nothing."""
        return action == "back" or not self._too_small

    def on_resize(self) -> None:
        """Keep the sentence about the terminal's size right, and the keys where they were."""
        self.call_after_refresh(self._keep_focus)
        width, height = self.app.size
        text = f"The terminal is too small: {width}x{height}. Make it at least {LEAST_WIDTH}x{LEAST_HEIGHT}."
        self.query_one("#too-small", Static).update(text)

    def open_process(self) -> bool:
        """Open the process of what is selected. Return whether there is one."""
        return False

    def to_copy(self) -> tuple[str, str] | None:
        """Return what can be copied from here, as a word and as text; None when there is nothing."""
        return None

    def action_copy(self) -> None:
        """Copy the pid, the stack or the event to the clipboard of the terminal (OSC 52)."""
        found = self.to_copy()
        if found is None:
            self.notify("There is nothing to copy here.", timeout=3)
            return
        what, text = found
        self.app.copy_to_clipboard(text)
        self.notify(f"Copied {what}.", timeout=3, markup=False)

    def action_back(self) -> None:
        """Go back to the view before, or to the node that this one was opened from, if there is one."""
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()
        elif isinstance(self.app, GoingApp):
            self.app.go_back()
